/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/recode.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/settling.h"
#include "skopeo-c/spool.h"
#include "skopeo-c/stage.h"

#include <stdlib.h>
#include <string.h>

/* recoder_write() | unpacking: decompress, hash the tar | packing: compress, hash, write
 * What is kept is hashed and written by recoder_write(), and there is no packing. What is not
 * compressed again is the tar itself, which is hashed once, by packing. What stays where the file
 * is goes to the disk meanwhile: settling, or NULL. */
struct recoder {
	bool keep, is_tar;
	byte_sink *look;
	void *looking;
	struct stage *unpacking, *packing;
	struct decompressor *decompressor;
	struct compressor *compressor;
	struct hasher diff, blob;
	int fd;
	json_int_t size;
	struct settling *settling;
	struct settled settled;
};

static int store(void *context, const void *data, size_t length, struct error *err)
{
	struct recoder *recoder = context;

	hasher_update(&recoder->blob, data, length);
	recoder->size += (json_int_t)length;
	if (file_write_fd(recoder->fd, data, length, "temporary file", err) < 0)
		return -1;
	if (recoder->settling)
		settling_grow(recoder->settling, &recoder->settled, length);
	return 0;
}

static int pack(void *context, const void *data, size_t length, struct error *err)
{
	struct recoder *recoder = context;

	return compressor_write(recoder->compressor, data, length, err);
}

static int take_tar(void *context, const void *data, size_t length, struct error *err)
{
	struct recoder *recoder = context;

	if (!recoder->is_tar)
		hasher_update(&recoder->diff, data, length);
	if (recoder->look && recoder->look(recoder->looking, data, length, err) < 0)
		return -1;
	if (recoder->keep)
		return 0;
	return stage_write(recoder->packing, data, length, err);
}

static int unpack(void *context, const void *data, size_t length, struct error *err)
{
	struct recoder *recoder = context;

	return decompressor_write(recoder->decompressor, data, length, err);
}

struct recoder *recoder_new(const struct recoding *recoding, int fd, struct error *err)
{
	struct recoder *recoder = xcalloc(1, sizeof *recoder);

	recoder->keep = recoding->keep;
	recoder->look = recoding->look;
	recoder->looking = recoding->looking;
	recoder->is_tar = !recoding->keep && recoding->way == COMPRESSION_NONE;
	hasher_start(&recoder->diff, "sha256");
	hasher_start(&recoder->blob, "sha256");
	recoder->decompressor = decompressor_new(take_tar, recoder);
	recoder->fd = fd >= 0 ? fd : spool_open(recoding->directory, err);
	if (recoder->fd >= 0 && (fd >= 0 || recoding->directory))
		recoder->settling = settling_new(1, NULL, NULL);
	if (recoder->settling)
		settling_begin(recoder->settling, &recoder->settled, recoder->fd);
	if (recoder->fd >= 0 && !recoding->keep)
		recoder->compressor =
			compressor_new(recoding->way, recoding->level, store, recoder, err);
	if (recoder->compressor)
		recoder->packing = stage_new(pack, recoder, STAGE_SLOTS_MANY, err);
	if (recoder->fd >= 0 && (recoding->keep || recoder->packing))
		recoder->unpacking = stage_new(unpack, recoder, STAGE_SLOTS, err);
	if (recoder->unpacking)
		return recoder;
	recoder_free(recoder);
	return NULL;
}

int recoder_write(void *context, const void *data, size_t length, struct error *err)
{
	struct recoder *recoder = context;

	if (recoder->keep && store(recoder, data, length, err) < 0)
		return -1;
	return stage_write(recoder->unpacking, data, length, err);
}

int recoder_finish(struct recoder *recoder, struct recoded *recoded, struct error *err)
{
	if (stage_finish(recoder->unpacking, err) < 0 ||
	    decompressor_finish(recoder->decompressor, err) < 0)
		return -1;
	if (!recoder->keep && (stage_finish(recoder->packing, err) < 0 ||
			       compressor_finish(recoder->compressor, err) < 0))
		return -1;
	if (recoder->settling &&
	    settling_end(recoder->settling, &recoder->settled, "temporary file", err) < 0)
		return -1;
	hasher_finish(&recoder->blob, recoded->digest);
	if (recoder->is_tar)
		memcpy(recoded->diff_id, recoded->digest, sizeof recoded->diff_id);
	else
		hasher_finish(&recoder->diff, recoded->diff_id);
	recoded->size = recoder->size;
	recoded->fd = steal_fd(&recoder->fd);
	return 0;
}

void recoder_free(struct recoder *recoder)
{
	struct error ignored;

	if (!recoder)
		return;
	/* in the order in which they use each other */
	stage_free(recoder->unpacking);
	stage_free(recoder->packing);
	decompressor_free(recoder->decompressor);
	compressor_free(recoder->compressor);
	if (recoder->settling)
		(void)settling_end(recoder->settling, &recoder->settled, "", &ignored);
	settling_free(recoder->settling);
	hasher_free(&recoder->diff);
	hasher_free(&recoder->blob);
	cleanup_fd_p(&recoder->fd);
	free(recoder);
}
