/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/reference.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *full; /* full NULL: refused */
} cases[] = {
	{ "nginx", "docker.io/library/nginx:latest" },
	{ "nginx:1.25", "docker.io/library/nginx:1.25" },
	{ "user/app", "docker.io/user/app:latest" },
	{ "docker.io/nginx", "docker.io/library/nginx:latest" },
	{ "index.docker.io/nginx", "docker.io/library/nginx:latest" },
	{ "quay.io/a/b/c:v1", "quay.io/a/b/c:v1" },
	{ "localhost/x", "localhost/x:latest" },
	{ "localhost:5000/x:y", "localhost:5000/x:y" },
	{ "127.0.0.1:5000/x", "127.0.0.1:5000/x:latest" },
	{ "localhost:65535/x", "localhost:65535/x:latest" },
	{ "[::1]:5000/x", "[::1]:5000/x:latest" },
	{ "nginx@sha256:" HEX, "docker.io/library/nginx@sha256:" HEX },
	{ "nginx:1@sha256:" HEX, "docker.io/library/nginx:1@sha256:" HEX },
	{ "a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest" },
	{ HEX "0", "docker.io/library/" HEX "0:latest" },
	{ "x/" HEX, "docker.io/x/" HEX ":latest" },
	{ HEX, NULL },
	{ "", NULL },
	{ "Nginx", NULL },
	{ "a//b", NULL },
	{ "a/", NULL },
	{ "/a", NULL },
	{ "a___b", NULL },
	{ "-a", NULL },
	{ "a-", NULL },
	{ "../a", NULL },
	{ "host.com/../a", NULL },
	{ "nginx:", NULL },
	{ "nginx:.x", NULL },
	{ "nginx:a b", NULL },
	{ "nginx@sha256:12", NULL },
	{ "nginx@md5:" HEX, NULL },
	{ "nginx@", NULL },
	{ "host:port/x", NULL },
	{ "host:123456/x", NULL },
	{ "host:65536/x", NULL },
	{ "host:0/x", NULL },
	{ "a..b.com/x", NULL },
	{ "a\nb", NULL },
};

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_reference struct reference reference = { 0 };
		struct error err;

		if (reference_parse(cases[i].text, &reference, &err) < 0) {
			ok(!cases[i].full && err.kind == ERROR_USAGE, "\"%s\" is refused",
			   cases[i].text);
			continue;
		}
		reference_default_tag(&reference);
		char *full = reference_text(&reference);
		is(full, cases[i].full, "\"%s\" is read", cases[i].text);
		free(full);
	}

	char tag[140] = "a:";
	memset(tag + 2, 't', 128);
	struct reference reference = { 0 };
	struct error err;
	ok(reference_parse(tag, &reference, &err) == 0, "a tag of 128 bytes is read");
	reference_free(&reference);
	tag[130] = 't';
	ok(reference_parse(tag, &reference, &err) < 0, "a tag of 129 bytes is refused");

	char name[300];
	memset(name, 'n', sizeof name - 1);
	name[299] = '\0';
	ok(reference_parse(name, &reference, &err) < 0, "a name of 299 bytes is refused");
	return tap_done();
}
