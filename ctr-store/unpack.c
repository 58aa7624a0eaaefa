/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/image.h"
#include "ctr-store/json_stream.h"
#include "ctr-store/unpacker.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/store.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 64 << 10 };

struct settings {
	const char *backend;
	struct strings additional;
};

static const struct cli_option options[] = {
	{ "backend", 0, "erofs|overlay", OPTION_STRING, offsetof(struct settings, backend),
	  "unpack layers to EROFS images or to directories" },
	{ "additional-store", 0, "DIR", OPTION_LIST, offsetof(struct settings, additional),
	  "also use images and layers of the read-only store in DIR" },
	{ 0 },
};

struct session {
	struct image **images; /* the unpacker borrows them */
	size_t image_count;
	struct json_stream stream;
	struct unpacker *unpacker;
	json_t *document; /* the last object when it is no event */
};

static void session_free(struct session *session)
{
	unpacker_free(session->unpacker);
	for (size_t i = 0; i < session->image_count; i++) {
		image_free(session->images[i]);
		free(session->images[i]);
	}
	free(session->images);
	json_stream_free(&session->stream);
	json_decref(session->document);
}

static int session_start(struct session *session, const struct cli *cli, const struct store *store,
			 struct error *err)
{
	const struct settings *settings = cli->settings;
	enum backend backend;

	session->unpacker = unpacker_new(store, err);
	if (!session->unpacker)
		return -1;
	if (!settings->backend)
		return 0;
	if (backend_choose(store, settings->backend, &backend, err) < 0)
		return -1;
	if (backend == BACKEND_COPY)
		return cli_usage(cli, err, "--backend: layers are unpacked for overlay or erofs");
	unpacker_set_backend(session->unpacker, backend);
	return 0;
}

static bool has_image(const struct session *session, const char *digest)
{
	for (size_t i = 0; i < session->image_count; i++)
		if (strcmp(session->images[i]->digest, digest) == 0)
			return true;
	return false;
}

static int add_image(struct session *session, json_t *json, struct error *err)
{
	cleanup_image struct image image = { 0 };

	if (image_from_json(json, &image, err) < 0)
		return -1;
	if (has_image(session, image.digest))
		return 0;
	struct image *kept = xcalloc(1, sizeof *kept);
	*kept = image;
	image = (struct image){ 0 };
	session->images = xgrow(session->images, session->image_count, sizeof(struct image *));
	session->images[session->image_count++] = kept;
	unpacker_add_image(session->unpacker, kept);
	return 0;
}

/* ---- images by name ---- */

static int print_image(const struct cli *cli, const struct image *image, struct error *err)
{
	json_auto_t *document = json_pack("{s:O}", "image", image->json);

	return output_object(cli, document, err);
}

static int unpack_named(const struct cli *cli, const struct store *store, struct error *err)
{
	__attribute__((cleanup(session_free))) struct session session = { 0 };
	cleanup_image_source struct image_source source = { .index = NULL };

	if (session_start(&session, cli, store, err) < 0)
		return -1;
	for (int i = 0; i < cli->operand_count; i++) {
		cleanup_image struct image image = { 0 };

		if (image_source_find(store, &source, cli->operands[i], &image, err) < 0 ||
		    add_image(&session, image.json, err) < 0)
			return -1;
	}
	unpacker_all_blobs(session.unpacker);
	if (unpacker_finish(session.unpacker, err) < 0)
		return -1;
	for (size_t i = 0; i < session.image_count; i++)
		if (print_image(cli, session.images[i], err) < 0)
			return -1;
	return 0;
}

/* ---- a document, or the events of skopeo-c copy, from stdin ---- */

static int take_event(struct session *session, const json_t *object, const char *event,
		      struct error *err)
{
	const char *state = json_text(object, "state", "");

	if (strcmp(event, "image") == 0)
		return add_image(session, json_object_get(object, "image"), err);
	if (strcmp(event, "blob") != 0)
		return 0; /* others, of later versions, do not concern us */
	if (strcmp(state, "done") == 0 || strcmp(state, "present") == 0)
		unpacker_blob_done(session->unpacker, json_text(object, "digest", ""));
	else
		unpacker_blob_arrives(session->unpacker, json_text(object, "digest", ""));
	return 0;
}

static int take_object(struct session *session, json_t *object, struct error *err)
{
	const char *event = json_text(object, "event", NULL);

	json_decref(session->document);
	session->document = NULL;
	if (event)
		return take_event(session, object, event, err);
	session->document = json_incref(object);
	json_t *image = json_object_get(object, "image");
	if (!image) {
		error_set(err, ERROR_USAGE, "the document has no image");
		return error_hint(err, "put skopeo-c copy ... store: before it, or name an image");
	}
	return add_image(session, image, err);
}

/* Read what has arrived. 0 at the end of the input, else 1. */
static int read_input(struct session *session, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, READ_SIZE);
	ssize_t got = read(STDIN_FILENO, buffer, READ_SIZE);
	json_t *object;
	int status;

	if (got < 0)
		return errno == EINTR && !cli_interrupted() ? 1 : error_os(err, "standard input");
	json_stream_add(&session->stream, buffer, (size_t)got);
	while ((status = json_stream_next(&session->stream, &object, err)) == 1) {
		status = take_object(session, object, err);
		json_decref(object);
		if (status < 0)
			return -1;
	}
	return status < 0 ? -1 : got > 0;
}

static bool has_input(void)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

	return poll(&input, 1, 0) != 0;
}

static int follow_input(struct session *session, struct error *err)
{
	for (int more = 1; more;) {
		bool ready;

		if (unpacker_step(session->unpacker, STDIN_FILENO, &ready, err) < 0)
			return -1;
		if (ready && (more = read_input(session, err)) < 0)
			return -1;
	}
	if (session->document && json_stream_is_empty(&session->stream))
		return 0;
	/* the tool in front failed and has said why */
	return error_set(err, ERROR_FAILED, "standard input ends before the document");
}

static int unpack_input(const struct cli *cli, const struct store *store, struct error *err)
{
	__attribute__((cleanup(session_free))) struct session session = { 0 };

	if (isatty(STDIN_FILENO))
		return cli_usage(cli, err, "an image's name, or a document on standard input");
	if (session_start(&session, cli, store, err) < 0)
		return -1;
	if (!has_input())
		unpacker_prepare(session.unpacker);
	if (follow_input(&session, err) < 0)
		return -1;
	/* the document comes when all blobs are there, whatever the events said */
	unpacker_all_blobs(session.unpacker);
	if (unpacker_finish(session.unpacker, err) < 0)
		return -1;
	return output_object(cli, session.document, err);
}

static int unpack_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };

	if (store_open_images(cli, &settings->additional, &store, err) < 0)
		return -1;
	return cli->operand_count > 0 ? unpack_named(cli, &store, err)
				      : unpack_input(cli, &store, err);
}

const struct cli_command command_unpack = {
	.name = "unpack",
	.operands = "[IMAGE...]",
	.operands_max = -1,
	.summary = "unpack the layers of images",
	.details = "Without operands, reads a container document from stdin, or the events of\n"
		   "`skopeo-c copy --events 1` to unpack layers while they are downloaded.\n"
		   "Prints the document.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = unpack_verb,
};
