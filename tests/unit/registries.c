/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/registries.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "lib/toml.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

/* TOML that is right, and the JSON it is. */
static const struct {
	const char *text, *json;
} good[] = {
	{ "", "{}" },
	{ "\xef\xbb\xbf"
	  "a = 1",
	  "{\"a\":1}" },
	{ "# only a comment", "{}" },
	{ "a = 'x' # and a comment\r\nb=\"y\"", "{\"a\":\"x\",\"b\":\"y\"}" },
	{ "a = true\nb = false\nc = -12\nd = 0", "{\"a\":true,\"b\":false,\"c\":-12,\"d\":0}" },
	{ "s = \"\\t\\\"\\\\\\u00e9\\U0001F600\"",
	  "{\"s\":\"\\t\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80\"}" },
	{ "s = 'C:\\x'", "{\"s\":\"C:\\\\x\"}" },
	{ "a = [ 1, # one\n 2,\n ]\nb = []", "{\"a\":[1,2],\"b\":[]}" },
	{ "a = { b = 1, c.d = { } }", "{\"a\":{\"b\":1,\"c\":{\"d\":{}}}}" },
	{ "\"a b\".'c' = 1\n\"a b\".d = 2", "{\"a b\":{\"c\":1,\"d\":2}}" },
	{ "[a]\nx = 1\n[a.b]\ny = 2\n", "{\"a\":{\"x\":1,\"b\":{\"y\":2}}}" },
	{ "[a.b]\nx = 1\n[a]\ny = 2\n", "{\"a\":{\"b\":{\"x\":1},\"y\":2}}" },
	{ "[[r]]\nx = 1\n[[r.m]]\ny = 2\n[[r.m]]\ny = 3\n[[r]]\nx = 4\n",
	  "{\"r\":[{\"x\":1,\"m\":[{\"y\":2},{\"y\":3}]},{\"x\":4}]}" },
	{ "[ a . \"b\" ]\n", "{\"a\":{\"b\":{}}}" },
	{ "s = \"\"\"\"\"\"\nt = '''''' # empty", "{\"s\":\"\",\"t\":\"\"}" },
	{ "s = \"\"\"\n\none\n two\"\"\"\nb = 1", "{\"s\":\"\\none\\n two\",\"b\":1}" },
	{ "s = '''\r\n\\one\r\n'''", "{\"s\":\"\\\\one\\r\\n\"}" },
	{ "s = \"\"\"a\\\n\t \n\r\n  b \\ \t\r\n\\\n\"\"\"", "{\"s\":\"ab \"}" },
	{ "s = \"\"\"\\\"\"\"\\u00e9\\n\"\"\"", "{\"s\":\"\\\"\\\"\\\"\xc3\xa9\\n\"}" },
	{ "s = \"\"\"\"a\"\" b\"\"\"\"\"", "{\"s\":\"\\\"a\\\"\\\" b\\\"\\\"\"}" },
	{ "s = ''''a'' b''''", "{\"s\":\"'a'' b'\"}" },
	{ "a = [\"\"\"\n1\n\"\"\", '''2''']", "{\"a\":[\"1\\n\",\"2\"]}" },
};

/* TOML that is not, and the line where. */
static const struct {
	const char *text;
	int line;
} bad[] = {
	{ "a", 1 },
	{ "a =", 1 },
	{ "a = x", 1 },
	{ "\n\na = 1.5", 3 },
	{ "a = 1979-05-27", 1 },
	{ "a = 012", 1 },
	{ "a = 99999999999999999999", 1 },
	{ "a = 1 2", 1 },
	{ "a = 1\na = 2", 2 },
	{ "a = 'x", 1 },
	{ "a = \"x\ny\"", 1 },
	{ "a = \"\\x\"", 1 },
	{ "a = \"\\u00\"", 1 },
	{ "a = \"\\ud800\"", 1 },
	{ "a = \"\xff\"", 1 },
	{ "a = \"\x01\"", 1 },
	{ "a = \"\"\"x\"\"", 1 },
	{ "a = \"\"\"x\n\n", 3 },
	{ "a = '''x\n\"\"\"", 2 },
	{ "a = \"\"\"x\n\"\"\"\"\"\"", 2 },
	{ "a = '''x\n''''''", 2 },
	{ "a = \"\"\"\n\\ x\"\"\"", 2 },
	{ "a = \"\"\"\n\\\rx\"\"\"", 2 },
	{ "a = \"\"\"\n\\", 2 },
	{ "a = \"\"\"\nx\ry\"\"\"", 2 },
	{ "a = '''\n\x7f'''", 2 },
	{ "a = \"\"\"\n\xff\"\"\"", 2 },
	{ "a = \"\"\"\n\"\"\"\na = 1", 3 },
	{ "\"\"\"a\"\"\" = 1", 1 },
	{ "['''a''']", 1 },
	{ "a = [1\n2]", 2 },
	{ "a = [", 1 },
	{ "a = {b = 1", 1 },
	{ "a = {b = 1,}", 1 },
	{ "a = {}\na.b = 1", 2 },
	{ "a = {}\n[a.b]", 2 },
	{ "[a]\n[a]", 2 },
	{ "[a]\nb.c = 1\n[a.b]", 3 },
	{ "[a]\n[[a]]", 2 },
	{ "a = [{}]\n[[a]]", 2 },
	{ "[a", 1 },
	{ "[[a]", 1 },
	{ "[]", 1 },
	{ "= 1", 1 },
	{ "a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", 1 },
};

static void test_toml(void)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct toml toml = { 0 };
		struct error err = { 0 };
		int status = toml_parse(good[i].text, strlen(good[i].text), "f", &toml, &err);
		json_auto_t *expected = json_loads(good[i].json, 0, NULL);

		ok(status == 0 && json_equal(toml.root, expected), "toml: %s", good[i].json);
		toml_free(&toml);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct toml toml = { 0 };
		struct error err = { 0 };
		char place[16];

		snprintf(place, sizeof place, "f:%d: ", bad[i].line);
		ok(toml_parse(bad[i].text, strlen(bad[i].text), "f", &toml, &err) < 0 &&
			   err.kind == ERROR_INTEGRITY &&
			   strncmp(err.message, place, strlen(place)) == 0,
		   "toml: refused: %zu: %s", i, err.message);
	}
}

static const char configuration[] = "unqualified-search-registries = [\"docker.io\"]\n"
				    "[[registry]]\n"
				    "location = 'example.com'\n"
				    "insecure = true\n"
				    "[[registry]]\n"
				    "prefix = 'example.com/moved'\n"
				    "location = 'other.example:5000/base'\n"
				    "[[registry]]\n"
				    "prefix = '*.wild.com'\n"
				    "location = 'flat.example'\n"
				    "[[registry]]\n"
				    "location = 'bad.example'\n"
				    "blocked = true\n"
				    "[[registry]]\n"
				    "prefix = 'docker.io'\n"
				    "location = 'docker.io'\n"
				    "[[registry.mirror]]\n"
				    "location = 'one.example/hub'\n"
				    "insecure = true\n"
				    "[[registry.mirror]]\n"
				    "location = 'two.example'\n"
				    "pull-from-mirror = 'digest-only'\n"
				    "[[registry.mirror]]\n"
				    "location = 'three.example'\n"
				    "pull-from-mirror = 'tag-only'\n"
				    "[[registry]]\n"
				    "location = 'strict.example'\n"
				    "mirror-by-digest-only = true\n"
				    "[[registry.mirror]]\n"
				    "location = 'four.example'\n"
				    "[[registry]]\n"
				    "prefix = '*.deep.wild.com'\n"
				    "location = 'deep.example'\n"
				    "[[registry]]\n"
				    "prefix = 'one.wild.com'\n"
				    "location = 'one.example'\n"
				    "[[registry]]\n"
				    "prefix = '1.wild.com'\n"
				    "location = '1.example'\n"
				    "[[registry]]\n"
				    "prefix = 'leads.example'\n"
				    "location = 'bad.example/x'\n"
				    "[[registry]]\n"
				    "location = 'half.example'\n"
				    "[[registry.mirror]]\n"
				    "location = 'bad.example/x'\n"
				    "[[registry.mirror]]\n"
				    "location = 'good.example'\n"
				    "[[registry]]\n"
				    "prefix = ''\n"
				    "location = 'slash.example/a//'\n"
				    "[[registry.mirror]]\n"
				    "location = 'there.example/'\n"
				    "pull-from-mirror = ''\n"
				    "[[registry]]\n"
				    "location = 'shut.example'\n"
				    "blocked = true\n"
				    "[[registry.mirror]]\n"
				    "location = 'five.example'\n"
				    "[[registry]]\n"
				    "prefix = 'into.example'\n"
				    "location = 'bad.example/x'\n"
				    "[[registry.mirror]]\n"
				    "location = 'six.example'\n"
				    "[[registry]]\n"
				    "prefix = '*.shut.example'\n"
				    "location = 'open.example'\n"
				    "blocked = true\n"
				    "[[registry.mirror]]\n"
				    "location = 'seven.example'\n"
				    "pull-from-mirror = 'digest-only'\n";

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A reference and the places to look: those that are insecure end in "!", the blocked in "#". */
static const struct {
	const char *reference, *places;
	bool is_destination;
} routes[] = {
	{ "nowhere.example/a:v", "nowhere.example/a:v", false },
	{ "example.com/a:v", "example.com/a:v!", false },
	{ "example.com/a:v", "example.com/a:v!", true },
	{ "example.com.org/a:v", "example.com.org/a:v", false },
	{ "example.com/moved/a:v", "other.example:5000/base/a:v", false },
	{ "example.com/moved/a:v", "example.com/moved/a:v", true },
	{ "example.com/moved:v", "other.example:5000/base:v", false },
	{ "example.com/movedtoo:v", "example.com/movedtoo:v!", false },
	{ "a.wild.com/x:v", "flat.example/x:v", false },
	{ "a.b.wild.com/x:v", "flat.example/x:v", false },
	{ "a.deep.wild.com/x:v", "deep.example/x:v", false },
	{ "one.wild.com/x:v", "one.example/x:v", false },
	{ "one.wild.com:5000/x:v", "one.example:5000/x:v", false },
	{ "1.wild.com/x:v", "1.example/x:v", false },
	{ "wild.com/x:v", "wild.com/x:v", false },
	{ "awild.com/x:v", "awild.com/x:v", false },
	{ "bad.example/x:v", NULL, false },
	{ "bad.example/x:v", NULL, true },
	{ "leads.example/x:v", NULL, false },
	{ "leads.example/x:v", "leads.example/x:v", true },
	{ "slash.example/a/y:v", "there.example/y:v slash.example/a/y:v", false },
	{ "half.example/y:v", "good.example/y:v half.example/y:v", false },
	{ "shut.example/y:v", "five.example/y:v shut.example/y:v#", false },
	{ "shut.example/y:v", NULL, true },
	{ "into.example/y:v", "six.example/y:v bad.example/x/y:v#", false },
	{ "a.shut.example/y:v", NULL, false },
	{ "a.shut.example/y@" DIGEST, "seven.example/y:" DIGEST " open.example/y:" DIGEST "#",
	  false },
	{ "busybox:v",
	  "one.example/hub/library/busybox:v! three.example/library/busybox:v "
	  "docker.io/library/busybox:v",
	  false },
	{ "busybox@" DIGEST,
	  "one.example/hub/library/busybox:" DIGEST "! two.example/library/"
	  "busybox:" DIGEST " docker.io/library/busybox:" DIGEST,
	  false },
	{ "busybox:v", "docker.io/library/busybox:v", true },
	{ "strict.example/x:v", "strict.example/x:v", false },
	{ "strict.example/x@" DIGEST, "four.example/x:" DIGEST " strict.example/x:" DIGEST, false },
};

static char *route_text(const struct route *route)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < route->count; i++) {
		const struct endpoint *e = &route->endpoints[i];
		char *longer = xasprintf("%s%s%s/%s:%s%s%s", text, i ? " " : "", e->registry,
					 e->repository, e->wanted, e->insecure ? "!" : "",
					 e->blocked ? "#" : "");

		free(text);
		text = longer;
	}
	return text;
}

static void test_routes(void)
{
	json_auto_t *registries = json_object();
	struct error err = { 0 };

	ok(registries_add(registries, configuration, strlen(configuration), "f", &err) == 0,
	   "registries: the configuration is read: %s", err.message);
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		cleanup_reference struct reference reference = { 0 };
		cleanup_route struct route route = { 0 };

		reference_parse(routes[i].reference, &reference, &err);
		int status = registries_find(registries, &reference, routes[i].is_destination,
					     &route, &err);
		cleanup_free char *text = route_text(&route);
		is(status < 0 ? NULL : text, routes[i].places, "registries: %s%s",
		   routes[i].reference, routes[i].is_destination ? " as a destination" : "");
		if (status < 0)
			ok(err.kind == ERROR_DENIED && strstr(err.message, " is blocked by f:"),
			   "registries: who blocks it: %s", err.message);
	}
}

/* Files that are TOML but wrong, and what is said. */
static const struct {
	const char *text, *message;
} wrong[] = {
	{ "[[registry]]\ninsecure = true\n", "f:1: the registry has no prefix" },
	{ "[[registry]]\nlocation = 'a.b'\ninsecure = 'yes'\n", "f:3: insecure has a value" },
	{ "[[registry]]\nlocation = 'https://a.b'\n", "f:2: location is not HOST" },
	{ "[[registry]]\nlocation = 'a'\n", "f:2: location is not HOST" },
	{ "[[registry]]\nprefix = '*.a.b/c'\nlocation = 'a.b'\n", "f:2: prefix has a" },
	{ "[[registry]]\nlocation = '*.a.b'\n", "f:2: location is not HOST" },
	{ "[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\n", "f:3: the mirror has no" },
	{ "[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\nlocation = 'c.d'\n"
	  "pull-from-mirror = 'some'\n",
	  "f:5: pull-from-mirror is none of" },
	{ "[[registry]]\nlocation = 'a.b'\nmirror-by-digest-only = true\n[[registry.mirror]]\n"
	  "location = 'c.d'\npull-from-mirror = 'all'\n",
	  "f:6: pull-from-mirror contradicts" },
	{ "[[registry]]\nlocation = 'a.b'\n[[registry]]\nlocation = 'a.b'\nblocked = true\n",
	  "f:3: the same prefix" },
	{ "[[registry]]\nlocation = 'a.b'\n[[registry]]\nprefix = 'c.d'\nlocation = 'a.b'\n"
	  "blocked = true\n",
	  "f:3: the same prefix or location" },
	{ "[[registry]]\nlocation = 'a.b'\nBlocked = true\nblocked = false\n",
	  "f:3: Blocked is there in another case, too" },
	{ "[[registry]]\nprefix = 'a.b'\nblocked = true\n", "f:2: prefix without \"*.\" needs" },
	{ "[[registry]]\nlocation = ''\n", "f:1: the registry has no prefix and no" },
	{ "[[registry]]\nlocation = '/'\n", "f:2: location is not HOST" },
	{ "unqualified-search-registries = ['http://x']\n",
	  "f: unqualified-search-registries has" },
	{ "unqualified-search-registries = ['a.b/c']\n", "f: unqualified-search-registries has" },
	{ "unqualified-search-registries = ['']\n", "f: unqualified-search-registries has" },
	{ "[aliases]\nfoo = 'bar'\n", "f: the alias \"foo\" is \"bar\" rather than" },
	{ "[aliases]\nfoo = 'a.b/c:v'\n", "f: the alias \"foo\" is \"a.b/c:v\" rather than" },
	{ "[aliases]\n'foo:v' = 'a.b/c'\n", "f: the alias \"foo:v\" is no short name" },
	{ "[aliases]\n'a.b/foo' = 'a.b/c'\n", "f: the alias \"a.b/foo\" is no short name" },
	{ "[[registry]]\nLOCATION = 1\n", "f:2: location has a value" },
	{ "registry = [1]\n", "f: a registry is not a table" },
	{ "registry = 1\n", "f:1: registry has a value" },
	{ "[registries.search]\nregistries = ['a.b']\n", "f:1: the format of version 1" },
	{ "[Registries.Search]\nregistries = ['a.b']\n", "f:1: the format of version 1" },
};

static void test_wrong(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		json_auto_t *registries = json_object();
		struct error err = { 0 };
		const char *text = wrong[i].text;

		ok(registries_add(registries, text, strlen(text), "f", &err) < 0 &&
			   strncmp(err.message, wrong[i].message, strlen(wrong[i].message)) == 0,
		   "registries: refused: %s", err.message);
	}
}

/* A later file replaces a prefix whole. */
static void test_merge(void)
{
	static const char later[] =
		"[[registry]]\nprefix = 'bad.example'\nlocation = 'ok.example'\n";
	json_auto_t *registries = json_object();
	cleanup_reference struct reference reference = { 0 };
	cleanup_route struct route route = { 0 };
	struct error err = { 0 };

	registries_add(registries, configuration, strlen(configuration), "f", &err);
	registries_add(registries, later, strlen(later), "g", &err);
	reference_parse("bad.example/x:v", &reference, &err);
	ok(registries_find(registries, &reference, false, &route, &err) == 0 &&
		   strcmp(route.endpoints[0].registry, "ok.example") == 0,
	   "registries: a later file wins");
}

int main(void)
{
	test_toml();
	test_routes();
	test_wrong();
	test_merge();
	return tap_done();
}
