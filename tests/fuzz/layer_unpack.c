/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole tar archives into a directory, on top of a lower one, as the worker does but in this very
 * process: nothing may appear beside the directory. Needs no privileges; run it as root to reach
 * owners and devices.
 */
#include "ctr-store/worker/lower.h"
#include "ctr-store/worker/media_directory.h"
#include "ctr-store/worker/unpack.h"
#include "lib/path.h"

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

	(void)path_remove_tree(AT_FDCWD, base, &err);
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
	struct stat st;

	if (fstat(base_fd, &st) < 0 || st.st_nlink != 3)
		abort();
}

static void unpack_into(struct stream *stream, int dir_fd)
{
	struct media_directory directory = { .root_fd = dir_fd };
	struct tree tree = { 0 };
	struct leans leans = { 0 };
	struct unpacked unpacked = { 0 };
	struct error err;

	if (tree_start(&tree, &media_directory, &directory, 10000, &err) == 0 &&
	    unpack(stream, &tree, &leans, &unpacked, &err) == 0)
		(void)lower_finish(&tree, &leans, lower_fd, &err);
	leans_free(&leans);
	tree_free(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_settings settings = { .diff_id = "sha256", .size_max = 16 << 20 };
	struct error err;

	if (base_fd < 0)
		prepare();
	settings.fd = memfd_create("layer", MFD_CLOEXEC);
	if (settings.fd < 0 || write(settings.fd, data, size) != (ssize_t)size ||
	    lseek(settings.fd, 0, SEEK_SET) != 0 || mkdirat(base_fd, "layer", 0700) < 0)
		abort();
	int dir_fd = openat(base_fd, "layer", O_PATH | O_DIRECTORY);
	struct stream *stream = stream_new(&settings);
	if (stream_start(stream, &err) < 0)
		abort();
	unpack_into(stream, dir_fd);
	/* the digest never matches; this passes over the rest and ends the thread */
	(void)stream_verify(stream, &err);
	stream_free(stream);
	close(dir_fd);
	close(settings.fd);
	if (path_remove_tree(base_fd, "layer", &err) < 0)
		abort();
	check_base();
	return 0;
}
