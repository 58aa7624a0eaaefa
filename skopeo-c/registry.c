/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/registry.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/duration.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/certs.h"
#include "skopeo-c/http_failure.h"
#include "skopeo-c/secret.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	DEFAULT_RETRIES = 2,
	REDIRECTS_MAX = 5,
	CHALLENGES_MAX = 2,
	BACKOFF_MS = 500,
	BACKOFF_MAX_MS = 60000
};

/* What of the user's options counts for an endpoint. */
static struct access access_for(const struct access *access, const struct endpoint *endpoint,
				const char *named)
{
	struct access result = *access;

	if (strcmp(endpoint->registry, named) != 0 || endpoint->is_mirror)
		result.creds = result.user = result.password = result.registry_token = NULL;
	if (endpoint->is_mirror) {
		result.cert_dir = NULL;
		if (result.tls_verify == TLS_ANY)
			result.tls_verify = TLS_AS_CONFIGURED;
	}
	if (endpoint->insecure && result.tls_verify == TLS_AS_CONFIGURED)
		result.tls_verify = TLS_ANY;
	return result;
}

/* Whether "HOST[:PORT]" is this machine, and nothing that has to be looked up. */
static bool is_loopback(const char *name)
{
	cleanup_free char *host = xstrndup(name, strcspn(name, ":"));
	struct in_addr address;

	return strncmp(name, "[::1]", 5) == 0 || strcmp(host, "localhost") == 0 ||
	       (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

int registry_open(struct http *http, const struct access *asked, const struct endpoint *endpoint,
		  const char *named, const char *actions, struct registry *registry,
		  struct error *err)
{
	const struct access access = access_for(asked, endpoint, named);
	const char *name = endpoint->registry, *repository = endpoint->repository;
	int64_t delay =
		access.retry_delay ? duration_parse(access.retry_delay, DURATION_MAX_MS) : 0;
	struct registry r = {
		.http = http,
		.may_change_scheme = access.tls_verify == TLS_ANY,
		.tls.verify = access.tls_verify != TLS_ANY,
		.retries = access.retry_times < 0 ? DEFAULT_RETRIES : (int)access.retry_times,
		.retry_delay_ms = (int)delay,
		.retry_unreachable = access.retry_times > 0,
	};

	if (endpoint->blocked) {
		error_set(err, ERROR_DENIED, "%s", endpoint->blocked);
		return error_subject(err, name);
	}
	if (delay < 0)
		return error_set(err, ERROR_USAGE, "--retry-delay is a time such as 90s");
	if (certs_load(access.cert_dir, name, &r.tls, err) < 0 ||
	    credentials_find(&access, name, repository, &r.credentials, err) < 0) {
		registry_close(&r);
		return -1;
	}
	r.tls_elsewhere =
		(struct http_tls){ .verify = r.tls.verify, .authorities = r.tls.authorities };
	r.name = xstrdup(name);
	r.repository = xstrdup(repository);
	/* where nobody can listen in, registries rarely speak TLS */
	r.base = xasprintf("%s://%s", r.may_change_scheme && is_loopback(name) ? "http" : "https",
			   strcmp(name, "docker.io") == 0 ? "registry-1.docker.io" : name);
	if (access.registry_token)
		r.authorization = xasprintf("Bearer %s", access.registry_token);
	if (actions)
		strings_addf(&r.scopes, "repository:%s:%s", repository, actions);
	*registry = r;
	return 0;
}

int registry_open_named(struct http *http, const struct access *access, const char *text,
			bool is_destination, const char *actions, struct registry *registry,
			struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_route struct route route = { 0 };

	if (reference_parse(text, &reference, err) < 0 ||
	    registries_route(&reference, is_destination, &route, err) < 0)
		return -1;
	if (route.count > 1)
		return error_set(err, ERROR_UNSUPPORTED, "%s has mirrors", text);
	return registry_open(http, access, &route.endpoints[0], reference.registry, actions,
			     registry, err);
}

void registry_close(struct registry *registry)
{
	http_tls_free(&registry->tls);
	credentials_free(&registry->credentials);
	strings_free(&registry->scopes);
	secret_wipe(registry->authorization);
	free(registry->base);
	free(registry->name);
	free(registry->repository);
	*registry = (struct registry){ 0 };
}

int registry_backoff_ms(const struct registry *registry, int attempt)
{
	int wait = BACKOFF_MS << (attempt < 8 ? attempt - 1 : 7);
	int delay = registry->retry_delay_ms;

	if (delay > 0)
		return delay > registry->retry_after_ms ? delay : registry->retry_after_ms;
	if (registry->retry_after_ms > wait)
		wait = registry->retry_after_ms;
	return wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
}

/* ---- a call ---- */

void registry_call_init(struct registry_call *call, struct registry *registry, const char *method,
			char *target)
{
	*call = (struct registry_call){ .registry = registry };
	call->target = target;
	call->request.method = method;
}

/* Send it to `url`, which is taken over. Credentials go to the registry's own host only: is_own
 * where the URL is made of its base. */
static void send_to(struct registry_call *call, char *url, bool is_own)
{
	struct registry *registry = call->registry;
	bool may_know = is_own || http_same_origin(url, registry->base);

	free(call->request.url);
	call->request.url = url;
	secret_wipe(call->request.authorization);
	/* the registry's own can be renewed while the request is still to be sent again */
	call->request.authorization =
		may_know && registry->authorization ? xstrdup(registry->authorization) : NULL;
	call->request.tls = is_own ? &registry->tls : registry_tls(registry, url);
	call->generation = registry->generation;
	http_request_reset(&call->request);
	/* what follows the "?" can be a signature that opens the URL to everybody */
	log_message(LOG_LEVEL_DEBUG, "%s %.*s", call->request.method, (int)strcspn(url, "?"), url);
	http_start(registry->http, &call->request);
}

void registry_call_start(struct registry_call *call)
{
	bool is_own = call->target[0] == '/';
	char *url = is_own ? xasprintf("%s%s", call->registry->base, call->target)
			   : xstrdup(call->target);

	call->waiting = false;
	call->redirects = 0;
	send_to(call, url, is_own);
}

void registry_call_free(struct registry_call *call)
{
	if (call->registry)
		http_stop(call->registry->http, &call->request);
	http_request_free(&call->request);
	free(call->target);
	*call = (struct registry_call){ 0 };
}

/* ---- what an answer means ---- */

static bool is_temporary(int status)
{
	return status == 408 || status == 429 || (status >= 500 && status != 501);
}

static enum error_kind kind_of_status(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ERROR_DENIED;
	case 404:
		return ERROR_NOT_FOUND;
	case 405:
	case 415:
	case 501:
		return ERROR_UNSUPPORTED;
	case 413:
		return ERROR_LIMIT;
	default:
		return is_temporary(status) ? ERROR_TEMPORARY : ERROR_FAILED;
	}
}

/* The first error of the JSON that distribution-spec gives to failures; "" for anything else. */
static char *told_reason(const struct http_request *request)
{
	struct error ignored;
	json_auto_t *body = request->answer ? json_parse(request->answer, request->answer_length,
							 "answer", &ignored)
					    : NULL;
	const json_t *first = json_array_get(json_object_get(body, "errors"), 0);
	const char *code = json_text(first, "code", ""), *text = json_text(first, "message", "");

	if (!code[0] && !text[0])
		return xstrdup("");
	return xasprintf(": %s%s%s%s", text, text[0] ? " (" : "", code, text[0] ? ")" : "");
}

/* Who was asked: the registry, or another host that it has named for this. The caller frees it. */
static char *asked(const struct registry_call *call)
{
	const struct registry *registry = call->registry;
	cleanup_free char *host = http_host(call->request.url);

	/* docker.io is at another host than its name */
	if (strcmp(host, registry->name) == 0 || http_same_host(call->request.url, registry->base))
		return xstrdup(registry->name);
	return xasprintf("%s (to which %s leads)", host, registry->name);
}

int registry_refused(const struct registry_call *call, const char *what, struct error *err)
{
	int status = call->request.status;
	cleanup_free char *reason = told_reason(&call->request), *name = asked(call);

	return error_set(err, kind_of_status(status), "%s: %s answered %d%s", what, name, status,
			 reason);
}

/* An answer that no caller wants to see. */
static int refused(const struct registry_call *call, struct error *err)
{
	const struct registry *registry = call->registry;

	return registry_refused(
		call, registry->repository[0] ? registry->repository : registry->name, err);
}

/* ---- what to do about it ---- */

/* Retry-After (RFC 9110, 10.2.3), in seconds or as a date: by the server's own clock where it tells
 * the time. What is neither means our own pace. */
static int64_t retry_after_seconds(const struct http_request *answer)
{
	const char *value = http_header(answer, "retry-after", 0);

	if (!value)
		return 0;
	if (isdigit((unsigned char)value[0]))
		return strtoll(value, NULL, 10);
	const char *date = http_header(answer, "date", 0);
	int64_t now = date ? http_date(date) : -1;
	return http_date(value) - (now >= 0 ? now : time(NULL));
}

static void note_retry_after(struct registry_call *call)
{
	int64_t seconds = retry_after_seconds(&call->request);
	int64_t longest = BACKOFF_MAX_MS / 1000;

	seconds = seconds < 0 ? 0 : seconds > longest ? longest : seconds;
	call->registry->retry_after_ms = (int)(seconds * 1000);
}

/* Wait and send it again, unless it was sent often enough. True when it will be. */
static bool will_repeat(struct registry_call *call)
{
	if (call->once || call->attempts >= call->registry->retries)
		return false;
	call->attempts++;
	call->waiting = true;
	call->not_before_ms = clock_ms() + registry_backoff_ms(call->registry, call->attempts);
	return true;
}

static bool is_https(const char *url)
{
	return strncmp(url, "https://", 8) == 0;
}

/* True where the call may be sent by the other one of http and https: the user allows both, and
 * the registry has never answered, or was asked by this call in the way that is now known to be the
 * wrong one. */
static bool may_change_scheme(const struct registry_call *call)
{
	const struct registry *registry = call->registry;
	const struct http_request *request = &call->request;
	bool secure = is_https(request->url);
	/* what speaks TLS hangs up, or says that it is a bad request */
	bool is_wrong =
		secure ? request->result == HTTP_NOT_TLS || request->result == HTTP_UNREACHABLE
		       : (request->result == HTTP_BROKEN && !request->status) ||
				 (request->result == HTTP_ANSWERED && request->status == 400);

	return is_wrong && call->target[0] == '/' && call->redirects == 0 &&
	       (registry->may_change_scheme || secure != is_https(registry->base));
}

static void change_scheme(struct registry_call *call)
{
	struct registry *registry = call->registry;
	bool secure = is_https(call->request.url);

	/* another call may have come here before */
	if (secure == is_https(registry->base)) {
		const char *host = strstr(registry->base, "://");
		char *base = xasprintf("%s%s", secure ? "http" : "https", host);

		free(registry->base);
		registry->base = base;
		registry->may_change_scheme = false;
	}
	registry_call_start(call);
}

static int handle_failure(struct registry_call *call, struct error *err)
{
	enum http_result result = call->request.result;

	call->registry->retry_after_ms = 0;
	if (result == HTTP_BROKEN ||
	    (result == HTTP_UNREACHABLE && call->registry->retry_unreachable))
		if (will_repeat(call))
			return 0;
	cleanup_free char *name = asked(call);
	return http_failed(&call->request, name, err);
}

/* What is written goes elsewhere as it is by 307 and 308 only (RFC 9110, 15.4), and where it is
 * still there to be sent again. */
static bool may_be_led(const struct http_request *request)
{
	if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0)
		return true;
	return (request->status == 307 || request->status == 308) && !request->read;
}

static int handle_redirect(struct registry_call *call, struct error *err)
{
	const char *location = http_header(&call->request, "location", 0);
	char *url = location && may_be_led(&call->request)
			    ? http_resolve(call->request.url, location)
			    : NULL;

	if (!url)
		return error_set(err, ERROR_FAILED, "%s redirects to where we cannot follow",
				 call->registry->name);
	if (call->redirects++ >= REDIRECTS_MAX) {
		free(url);
		return error_set(err, ERROR_FAILED, "%s redirects in a circle",
				 call->registry->name);
	}
	if (call->registry->tls.verify && is_https(call->request.url) && !is_https(url)) {
		free(url);
		return error_set(err, ERROR_DENIED, "%s redirects from https to plain http",
				 call->registry->name);
	}
	send_to(call, url, false);
	return 0;
}

/* 401: obtain an authorization, or use the one that another call has obtained meanwhile. A second
 * challenge may ask for more than we did; a third one means no. */
static int handle_challenge(struct registry_call *call, struct error *err)
{
	struct registry *registry = call->registry;

	if (!http_same_origin(call->request.url, registry->base) ||
	    call->challenges >= CHALLENGES_MAX)
		return refused(call, err);
	if (call->generation == registry->generation) {
		if (registry_authenticate(registry, &call->request, err) < 0)
			return err->kind == ERROR_TEMPORARY && will_repeat(call) ? 0 : -1;
		call->challenges++;
	}
	if (call->request.read)
		return error_set(err, ERROR_TEMPORARY, "%s: the access token has expired",
				 registry->name);
	registry_call_start(call);
	return 0;
}

/* Only the registry itself speaks for itself, not where it redirects to. */
static void note_signatures(const struct registry_call *call)
{
	const char *value = http_header(&call->request, "x-registry-supports-signatures", 0);

	if (!http_same_origin(call->request.url, call->registry->base))
		return;
	call->registry->has_answered = true;
	if (value && strcmp(value, "1") == 0)
		call->registry->keeps_signatures = true;
}

int registry_call_poll(struct registry_call *call, struct error *err)
{
	int status = call->request.status;

	if (call->waiting) {
		if (clock_ms() >= call->not_before_ms)
			registry_call_start(call);
		return 0;
	}
	if (!call->request.done)
		return 0;
	if (may_change_scheme(call)) {
		change_scheme(call);
		return 0;
	}
	if (call->request.result != HTTP_ANSWERED)
		return handle_failure(call, err);
	call->registry->may_change_scheme = false;
	note_signatures(call);
	if (status == 401)
		return handle_challenge(call, err);
	if (status / 100 == 3 && status != 304) /* not modified, for who has asked that */
		return handle_redirect(call, err);
	if (is_temporary(status)) {
		note_retry_after(call);
		return will_repeat(call) ? 0 : refused(call, err);
	}
	if (status == 403)
		return refused(call, err);
	if (status < 200)
		return error_set(err, ERROR_FAILED, "%s answered %d", call->registry->name, status);
	return 1;
}

int registry_call_wait(struct registry_call *call, struct error *err)
{
	int status;

	while ((status = registry_call_poll(call, err)) == 0)
		if (http_pump(call->registry->http, HTTP_POLL_MS, err) < 0)
			return -1;
	return status < 0 ? -1 : 0;
}

int registry_call_run(struct registry_call *call, struct error *err)
{
	registry_call_start(call);
	return registry_call_wait(call, err);
}
