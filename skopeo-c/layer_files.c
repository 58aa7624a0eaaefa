/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/layer_files.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/compression.h"
#include "skopeo-c/stage.h"

#include <stdlib.h>
#include <string.h>

/* layer_reader_write() | decompressing: decompress, take the tar apart, hash the files */
struct layer_reader {
	struct stage *decompressing;
	struct decompressor *decompressor;
	struct tar_parser *parser;
	struct layer_files files;
	size_t room;  /* items that there is memory for */
	size_t text;  /* bytes, see LAYER_TEXT_MAX */
	int64_t left; /* bytes of the present file's content to come */
	struct hasher hasher;
};

void layer_files_free(struct layer_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].path);
		free(files->items[i].link);
		json_decref(files->items[i].attributes);
	}
	free(files->items);
	*files = (struct layer_files){ 0 };
}

char *layer_path(const char *name, struct error *err)
{
	cleanup_free char *path = xcalloc(1, strlen(name) + 1);
	char *to = path;

	for (size_t length; *name; name += length) {
		name += strspn(name, "/");
		length = strcspn(name, "/");
		if (length == 2 && memcmp(name, "..", 2) == 0) {
			error_set(err, ERROR_INTEGRITY, "a name leads outside: \"..\" is in it");
			return NULL;
		}
		if (length == 0 || (length == 1 && *name == '.'))
			continue;
		if (to > path)
			*to++ = '/';
		memcpy(to, name, length);
		to += length;
	}
	return steal_ptr(&path);
}

/* ---- members ---- */

/* In Base64, since they are bytes; a name that JSON cannot hold is left out. */
static json_t *take_attributes(const struct tar_member *member)
{
	json_t *attributes = member->attribute_count > 0 ? json_object() : NULL;

	for (size_t i = 0; i < member->attribute_count; i++) {
		const struct tar_attribute *attribute = &member->attributes[i];
		cleanup_free char *value = base64_encode(attribute->value, attribute->length);

		json_object_set_new(attributes, attribute->name, json_string(value));
	}
	return attributes;
}

static int count_text(struct layer_reader *reader, const struct tar_member *member,
		      struct error *err)
{
	reader->text += strlen(member->name) + strlen(member->link);
	for (size_t i = 0; i < member->attribute_count; i++)
		reader->text += strlen(member->attributes[i].name) + member->attributes[i].length;
	if (reader->files.count == LAYER_FILES_MAX)
		return error_set(err, ERROR_LIMIT, "it has more than %d files", LAYER_FILES_MAX);
	if (reader->text > LAYER_TEXT_MAX)
		return error_set(err, ERROR_LIMIT, "the names of its files have more than %d MiB",
				 LAYER_TEXT_MAX >> 20);
	if (strlen(member->name) > TAR_NAME_MAX || strlen(member->link) > TAR_NAME_MAX)
		return error_set(err, ERROR_LIMIT, "a name has more than %d bytes", TAR_NAME_MAX);
	return 0;
}

/* ".wh.NAME" is no file but says that NAME is gone, ".wh..wh..opq" that all in the directory is
 * that lower layers have; what else begins so is a remnant of AUFS. False for the latter. */
static bool take_whiteout(struct layer_file *file)
{
	char *slash = strrchr(file->path, '/'), *name = slash ? slash + 1 : file->path;

	if (strncmp(name, ".wh.", 4) != 0)
		return true;
	if (strcmp(name, ".wh..wh..opq") == 0) {
		file->kind = LAYER_OPAQUE;
		*(slash ? slash : name) = '\0';
		return true;
	}
	file->kind = LAYER_WHITEOUT;
	memmove(name, name + 4, strlen(name + 4) + 1);
	return path_is_name(name) && strncmp(name, ".wh.", 4) != 0;
}

/* The content of the last file is all there. */
static void end_file(struct layer_reader *reader)
{
	struct layer_file *file = &reader->files.items[reader->files.count - 1];
	char digest[DIGEST_SIZE];

	hasher_finish(&reader->hasher, digest);
	memcpy(file->digest, digest, sizeof file->digest);
}

static int take_member(void *context, const struct tar_member *member, struct error *err)
{
	struct layer_reader *reader = context;
	struct layer_files *files = &reader->files;

	if (count_text(reader, member, err) < 0)
		return -1;
	struct layer_file file = { .path = layer_path(member->name, err), .type = member->type };
	if (!file.path)
		return -1;
	reader->left = 0;
	if (!take_whiteout(&file)) {
		free(file.path);
		return 0;
	}
	if (files->count == reader->room) {
		reader->room = reader->room ? 2 * reader->room : 64;
		files->items = xreallocarray(files->items, reader->room, sizeof file);
	}
	file.link = file.type == '1' || file.type == '2' ? xstrdup(member->link) : NULL;
	file.mode = member->mode & 07777;
	file.uid = member->uid;
	file.gid = member->gid;
	file.major = member->major;
	file.minor = member->minor;
	file.size = member->size;
	file.attributes = take_attributes(member);
	files->items[files->count++] = file;
	if (file.kind != LAYER_MEMBER || file.type != '0')
		return 0;
	hasher_start(&reader->hasher, "sha256");
	reader->left = file.size;
	if (reader->left == 0)
		end_file(reader);
	return 0;
}

static int take_content(void *context, const void *data, size_t length, struct error *err)
{
	struct layer_reader *reader = context;

	(void)err;
	if (reader->left == 0)
		return 0;
	hasher_update(&reader->hasher, data, length);
	reader->left -= (int64_t)length;
	if (reader->left == 0)
		end_file(reader);
	return 0;
}

/* ---- the layer ---- */

static int decompress(void *context, const void *data, size_t length, struct error *err)
{
	struct layer_reader *reader = context;

	return decompressor_write(reader->decompressor, data, length, err);
}

struct layer_reader *layer_reader_new(struct error *err)
{
	struct layer_reader *reader = xcalloc(1, sizeof *reader);

	reader->parser = tar_parser_new(take_member, take_content, reader);
	reader->decompressor = decompressor_new(tar_parse, reader->parser);
	reader->decompressing = stage_new(decompress, reader, STAGE_SLOTS, err);
	if (reader->decompressing)
		return reader;
	layer_reader_free(reader);
	return NULL;
}

int layer_reader_write(void *context, const void *data, size_t length, struct error *err)
{
	struct layer_reader *reader = context;

	return stage_write(reader->decompressing, data, length, err);
}

int layer_reader_finish(struct layer_reader *reader, struct layer_files *files, struct error *err)
{
	if (stage_finish(reader->decompressing, err) < 0 ||
	    decompressor_finish(reader->decompressor, err) < 0 ||
	    tar_parse_end(reader->parser, err) < 0)
		return -1;
	*files = reader->files;
	reader->files = (struct layer_files){ 0 };
	return 0;
}

void layer_reader_free(struct layer_reader *reader)
{
	if (!reader)
		return;
	/* in the order in which they use each other */
	stage_free(reader->decompressing);
	decompressor_free(reader->decompressor);
	tar_parser_free(reader->parser);
	hasher_free(&reader->hasher);
	layer_files_free(&reader->files);
	free(reader);
}
