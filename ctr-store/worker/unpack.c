/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/unpack.h"

#include "ctr-store/worker/create.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOLE_MIN = 64 << 10 };

struct unpacker {
	struct stream *stream;
	struct tree *tree; /* NULL: nothing is made, only looked at */
	struct leans *leans;
	struct unpacked *unpacked;
	struct archive *archive;
	long long entries_max; /* of unpack_check() */
	bool began;	       /* a block came: the layer is not empty */
	struct error failure;  /* of the stream; kind is 0 when there was none */
};

/* ---- reading --------------------------------------------------------------------------------- */

static la_ssize_t feed(struct archive *archive, void *opaque, const void **data)
{
	struct unpacker *u = opaque;
	ssize_t length = stream_next(u->stream, data, &u->failure);

	if (length < 0)
		archive_set_error(archive, 0, "no more data");
	u->began |= length > 0;
	return length < 0 ? ARCHIVE_FATAL : length;
}

/* What libarchive has against the archive, or what stopped the stream. */
static int archive_failed(const struct unpacker *u, struct error *err)
{
	const char *text = archive_error_string(u->archive);

	if (u->failure.kind) {
		*err = u->failure;
		return -1;
	}
	return error_set(err, ERROR_INTEGRITY, "not a sound tar archive: %s",
			 text ? text : "unknown reason");
}

/* Names are bytes, but libarchive takes those of PAX headers for text: it composes letters, which
 * makes one name of two, and converts what comes of that from UTF-8 to the locale's character set.
 * Only what it cannot convert it leaves as it was. In the locale "C", which this process stays in,
 * that is all but ASCII as long as there are no conversions: so this stands in place of libc's,
 * which would drop signs that are not seen, and load modules from what is the layer by now. */
iconv_t iconv_open(const char *to, const char *from)
{
	(void)to;
	(void)from;
	errno = EINVAL;
	return (iconv_t)-1; /* NOLINT(performance-no-int-to-ptr): what POSIX says */
}

/* Names that are not ASCII come as they are, with a warning; anything else it warns of (attributes
 * it could not read, sizes it had to guess) is a reason to stop. */
static bool is_harmless(struct archive *archive)
{
	const char *text = archive_error_string(archive);

	return text && strstr(text, "can't be converted");
}

/* 1: an entry; 0: the end. */
static int next_entry(struct unpacker *u, struct archive_entry **entry, struct error *err)
{
	/* where it cannot convert it takes an ENOMEM of whomever to be the reason */
	errno = 0;
	int status = archive_read_next_header(u->archive, entry);

	if (status == ARCHIVE_EOF)
		return 0;
	if (status == ARCHIVE_OK || (status == ARCHIVE_WARN && is_harmless(u->archive)))
		return 1;
	return archive_failed(u, err);
}

/* ---- creating -------------------------------------------------------------------------------- */

/* What is long enough to be worth a hole. Other data ends it at once. */
static bool is_hole(const char *data, size_t length)
{
	return length >= HOLE_MIN && data[0] == '\0' && memcmp(data, data + 1, length - 1) == 0;
}

static int write_content(struct unpacker *u, struct error *err)
{
	la_int64_t offset;
	const void *data;
	size_t length;
	int status;

	while ((status = archive_read_data_block(u->archive, &data, &length, &offset)) ==
	       ARCHIVE_OK) {
		if (length == 0)
			continue;
		if (!is_hole(data, length) &&
		    u->tree->media->write(u->tree, data, length, offset, err) < 0)
			return -1;
		u->unpacked->size += (long long)length;
	}
	return status == ARCHIVE_EOF ? 0 : archive_failed(u, err);
}

static int unpack_file(struct unpacker *u, struct archive_entry *entry, struct dir *dir,
		       const char *name, const struct meta *meta, struct error *err)
{
	if (create_file(u->tree, dir, name, meta, archive_entry_size(entry), err) < 0 ||
	    write_content(u, err) < 0)
		return -1;
	return u->tree->media->file_end(u->tree, meta, err);
}

static int unpack_link(struct unpacker *u, struct dir *dir, const char *name, const char *target,
		       struct error *err)
{
	struct name parsed;
	struct dir *target_dir;
	int status = 1;

	if (name_parse_target(target, &parsed, err) < 0 ||
	    tree_walk(u->tree, u->tree->root, parsed.parent, false, &target_dir, err) < 0)
		return -1;
	if (parsed.kind == NAME_ROOT)
		return error_set(err, ERROR_INTEGRITY, "a hard link to a directory");
	if (target_dir)
		status = create_link(u->tree, dir, name, target_dir, parsed.leaf, err);
	if (status <= 0)
		return status;
	leans_add(u->leans, dir, name, &parsed);
	return tree_remove(u->tree, dir, name, err);
}

static int unpack_entry(struct unpacker *u, struct archive_entry *entry, struct dir *dir,
			const char *name, struct error *err)
{
	mode_t type = archive_entry_filetype(entry);
	const char *hardlink = archive_entry_hardlink(entry);
	const char *target = archive_entry_symlink(entry);
	cleanup_meta struct meta meta;

	meta.storage = NULL;
	meta.attribute_count = 0;
	if (hardlink)
		return unpack_link(u, dir, name, hardlink, err);
	if (meta_from_entry(entry, &meta, err) < 0)
		return -1;
	if (u->tree->one_user)
		meta.uid = meta.gid = 0;
	switch (type) {
	case AE_IFREG:
		return unpack_file(u, entry, dir, name, &meta, err);
	case AE_IFDIR:
		return create_directory(u->tree, dir, name, &meta, err);
	case AE_IFLNK:
		return create_symlink(u->tree, dir, name, target ? target : "", &meta, err);
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		return create_node(u->tree, dir, name, type, archive_entry_rdev(entry), &meta, err);
	default:
		return error_set(err, ERROR_INTEGRITY, "its type %07o has no place in a layer",
				 type);
	}
}

/* Of what AUFS keeps for itself, only what hard links need. */
static bool is_ignored(const struct name *name, struct archive_entry *entry)
{
	if (name->kind != NAME_LINKED)
		return name->kind == NAME_IGNORED;
	return archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry);
}

static int unpack_named(struct unpacker *u, struct archive_entry *entry, const struct name *name,
			struct error *err)
{
	struct dir *dir;

	if (is_ignored(name, entry))
		return 0;
	/* a hard link's type is whatever its header says */
	if (name->kind == NAME_ROOT &&
	    (archive_entry_filetype(entry) != AE_IFDIR || archive_entry_hardlink(entry)))
		return error_set(err, ERROR_INTEGRITY, "the topmost entry is not a directory");
	if (tree_walk(u->tree, u->tree->root, name->parent, true, &dir, err) < 0)
		return -1;
	switch (name->kind) {
	case NAME_WHITEOUT:
		return create_whiteout(u->tree, dir, name->leaf, err);
	case NAME_OPAQUE:
		dir->opaque = true;
		return 0;
	default:
		return unpack_entry(u, entry, dir, name->leaf, err);
	}
}

/* Of parents made on the way the tree counts each, too. */
static int count(struct unpacker *u, struct error *err)
{
	if (u->tree)
		return tree_count(u->tree, err);
	return u->unpacked->entries < u->entries_max
		       ? 0
		       : error_set(err, ERROR_LIMIT, "more than %lld entries", u->entries_max);
}

/* Nothing but hard links could use them, and all of these have come. */
static int drop_aufs_links(struct tree *tree, struct error *err)
{
	return tree_find(tree, tree->root, NAME_AUFS_LINKS)
		       ? tree_remove(tree, tree->root, NAME_AUFS_LINKS, err)
		       : 0;
}

static int read_all(struct unpacker *u, struct error *err)
{
	struct archive_entry *entry;
	struct name name;
	int status;

	while ((status = next_entry(u, &entry, err)) > 0) {
		const char *path = archive_entry_pathname(entry);

		if (!path)
			return error_set(err, ERROR_INTEGRITY, "an entry without a name");
		if (count(u, err) < 0 || name_parse(path, &name, err) < 0)
			return -1;
		if (u->tree && unpack_named(u, entry, &name, err) < 0)
			return error_prefix(err, "entry \"%s\"", path);
		u->unpacked->entries++;
	}
	return status < 0 || !u->tree ? status : drop_aufs_links(u->tree, err);
}

static int start_archive(struct unpacker *u, struct error *err)
{
	if (!u->archive || archive_read_support_format_tar(u->archive) != ARCHIVE_OK)
		return error_set(err, ERROR_FAILED, "libarchive cannot read tar archives");
	return archive_read_open(u->archive, u, NULL, feed, NULL) == ARCHIVE_OK
		       ? 0
		       : archive_failed(u, err);
}

static int run(struct unpacker *u, struct error *err)
{
	u->archive = archive_read_new();
	int status = start_archive(u, err) < 0 ? -1 : read_all(u, err);

	/* nothing at all is a layer without entries */
	if (status < 0 && !u->began && !u->failure.kind)
		status = 0;
	archive_read_free(u->archive);
	return status;
}

int unpack(struct stream *stream, struct tree *tree, struct leans *leans, struct unpacked *unpacked,
	   struct error *err)
{
	struct unpacker u = {
		.stream = stream, .tree = tree, .leans = leans, .unpacked = unpacked
	};

	return run(&u, err);
}

int unpack_check(struct stream *stream, long long entries_max, struct unpacked *unpacked,
		 struct error *err)
{
	struct unpacker u = { .stream = stream, .unpacked = unpacked, .entries_max = entries_max };

	return run(&u, err);
}
