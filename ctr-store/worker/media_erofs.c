/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/media_erofs.h"

#include "ctr-store/worker/erofs_directory.h"
#include "ctr-store/worker/tree.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_CHUNK = 64 << 10 };

/* Chunks of a larger one could not be told. */
static const long long format_size_max = 1LL << 50;

static struct media_erofs *state_of(const struct tree *tree)
{
	return tree->media_state;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int start(struct tree *tree, struct error *err)
{
	struct media_erofs *state = state_of(tree);

	(void)err;
	image_start(&state->image, state->fd, state->lose_writes);
	state->last_directory = &state->directories;
	return 0;
}

static void stop(struct tree *tree)
{
	struct media_erofs *state = state_of(tree);

	for (struct dir *dir = tree->root; dir; dir = dir->next_made)
		image_directory_free(dir->media);
	for (struct file *at = state->files, *next; at; at = next) {
		next = at->next;
		free(at);
	}
	names_free(&state->names);
	attribute_table_free(&state->attributes);
	content_free(&state->content);
	image_free(&state->image);
}

/* ---- new things ------------------------------------------------------------------------------ */

static struct name_entry *add_name(const struct tree *tree, struct dir *dir, const char *name,
				   enum name_entry_kind kind)
{
	return names_add(&state_of(tree)->names, dir, &image_directory_of(dir)->entries, name,
			 kind);
}

static bool is_taken(const struct tree *tree, const struct dir *dir, const char *name)
{
	return names_find(&state_of(tree)->names, dir, name) != NULL;
}

static int make_directory(struct tree *tree, struct dir *dir, const char *name, mode_t mode,
			  struct error *err)
{
	(void)mode;
	(void)err;
	if (is_taken(tree, dir, name))
		return MEDIA_TAKEN;
	add_name(tree, dir, name, ENTRY_DIRECTORY);
	return 0;
}

static enum erofs_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EROFS_FILE;
	case S_IFLNK:
		return EROFS_SYMLINK;
	case S_IFCHR:
		return EROFS_CHARACTER_DEVICE;
	case S_IFBLK:
		return EROFS_BLOCK_DEVICE;
	case S_IFIFO:
		return EROFS_FIFO;
	default:
		return EROFS_SOCKET;
	}
}

static void describe(struct inode *inode, mode_t type, const struct meta *meta,
		     const struct attribute_body *body)
{
	*inode = (struct inode){ .mode = type, .links = 1, .attributes = body };
	if (!meta)
		return;
	inode->mode |= meta->mode;
	inode->uid = meta->uid;
	inode->gid = meta->gid;
	inode->mtime = meta->mtime;
}

/* Write a file's inode, and let the entry name it. */
static int add_file(struct media_erofs *state, struct name_entry *entry, const struct inode *inode,
		    const char *target, struct error *err)
{
	struct file *file = xcalloc(1, sizeof *file + strlen(target) + 1);

	file->type = type_of(inode->mode);
	memcpy(file->target, target, strlen(target) + 1);
	file->next = state->files;
	state->files = file;
	entry->file = file;
	return inode_write(&state->image, &state->attributes, inode, &file->place, err);
}

static int make_symlink(struct tree *tree, struct dir *dir, const char *name, const char *target,
			const struct meta *meta, struct error *err)
{
	struct media_erofs *state = state_of(tree);
	size_t length = strlen(target);
	struct inode inode;

	if (is_taken(tree, dir, name))
		return MEDIA_TAKEN;
	if (length >= EROFS_BLOCK)
		return error_set(err, ERROR_INTEGRITY, "a symbolic link to too long a path");
	describe(&inode, S_IFLNK, meta, NULL);
	inode.mode = S_IFLNK | 0777;
	content_start(&state->content, &state->image, length);
	if (content_write(&state->content, target, length, 0, err) < 0 ||
	    content_finish(&state->content, &inode, err) < 0)
		return -1;
	return add_file(state, add_name(tree, dir, name, ENTRY_FILE), &inode, target, err);
}

static int make_node(struct tree *tree, struct dir *dir, const char *name, mode_t type,
		     dev_t device, const struct meta *meta, struct error *err)
{
	struct inode inode;

	if (is_taken(tree, dir, name))
		return MEDIA_TAKEN;
	describe(&inode, type, meta, NULL);
	if (S_ISCHR(type) || S_ISBLK(type))
		inode.where = inode_device(device);
	return add_file(state_of(tree),
			add_name(tree, dir, name, meta ? ENTRY_FILE : ENTRY_WHITEOUT), &inode, "",
			err);
}

static int make_link(struct tree *tree, struct dir *dir, const char *name, struct dir *target_dir,
		     const char *target_name, struct error *err)
{
	const struct name_entry *target =
		names_find(&state_of(tree)->names, target_dir, target_name);

	if (!target)
		return MEDIA_ABSENT;
	if (target->kind == ENTRY_DIRECTORY)
		return error_set(err, ERROR_INTEGRITY, "a hard link to a directory");
	if (is_taken(tree, dir, name))
		return MEDIA_TAKEN;
	add_name(tree, dir, name, ENTRY_FILE)->file = target->file;
	return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int make_file(struct tree *tree, struct dir *dir, const char *name, const struct meta *meta,
		     long long size, struct error *err)
{
	struct media_erofs *state = state_of(tree);

	(void)meta;
	if (is_taken(tree, dir, name))
		return MEDIA_TAKEN;
	if (size < 0 || size > state->size_max || size > format_size_max)
		return error_set(err, ERROR_LIMIT, "it is larger than %lld bytes",
				 state->size_max < format_size_max ? state->size_max
								   : format_size_max);
	state->open = add_name(tree, dir, name, ENTRY_FILE);
	content_start(&state->content, &state->image, (uint64_t)size);
	return 0;
}

static int write_file(struct tree *tree, const void *data, size_t length, long long offset,
		      struct error *err)
{
	return content_write(&state_of(tree)->content, data, length, (uint64_t)offset, err);
}

/* What the file has from `offset` on, up to `end`. */
static int copy_range(struct media_erofs *state, int fd, off_t offset, off_t end, struct error *err)
{
	char buffer[COPY_CHUNK];

	while (offset < end) {
		size_t want = end - offset < COPY_CHUNK ? (size_t)(end - offset) : COPY_CHUNK;
		ssize_t got = pread(fd, buffer, want, offset);

		if (got < 0)
			return error_os(err, "cannot read the lower layer");
		if (got == 0)
			return 0;
		if (content_write(&state->content, buffer, (size_t)got, (uint64_t)offset, err) < 0)
			return -1;
		offset += got;
	}
	return 0;
}

/* Its holes stay holes. */
static int copy_file(struct tree *tree, int fd, struct error *err)
{
	struct media_erofs *state = state_of(tree);
	off_t end, data = 0;

	while ((data = lseek(fd, data, SEEK_DATA)) >= 0) {
		end = lseek(fd, data, SEEK_HOLE);
		if (end < 0)
			return error_os(err, "cannot read the lower layer");
		if (copy_range(state, fd, data, end, err) < 0)
			return -1;
		data = end;
	}
	return errno == ENXIO ? 0 : error_os(err, "cannot read the lower layer");
}

static int end_file(struct tree *tree, const struct meta *meta, struct error *err)
{
	struct media_erofs *state = state_of(tree);
	cleanup_attribute_body struct attribute_body body = { 0 };
	struct inode inode;

	if (attribute_body_make(&state->attributes, meta->attributes, meta->attribute_count, &body,
				err) < 0)
		return -1;
	describe(&inode, S_IFREG, meta, body.size ? &body : NULL);
	if (content_finish(&state->content, &inode, err) < 0 ||
	    add_file(state, state->open, &inode, "", err) < 0)
		return -1;
	content_free(&state->content);
	return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Attributes with their names and values, in one piece; NULL for none. */
static struct attribute *copy_attributes(const struct meta *meta)
{
	size_t array = meta->attribute_count * sizeof *meta->attributes, size = array;

	if (meta->attribute_count == 0)
		return NULL;
	for (size_t i = 0; i < meta->attribute_count; i++)
		size += strlen(meta->attributes[i].name) + 1 + meta->attributes[i].size;

	struct attribute *copy = xcalloc(1, size);
	char *at = (char *)copy + array;
	for (size_t i = 0; i < meta->attribute_count; i++) {
		const struct attribute *from = &meta->attributes[i];
		size_t length = strlen(from->name) + 1;

		copy[i] = (struct attribute){ at, at + length, from->size };
		memcpy(at, from->name, length);
		if (from->size > 0)
			memcpy(at + length, from->value, from->size);
		at += length + from->size;
	}
	return copy;
}

static int declare(struct tree *tree, struct dir *dir, const struct meta *meta, struct error *err)
{
	struct image_directory *directory = image_directory_of(dir);

	(void)tree;
	(void)err;
	free(directory->attributes);
	directory->attributes = copy_attributes(meta);
	directory->attribute_count = meta->attribute_count;
	directory->uid = meta->uid;
	directory->gid = meta->gid;
	return 0;
}

static int remove_name(struct tree *tree, struct dir *dir, const char *name, struct error *err)
{
	struct names *names = &state_of(tree)->names;
	struct name_entry *entry = names_find(names, dir, name);

	(void)err;
	if (entry)
		names_remove(names, entry);
	return 0;
}

static int move_name(struct tree *tree, struct dir *from, struct dir *to, const char *name,
		     struct error *err)
{
	struct names *names = &state_of(tree)->names;
	struct name_entry *entry = names_find(names, from, name);

	(void)err;
	if (is_taken(tree, to, name))
		return MEDIA_TAKEN;
	if (!entry)
		return 0;
	names_remove(names, entry);
	add_name(tree, to, name, entry->kind)->file = entry->file;
	return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

static enum media_kind kind(struct tree *tree, struct dir *dir, const char *name)
{
	const struct name_entry *entry = names_find(&state_of(tree)->names, dir, name);

	if (!entry)
		return MEDIA_NOTHING;
	if (entry->kind == ENTRY_WHITEOUT)
		return MEDIA_WHITEOUT;
	return entry->file && entry->file->type == EROFS_SYMLINK ? MEDIA_SYMLINK : MEDIA_OTHER;
}

static ssize_t read_link(struct tree *tree, struct dir *dir, const char *name, char *target,
			 size_t size)
{
	const struct name_entry *entry = names_find(&state_of(tree)->names, dir, name);

	if (!entry)
		return -MEDIA_ABSENT;
	if (!entry->file || entry->file->type != EROFS_SYMLINK)
		return -MEDIA_TAKEN;

	size_t length = strlen(entry->file->target);
	memcpy(target, entry->file->target, length < size ? length : size);
	return (ssize_t)(length < size ? length : size);
}

static int list(struct tree *tree, struct dir *dir, media_each *each, void *context,
		struct error *err)
{
	(void)tree;
	for (const struct name_entry *at = image_directory_of(dir)->entries; at;
	     at = at->next_in_dir)
		if (!at->gone && each(context, at->name, at->kind == ENTRY_WHITEOUT, err) < 0)
			return -1;
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int finish(struct tree *tree, struct dir *dir, enum media_mark mark, struct error *err)
{
	struct media_erofs *state = state_of(tree);
	struct image_directory *directory = image_directory_of(dir);

	(void)err;
	directory->mark = mark;
	*state->last_directory = directory;
	state->last_directory = &directory->next;
	return 0;
}

static int end(struct tree *tree, struct error *err)
{
	struct media_erofs *state = state_of(tree);

	if (image_directories_write(&state->image, &state->attributes, tree, state->directories,
				    err) < 0)
		return -1;
	/* inodes were written with the one name that they had then */
	for (const struct file *at = state->files; at; at = at->next)
		if (at->links > 1 && inode_set_links(&state->image, &at->place, at->links, err) < 0)
			return -1;
	return 0;
}

const struct media media_erofs = {
	.start = start,
	.free = stop,
	.directory = make_directory,
	.symlink = make_symlink,
	.node = make_node,
	.link = make_link,
	.file = make_file,
	.write = write_file,
	.copy = copy_file,
	.file_end = end_file,
	.declare = declare,
	.remove = remove_name,
	.remove_directory = remove_name,
	.move = move_name,
	.kind = kind,
	.read_link = read_link,
	.list = list,
	.finish = finish,
	.end = end,
};
