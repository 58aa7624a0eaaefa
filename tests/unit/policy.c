/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/policy.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/reference.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

#define DIGEST		  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ACCEPT		  "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT		  "[{\"type\":\"reject\"}]"
#define BY(members)	  "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"," members "}]}"
#define SIGSTORE(members) "{\"default\":[{\"type\":\"sigstoreSigned\"," members "}]}"
#define IDENTITY(members) BY("\"keyPath\":\"/k\",\"signedIdentity\":{" members "}")
#define SCOPE(transport, scope)                                                                    \
	"{\"default\":" REJECT ",\"transports\":{\"" transport "\":{\"" scope "\":" ACCEPT "}}}"

static const char *const good[] = {
	"{\"default\":" ACCEPT "}",
	"{\"default\":" REJECT ",\"transports\":{}}",
	BY("\"keyPath\":\"/k\""),
	BY("\"keyPaths\":[\"/k\",\"/l\"]"),
	BY("\"keyData\":\"aGk=\""),
	SIGSTORE("\"keyPath\":\"/k\""),
	SIGSTORE("\"keyPaths\":[\"/k\"]"),
	SIGSTORE("\"keyData\":\"aGk=\""),
	SIGSTORE("\"keyDatas\":[\"aGk=\"],\"rekorPublicKeyPath\":\"/r\""),
	SIGSTORE("\"fulcio\":{},\"rekorPublicKeyDatas\":[\"aGk=\"]"),
	IDENTITY("\"type\":\"matchExact\""),
	IDENTITY("\"type\":\"matchRepoDigestOrExact\""),
	IDENTITY("\"type\":\"matchRepository\""),
	IDENTITY("\"type\":\"exactReference\",\"dockerReference\":\"busybox:1\""),
	IDENTITY("\"type\":\"exactRepository\",\"dockerRepository\":\"a.b/c\""),
	IDENTITY("\"type\":\"remapIdentity\",\"prefix\":\"a.b:5000\",\"signedPrefix\":\"c.d/e\""),
	SCOPE("docker", "a.b/c:v1"),
	SCOPE("docker", "*.example.com"),
	SCOPE("docker", ""),
	SCOPE("dir", "/a/b"),
	SCOPE("tarball", ""),
	SCOPE("unheard-of", "anything"),
	("{\"default\":[{\"type\":\"signedBaseLayer\",\"baseLayerIdentity\":{\"type\":"
	 "\"matchExact\"}}]}"),
};

static const struct {
	const char *what, *text;
} bad[] = {
	{ "nothing", "" },
	{ "no object", "[]" },
	{ "no default", "{\"transports\":{}}" },
	{ "a default that is no list", "{\"default\":{}}" },
	{ "an empty default", "{\"default\":[]}" },
	{ "a requirement that is no object", "{\"default\":[\"reject\"]}" },
	{ "an unknown requirement", "{\"default\":[{\"type\":\"accept\"}]}" },
	{ "no type", "{\"default\":[{}]}" },
	{ "a type that is no text", "{\"default\":[{\"type\":1}]}" },
	{ "an unknown member", "{\"default\":" ACCEPT ",\"x\":1}" },
	{ "an unknown member of a requirement", "{\"default\":[{\"type\":\"reject\",\"x\":1}]}" },
	{ "a member twice", "{\"default\":" REJECT ",\"default\":" ACCEPT "}" },
	{ "transports that are no object", "{\"default\":" REJECT ",\"transports\":[]}" },
	{ "a transport that is no object",
	  "{\"default\":" REJECT ",\"transports\":{\"docker\":[]}}" },
	{ "an empty list for a scope",
	  "{\"default\":" REJECT ",\"transports\":{\"docker\":{\"\":[]}}}" },
	{ "no keyType", "{\"default\":[{\"type\":\"signedBy\",\"keyPath\":\"/k\"}]}" },
	{ "an unknown keyType",
	  "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"x\",\"keyPath\":\"/k\"}]}" },
	{ "no keys", BY("\"signedIdentity\":{\"type\":\"matchExact\"}") },
	{ "keys in two places", BY("\"keyPath\":\"/k\",\"keyData\":\"aGk=\"") },
	{ "an empty path", BY("\"keyPath\":\"\"") },
	{ "an empty list of paths", BY("\"keyPaths\":[]") },
	{ "paths that are no texts", BY("\"keyPaths\":[1]") },
	{ "a key that is not base64", BY("\"keyData\":\"!\"") },
	{ "keyDatas of GPG", BY("\"keyDatas\":[\"aGk=\"]") },
	{ "Rekor in two places", SIGSTORE("\"keyPath\":\"/k\",\"rekorPublicKeyPath\":\"/r\","
					  "\"rekorPublicKeyData\":\"aGk=\"") },
	{ "a key and fulcio", SIGSTORE("\"keyPath\":\"/k\",\"fulcio\":{}") },
	{ "Rekor and no key", SIGSTORE("\"rekorPublicKeyPath\":\"/r\"") },
	{ "an identity that is no object", BY("\"keyPath\":\"/k\",\"signedIdentity\":\"x\"") },
	{ "an unknown identity", IDENTITY("\"type\":\"x\"") },
	{ "an unknown member of an identity", IDENTITY("\"type\":\"matchExact\",\"x\":1") },
	{ "exactReference without one", IDENTITY("\"type\":\"exactReference\"") },
	{ "exactReference without a tag",
	  IDENTITY("\"type\":\"exactReference\",\"dockerReference\":\"busybox\"") },
	{ "exactRepository that is none",
	  IDENTITY("\"type\":\"exactRepository\",\"dockerRepository\":\"A B\"") },
	{ "remapIdentity without signedPrefix",
	  IDENTITY("\"type\":\"remapIdentity\",\"prefix\":\"a.b\"") },
	{ "a prefix with a tag",
	  IDENTITY("\"type\":\"remapIdentity\",\"prefix\":\"a.b/c:v\",\"signedPrefix\":\"c.d\"") },
	{ "a wildcard within a host", SCOPE("docker", "a.*.com") },
	{ "a wildcard with a path", SCOPE("docker", "*.com/x") },
	{ "a scope of dir: that is no path", SCOPE("dir", "a/b") },
	{ "a scope of dir: that is /", SCOPE("dir", "/") },
	{ "a scope of oci: with ..", SCOPE("oci", "/a/../b") },
	{ "a scope of oci: that ends in /", SCOPE("oci", "/a/") },
	{ "a scope of docker-archive:", SCOPE("docker-archive", "/a") },
	{ "a scope of sif: that is no path", SCOPE("sif", "a") },
	{ "a scope of containers-storage: without the store",
	  SCOPE("containers-storage", "docker.io/x") },
	{ "a store that does not end", SCOPE("containers-storage", "[/x") },
	{ "a store that is no path", SCOPE("containers-storage", "[overlay@x]") },
	{ "a store without its driver", SCOPE("containers-storage", "[@/x]") },
};

static void test_parse(void)
{
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct error err = { 0 };
		json_auto_t *policy = policy_parse(good[i], strlen(good[i]), "f", &err);

		ok(policy, "policy: %s", good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct error err = { 0 };
		json_auto_t *policy = policy_parse(bad[i].text, strlen(bad[i].text), "f", &err);

		ok(!policy && err.kind == ERROR_INTEGRITY, "policy: refused: %s (%s)", bad[i].what,
		   err.message);
	}
}

/* ---- scopes ---- */

static void test_scopes(void)
{
	static const char *const expected[] = { "a.b.example.com:5000/x/y:v1",
						"a.b.example.com:5000/x/y",
						"a.b.example.com:5000/x",
						"a.b.example.com:5000",
						"*.b.example.com",
						"*.example.com",
						"*.com",
						NULL };
	cleanup_reference struct reference reference = { 0 };
	cleanup_strings struct strings scopes = { 0 }, paths = { 0 };
	struct error err;

	reference_parse("a.b.example.com:5000/x/y:v1", &reference, &err);
	policy_scopes_of_reference(&reference, &scopes);
	for (size_t i = 0; expected[i]; i++)
		is(i < scopes.count ? scopes.items[i] : NULL, expected[i], "scope: %s",
		   expected[i]);
	ok(scopes.count == 7, "scopes: and no others");
	policy_scopes_of_path("/a/b", &paths);
	ok(paths.count == 2 && strcmp(paths.items[0], "/a/b") == 0 &&
		   strcmp(paths.items[1], "/a") == 0,
	   "scopes: of a path");
}

/* Each list of requirements is a number here: only their choice is looked at. */
static void test_choice(void)
{
	static const char policy_text[] =
		"{\"default\":[0],\"transports\":{\"docker\":{\"\":[1],\"*.example.com\":[2],"
		"\"a.example.com\":[3],\"a.example.com/x\":[4],\"a.example.com/x/y:v1\":[5]}}}";
	static const struct {
		const char *transport, *reference;
		int number;
	} cases[] = {
		{ "docker", "a.example.com/x/y:v1", 5 },  { "docker", "a.example.com/x/y:v2", 4 },
		{ "docker", "a.example.com/xx/y:v1", 3 }, { "docker", "b.example.com/x/y:v1", 2 },
		{ "docker", "example.com/x/y:v1", 1 },	  { "docker", "busybox:1", 1 },
		{ "store", "a.example.com/x/y:v1", 0 },
	};
	struct error err;
	json_auto_t *policy = json_parse(policy_text, strlen(policy_text), "f", &err);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cleanup_reference struct reference reference = { 0 };
		cleanup_strings struct strings scopes = { 0 };

		reference_parse(cases[i].reference, &reference, &err);
		policy_scopes_of_reference(&reference, &scopes);
		const json_t *list = policy_requirements(policy, cases[i].transport, &scopes);
		ok(json_integer_value(json_array_get(list, 0)) == cases[i].number, "choice: %s:%s",
		   cases[i].transport, cases[i].reference);
	}
}

/* ---- identities ---- */

static const struct {
	const char *identity, *intended, *signed_name;
	bool matches;
} identities[] = {
	/* the default, matchRepoDigestOrExact */
	{ NULL, "a.b/c:v1", "a.b/c:v1", true },
	{ NULL, "a.b/c:v1", "a.b/c:v2", false },
	{ NULL, "a.b/c:v1", "a.b/c", false },
	{ NULL, "a.b/c:v1", "a.b/c@" DIGEST, false },
	{ NULL, "a.b/c@" DIGEST, "a.b/c:v2", true },
	{ NULL, "a.b/c@" DIGEST, "a.b/d:v2", false },
	{ NULL, "a.b/c@" DIGEST, "a.b/c", false },
	{ NULL, "a.b/c", "a.b/c", false },
	{ NULL, "a.b/c:v1@" DIGEST, "a.b/c:v2", false },
	{ NULL, NULL, "a.b/c:v1", false },
	{ NULL, "a.b/c:v1", "", false },
	{ NULL, "a.b/c:v1", "NOT a name", false },
	{ NULL, "docker.io/library/busybox:1", "busybox:1", true },
	{ "{\"type\":\"matchRepoDigestOrExact\"}", "a.b/c@" DIGEST, "a.b/c:v2", true },
	{ "{\"type\":\"matchExact\"}", "a.b/c:v1", "a.b/c:v1", true },
	{ "{\"type\":\"matchExact\"}", "a.b/c@" DIGEST, "a.b/c:v1", false },
	{ "{\"type\":\"matchExact\"}", "a.b/c@" DIGEST, "a.b/c@" DIGEST, true },
	{ "{\"type\":\"matchRepository\"}", "a.b/c:v1", "a.b/c", true },
	{ "{\"type\":\"matchRepository\"}", "a.b/c:v1", "a.b/c:v2", true },
	{ "{\"type\":\"matchRepository\"}", "a.b/c:v1", "a.b/cc", false },
	{ "{\"type\":\"matchRepository\"}", "a.b/c:v1", "x.y/c:v1", false },
	{ "{\"type\":\"matchRepository\"}", NULL, "a.b/c", false },
	{ "{\"type\":\"exactReference\",\"dockerReference\":\"a.b/c:v1\"}", NULL, "a.b/c:v1",
	  true },
	{ "{\"type\":\"exactReference\",\"dockerReference\":\"a.b/c:v1\"}", "x.y/z:v1", "x.y/z:v1",
	  false },
	{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"a.b/c\"}", "x.y/z:v1", "a.b/c:v1",
	  true },
	{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"a.b/c\"}", "x.y/z:v1", "a.b/cd:v1",
	  false },
	{ "{\"type\":\"remapIdentity\",\"prefix\":\"m.n\",\"signedPrefix\":\"a.b/x\"}", "m.n/c:v1",
	  "a.b/x/c:v1", true },
	{ "{\"type\":\"remapIdentity\",\"prefix\":\"m.n\",\"signedPrefix\":\"a.b/x\"}", "m.n/c:v1",
	  "m.n/c:v1", false },
	{ "{\"type\":\"remapIdentity\",\"prefix\":\"m.n/p\",\"signedPrefix\":\"a.b\"}", "m.n/pp:v1",
	  "m.n/pp:v1", true },
	{ "{\"type\":\"remapIdentity\",\"prefix\":\"m.n/p\",\"signedPrefix\":\"a.b/q\"}",
	  "m.n/p@" DIGEST, "a.b/q:v9", true },
	{ "{\"type\":\"remapIdentity\",\"prefix\":\"m.n/p\",\"signedPrefix\":\"short\"}",
	  "m.n/p:v1", "docker.io/library/short:v1", false },
	{ "{\"type\":\"unknown\"}", "a.b/c:v1", "a.b/c:v1", false },
};

static void test_identities(void)
{
	for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
		const char *text = identities[i].identity, *intended = identities[i].intended;
		cleanup_reference struct reference reference = { 0 };
		struct error err;
		json_auto_t *identity = text ? json_parse(text, strlen(text), "f", &err) : NULL;

		if (intended)
			reference_parse(intended, &reference, &err);
		bool matches = policy_identity_matches(identity, intended ? &reference : NULL,
						       identities[i].signed_name);
		ok(matches == identities[i].matches, "identity: %s: %s signed as %s: %s",
		   text ? text : "default", intended ? intended : "nothing",
		   identities[i].signed_name, identities[i].matches ? "yes" : "no");
	}
}

int main(void)
{
	test_parse();
	test_scopes();
	test_choice();
	test_identities();
	return tap_done();
}
