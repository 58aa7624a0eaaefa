/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/http.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/version.h"
#include "skopeo-c/curl.h"
#include "skopeo-c/secret.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	CONNECT_SECONDS = 30,
	STALL_SECONDS = 60,	    /* a download without a byte for so long has failed */
	UPLOAD_STALL_SECONDS = 600, /* a registry may hash a large upload before it answers */
	SMALL_SECONDS = 120,	    /* an answer kept in memory must be there by then */
	HEADERS_MAX = 64 << 10,	    /* bytes of all headers of an answer */
	UPLOAD_CHUNK = 256 << 10    /* bytes that are read and sent at a time */
};

struct http {
	CURLM *multi;
	bool needs_bundle; /* a certificate was not trusted without it */
	bool multiplexes;  /* HTTP/2 was spoken */
	bool has_moved;	   /* something came the last time */
};

struct http_transfer {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	size_t headers_size;
	bool aborted, too_large, has_bundle;
	char error[CURL_ERROR_SIZE];
};

struct http *http_new(struct error *err)
{
	if (curl_load(err) < 0)
		return NULL;
	CURLM *multi = curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl.multi_init() : NULL;

	if (!multi) {
		error_set(err, ERROR_FAILED, "libcurl does not start");
		return NULL;
	}
	struct http *http = xcalloc(1, sizeof *http);
	http->multi = multi;
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl.multi_cleanup(http->multi);
	curl.global_cleanup();
	free(http);
}

void http_tls_free(struct http_tls *tls)
{
	free(tls->authorities);
	free(tls->certificate);
	free(tls->key);
	*tls = (struct http_tls){ 0 };
}

/* ---- callbacks ---- */

static size_t give_body(char *buffer, size_t size, size_t count, void *context)
{
	struct http_request *request = context;
	ssize_t given = request->read(request->context, buffer, size * count);

	if (given == HTTP_PAUSE)
		return CURL_READFUNC_PAUSE;
	if (given < 0) {
		request->transfer->aborted = true;
		return CURL_READFUNC_ABORT;
	}
	return (size_t)given;
}

/* Keep a piece of the answer. False when there is too much of it. */
static bool keep(struct http_request *request, const char *data, size_t length, bool is_error)
{
	size_t max = request->answer_max ? request->answer_max : HTTP_ANSWER_MAX;
	size_t total = request->answer_length + length;

	if (total > (is_error ? HTTP_ERROR_MAX : max))
		return false;
	if (total >= request->answer_size) {
		while (total >= request->answer_size)
			request->answer_size =
				request->answer_size ? request->answer_size * 2 : 4096;
		request->answer = xreallocarray(request->answer, request->answer_size, 1);
	}
	memcpy(request->answer + request->answer_length, data, length);
	request->answer_length = total;
	request->answer[total] = '\0';
	return true;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct http_request *request = context;
	size_t length = size * count;
	long status = 0;

	request->transfer->http->has_moved = true;
	curl.easy_getinfo(request->transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	request->status = (int)status;
	if (request->write && status / 100 == 2) {
		ssize_t taken = request->write(request->context, data, length);

		if (taken == HTTP_PAUSE)
			return CURL_WRITEFUNC_PAUSE;
		if (taken < 0)
			request->transfer->aborted = true;
		return taken < 0 ? length + 1 : (size_t)taken;
	}
	if (keep(request, data, length, status / 100 != 2))
		return length;
	request->transfer->too_large = true;
	return length + 1;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	struct http_request *request = context;
	size_t length = size * count;

	request->transfer->http->has_moved = true;
	if (length > 6 && memcmp(data, "HTTP/2", 6) == 0)
		request->transfer->http->multiplexes = true;
	/* the headers of "100 Continue" or of a proxy are none of ours: start again */
	if (length > 5 && memcmp(data, "HTTP/", 5) == 0) {
		strings_free(&request->answer_headers);
		request->transfer->headers_size = 0;
	}
	request->transfer->headers_size += length;
	if (request->transfer->headers_size > HEADERS_MAX) {
		request->transfer->too_large = true;
		return 0;
	}
	while (length > 0 && isspace((unsigned char)data[length - 1]))
		length--;
	if (length > 0 && !memchr(data, '\0', length))
		strings_addf(&request->answer_headers, "%.*s", (int)length, data);
	return size * count;
}

/* ---- one request ---- */

/* Every option of every transfer is set in these five functions, so none can be forgotten. */
static void set_limits(CURL *easy, const struct http_request *request)
{
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* by default Kerberos as well, which may not be linked (curl_linked.c) */
	curl.easy_setopt(easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
	curl.easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	/* it sends with MSG_NOSIGNAL; to ignore SIGPIPE around each call costs two system calls
	 * more */
	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl.easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl.easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
			 request->read ? (long)UPLOAD_STALL_SECONDS : (long)STALL_SECONDS);
	if (!request->read && !request->write)
		curl.easy_setopt(easy, CURLOPT_TIMEOUT, (long)SMALL_SECONDS);
	curl.easy_setopt(easy, CURLOPT_BUFFERSIZE,
			 (long)(request->piece ? request->piece : HTTP_PIECE));
	curl.easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_CHUNK);
}

/* Blobs have connections of their own. By HTTP/2 libcurl 7.88 takes a hundred times the processor
 * time to send one, goes on to buffer tens of megabytes of one that is paused, and has all of them
 * wait for each other in one connection. */
static void set_protocol(CURL *easy, const struct http_request *request)
{
	if (request->read || request->write) {
		curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
		return;
	}
	curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* see whether it can be one of several streams, rather than shake hands again */
	if (strncmp(request->url, "https:", 6) == 0)
		curl.easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
}

/* Where the system's authorities are also in a directory, by their hash, only those that are needed
 * are read: to parse the bundle of all takes OpenSSL 20 ms for each connection. */
static bool may_do_without_bundle(const struct http *http, CURL *easy)
{
	const char *directory = NULL;

	return !http->needs_bundle &&
	       curl.easy_getinfo(easy, CURLINFO_CAPATH, &directory) == CURLE_OK && directory;
}

static void set_tls(CURL *easy, const struct http *http, const struct http_request *request)
{
	const struct http_tls *tls = request->tls;

	curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->verify ? 1L : 0L);
	curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->verify ? 2L : 0L);
	curl.easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (tls->authorities) {
		struct curl_blob blob = { tls->authorities, strlen(tls->authorities),
					  CURL_BLOB_NOCOPY };

		/* the blob takes the place of the bundle file; the directory stays in use */
		curl.easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
		curl.easy_setopt(easy, CURLOPT_CAPATH, "/etc/ssl/certs");
	} else if (may_do_without_bundle(http, easy)) {
		curl.easy_setopt(easy, CURLOPT_CAINFO, NULL);
	} else {
		request->transfer->has_bundle = true;
	}
	if (tls->certificate) {
		curl.easy_setopt(easy, CURLOPT_SSLCERT, tls->certificate);
		curl.easy_setopt(easy, CURLOPT_SSLKEY, tls->key);
	}
}

static void set_body(CURL *easy, struct http_request *request)
{
	if (strcmp(request->method, "HEAD") == 0) {
		curl.easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (request->read) {
		curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl.easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->upload_size);
		curl.easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
		curl.easy_setopt(easy, CURLOPT_READDATA, request);
		if (strcmp(request->method, "PUT") != 0)
			curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	} else if (strcmp(request->method, "GET") != 0) {
		curl.easy_setopt(easy, CURLOPT_POST, 1L);
		curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->body_length);
		curl.easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
		curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	}
	curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl.easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl.easy_setopt(easy, CURLOPT_HEADERDATA, request);
}

static void set_request(CURL *easy, struct http_request *request)
{
	struct http_transfer *transfer = request->transfer;
	const char *prefix = getenv("SKOPEO_C_USER_AGENT_PREFIX");
	cleanup_free char *agent =
		xasprintf("%s%sskopeo-c/" OCID_VERSION, prefix ? prefix : "", prefix ? " " : "");

	for (size_t i = 0; i < request->headers.count; i++)
		transfer->headers = curl.slist_append(transfer->headers, request->headers.items[i]);
	if (request->authorization) {
		cleanup_free char *line = xasprintf("Authorization: %s", request->authorization);

		transfer->headers = curl.slist_append(transfer->headers, line);
	}
	/* waiting for "100 Continue" costs a round trip and has nothing to save */
	transfer->headers = curl.slist_append(transfer->headers, "Expect:");
	curl.easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl.easy_setopt(easy, CURLOPT_URL, request->url);
	if (http_spares_proxy(request->url))
		curl.easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl.easy_setopt(easy, CURLOPT_USERAGENT, agent);
	curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl.easy_setopt(easy, CURLOPT_PRIVATE, request);
}

void http_start(struct http *http, struct http_request *request)
{
	CURL *easy = curl.easy_init();

	request->transfer = xcalloc(1, sizeof *request->transfer);
	request->transfer->http = http;
	request->transfer->easy = easy;
	if (!easy) {
		request->done = true;
		request->result = HTTP_BROKEN;
		snprintf(request->failure, sizeof request->failure, "libcurl has no memory");
		return;
	}
	set_limits(easy, request);
	set_protocol(easy, request);
	set_tls(easy, http, request);
	set_body(easy, request);
	set_request(easy, request);
	curl.multi_add_handle(http->multi, easy);
}

void http_stop(struct http *http, struct http_request *request)
{
	struct http_transfer *transfer = request->transfer;

	if (!transfer)
		return;
	if (transfer->easy) {
		curl.multi_remove_handle(http->multi, transfer->easy);
		curl.easy_cleanup(transfer->easy);
	}
	curl.slist_free_all(transfer->headers);
	free(transfer);
	request->transfer = NULL;
}

void http_request_reset(struct http_request *request)
{
	strings_free(&request->answer_headers);
	free(request->answer);
	request->answer = NULL;
	request->answer_length = request->answer_size = 0;
	request->done = false;
	request->status = 0;
}

void http_request_free(struct http_request *request)
{
	http_request_reset(request);
	strings_free(&request->headers);
	free(request->url);
	secret_wipe(request->authorization);
	secret_wipe(request->body);
	*request = (struct http_request){ 0 };
}

void http_resume(struct http_request *request)
{
	if (request->transfer && !request->done)
		curl.easy_pause(request->transfer->easy, CURLPAUSE_CONT);
}

/* ---- the loop ---- */

static enum http_result classify(const struct http_request *request, CURLcode code)
{
	long proxy_fault = 0;

	if (request->transfer->aborted)
		return HTTP_ABORTED;
	if (request->transfer->too_large)
		/* of an error the beginning is enough */
		return request->status >= 400 ? HTTP_ANSWERED : HTTP_TOO_LARGE;
	switch (code) {
	case CURLE_OK:
		return HTTP_ANSWERED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return HTTP_UNREACHABLE;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_NOT_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		curl.easy_getinfo(request->transfer->easy, CURLINFO_PROXY_SSL_VERIFYRESULT,
				  &proxy_fault);
		return proxy_fault ? HTTP_BAD_PROXY : HTTP_UNTRUSTED;
	case CURLE_SSL_CACERT_BADFILE:
		return HTTP_NO_CHECK;
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_UNTRUSTED;
	default:
		return HTTP_BROKEN;
	}
}

static const char *reason(const struct http_transfer *transfer, CURLcode code)
{
	/* a decoder that is not there looks like this, too (curl_linked.c) */
	if (code == CURLE_OUT_OF_MEMORY)
		return "the answer has an encoding that is not supported, or there is no memory";
	return transfer->error[0] ? transfer->error : curl.easy_strerror(code);
}

static void finish(struct http *http, CURL *easy, CURLcode code)
{
	struct http_request *request = NULL;
	long status = 0;

	curl.easy_getinfo(easy, CURLINFO_PRIVATE, &request);
	curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	request->status = (int)status;
	request->result = classify(request, code);
	snprintf(request->failure, sizeof request->failure, "%s", reason(request->transfer, code));
	bool again = request->result == HTTP_UNTRUSTED && !request->transfer->has_bundle &&
		     !request->tls->authorities;
	http_stop(http, request);
	if (again) {
		http->needs_bundle = true;
		http_request_reset(request);
		http_start(http, request);
		return;
	}
	request->done = true;
}

int http_pump(struct http *http, int timeout_ms, struct error *err)
{
	int running, left, ready = 0;
	const CURLMsg *message;

	/* of HTTP/2's streams libcurl 7.88 forgets one whose answer came in while another was read
	 * that stands behind it: looking again is what brings it */
	if (http->multiplexes && http->has_moved)
		timeout_ms = 0;
	/* waiting first: what the callbacks did last time was dealt with by the caller since, and
	 * requests that were started or resumed end the wait at once */
	curl.multi_poll(http->multi, NULL, 0, timeout_ms, &ready);
	http->has_moved = ready > 0;
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	curl.multi_perform(http->multi, &running);
	while ((message = curl.multi_info_read(http->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			finish(http, message->easy_handle, message->data.result);
	return 0;
}

void http_wake(struct http *http)
{
	curl.multi_wakeup(http->multi);
}

const char *http_header(const struct http_request *request, const char *name, size_t n)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < request->answer_headers.count; i++) {
		const char *line = request->answer_headers.items[i];

		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;
		if (n-- > 0)
			continue;
		line += length + 1;
		return line + strspn(line, " \t");
	}
	return NULL;
}
