/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tar_split.h"

#include "lib/base64.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/gzip.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8 << 20, PIECE = 4 << 10, ENTRY_FILE = 1, ENTRY_SEGMENT = 2 };

struct tar_split {
	int lines_fd, files_fd, lock_fd;
	struct gzip_reader *gzip;
	struct buffer lines;   /* decompressed, not yet read */
	struct buffer segment; /* bytes of the archive, not yet given */
	int file_fd;	       /* whose content is under way, or -1 */
	json_int_t file_left;
	bool ended; /* there are no further lines */
};

static int keep_lines(void *context, const void *data, size_t length, struct error *err)
{
	struct tar_split *split = context;

	if (buffer_length(&split->lines) + length > LINE_MAX_BYTES)
		return error_set(err, ERROR_LIMIT, "tar-split: a line is too long");
	buffer_append(&split->lines, data, length);
	return 0;
}

struct tar_split *tar_split_new(int lines_fd, int files_fd, int lock_fd)
{
	struct tar_split *split = xcalloc(1, sizeof *split);

	split->lines_fd = lines_fd;
	split->files_fd = files_fd;
	split->lock_fd = lock_fd;
	split->file_fd = -1;
	split->gzip = gzip_reader_new(keep_lines, split);
	return split;
}

void tar_split_free(void *context)
{
	struct tar_split *split = context;

	if (!split)
		return;
	gzip_reader_free(split->gzip);
	buffer_free(&split->lines);
	buffer_free(&split->segment);
	cleanup_fd_p(&split->lines_fd);
	cleanup_fd_p(&split->files_fd);
	cleanup_fd_p(&split->lock_fd);
	cleanup_fd_p(&split->file_fd);
	free(split);
}

/* ---- lines ---- */

static int more_lines(struct tar_split *split, struct error *err)
{
	char piece[PIECE];
	ssize_t got = read(split->lines_fd, piece, sizeof piece);

	if (got < 0)
		return error_os(err, "tar-split");
	if (got > 0)
		return gzip_read(split->gzip, piece, (size_t)got, err);
	split->ended = true;
	return gzip_read_end(split->gzip, err);
}

/* The length of the next line, without its end; -1 with an error; 0 when there is none. */
static ssize_t next_line(struct tar_split *split, struct error *err)
{
	for (;;) {
		const unsigned char *data = buffer_data(&split->lines);
		const unsigned char *end = memchr(data, '\n', buffer_length(&split->lines));

		if (end)
			return end - data;
		if (split->ended)
			return (ssize_t)buffer_length(&split->lines);
		if (more_lines(split, err) < 0)
			return -1;
	}
}

/* ---- entries ---- */

static int malformed(struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "tar-split: an entry is malformed");
}

static unsigned char *decode(const char *text, ssize_t *length)
{
	size_t size = strlen(text);
	unsigned char *bytes = xcalloc(1, size / 4 * 3 + 4);

	*length = base64_decode(text, size, bytes);
	return bytes;
}

static int take_segment(struct tar_split *split, const json_t *entry, struct error *err)
{
	ssize_t length;
	cleanup_free unsigned char *bytes = decode(json_text(entry, "payload", ""), &length);

	if (length < 0)
		return malformed(err);
	buffer_append(&split->segment, bytes, (size_t)length);
	return 0;
}

static int take_file(struct tar_split *split, const json_t *entry, struct error *err)
{
	const char *raw = json_text(entry, "name_raw", NULL);
	ssize_t length = 0;
	cleanup_free char *name =
		raw ? (char *)decode(raw, &length) : xstrdup(json_text(entry, "name", ""));
	struct stat st;

	split->file_left = json_integer_value(json_object_get(entry, "size"));
	if (split->file_left == 0)
		return 0;
	if (split->file_left < 0 || (raw && length < 0))
		return malformed(err);
	split->file_fd =
		path_open_in_root(split->files_fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, err);
	if (split->file_fd < 0)
		return error_prefix(err, "the layer's files");
	if (fstat(split->file_fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size != split->file_left)
		return error_set(err, ERROR_INTEGRITY, "%s in the layer is not what it was", name);
	return 0;
}

/* 1 when there was one, 0 at the end. */
static int next_entry(struct tar_split *split, struct error *err)
{
	ssize_t length = next_line(split, err);

	if (length <= 0)
		return (int)length;
	json_auto_t *entry = json_parse((const char *)buffer_data(&split->lines), (size_t)length,
					"tar-split", err);
	if (!entry)
		return -1;
	buffer_consume(&split->lines, (size_t)length);
	if (buffer_length(&split->lines) > 0)
		buffer_consume(&split->lines, 1);
	json_int_t type = json_integer_value(json_object_get(entry, "type"));
	int status = type == ENTRY_SEGMENT ? take_segment(split, entry, err)
		     : type == ENTRY_FILE  ? take_file(split, entry, err)
					   : malformed(err);
	return status < 0 ? -1 : 1;
}

/* ---- the tar ---- */

static ssize_t read_file(struct tar_split *split, void *buffer, size_t size, struct error *err)
{
	size_t part = (json_int_t)size < split->file_left ? size : (size_t)split->file_left;
	ssize_t got = read(split->file_fd, buffer, part);

	if (got < 0)
		return error_os(err, "a file of the layer");
	if (got == 0)
		return error_set(err, ERROR_INTEGRITY, "a file of the layer is cut off");
	split->file_left -= got;
	if (split->file_left == 0)
		close(steal_fd(&split->file_fd));
	return got;
}

ssize_t tar_split_read(void *context, void *buffer, size_t size, struct error *err)
{
	struct tar_split *split = context;
	unsigned char *at = buffer;
	size_t used = 0;

	while (used < size) {
		size_t waiting = buffer_length(&split->segment);

		if (split->file_fd >= 0) {
			ssize_t got = read_file(split, at + used, size - used, err);

			if (got < 0)
				return -1;
			used += (size_t)got;
		} else if (waiting > 0) {
			size_t part = waiting < size - used ? waiting : size - used;

			memcpy(at + used, buffer_data(&split->segment), part);
			buffer_consume(&split->segment, part);
			used += part;
		} else {
			int status = next_entry(split, err);

			if (status < 0)
				return -1;
			if (status == 0)
				break;
		}
	}
	return (ssize_t)used;
}
