/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole tar archives into a directory and into an image, on top of a lower one, as the worker does
 * but in this very process: nothing may appear beside the directory. Needs no privileges; run it as
 * root to reach owners and devices.
 */
#include "ctr-store/worker/finish.h"
#include "ctr-store/worker/lower.h"
#include "ctr-store/worker/media_directory.h"
#include "ctr-store/worker/media_erofs.h"
#include "ctr-store/worker/unpack.h"
#include "lib/path.h"
#include "tests/fuzz/tar_sums.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char base[] = "/tmp/fuzz-layer.XXXXXX";
static int base_fd = -1, lower_fd;

static void remove_base(void)
{
	struct error err;

	(void)path_remove_tree(open("/tmp", O_PATH | O_DIRECTORY), base + strlen("/tmp/"), &err);
}

static void prepare(void)
{
	if (!mkdtemp(base) || atexit(remove_base) != 0)
		abort();
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	if (mkdirat(base_fd, "lower", 0755) < 0 || mkdirat(base_fd, "lower/usr", 0755) < 0 ||
	    mkdirat(base_fd, "lower/usr/lib", 0700) < 0 ||
	    symlinkat("usr/lib", base_fd, "lower/lib") < 0)
		abort();
	close(openat(base_fd, "lower/usr/lib/x", O_CREAT | O_WRONLY, 0600));
	lower_fd = openat(base_fd, "lower", O_PATH | O_DIRECTORY);
}

/* The base holds `lower` and nothing else once the layer is removed. */
static void check_base(void)
{
	DIR *directory = opendir(base);
	int entries = 0;

	while (directory && readdir(directory))
		entries++;
	if (!directory || entries != 3) /* with . and .. */
		abort();
	closedir(directory);
}

static void unpack_to(struct stream *stream, const struct media *media, void *state)
{
	struct tree tree = { 0 };
	struct leans leans = { 0 };
	struct unpacked unpacked = { 0 };
	struct error err;

	if (tree_start(&tree, media, state, 10000, &err) == 0 &&
	    unpack(stream, &tree, &leans, &unpacked, &err) == 0 &&
	    lower_finish(&tree, &leans, lower_fd, &err) == 0)
		(void)finish_directories(&tree, &err);
	leans_free(&leans);
	tree_free(&tree);
}

static void unpack_layer(int layer_fd, const struct media *media, void *state)
{
	struct stream_settings settings = { .fd = layer_fd,
					    .diff_id = "sha256",
					    .size_max = 16 << 20 };
	struct stream *stream = stream_new(&settings);
	struct error err;

	if (lseek(layer_fd, 0, SEEK_SET) != 0 || stream_start(stream, &err) < 0)
		abort();
	unpack_to(stream, media, state);
	/* the digest never matches; this passes over the rest and ends the thread */
	(void)stream_verify(stream, &err);
	stream_free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;

	if (base_fd < 0)
		prepare();
	int layer_fd = memfd_create("layer", MFD_CLOEXEC);
	uint8_t *layer = tar_sums_mended(data, size);
	if (layer_fd < 0 || write(layer_fd, layer, size) != (ssize_t)size ||
	    mkdirat(base_fd, "layer", 0700) < 0)
		abort();
	free(layer);
	int dir_fd = openat(base_fd, "layer", O_PATH | O_DIRECTORY);
	struct media_directory directory = { .root_fd = dir_fd };
	unpack_layer(layer_fd, &media_directory, &directory);
	close(dir_fd);
	if (path_remove_tree(base_fd, "layer", &err) < 0)
		abort();

	struct media_erofs image = { .fd = memfd_create("image", MFD_CLOEXEC),
				     .size_max = 16 << 20 };
	unpack_layer(layer_fd, &media_erofs, &image);
	close(image.fd);
	close(layer_fd);
	check_base();
	return 0;
}
