/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to a registry's challenge: Basic, and tokens as distribution's token authentication
 * specification describes them (anonymous, by password, by identity token). */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/challenge.h"
#include "skopeo-c/http_failure.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/secret.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_REDIRECTS_MAX = 5 };

static int denied(const struct registry *registry, struct error *err)
{
	error_set(err, ERROR_DENIED, "%s refuses access%s%s%s", registry->name,
		  registry->repository[0] ? " to " : "", registry->repository,
		  registry->credentials.user ? " with these credentials" : "");
	return error_hint(err, registry->credentials.user || registry->credentials.identity_token
				       ? "check the credentials"
				       : "give credentials with --creds or --authfile");
}

static void authorize(struct registry *registry, char *value)
{
	secret_wipe(registry->authorization);
	registry->authorization = value;
	registry->generation++;
}

/* A token is put into a header: only what RFC 6750 allows there. */
static bool token_is_valid(const char *token)
{
	return token[0] &&
	       token[strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~+/=")] == '\0';
}

static int take_token(struct registry *registry, const struct http_request *answer,
		      struct error *err)
{
	json_auto_t *json =
		answer->answer ? json_parse(answer->answer, answer->answer_length, "token", err)
			       : NULL;
	const char *token = json_text(json, "token", "");

	/* how long it is good for is not believed: a registry says when it is not any more */
	if (!token[0])
		token = json_text(json, "access_token", "");
	if (!token_is_valid(token))
		return error_set(err, ERROR_INTEGRITY,
				 "the token server of %s answered without a token", registry->name);
	authorize(registry, xasprintf("Bearer %s", token));
	return 0;
}

/* "&scope=…" for every scope we need; also the one we were asked for when it is another. */
static char *scope_query(const struct registry *registry, const char *asked)
{
	char *query = xstrdup("");
	bool seen = !asked;

	for (size_t i = 0; i <= registry->scopes.count; i++) {
		const char *scope = i < registry->scopes.count ? registry->scopes.items[i] : asked;

		if (i == registry->scopes.count && seen)
			break;
		seen = seen || strcmp(scope, asked) == 0;
		cleanup_free char *escaped = http_escape(scope);
		char *longer = xasprintf("%s&scope=%s", query, escaped);
		free(query);
		query = longer;
	}
	return query;
}

static int no_url(const struct registry *registry, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "%s names a token server that is no URL",
			 registry->name);
}

/* Credentials are not sent in the clear, nor to a URL that is none. */
static int check_realm(const struct registry *registry, const char *realm, struct error *err)
{
	cleanup_free char *url = http_resolve(realm, "");
	bool is_https = url && strncmp(url, "https://", 8) == 0;

	if (!url || strchr(realm, '#'))
		return no_url(registry, err);
	if (!is_https && registry->tls.verify)
		return error_set(err, ERROR_DENIED, "the token server of %s is not https",
				 registry->name);
	return 0;
}

/* Fill the request for a token. */
static void prepare(struct registry *registry, const struct challenge *challenge,
		    struct http_request *request)
{
	const struct credentials *credentials = &registry->credentials;
	/* our own scopes are enough the first time, and one token then serves every call */
	cleanup_free char *scopes =
		scope_query(registry, registry->authorization ? challenge->scope : NULL);
	cleanup_free char *service = http_escape(challenge->service ? challenge->service : "");
	const char *mark = strchr(challenge->realm, '?') ? "&" : "?";

	request->tls = registry_tls(registry, challenge->realm);
	if (credentials->identity_token) {
		char *token = http_escape(credentials->identity_token);

		request->method = "POST";
		request->url = xstrdup(challenge->realm);
		strings_add(&request->headers, "Content-Type: application/x-www-form-urlencoded");
		request->body = xasprintf("grant_type=refresh_token&client_id=skopeo-c&service=%s%s"
					  "&refresh_token=%s",
					  service, scopes, token);
		request->body_length = strlen(request->body);
		secret_wipe(token);
		return;
	}
	cleanup_free char *user = credentials->user ? http_escape(credentials->user) : NULL;
	request->method = "GET";
	request->url = xasprintf("%s%sservice=%s%s%s%s", challenge->realm, mark, service, scopes,
				 user ? "&account=" : "", user ? user : "");
	if (user)
		request->authorization = credentials_basic(credentials);
}

/* What the token server has said; 429 and 5xx are for the caller's own retry. */
static int judge_answer(struct registry *registry, const struct http_request *answer,
			struct error *err)
{
	if (answer->result != HTTP_ANSWERED) {
		cleanup_free char *name = xasprintf("the token server of %s", registry->name);

		return http_failed(answer, name, err);
	}
	if (answer->status == 200)
		return take_token(registry, answer, err);
	if (answer->status / 100 == 4 && answer->status != 429)
		return denied(registry, err);
	return error_set(err, ERROR_TEMPORARY, "the token server of %s answered %d", registry->name,
			 answer->status);
}

static int wait_for_answer(struct registry *registry, struct http_request *request,
			   struct error *err)
{
	int status = 0;

	http_start(registry->http, request);
	while (!request->done && status == 0)
		status = http_pump(registry->http, HTTP_POLL_MS, err);
	http_stop(registry->http, request);
	return status;
}

static bool is_redirected(const struct http_request *answer)
{
	return answer->result == HTTP_ANSWERED && answer->status / 100 == 3 && !answer->body &&
	       http_header(answer, "location", 0);
}

/* Turn the request to where its answer points. A password goes to the same server only. */
static int redirect(struct registry *registry, struct http_request *request, int times,
		    struct error *err)
{
	cleanup_free char *url = http_resolve(request->url, http_header(request, "location", 0));

	if (times == TOKEN_REDIRECTS_MAX)
		return error_set(err, ERROR_FAILED, "the token server of %s redirects in a circle",
				 registry->name);
	if (!url)
		return no_url(registry, err);
	if (check_realm(registry, url, err) < 0)
		return -1;
	bool is_upgrade = http_same_host(url, request->url) && strncmp(url, "https://", 8) == 0;
	if (!is_upgrade && !http_same_origin(url, request->url)) {
		secret_wipe(request->authorization);
		request->authorization = NULL;
	}
	request->tls = registry_tls(registry, url);
	free(request->url);
	request->url = steal_ptr(&url);
	http_request_reset(request);
	return 0;
}

static int fetch_token(struct registry *registry, const struct challenge *challenge,
		       struct error *err)
{
	struct http_request request = { 0 };

	if (check_realm(registry, challenge->realm, err) < 0)
		return -1;
	prepare(registry, challenge, &request);
	int status = wait_for_answer(registry, &request, err);
	for (int i = 0; status == 0 && is_redirected(&request); i++)
		status = redirect(registry, &request, i, err) < 0
				 ? -1
				 : wait_for_answer(registry, &request, err);
	if (status == 0)
		status = judge_answer(registry, &request, err);
	http_request_free(&request);
	return status;
}

int registry_authenticate(struct registry *registry, const struct http_request *request,
			  struct error *err)
{
	cleanup_challenge struct challenge best = { 0 };
	const char *value;

	for (size_t n = 0; (value = http_header(request, "www-authenticate", n)); n++) {
		cleanup_challenge struct challenge next = { 0 };

		if (challenge_parse(value, &next) && next.scheme > best.scheme) {
			challenge_free(&best);
			best = next;
			next = (struct challenge){ 0 };
		}
	}
	if (best.scheme == CHALLENGE_BEARER && best.realm)
		return fetch_token(registry, &best, err);
	if (best.scheme == CHALLENGE_OTHER)
		return error_set(err, ERROR_DENIED,
				 "%s asks for an authentication that is not supported",
				 registry->name);
	/* the same name and password again would not help */
	if (!registry->credentials.user || registry->authorization)
		return denied(registry, err);
	authorize(registry, credentials_basic(&registry->credentials));
	return 0;
}
