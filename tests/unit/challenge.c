/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/challenge.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static const struct {
	const char *value;
	bool understood;
	enum challenge_scheme scheme;
	const char *realm, *service, *scope;
} challenges[] = {
	{ "Basic realm=\"x\"", true, CHALLENGE_BASIC, "x", NULL, NULL },
	{ "basic", true, CHALLENGE_BASIC, NULL, NULL, NULL },
	{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
	  "scope=\"repository:library/nginx:pull,push\"",
	  true, CHALLENGE_BEARER, "https://auth.docker.io/token", "registry.docker.io",
	  "repository:library/nginx:pull,push" },
	{ "Bearer realm = \"r\" , service = s", true, CHALLENGE_BEARER, "r", "s", NULL },
	{ "Bearer realm=https://x/token,service=s", true, CHALLENGE_BEARER, "https://x/token", "s",
	  NULL },
	{ "Basic realm=\"a\", Bearer realm=\"b\"", true, CHALLENGE_BEARER, "b", NULL, NULL },
	{ "Bearer realm=\"b\", Basic realm=\"a\"", true, CHALLENGE_BEARER, "b", NULL, NULL },
	{ "Negotiate, Basic realm=\"a\"", true, CHALLENGE_BASIC, "a", NULL, NULL },
	{ "Basic realm=\"a \\\"quoted\\\" one\"", true, CHALLENGE_BASIC, "a \"quoted\" one", NULL,
	  NULL },
	{ "Basic realm=\"first\", realm=\"second\"", true, CHALLENGE_BASIC, "first", NULL, NULL },
	{ "Basic realm=\"never ends", true, CHALLENGE_BASIC, NULL, NULL, NULL },
	{ "Negotiate", false, CHALLENGE_OTHER, NULL, NULL, NULL },
	{ "", false, CHALLENGE_OTHER, NULL, NULL, NULL },
	{ ",,, ,", false, CHALLENGE_OTHER, NULL, NULL, NULL },
	{ "\"", false, CHALLENGE_OTHER, NULL, NULL, NULL },
};

static const struct {
	const char *value, *next;
} links[] = {
	{ "</v2/x/tags/list?n=2&last=b>; rel=\"next\"", "/v2/x/tags/list?n=2&last=b" },
	{ "<a>; rel=next", "a" },
	{ "<a>;rel=\"prev\", <b>; title=\"x\"; rel=next", "b" },
	{ "<a>; REL=\"NEXT\"", "a" },
	{ "<a>; rel=\"prev\"", NULL },
	{ "<a>", NULL },
	{ "<a; rel=next", NULL },
	{ "rel=next", NULL },
	{ "", NULL },
};

int main(void)
{
	for (size_t i = 0; i < sizeof challenges / sizeof *challenges; i++) {
		struct challenge challenge = { 0 };
		const char *value = challenges[i].value;

		ok(challenge_parse(value, &challenge) == challenges[i].understood,
		   "challenge: \"%s\" is %sunderstood", value,
		   challenges[i].understood ? "" : "not ");
		ok(challenge.scheme == challenges[i].scheme, "challenge: scheme of \"%s\"", value);
		is(challenge.realm, challenges[i].realm, "challenge: realm of \"%s\"", value);
		is(challenge.service, challenges[i].service, "challenge: service of \"%s\"", value);
		is(challenge.scope, challenges[i].scope, "challenge: scope of \"%s\"", value);
		challenge_free(&challenge);
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		char *next = link_next(links[i].value);

		is(next, links[i].next, "link: next of \"%s\"", links[i].value);
		free(next);
	}
	return tap_done();
}
