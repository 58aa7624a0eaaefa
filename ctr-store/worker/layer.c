/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/layer.h"

#include "ctr-store/worker/confine.h"
#include "ctr-store/worker/finish.h"
#include "ctr-store/worker/limits.h"
#include "ctr-store/worker/media_directory.h"
#include "ctr-store/worker/media_erofs.h"
#include "ctr-store/worker/unpack.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct cli_option layer_options[] = {
	{ "blob-fd", 0, "N", OPTION_NUMBER, offsetof(struct layer_settings, blob_fd),
	  "descriptor of the layer as it is stored" },
	{ "dir-fd", 0, "N", OPTION_NUMBER, offsetof(struct layer_settings, dir_fd),
	  "descriptor of the empty directory that becomes the layer" },
	{ "lower-fd", 0, "N", OPTION_NUMBER, offsetof(struct layer_settings, lower_fd),
	  "descriptor of a directory that shows the layers beneath" },
	{ "image-fd", 0, "N", OPTION_NUMBER, offsetof(struct layer_settings, image_fd),
	  "write an EROFS image to this empty file, and nothing to --dir-fd" },
	{ "diff-id", 0, "DIGEST", OPTION_STRING, offsetof(struct layer_settings, diff_id),
	  "digest the uncompressed layer must have" },
	{ "blob-digest", 0, "DIGEST", OPTION_STRING, offsetof(struct layer_settings, blob_digest),
	  "digest the layer must have as it is stored" },
	{ "blob-size", 0, "BYTES", OPTION_NUMBER, offsetof(struct layer_settings, blob_size),
	  "the file of --blob-fd still grows: wait until it has that many bytes" },
	{ "max-entries", 0, "N", OPTION_NUMBER, offsetof(struct layer_settings, entries_max),
	  "refuse layers with more entries (default 2000000)" },
	{ "max-size", 0, "BYTES", OPTION_NUMBER, offsetof(struct layer_settings, size_max),
	  "refuse layers, and files, that are larger uncompressed (default 64 GiB)" },
	{ "user-namespace", 0, NULL, OPTION_FLAG, offsetof(struct layer_settings, user_namespace),
	  "mark by user.overlay.*, and leave out devices" },
	{ "one-user", 0, NULL, OPTION_FLAG, offsetof(struct layer_settings, one_user),
	  "all files are root's" },
	{ "lose-writes", 0, NULL, OPTION_FLAG, offsetof(struct layer_settings, lose_writes),
	  "the image need not outlive a crash: it is not written to the disk meanwhile" },
	{ "check", 0, NULL, OPTION_FLAG, offsetof(struct layer_settings, only_check),
	  "write nothing: tell the diff_id; --dir-fd is an empty directory, --diff-id not needed" },
	{ 0 },
};

const struct layer_settings layer_defaults = {
	.blob_fd = -1,
	.dir_fd = -1,
	.lower_fd = -1,
	.image_fd = -1,
	.entries_max = LAYER_ENTRIES_MAX,
	.size_max = LAYER_SIZE_MAX,
};

static int check_fd(const struct cli *cli, const char *option, long long fd, struct error *err)
{
	if (fd < 0 || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0)
		return cli_usage(cli, err, "--%s: no open descriptor is given", option);
	return 0;
}

static bool is_file(long long fd)
{
	struct stat st;

	return fstat((int)fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Each descriptor has one meaning. */
static bool has_twins(const struct layer_settings *settings)
{
	const long long fds[] = { settings->blob_fd, settings->dir_fd, settings->lower_fd,
				  settings->image_fd };

	for (int i = 0; i < 4; i++)
		for (int other = 0; other < i; other++)
			if (fds[i] >= 0 && fds[i] == fds[other])
				return true;
	return false;
}

static int check_digest(const struct cli *cli, const char *option, const char *digest,
			struct error *err)
{
	if (!digest || !digest_is_valid(digest))
		return cli_usage(cli, err, "--%s: \"%s\" is not a digest", option,
				 digest ? digest : "");
	return 0;
}

static int check_settings(const struct cli *cli, const struct layer_settings *settings,
			  struct error *err)
{
	struct stat st;

	if (check_fd(cli, "blob-fd", settings->blob_fd, err) < 0 ||
	    check_fd(cli, "dir-fd", settings->dir_fd, err) < 0 ||
	    (settings->lower_fd != -1 && check_fd(cli, "lower-fd", settings->lower_fd, err) < 0) ||
	    (settings->image_fd != -1 && check_fd(cli, "image-fd", settings->image_fd, err) < 0) ||
	    (!settings->only_check && (settings->image_fd == -1 || settings->diff_id) &&
	     check_digest(cli, "diff-id", settings->diff_id, err) < 0) ||
	    (settings->blob_digest &&
	     check_digest(cli, "blob-digest", settings->blob_digest, err) < 0))
		return -1;
	if (settings->blob_size < 0 || (settings->blob_size && !is_file(settings->blob_fd)))
		return cli_usage(cli, err, "--blob-size: only a file can grow");
	if (has_twins(settings))
		return cli_usage(cli, err, "one descriptor is given twice");
	if (settings->entries_max < 1 || settings->size_max < 1)
		return cli_usage(cli, err, "a limit must be at least 1");
	if (fstat((int)settings->dir_fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return cli_usage(cli, err, "--dir-fd: not a directory");
	return 0;
}

/* ---- before the first byte ------------------------------------------------------------------- */

static int compare_fds(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

/* Whatever else the caller left open leads out of the confinement. */
static int close_other_fds(const struct layer_settings *settings, struct error *err)
{
	int kept[] = { (int)settings->blob_fd, (int)settings->dir_fd, (int)settings->lower_fd,
		       (int)settings->image_fd };
	int next = STDERR_FILENO + 1;

	qsort(kept, 4, sizeof *kept, compare_fds);
	for (int i = 0; i < 4; i++) {
		if (kept[i] > next && close_range((unsigned)next, (unsigned)kept[i] - 1, 0) < 0)
			return error_os(err, "cannot close descriptors");
		if (kept[i] >= next)
			next = kept[i] + 1;
	}
	if (close_range((unsigned)next, UINT_MAX, 0) < 0)
		return error_os(err, "cannot close descriptors");
	return 0;
}

/* A directory as a mount of its own: from its descriptor no path leads out of it any more. */
static int detach(int fd, struct error *err)
{
	int tree = (int)syscall(SYS_open_tree, fd, "",
				AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return tree < 0 ? error_os(err, "cannot detach the lower layers") : tree;
}

/* After this, no library may need a file any more: /etc and /usr are the layer's then. */
static void prepare_libraries(void)
{
	/* one heap, so that malloc() does not look into /proc and /sys */
	mallopt(M_ARENA_MAX, 1);
	/* jansson would open /dev/urandom at the first object */
	json_object_seed(0);
}

static int prepare_process(const struct layer_settings *settings, struct error *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_os(err, "cannot follow the caller");
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	umask(0);
	return close_other_fds(settings, err);
}

static int confine(const struct layer_settings *settings, struct marker *marker, int *lower_fd,
		   struct error *err)
{
	if (settings->lower_fd >= 0 && (*lower_fd = detach((int)settings->lower_fd, err)) < 0)
		return -1;
	if (settings->lower_fd >= 0)
		close((int)settings->lower_fd);
	if (confine_enter((int)settings->dir_fd, settings->size_max, err) < 0)
		return -1;
	/* its ".." is outside */
	close((int)settings->dir_fd);
	/* an image has attributes as it likes */
	if (settings->image_fd < 0 && marker_start(marker, settings->user_namespace, err) < 0)
		return -1;
	return confine_drop(settings->image_fd < 0 ? CONFINE_MAKE_FILES : CONFINE_READ, err);
}

/* ---- lower layers ---------------------------------------------------------------------------- */

static int print_line(json_t *line, struct error *err)
{
	json_auto_t *owned = line;
	cleanup_free char *text = json_compact(owned);

	if (printf("%s\n", text) < 0 || fflush(stdout) != 0)
		return error_os(err, "standard output");
	return 0;
}

/* Ask for the directory that shows them. *lower_fd stays -1 when there are none. */
static int ask_lower(int *lower_fd, struct error *err)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof control };
	ssize_t got;

	if (print_line(json_pack("{s:s}", "needs", "lower"), err) < 0)
		return -1;
	do
		got = recvmsg(STDIN_FILENO, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_os(err, "cannot receive the lower layers");
	if (got == 0)
		return error_set(err, ERROR_FAILED, "the lower layers were not given");

	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(lower_fd, CMSG_DATA(header), sizeof *lower_fd);
	return 0;
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* All that happens confined, but for the result line. */
static int unpack_layer(struct stream *stream, struct tree *tree, int *lower_fd, json_t **ret,
			struct error *err)
{
	__attribute__((cleanup(leans_free))) struct leans leans = { 0 };
	struct unpacked unpacked = { 0 };
	bool needed;

	if (stream_start(stream, err) < 0 || unpack(stream, tree, &leans, &unpacked, err) < 0 ||
	    stream_verify(stream, err) < 0)
		return -1;
	needed = lower_is_needed(tree, &leans);
	if (needed && *lower_fd < 0 && ask_lower(lower_fd, err) < 0)
		return -1;
	if (needed && lower_finish(tree, &leans, *lower_fd, err) < 0)
		return -1;
	if (finish_directories(tree, err) < 0)
		return -1;
	*ret = json_pack("{s:I, s:b, s:b, s:I}", "entries", (json_int_t)unpacked.entries, "leans",
			 needed, "root", tree->root->declared, "size", (json_int_t)unpacked.size);
	return 0;
}

/* To the image, or what is the root now. */
static int unpack_to(struct stream *stream, const struct layer_settings *settings,
		     struct marker *marker, int *lower_fd, json_t **ret, struct error *err)
{
	__attribute__((cleanup(tree_free))) struct tree tree = { 0 };
	cleanup_fd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct media_directory directory = { .root_fd = root_fd, .marker = marker };
	struct media_erofs image = { .fd = (int)settings->image_fd,
				     .size_max = settings->size_max,
				     .lose_writes = settings->lose_writes };
	bool is_image = settings->image_fd >= 0;

	if (root_fd < 0)
		return error_os(err, "target directory");
	if (tree_start(&tree, is_image ? &media_erofs : &media_directory,
		       is_image ? (void *)&image : &directory, settings->entries_max, err) < 0)
		return -1;
	tree.no_devices = settings->user_namespace;
	tree.one_user = settings->one_user;
	return unpack_layer(stream, &tree, lower_fd, ret, err);
}

/* Read it all, confined. */
static int check_layer(struct stream *stream, const struct layer_settings *settings, json_t **ret,
		       struct error *err)
{
	struct unpacked unpacked = { 0 };

	if (stream_start(stream, err) < 0 ||
	    unpack_check(stream, settings->entries_max, &unpacked, err) < 0 ||
	    stream_verify(stream, err) < 0)
		return -1;
	*ret = json_pack("{s:I, s:s, s:s}", "entries", (json_int_t)unpacked.entries, "diffId",
			 stream_diff_id(stream), "compression", stream_compression(stream));
	return 0;
}

int layer_run(const struct cli *cli, struct error *err)
{
	const struct layer_settings *settings = cli->settings;
	struct stream_settings stream_settings = { .fd = (int)settings->blob_fd,
						   .diff_id = settings->diff_id,
						   .blob_digest = settings->blob_digest,
						   .size_max = settings->size_max,
						   .growing_to = settings->blob_size };
	cleanup_fd int lower_fd = -1;
	struct marker marker;
	json_t *result = NULL;

	if (check_settings(cli, settings, err) < 0 || prepare_process(settings, err) < 0)
		return -1;
	prepare_libraries();

	struct stream *stream = stream_new(&stream_settings);
	if (confine(settings, &marker, &lower_fd, err) < 0)
		return -1;
	if (settings->only_check
		    ? check_layer(stream, settings, &result, err) < 0
		    : unpack_to(stream, settings, &marker, &lower_fd, &result, err) < 0)
		return -1;
	stream_free(stream);
	return print_line(result, err);
}
