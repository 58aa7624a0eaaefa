/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of every kind in any order, on top of a lower layer, into a directory and into an image:
 * the bytes say which, so that each is an archive whose every entry is read. Both come to be the
 * same, or neither; what the tree knows is there; on top of the lower layer the last entry is where
 * its name leads; the lower layer stays as it was. Needs root, as the worker does.
 */
#include "ctr-store/worker/finish.h"
#include "ctr-store/worker/lower.h"
#include "ctr-store/worker/media_directory.h"
#include "ctr-store/worker/media_erofs.h"
#include "ctr-store/worker/unpack.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/tar_writer.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRY_SIZE = 5, ENTRIES_MAX = 64, DIRECTORY_MODE = 0700 };

/* What the first byte of an entry says. */
enum { HARD_LINK = 3, WHITEOUT = 4, OPAQUE = 5, KINDS = 8 };
enum { HAS_CONTENT = 8, HAS_OWNER = 16, HAS_ATTRIBUTE = 32, HAS_MODE = 64, HAS_TIME = 128 };

/* A path has up to three of them; the topmost directory has none. */
static const char *const names[] = { "", "a", "b", "c", "usr", "lib", "x", "." };
enum { NAMES = sizeof names / sizeof *names };

static const char *const starts[] = { "", "/", "../", "../../" };

static char base[] = "/tmp/fuzz-tree.XXXXXX";
static int base_fd = -1, lower_fd;
static bool can_mount;

/* ---- the lower layer ---- */

static const char *const lower_paths[] = { "lower", "lower/usr", "lower/usr/lib", "lower/b",
					   "lower/usr/lib/x" };
enum { LOWER_PATHS = sizeof lower_paths / sizeof *lower_paths };
static struct timespec lower_times[LOWER_PATHS];

static void remove_base(void)
{
	struct error err;

	(void)path_remove_tree(open("/tmp", O_PATH | O_DIRECTORY), base + strlen("/tmp/"), &err);
}

static struct timespec time_of(const char *path)
{
	struct stat st;

	if (fstatat(base_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		abort();
	return st.st_ctim;
}

static void prepare(void)
{
	log_setup("fuzz", LOG_LEVEL_ERROR);
	can_mount =
		unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	if (!mkdtemp(base) || atexit(remove_base) != 0)
		abort();
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < LOWER_PATHS - 1; i++)
		if (mkdirat(base_fd, lower_paths[i], i % 2 ? 0755 : DIRECTORY_MODE) < 0)
			abort();
	close(openat(base_fd, "lower/usr/lib/x", O_CREAT | O_WRONLY, 0600));
	if (mkdirat(base_fd, "merged", 0700) < 0 ||
	    linkat(base_fd, "lower/usr/lib/x", base_fd, "lower/b/x", 0) < 0 ||
	    mkfifoat(base_fd, "lower/usr/c", 0600) < 0 ||
	    symlinkat("usr/lib", base_fd, "lower/lib") < 0 ||
	    symlinkat("/usr", base_fd, "lower/a") < 0 ||
	    symlinkat(".", base_fd, "lower/usr/b") < 0 ||
	    symlinkat("../a/lib", base_fd, "lower/b/lib") < 0)
		abort();
	lower_fd = openat(base_fd, "lower", O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < LOWER_PATHS; i++)
		lower_times[i] = time_of(lower_paths[i]);
}

static void check_lower(void)
{
	for (size_t i = 0; i < LOWER_PATHS; i++) {
		struct timespec now = time_of(lower_paths[i]);

		if (memcmp(&now, &lower_times[i], sizeof now) != 0)
			abort();
	}
}

/* ---- the archive ---- */

/* Two bytes as a path; `mark` goes before its last name. The caller frees it. */
static char *path_of(const uint8_t *bytes, const char *mark)
{
	unsigned number = bytes[0] | (unsigned)bytes[1] << 8;
	struct buffer text = { 0 };
	const char *found[3];
	size_t count = 0;

	for (unsigned i = 0; i < 3; i++, number >>= 3)
		if (number % NAMES)
			found[count++] = names[number % NAMES];
	for (size_t i = 0; i < count; i++) {
		buffer_add(&text, i ? "/" : "");
		buffer_add(&text, i + 1 == count ? mark : "");
		buffer_add(&text, found[i]);
	}
	return buffer_take_text(&text);
}

static mode_t type_of(unsigned kind)
{
	static const mode_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFREG,
					S_IFREG, S_IFREG, S_IFIFO, S_IFCHR };

	return types[kind];
}

static void write_entry(struct tar_writer *tar, const uint8_t *bytes)
{
	static const char content[5000] = "content";
	unsigned kind = bytes[0] % KINDS, flags = bytes[0];
	struct stat st = { .st_mode = type_of(kind) | (flags & HAS_MODE ? 06755 : 0700),
			   .st_uid = flags & HAS_OWNER ? 1000 : 0,
			   .st_size = flags & HAS_CONTENT ? bytes[3] * 19 : 0,
			   .st_mtim = { flags & HAS_TIME ? -1 : 1, flags & HAS_TIME ? 5 : 0 },
			   .st_rdev = makedev(1, 3) };
	cleanup_free char *path = path_of(bytes + 1, kind == WHITEOUT ? ".wh." : "");
	cleanup_free char *opaque = xasprintf("%s/.wh..wh..opq", path);
	cleanup_free char *rest = path_of(bytes + 3, "");
	cleanup_free char *target = xasprintf("%s%s", starts[bytes[4] >> 6], rest);
	__attribute__((cleanup(tar_records_free))) struct tar_records xattrs = { 0 };
	struct error err;

	if (flags & HAS_ATTRIBUTE)
		tar_add_record(&xattrs, "SCHILY.xattr.user.k", bytes + 3, 2);
	const struct tar_entry entry = { .path = kind == OPAQUE ? opaque : path,
					 .st = &st,
					 .link = S_ISLNK(st.st_mode) ? target : NULL,
					 .hard_link = kind == HARD_LINK ? target : NULL,
					 .xattrs = xattrs.bytes,
					 .xattrs_length = xattrs.length };
	if (tar_write_header(tar, &entry, &err) < 0 ||
	    (S_ISREG(st.st_mode) && kind != HARD_LINK &&
	     (tar_write(tar, content, (size_t)st.st_size, &err) < 0 || tar_pad(tar, &err) < 0)))
		abort();
}

/* The unpacker is given the archive at once, where the worker has a thread that inflates it. */
struct stream {
	void *archive;
	size_t length;
	bool taken;
};

ssize_t stream_next(struct stream *stream, const void **data, struct error *err)
{
	(void)err;
	if (stream->taken)
		return 0;
	stream->taken = true;
	*data = stream->archive;
	return (ssize_t)stream->length;
}

static size_t count_entries(size_t size)
{
	return size / ENTRY_SIZE < ENTRIES_MAX ? size / ENTRY_SIZE : ENTRIES_MAX;
}

static void make_archive(struct stream *stream, const uint8_t *data, size_t size)
{
	cleanup_fd int fd = memfd_create("archive", MFD_CLOEXEC);
	struct tar_writer tar = { .fd = fd, .what = "archive" };
	struct error err;

	for (size_t i = 0; i < count_entries(size); i++)
		write_entry(&tar, data + i * ENTRY_SIZE);
	if (tar_finish(&tar, &err) < 0)
		abort();
	stream->length = (size_t)tar.written;
	stream->archive = mmap(NULL, stream->length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (stream->archive == MAP_FAILED)
		abort();
}

/* ---- unpacking ---- */

static int unpack_to(struct stream *stream, const struct media *media, void *state,
		     struct tree *tree)
{
	struct leans leans = { 0 };
	struct unpacked unpacked = { 0 };
	struct error err;
	int status = -1;

	stream->taken = false;
	if (tree_start(tree, media, state, 10 * ENTRIES_MAX, &err) < 0)
		abort();
	if (unpack(stream, tree, &leans, &unpacked, &err) == 0 &&
	    lower_finish(tree, &leans, lower_fd, &err) == 0)
		status = finish_directories(tree, &err);
	leans_free(&leans);
	return status;
}

static void compare_name(struct tree *left, struct dir *a, struct tree *right, struct dir *b,
			 const char *name)
{
	enum media_kind kind = left->media->kind(left, a, name);
	const struct dir *known = tree_find(left, a, name);
	char target[64], other[64];

	if (kind != right->media->kind(right, b, name) || !known != !tree_find(right, b, name) ||
	    (known && kind != MEDIA_OTHER))
		abort();
	if (kind != MEDIA_SYMLINK)
		return;
	ssize_t length = left->media->read_link(left, a, name, target, sizeof target);
	if (length <= 0 || length != right->media->read_link(right, b, name, other, sizeof other) ||
	    memcmp(target, other, (size_t)length) != 0)
		abort();
}

/* ---- what a container sees ---- */

/* As the worker's marker does. */
static void mark_opaque(struct tree *tree)
{
	char path[NAME_PATH_MAX + 1];
	struct error err;

	for (struct dir *dir = tree->root->next_made; dir; dir = dir->next_made) {
		if (tree_is_dead(dir) || !(dir->opaque || dir->fresh) ||
		    tree_is_hidden(dir->parent))
			continue;
		cleanup_fd int layer = openat(base_fd, "layer", O_PATH | O_DIRECTORY);
		cleanup_fd int fd = tree_path(dir, path, &err) < 0
					    ? -1
					    : path_open_beneath(layer, path, O_RDONLY, &err);
		if (fd < 0 || fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
			abort();
	}
}

static void check_merged(const uint8_t *entry)
{
	unsigned kind = entry[0] % KINDS;
	cleanup_free char *path = path_of(entry + 1, "");
	cleanup_fd int root = openat(base_fd, "merged", O_PATH | O_DIRECTORY);
	struct name name;
	struct stat st;
	struct error err;

	if (name_parse(path, &name, &err) < 0)
		abort();
	cleanup_free char *plain = xasprintf("./%s/%s", name.parent, name.leaf);
	cleanup_fd int fd = path_open_in_root(root, plain, O_PATH | O_NOFOLLOW, &err);
	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	if (kind == HARD_LINK)
		return;
	if ((st.st_mode & S_IFMT) != type_of(kind) ||
	    (S_ISREG(st.st_mode) && st.st_size != (entry[0] & HAS_CONTENT ? entry[3] * 19 : 0)))
		abort();
}

static bool is_lower_link(const char *path)
{
	struct stat st;
	struct error err;
	cleanup_fd int fd = path_open_in_root(lower_fd, path, O_PATH | O_NOFOLLOW, &err);

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* An entry may replace a link that it went through, which is no link of a lower layer then. A hard
 * link to a file of a lower layer is made last, and replaces what others went through. What a link
 * leads to and is made opaque may be where the link was: those that came later went through it. */
static bool may_replace_links(const uint8_t *entries, size_t count)
{
	for (const uint8_t *entry = entries; count > 0; count--, entry += ENTRY_SIZE) {
		unsigned kind = entry[0] % KINDS;
		cleanup_free char *path = path_of(entry + 1, "");

		if (kind == HARD_LINK || type_of(kind) == S_IFLNK ||
		    (kind == OPAQUE && is_lower_link(path)))
			return true;
	}
	return false;
}

/* The last of the entries is there. */
static void merge_and_check(struct tree *tree, const uint8_t *entries, size_t count)
{
	const uint8_t *entry = entries + (count - 1) * ENTRY_SIZE;
	cleanup_free char *target = xasprintf("%s/merged", base);
	cleanup_free char *options = xasprintf("lowerdir=%s/layer:%s/lower", base, base);
	unsigned kind = entry[0] % KINDS;

	if (kind == WHITEOUT || kind == OPAQUE || !can_mount || may_replace_links(entries, count))
		return;
	mark_opaque(tree);
	can_mount = mount("overlay", target, "overlay", MS_RDONLY, options) == 0;
	if (!can_mount)
		return;
	check_merged(entry);
	if (umount2(target, 0) < 0)
		abort();
}

/* Directories were made in the same order. */
static void compare(struct tree *left, struct tree *right)
{
	struct dir *a = left->root, *b = right->root;

	for (; a && b; a = a->next_made, b = b->next_made) {
		if (strcmp(a->name, b->name) != 0 || a->dead != b->dead || a->mode != b->mode ||
		    a->declared != b->declared || a->opaque != b->opaque || a->fresh != b->fresh)
			abort();
		if (tree_is_dead(a) != tree_is_dead(b))
			abort();
		for (size_t i = 1; !tree_is_dead(a) && i < NAMES - 1; i++)
			compare_name(left, a, right, b, names[i]);
	}
	if (a || b)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream stream = { 0 };
	struct tree left, right;
	struct error err;

	if (geteuid() != 0)
		return 0;
	if (base_fd < 0)
		prepare();
	if (mkdirat(base_fd, "layer", 0700) < 0)
		abort();
	make_archive(&stream, data, size);
	struct media_directory directory = { .root_fd = openat(base_fd, "layer",
							       O_PATH | O_DIRECTORY) };
	struct media_erofs image = { .fd = memfd_create("image", MFD_CLOEXEC),
				     .size_max = 1 << 20,
				     .lose_writes = true };
	int status = unpack_to(&stream, &media_directory, &directory, &left);
	if (status != unpack_to(&stream, &media_erofs, &image, &right))
		abort();
	if (status == 0)
		compare(&left, &right);
	if (status == 0 && size >= ENTRY_SIZE)
		merge_and_check(&left, data, count_entries(size));
	tree_free(&left);
	tree_free(&right);
	close(directory.root_fd);
	close(image.fd);
	munmap(stream.archive, stream.length);
	if (path_remove_tree(base_fd, "layer", &err) < 0)
		abort();
	check_lower();
	return 0;
}
