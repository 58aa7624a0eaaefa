/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/transport.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/registries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 256 << 10 }; /* bytes that are read at once */

static const struct transport_class *const classes[] = {
	&transport_docker,
	&transport_oci,
	&transport_dir,
	&transport_tarball,
	&transport_store,
	&transport_oci_archive,
	&transport_docker_archive,
	&transport_docker_daemon,
	&transport_containers_storage,
	NULL,
};

const struct transport_class *transport_class_of(const char *name)
{
	for (size_t i = 0; classes[i]; i++)
		if (strncmp(name, classes[i]->prefix, strlen(classes[i]->prefix)) == 0)
			return classes[i];
	return NULL;
}

bool transport_names_registry(const char *name)
{
	const struct transport_class *class = transport_class_of(name);

	return !class || class == &transport_docker;
}

static int no_transport(const char *name, struct error *err)
{
	error_set(err, ERROR_USAGE, "\"%s\" does not begin with a transport", name);
	error_subject(err, name);
	return error_hint(err, "docker://NAME, oci:PATH[:REF], dir:PATH, docker-archive:PATH, "
			       "oci-archive:PATH, store:NAME, ...; see skopeo-c(1)");
}

static int open_class(struct transport *t, const struct transport_class *class, const char *rest,
		      const struct transport_settings *settings, struct error *err)
{
	t->class = class;
	t->registries_d = settings->registries_d;
	return class->open(t, rest, settings, err);
}

/* Of several names the first that there is an image of. */
static int open_first(struct transport *t, const struct strings *names,
		      const struct transport_settings *settings, struct error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		cleanup_manifest struct manifest manifest = { 0 };

		log_message(LOG_LEVEL_INFO, "trying %s", names->items[i]);
		if (open_class(t, &transport_docker, names->items[i], settings, err) == 0 &&
		    (names->count == 1 || t->class->get_manifest(t, NULL, &manifest, err) == 0))
			return 0;
		if (i + 1 == names->count || cli_interrupted())
			break;
		log_message(LOG_LEVEL_INFO, "%s", err->message);
		transport_close(t);
	}
	return -1;
}

/* What is no short name with a tag: a slip, or the transport of another program. */
static int refuse_prefix(const char *name, struct error *err)
{
	static const char *const foreign[] = { "atomic:", "ostree:", "sif:" };

	if (strncmp(name, "docker:", strlen("docker:")) == 0) {
		error_set(err, ERROR_USAGE, "\"%s\" lacks the // of docker://", name);
		return error_subject(err, name);
	}
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		if (strncmp(name, foreign[i], strlen(foreign[i])) == 0) {
			error_set(err, ERROR_UNSUPPORTED, "the transport %s is not supported",
				  foreign[i]);
			return error_subject(err, name);
		}
	}
	return 0;
}

static int open_bare(struct transport *t, const char *name,
		     const struct transport_settings *settings, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_strings struct strings names = { 0 };
	struct error ignored;

	if (refuse_prefix(name, err) < 0)
		return -1;
	/* a path, or a mistake */
	if (reference_parse(name, &reference, &ignored) < 0)
		return no_transport(name, err);
	if (registries_expand(name, &names, err) < 0)
		return -1;
	return open_first(t, &names, settings, err);
}

int transport_check_destination(const char *name, struct error *err)
{
	const struct transport_class *class = transport_class_of(name);

	if (!class)
		return refuse_prefix(name, err) < 0 ? -1 : no_transport(name, err);
	if (!class->put_manifest)
		return error_set(err, ERROR_USAGE, "%s can only be a source", class->prefix);
	return 0;
}

int transport_open(struct transport *t, const char *name, const struct transport_settings *settings,
		   struct error *err)
{
	const struct transport_class *class = transport_class_of(name);

	if (settings->is_destination && transport_check_destination(name, err) < 0)
		return -1;
	if (!class)
		return open_bare(t, name, settings, err);
	return open_class(t, class, name + strlen(class->prefix), settings, err);
}

int transport_list(const char *name, const struct transport_settings *settings, json_t *names,
		   struct error *err)
{
	const struct transport_class *class = transport_class_of(name);

	if (!class)
		return no_transport(name, err);
	if (!class->list)
		return error_set(err, ERROR_UNSUPPORTED, "there are no tags at %s", class->prefix);
	return class->list(name + strlen(class->prefix), settings, names, err);
}

void transport_close(struct transport *t)
{
	if (t->class && t->state)
		t->class->close(t);
	free(t->name);
	free(t->reference);
	free(t->path);
	*t = (struct transport){ 0 };
}

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
