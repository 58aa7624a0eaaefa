/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests, any number at once in one event loop (libcurl's multi interface). Only http.c and
 * http_url.c, which are beneath it, know libcurl. Redirects are not followed and nothing is
 * repeated here: that is policy, and registry.c has it. Only http and https are spoken; a body is
 * never kept in memory beyond a limit; a transfer that stalls ends. Small answers share connections
 * by HTTP/2 where a server speaks it; what has a callback for its body is HTTP/1.1.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct http;

struct http *http_new(struct error *err);
void http_free(struct http *http);
static inline void http_free_p(struct http **http)
{
	http_free(*http);
}
#define cleanup_http __attribute__((cleanup(http_free_p)))

/* How a server proves who it is, and we to it. */
struct http_tls {
	bool verify;
	char *authorities;	 /* PEM certificates beside the system's, or NULL */
	char *certificate, *key; /* paths of a client certificate and its key, or NULL */
};

void http_tls_free(struct http_tls *tls);

/* What the body callbacks may return instead of a count of bytes. */
enum { HTTP_PAUSE = -1, HTTP_ABORT = -2 };

enum {
	HTTP_ANSWER_MAX = 4 << 20, /* bytes of an answer kept in memory */
	HTTP_ERROR_MAX = 1 << 20,  /* bytes of the body of an error */
	HTTP_PIECE = 64 << 10	   /* bytes one callback is given at most */
};

/* Where a request stands once it is done. */
enum http_result {
	HTTP_ANSWERED,	  /* status, headers and the whole body are there */
	HTTP_BROKEN,	  /* no answer, or a part of one: trying again may help */
	HTTP_UNREACHABLE, /* no connection came to be */
	HTTP_NOT_TLS,	  /* connected, but no TLS session came to be */
	HTTP_UNTRUSTED,	  /* the server's certificate was refused */
	HTTP_BAD_PROXY,	  /* that of the proxy before it was */
	HTTP_NO_CHECK,	  /* the system has no authorities to check it by */
	HTTP_TOO_LARGE,	  /* the body went over its limit */
	HTTP_ABORTED	  /* a callback said HTTP_ABORT */
};

/* Zero-initialise; free with http_request_free(). */
struct http_request {
	/* The question, set before http_start(). */
	const char *method;
	char *url;		    /* owned */
	struct strings headers;	    /* "Name: value" */
	char *authorization;	    /* the value of that header, owned and a secret; or NULL */
	const struct http_tls *tls; /* borrowed */
	char *body;		    /* a small body to send, owned, may be a secret; or NULL */
	size_t body_length;
	int64_t upload_size; /* with read: how many bytes the callback will give */
	/* Give up to `size` bytes of the body to send; HTTP_PAUSE until http_resume(). */
	ssize_t (*read)(void *context, char *buffer, size_t size);
	/* Take a piece of a 2xx body: `length`, HTTP_PAUSE (the piece comes again after
	 * http_resume()) or HTTP_ABORT. Without it the body is kept in `answer`. */
	ssize_t (*write)(void *context, const char *data, size_t length);
	size_t piece; /* bytes that write is given at most; 0: HTTP_PIECE */
	void *context;
	size_t answer_max; /* bytes of an answer that is kept; 0: HTTP_ANSWER_MAX */

	/* The answer, valid when done. */
	bool done;
	enum http_result result;
	int status; /* of HTTP; 0 without one; `write` sees it already */
	struct strings answer_headers;
	char *answer; /* NUL-terminated; NULL when empty */
	size_t answer_length, answer_size;
	char failure[256]; /* libcurl's text where result is not HTTP_ANSWERED */

	struct http_transfer *transfer; /* private */
};

void http_start(struct http *http, struct http_request *request);
/* Take the request out of the loop; allowed at any time. */
void http_stop(struct http *http, struct http_request *request);
/* Forget the answer, so that the request can be started again. */
void http_request_reset(struct http_request *request);
/* The request must not be in the loop. */
void http_request_free(struct http_request *request);
/* Continue a transfer whose callback paused it; the callback may run at once. */
void http_resume(struct http_request *request);

/* For how long to pump where nothing else is to be done: so often it is looked whether to go on. */
enum { HTTP_POLL_MS = 200 };

/* Move all transfers, waiting up to timeout_ms for something to happen. Fails only when a signal
 * asked the tool to end. Finished requests are marked done; no callback runs outside of here and
 * http_resume(). */
int http_pump(struct http *http, int timeout_ms, struct error *err);

/* End the wait of http_pump(), or of the next one; from any thread. */
void http_wake(struct http *http);

/* The value of the answer's header number `n` of that name (lower case), or NULL. Borrowed. */
const char *http_header(const struct http_request *request, const char *name, size_t n);

/* Resolve a possibly relative reference against an absolute URL; NULL where it is no http or https
 * URL or carries credentials. The caller frees it. */
char *http_resolve(const char *base, const char *reference);

/* True where both URLs have the same scheme, host and port. */
bool http_same_origin(const char *one, const char *other);

/* True where both have the same host, and the same port or each its scheme's default. */
bool http_same_host(const char *one, const char *other);

/* The HOST[:PORT] of a URL, the port where it is not its scheme's default. The caller frees it. */
char *http_host(const char *url);

/* Whether no_proxy has an entry for the URL that libcurl does not know, though other programs do:
 * HOST:PORT, for the domains below it, too, or *.DOMAIN. */
bool http_spares_proxy(const char *url);

/* A date of HTTP (RFC 9110, 5.6.7) in seconds since 1970; -1 where it is none. */
int64_t http_date(const char *text);

/* Percent-encode a value for a query; the caller frees it. */
char *http_escape(const char *text);
