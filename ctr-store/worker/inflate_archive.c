/* SPDX-License-Identifier: Apache-2.0 */
/* bzip2 and xz, which are rare in images: libarchive's filters over its "raw" format. */
#include "ctr-store/worker/inflate.h"
#include "lib/memory.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct filter_state {
	struct source *source;
	struct archive *archive;
	struct error failure; /* of the source; kind is 0 when there was none */
	bool opened;
};

static bool bzip2_matches(const unsigned char *data, size_t length)
{
	return length >= 3 && memcmp(data, "BZh", 3) == 0;
}

static bool xz_matches(const unsigned char *data, size_t length)
{
	return length >= 6 && memcmp(data,
				     "\xfd"
				     "7zXZ\0",
				     6) == 0;
}

static la_ssize_t feed(struct archive *archive, void *opaque, const void **data)
{
	struct filter_state *state = opaque;
	struct source *source = state->source;
	ssize_t available = source_fill(source, 1, &state->failure);

	if (available < 0) {
		archive_set_error(archive, 0, "%s", state->failure.message);
		return ARCHIVE_FATAL;
	}
	*data = source->buffer + source->start;
	source->start += (size_t)available;
	return available;
}

static void *filter_start(struct source *source, int (*support)(struct archive *),
			  struct error *err)
{
	struct filter_state *state = xcalloc(1, sizeof *state);

	state->source = source;
	state->archive = archive_read_new();
	if (!state->archive || support(state->archive) != ARCHIVE_OK ||
	    archive_read_support_format_raw(state->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(state->archive) != ARCHIVE_OK) {
		archive_read_free(state->archive);
		free(state);
		error_set(err, ERROR_UNSUPPORTED, "libarchive was built without this compression");
		return NULL;
	}
	return state;
}

static void *bzip2_start(struct source *source, struct error *err)
{
	return filter_start(source, archive_read_support_filter_bzip2, err);
}

static void *xz_start(struct source *source, struct error *err)
{
	return filter_start(source, archive_read_support_filter_xz, err);
}

static int filter_failed(const struct filter_state *state, struct error *err)
{
	if (state->failure.kind) {
		*err = state->failure;
		return -1;
	}
	/* ENOMEM: the stream asks for a larger window than confine.h leaves memory for */
	return error_set(err,
			 archive_errno(state->archive) == ENOMEM ? ERROR_LIMIT : ERROR_INTEGRITY,
			 "%s", archive_error_string(state->archive));
}

static ssize_t filter_read(void *opaque, void *out, size_t size, struct error *err)
{
	struct filter_state *state = opaque;
	struct archive_entry *entry;
	int status = ARCHIVE_OK;
	la_ssize_t got;

	if (!state->opened) {
		status = archive_read_open(state->archive, state, NULL, feed, NULL);
		if (status == ARCHIVE_OK)
			status = archive_read_next_header(state->archive, &entry);
		state->opened = true;
	}
	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK)
		return filter_failed(state, err);
	got = archive_read_data(state->archive, out, size);
	return got < 0 ? filter_failed(state, err) : (ssize_t)got;
}

static void filter_stop(void *opaque)
{
	struct filter_state *state = opaque;

	archive_read_free(state->archive);
	free(state);
}

const struct codec codec_bzip2 = { "bzip2", bzip2_matches, bzip2_start, filter_read, filter_stop };
const struct codec codec_xz = { "xz", xz_matches, xz_start, filter_read, filter_stop };
