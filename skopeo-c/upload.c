/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/upload.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "skopeo-c/blob_sink.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/upload_session.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	PART_SIZE = 4 << 20,	  /* bytes; some registries take no larger parts */
	PART_SIZE_MAX = 256 << 20 /* more than this a registry cannot ask for */
};

enum upload_step {
	STEP_PRESENCE,
	STEP_SESSION, /* how far an upload is that was begun before */
	STEP_BEGIN,
	STEP_WHOLE, /* the one request */
	STEP_PART,
	STEP_END /* after the last part */
};

struct upload {
	enum upload_step step;
	bool mounts, in_parts, is_continued;
	json_int_t part_size, part; /* bytes of a part, of the one under way */
	char *url;		    /* where the next request goes */
	struct upload_session *session;
};

void upload_free(struct upload *upload)
{
	if (!upload)
		return;
	upload_session_free(upload->session);
	free(upload->url);
	free(upload);
}

static void ask(struct uploads *uploads, struct blob_sink *sink, enum upload_step step,
		const char *method, char *target)
{
	registry_call_free(&sink->call);
	sink->upload->step = step;
	registry_call_init(&sink->call, uploads->registry, method, target);
}

void upload_offer(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink)
{
	sink->fd = -1;
	if (blob_is_foreign(blob)) {
		sink->state = SINK_PRESENT;
		return;
	}
	sink->state = SINK_ASKING;
	sink->upload = xcalloc(1, sizeof *sink->upload);
	ask(uploads, sink, STEP_PRESENCE, "HEAD",
	    xasprintf("/v2/%s/blobs/%s", uploads->registry->repository, blob->digest));
	registry_call_start(&sink->call);
}

/* ---- where to upload to ---- */

static void ask_upload(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink)
{
	const char *repository = uploads->registry->repository;

	sink->upload->mounts = uploads->mount_from;
	ask(uploads, sink, STEP_BEGIN, "POST",
	    uploads->mount_from ? xasprintf("/v2/%s/blobs/uploads/?mount=%s&from=%s", repository,
					    blob->digest, uploads->mount_from)
				: xasprintf("/v2/%s/blobs/uploads/", repository));
	registry_call_start(&sink->call);
}

/* Who may write here need not be allowed to read there. */
static bool mount_is_refused(const struct blob_sink *sink, int status, const struct error *err)
{
	return sink->upload->mounts &&
	       (status < 0 ? err->kind == ERROR_DENIED : sink->call.request.status / 100 == 4);
}

/* Nor is leave to read there asked for any more: it is the last of the scopes, see
 * docker_allow_mounts(). */
static void stop_mounting(struct uploads *uploads)
{
	struct strings *scopes = &uploads->registry->scopes;

	if (!uploads->mount_from)
		return;
	log_message(LOG_LEVEL_INFO, "%s mounts nothing from %s", uploads->registry->name,
		    uploads->mount_from);
	free(scopes->items[--scopes->count]);
	scopes->items[scopes->count] = NULL;
	free(uploads->mount_from);
	uploads->mount_from = NULL;
}

/* The blob is not there: begin to upload it, or ask about an upload that was begun. */
static void ask_where(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink)
{
	struct upload *upload = sink->upload;

	if (blob->size >= PARTIAL_MIN) {
		cleanup_free char *repository =
			xasprintf("%s/%s", uploads->registry->name, uploads->registry->repository);

		upload->session = upload_session_open(uploads->runroot, repository, blob->digest);
	}
	upload->in_parts = uploads->parts == PARTS_WANTED;
	if (!upload->session || !upload->session->url || uploads->parts == PARTS_REFUSED) {
		ask_upload(uploads, blob, sink);
		return;
	}
	upload->in_parts = true;
	ask(uploads, sink, STEP_SESSION, "GET", xstrdup(upload->session->url));
	sink->call.once = true;
	registry_call_start(&sink->call);
}

/* The Location of the answer. It may be relative, and behind some proxies says http where the
 * registry speaks https. */
static char *next_url(const struct registry_call *call, struct error *err)
{
	const char *base = call->registry->base;
	const char *location = http_header(&call->request, "location", 0);
	char *url = location ? http_resolve(call->request.url, location) : NULL;

	if (!url) {
		error_set(err, ERROR_FAILED, "%s does not say where to upload to",
			  call->registry->name);
		return NULL;
	}
	bool is_downgrade = strncmp(base, "https://", 8) == 0 && strncmp(url, "http://", 7) == 0;
	if (is_downgrade && http_same_host(url, base)) {
		char *upgraded = xasprintf("https://%s", url + 7);

		free(url);
		return upgraded;
	}
	if (is_downgrade && call->registry->tls.verify) {
		error_set(err, ERROR_DENIED, "%s wants the upload over plain http",
			  call->registry->name);
		free(url);
		return NULL;
	}
	return url;
}

static int take_url(struct upload *upload, const struct registry_call *call, struct error *err)
{
	char *url = next_url(call, err);

	if (!url)
		return -1;
	free(upload->url);
	upload->url = url;
	upload_session_note(upload->session, url, upload->part_size);
	return 0;
}

/* How many bytes of the blob the registry has: "0-LAST" or, with some, "bytes=0-LAST". An empty
 * upload is told as "0-0" by some, so a single byte counts for none. -1 where it does not say. */
static json_int_t told_length(const struct registry_call *call)
{
	const char *range = http_header(&call->request, "range", 0);
	char *end;

	if (range && strncmp(range, "bytes=", 6) == 0)
		range += 6;
	if (!range || strncmp(range, "0-", 2) != 0)
		return -1;
	json_int_t last = strtoll(range + 2, &end, 10);
	if (*end || end == range + 2 || last < 0 || last == LLONG_MAX)
		return -1;
	return last == 0 ? 0 : last + 1;
}

/* ---- the bytes ---- */

static char *closing_url(const struct upload *upload, const struct blob *blob)
{
	return xasprintf("%s%sdigest=%s", upload->url, strchr(upload->url, '?') ? "&" : "?",
			 blob->digest);
}

/* Prepare the request for what is next. The callback that gives the bytes stays. */
static void prepare(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink)
{
	struct upload *upload = sink->upload;
	const struct http_request before = sink->call.request;
	json_int_t left = blob->size - sink->offset;
	bool is_part = upload->in_parts && left > 0;

	upload->part = is_part && left > upload->part_size ? upload->part_size : left;
	if (is_part)
		ask(uploads, sink, STEP_PART, "PATCH", xstrdup(upload->url));
	else
		ask(uploads, sink, upload->in_parts ? STEP_END : STEP_WHOLE, "PUT",
		    closing_url(upload, blob));
	struct http_request *request = &sink->call.request;
	strings_add(&request->headers, "Content-Type: application/octet-stream");
	if (is_part)
		strings_addf(&request->headers, "Content-Range: %lld-%lld", (long long)sink->offset,
			     (long long)(sink->offset + upload->part - 1));
	request->read = before.read;
	request->context = before.context;
	request->upload_size = sink->part_left = upload->part;
	sink->call.once = true;
}

static int begin(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		 struct error *err)
{
	struct upload *upload = sink->upload;
	const char *least = http_header(&sink->call.request, "oci-chunk-min-length", 0);
	json_int_t size = least ? strtoll(least, NULL, 10) : 0;

	upload->part_size = size > PART_SIZE_MAX ? PART_SIZE_MAX
			    : size > PART_SIZE	 ? size
						 : PART_SIZE;
	if (take_url(upload, &sink->call, err) < 0)
		return -1;
	prepare(uploads, blob, sink);
	sink->state = SINK_WANTED;
	return 0;
}

/* Go on with the upload that was begun where the registry still knows it, or else begin one. */
static int go_on(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		 int status, struct error *err)
{
	struct upload *upload = sink->upload;
	json_int_t length =
		status > 0 && sink->call.request.status / 100 == 2 ? told_length(&sink->call) : -1;

	upload->part_size =
		upload->session->part_size < PART_SIZE ? PART_SIZE : upload->session->part_size;
	if (status < 0 && cli_interrupted())
		return -1;
	if (length < 0 || length > blob->size || take_url(upload, &sink->call, err) < 0) {
		upload_session_forget(upload->session);
		ask_upload(uploads, blob, sink);
		return 0;
	}
	log_message(LOG_LEVEL_INFO, "going on with the upload of %s at byte %lld", blob->digest,
		    (long long)length);
	sink->offset = length;
	upload->is_continued = length > 0;
	prepare(uploads, blob, sink);
	sink->state = SINK_WANTED;
	return 0;
}

int upload_poll_sink(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		     struct error *err)
{
	enum upload_step step = sink->upload->step;
	int status = registry_call_poll(&sink->call, err);

	if (status == 0)
		return 0;
	if (step == STEP_SESSION)
		return go_on(uploads, blob, sink, status, err);
	if (step == STEP_BEGIN && mount_is_refused(sink, status, err)) {
		stop_mounting(uploads);
		ask_upload(uploads, blob, sink);
		return 0;
	}
	if (status < 0)
		return -1;
	if (step == STEP_PRESENCE) {
		if (sink->call.request.status == 200)
			sink->state = SINK_PRESENT;
		else
			ask_where(uploads, blob, sink);
		return 0;
	}
	switch (sink->call.request.status) {
	case 201: /* mounted */
		sink->state = SINK_PRESENT;
		return 0;
	case 202:
		return begin(uploads, blob, sink, err);
	default:
		return registry_refused(&sink->call, uploads->registry->repository, err);
	}
}

/* ---- the answers ---- */

/* A part was answered; the next one, or the end, is asked for. */
static int part_taken(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		      struct error *err)
{
	struct upload *upload = sink->upload;
	int status = sink->call.request.status;
	json_int_t length = told_length(&sink->call), end = sink->offset + upload->part;

	if (status / 100 != 2) {
		upload_session_forget(upload->session);
		/* of one that was going well: it is gone, or stands elsewhere than it said */
		if (sink->offset == 0 || (status != 404 && status != 416)) {
			uploads->parts = PARTS_REFUSED;
			sink->knows_other_way = true;
		}
		return error_set(err, ERROR_TEMPORARY,
				 "%s does not take a part of %s: it answered %d",
				 uploads->registry->name, blob->digest, status);
	}
	if (take_url(upload, &sink->call, err) < 0)
		return -1;
	if (length >= 0 && length != end)
		return error_set(err, ERROR_TEMPORARY, "%s has %lld bytes of %s instead of %lld",
				 uploads->registry->name, (long long)length, blob->digest,
				 (long long)end);
	sink->offset = end;
	prepare(uploads, blob, sink);
	registry_call_start(&sink->call);
	return 0;
}

/* The upload as a whole was answered; 1 where that is the last word. */
static int ended(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		 struct error *err)
{
	const struct upload *upload = sink->upload;
	int status = sink->call.request.status;
	bool may_be_parts = status == 413 && upload->step == STEP_WHOLE &&
			    uploads->parts == PARTS_UNTRIED && blob->size > PART_SIZE;

	upload_session_forget(upload->session);
	if (status / 100 == 2 || !(may_be_parts || upload->is_continued))
		return 1;
	if (may_be_parts) {
		uploads->parts = PARTS_WANTED;
		sink->knows_other_way = true;
	}
	return error_set(err, ERROR_TEMPORARY, "%s does not take %s in this way: it answered %d",
			 uploads->registry->name, blob->digest, status);
}

/* The upload has failed, maybe for a time. One that was cut off, by a proxy that waits no longer or
 * by the network, may do better in parts; one that was answered is begun anew. */
static void broken(struct uploads *uploads, const struct blob_sink *sink)
{
	const struct http_request *request = &sink->call.request;
	bool is_cut = request->result != HTTP_ANSWERED || request->status == 408 ||
		      request->status == 504;

	if (sink->upload->step != STEP_WHOLE)
		return;
	if (!is_cut)
		upload_session_forget(sink->upload->session);
	else if (uploads->parts == PARTS_UNTRIED)
		uploads->parts = PARTS_WANTED;
}

int upload_poll(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		struct error *err)
{
	int status = registry_call_poll(&sink->call, err);

	if (status < 0)
		broken(uploads, sink);
	if (status <= 0)
		return status;
	return sink->upload->step == STEP_PART ? part_taken(uploads, blob, sink, err)
					       : ended(uploads, blob, sink, err);
}

/* A registry that says 2xx has checked the digest. */
int upload_commit(const struct blob *blob, const struct blob_sink *sink, const char *name,
		  struct error *err)
{
	cleanup_free char *what = xasprintf("%s: blob %s", name, blob->digest);

	if (sink->call.request.status / 100 == 2)
		return 0;
	return registry_refused(&sink->call, what, err);
}
