/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/blob_source.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "skopeo-c/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 256 << 10 }; /* bytes that are read at once */

void blob_source_close(struct blob_source *source)
{
	cleanup_fd_p(&source->fd);
	registry_call_free(&source->call);
	if (source->end_making)
		source->end_making(source->maker);
	*source = BLOB_SOURCE_NONE;
}

ssize_t blob_source_read(struct blob_source *source, void *buffer, size_t size, const char *what,
			 struct error *err)
{
	ssize_t got;

	if (source->make)
		return source->make(source->maker, buffer, size, err);
	if (source->rest >= 0 && (json_int_t)size > source->rest)
		size = (size_t)source->rest;
	do
		got = size > 0 ? read(source->fd, buffer, size) : 0;
	while (got < 0 && errno == EINTR && !cli_interrupted());
	if (got < 0)
		return error_os(err, "%s", what);
	if (source->rest >= 0)
		source->rest -= got;
	return got;
}

int blob_source_hash(struct blob_source *source, const char *like, const char *what,
		     char digest[static DIGEST_SIZE], json_int_t *size, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, PIECE);
	cleanup_hasher struct hasher hasher = { 0 };
	ssize_t got;

	*size = 0;
	hasher_start(&hasher, like);
	while ((got = blob_source_read(source, buffer, PIECE, what, err)) > 0) {
		if (cli_interrupted())
			return cli_fail_interrupted(err);
		hasher_update(&hasher, buffer, (size_t)got);
		*size += got;
	}
	hasher_finish(&hasher, digest);
	return got < 0 ? -1 : 0;
}

/* ---- small blobs ---- */

static char *read_call(struct registry_call *call, const struct blob *blob, size_t *length,
		       struct error *err)
{
	cleanup_free char *what = xasprintf("blob %s", blob->digest);

	if (registry_call_wait(call, err) < 0)
		return NULL;
	if (call->request.status != 200) {
		registry_refused(call, what, err);
		return NULL;
	}
	*length = call->request.answer_length;
	char *text = steal_ptr(&call->request.answer);
	return text ? text : xstrdup("");
}

/* A blob of a known size, from a file or made. */
static char *read_source(struct blob_source *source, const struct blob *blob, const char *what,
			 size_t *length, struct error *err)
{
	size_t size = (size_t)blob->size, used = 0;
	cleanup_free char *text = xcalloc(1, size + 2);
	ssize_t got;

	/* one byte more, to see that it is too long */
	while ((got = blob_source_read(source, text + used, size + 1 - used, what, err)) > 0)
		used += (size_t)got;
	if (got < 0)
		return NULL;
	text[used] = '\0';
	*length = used;
	return steal_ptr(&text);
}

int transport_begin_blob(struct transport *t, const struct blob *blob, struct blob_source *source,
			 struct error *err)
{
	if (blob->size > MANIFEST_MAX)
		return error_set(err, ERROR_LIMIT, "%s: the blob %s is larger than %d bytes",
				 t->name, blob->digest, MANIFEST_MAX);
	if (t->class->open_blob(t, blob, source, err) < 0) {
		blob_source_close(source);
		return -1;
	}
	if (blob_source_is_call(source))
		registry_call_start(&source->call);
	return 0;
}

bool blob_source_is_answered(struct blob_source *source)
{
	struct error ignored; /* transport_end_blob() comes upon it again */

	return !blob_source_is_call(source) || registry_call_poll(&source->call, &ignored) != 0;
}

char *transport_end_blob(struct transport *t, const struct blob *blob, struct blob_source *source,
			 struct error *err)
{
	size_t length = 0;
	cleanup_free char *text = blob_source_is_call(source)
					  ? read_call(&source->call, blob, &length, err)
					  : read_source(source, blob, t->name, &length, err);

	blob_source_close(source);
	if (!text)
		return NULL;
	if ((json_int_t)length != blob->size) {
		error_set(err, ERROR_INTEGRITY, "%s: blob %s has %zu bytes, expected %lld", t->name,
			  blob->digest, length, (long long)blob->size);
		return NULL;
	}
	if (digest_check(text, length, blob->digest, t->name, err) < 0)
		return NULL;
	return steal_ptr(&text);
}

char *transport_read_blob(struct transport *t, const struct blob *blob, struct error *err)
{
	struct blob_source source = BLOB_SOURCE_NONE;

	return transport_begin_blob(t, blob, &source, err) < 0
		       ? NULL
		       : transport_end_blob(t, blob, &source, err);
}
