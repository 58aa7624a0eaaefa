/* SPDX-License-Identifier: Apache-2.0 */
/* RUNROOT/manifests: a line with the boot that it is of, then one for each manifest: its digest and
 * its words. It is read far more often than written, and whole: JSON would take ten times as long.
 */
#include "ctr-store/manifests.h"

#include "ctr-store/image.h"
#include "lib/boot.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 256 << 20 };

/* ---- words ---- */

static void add_word(struct buffer *words, enum manifest_word_kind kind, const char *text)
{
	const char start[] = { ' ', (char)kind };

	buffer_append(words, start, sizeof start);
	buffer_append(words, text, strlen(text));
}

static void add_hex(struct buffer *words, enum manifest_word_kind kind, const char *digest)
{
	if (digest && digest_is_valid(digest))
		add_word(words, kind, digest_hex(digest));
}

bool manifests_next(const char **words, struct manifest_word *word)
{
	const char *at = *words + strspn(*words, " ");
	size_t length = strcspn(at, " \n");

	if (length == 0)
		return false;
	*word = (struct manifest_word){ (enum manifest_word_kind) * at, at + 1, length - 1 };
	*words = at + length;
	return true;
}

static bool is_partial(const char *words)
{
	struct manifest_word word;

	while (manifests_next(&words, &word))
		if (word.kind == MANIFEST_PARTIAL)
			return true;
	return false;
}

/* ---- the file ---- */

static char *path_of(const struct store *store)
{
	return xasprintf("%s/manifests", store->runroot);
}

/* Note where the words of each digest begin. */
static void find_places(struct manifests *manifests, const char *boot)
{
	char *line = manifests->text;
	size_t length = strcspn(line, "\n");

	/* it was never synced: after a crash of the machine it may hold anything */
	if (length != strlen(boot) || strncmp(line, boot, length) != 0)
		return;
	while (line[length] == '\n') {
		line += length + 1;
		length = strcspn(line, "\n");
		size_t digest = strcspn(line, " \n");
		json_object_setn_new(manifests->places, line, digest,
				     json_integer(line + digest - manifests->text));
	}
}

void manifests_open(struct manifests *manifests, const struct store *store,
		    const struct layout *layout, bool afresh)
{
	cleanup_free char *path = path_of(store);
	struct error ignored;
	cleanup_free char *boot = boot_id(&ignored);
	size_t length;

	*manifests = (struct manifests){ .store = store,
					 .layout = layout,
					 .places = json_object(),
					 .words = json_object(),
					 .used = json_object() };
	if (boot && !afresh)
		manifests->text = file_read_at(AT_FDCWD, path, TEXT_MAX, &length, &ignored);
	if (boot && manifests->text)
		find_places(manifests, boot);
}

static const char *find_words(const struct manifests *manifests, const char *digest)
{
	const json_t *words = json_object_get(manifests->words, digest);
	const json_t *place = words ? NULL : json_object_get(manifests->places, digest);

	return place ? manifests->text + json_integer_value(place) : json_string_value(words);
}

static void save(const struct manifests *manifests)
{
	cleanup_free char *path = path_of(manifests->store);
	cleanup_buffer struct buffer text = { 0 };
	struct error ignored;
	cleanup_free char *boot = boot_id(&ignored);
	const char *digest;
	json_t *unused;

	if (!boot)
		return;
	buffer_append(&text, boot, strlen(boot));
	json_object_foreach (manifests->used, digest, unused) {
		const char *words = find_words(manifests, digest);

		if (is_partial(words))
			continue;
		buffer_append(&text, "\n", 1);
		buffer_append(&text, digest, strlen(digest));
		buffer_append(&text, words, strcspn(words, "\n"));
	}
	(void)!file_replace_volatile_at(AT_FDCWD, path, buffer_data(&text), buffer_length(&text),
					0600, &ignored);
}

void manifests_close(struct manifests *manifests)
{
	if (manifests->changed)
		save(manifests);
	free(manifests->text);
	json_decref(manifests->places);
	json_decref(manifests->words);
	json_decref(manifests->used);
	*manifests = (struct manifests){ 0 };
}

/* ---- reading ---- */

/* The blob, or NULL when it is not there or is damaged: then nothing follows from it. Any other
 * failure must stop the caller before something is taken for unused. */
static json_t *read_blob(const struct manifests *manifests, const char *digest, bool *failed,
			 struct error *err)
{
	json_t *json = layout_read_json(manifests->layout, digest, err);

	*failed = !json && err->kind != ERROR_NOT_FOUND && err->kind != ERROR_INTEGRITY;
	if (!json && err->kind == ERROR_INTEGRITY)
		log_message(LOG_LEVEL_WARN, "%s", err->message);
	return json;
}

/* Either directory may be the layer's: DiffID or ChainID. */
static void add_layers(struct buffer *words, const json_t *config)
{
	const json_t *diff_ids = json_path(config, "rootfs", "diff_ids", NULL), *diff_id;
	char chain[DIGEST_SIZE], parent[DIGEST_SIZE];
	size_t i;

	json_array_foreach (diff_ids, i, diff_id) {
		const char *text = json_string_value(diff_id);

		if (!text || !digest_is_valid(text))
			break;
		digest_chain(i ? parent : NULL, text, chain);
		memcpy(parent, chain, sizeof parent);
		add_hex(words, MANIFEST_LAYER, text);
		add_hex(words, MANIFEST_LAYER, chain);
	}
}

static void add_blobs(struct buffer *words, const json_t *descriptors)
{
	const json_t *descriptor;
	size_t i;

	json_array_foreach (descriptors, i, descriptor) {
		add_hex(words, MANIFEST_BLOB, json_text(descriptor, "digest", NULL));
	}
}

static void add_children(struct buffer *words, const json_t *descriptors)
{
	const json_t *descriptor;
	size_t i;

	json_array_foreach (descriptors, i, descriptor) {
		const char *digest = json_text(descriptor, "digest", "");

		if (digest_is_valid(digest))
			add_word(words, MANIFEST_CHILD, digest);
	}
}

static bool is_image_config(const json_t *descriptor)
{
	const char *type = json_text(descriptor, "mediaType", "");

	return strcmp(type, IMAGE_CONFIG_TYPE) == 0 ||
	       strcmp(type, "application/vnd.docker.container.image.v1+json") == 0;
}

static int read_words(const struct manifests *manifests, const char *digest, struct buffer *words,
		      bool *failed, struct error *err)
{
	json_auto_t *manifest = read_blob(manifests, digest, failed, err);
	const json_t *descriptor = json_object_get(manifest, "config");
	const char *id = json_text(descriptor, "digest", "");
	bool is_image = is_image_config(descriptor);
	json_auto_t *config = is_image ? read_blob(manifests, id, failed, err) : NULL;

	if (!manifest || *failed)
		return -1;
	add_hex(words, MANIFEST_BLOB, id);
	add_blobs(words, json_object_get(manifest, "layers"));
	add_blobs(words, json_object_get(manifest, "blobs"));
	add_children(words, json_object_get(manifest, "manifests"));
	add_layers(words, config);
	if (is_image)
		add_word(words, config ? MANIFEST_IMAGE : MANIFEST_PARTIAL, config ? id : "");
	buffer_append(words, "", 1);
	return 0;
}

const char *manifests_get(struct manifests *manifests, const char *digest, bool *failed,
			  struct error *err)
{
	cleanup_buffer struct buffer words = { 0 };
	const char *known = find_words(manifests, digest);

	*failed = false;
	if (!known) {
		if (read_words(manifests, digest, &words, failed, err) < 0)
			return NULL;
		known = (const char *)buffer_data(&words);
		json_object_set_new(manifests->words, digest, json_string(known));
		manifests->changed = true;
	}
	json_object_set_new(manifests->used, digest, json_true());
	return find_words(manifests, digest);
}
