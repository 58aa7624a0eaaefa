/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/erofs_directory.h"

#include "lib/memory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOT_PLACE = EROFS_SUPER_OFFSET + EROFS_SUPER_SIZE };

/* A name as it stands in a directory. */
struct dirent_item {
	const char *name;		 /* borrowed */
	const struct inode_place *place; /* borrowed */
	enum erofs_type type;
};

struct image_directory *image_directory_of(struct dir *dir)
{
	struct image_directory *directory = dir->media;

	if (directory)
		return directory;
	directory = xcalloc(1, sizeof *directory);
	directory->dir = dir;
	dir->media = directory;
	return directory;
}

void image_directory_free(struct image_directory *directory)
{
	if (!directory)
		return;
	for (struct name_entry *at = directory->entries, *next; at; at = next) {
		next = at->next_in_dir;
		free(at);
	}
	attribute_body_free(&directory->body);
	free(directory->attributes);
	free(directory->items);
	free(directory);
}

/* ---- names ----------------------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
	const struct dirent_item *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void add_item(struct image_directory *directory, const char *name,
		     const struct inode_place *place, enum erofs_type type)
{
	directory->items[directory->item_count++] = (struct dirent_item){ name, place, type };
}

/* Also counts the names of files, and the directories in this one. */
static void list_items(const struct tree *tree, struct image_directory *directory)
{
	const struct dir *dir = directory->dir;
	const struct image_directory *parent = dir->parent ? dir->parent->media : directory;
	size_t count = 2;

	for (const struct name_entry *at = directory->entries; at; at = at->next_in_dir)
		count += !at->gone;
	directory->items = xcalloc(count, sizeof *directory->items);
	directory->inode.links = 2;
	add_item(directory, ".", &directory->place, EROFS_DIRECTORY);
	add_item(directory, "..", &parent->place, EROFS_DIRECTORY);
	for (const struct name_entry *at = directory->entries; at; at = at->next_in_dir) {
		if (at->gone)
			continue;
		if (at->kind == ENTRY_DIRECTORY) {
			struct image_directory *child =
				image_directory_of(tree_find(tree, dir, at->name));

			add_item(directory, at->name, &child->place, EROFS_DIRECTORY);
			directory->inode.links++;
		} else {
			add_item(directory, at->name, &at->file->place, at->file->type);
			at->file->links++;
		}
	}
	qsort(directory->items, count, sizeof *directory->items, compare);
}

/* How many of the items from `first` go into one block, and what they fill of it. */
static size_t items_in_block(const struct image_directory *directory, size_t first, size_t *used)
{
	size_t at = first;

	*used = 0;
	for (; at < directory->item_count; at++) {
		size_t size = EROFS_DIRENT + strlen(directory->items[at].name);

		if (*used + size > EROFS_BLOCK)
			break;
		*used += size;
	}
	return at - first;
}

static void encode_block(const struct image_directory *directory, size_t first, size_t count,
			 unsigned char *block)
{
	size_t name_at = count * EROFS_DIRENT;

	memset(block, 0, EROFS_BLOCK);
	for (size_t i = 0; i < count; i++) {
		const struct dirent_item *item = &directory->items[first + i];
		unsigned char *bytes = block + i * EROFS_DIRENT;
		size_t length = strlen(item->name);

		put64(bytes, inode_number(item->place));
		put16(bytes + 8, (unsigned)name_at);
		bytes[10] = (unsigned char)item->type;
		memcpy(block + name_at, item->name, length);
		name_at += length;
	}
}

/* ---- laying out ------------------------------------------------------------------------------ */

static int make_body(const struct attribute_table *table, struct image_directory *directory,
		     struct error *err)
{
	struct attribute all[LAYER_ATTRIBUTES_MAX + 1];
	size_t count = directory->attribute_count;

	if (count > 0)
		memcpy(all, directory->attributes, count * sizeof *all);
	if (directory->mark == MARK_OPAQUE)
		all[count++] = (struct attribute){ "trusted.overlay.opaque", "y", 1 };
	if (directory->mark == MARK_WHITEOUTS)
		all[count++] = (struct attribute){ "trusted.overlay.origin", "", 0 };
	return attribute_body_make(table, all, count, &directory->body, err);
}

/* All of the inode but where its data is. */
static void describe(struct image_directory *directory)
{
	struct inode *inode = &directory->inode;
	size_t used;

	inode->mode = S_IFDIR | directory->dir->mode;
	inode->uid = directory->uid;
	inode->gid = directory->gid;
	inode->mtime = directory->dir->mtime;
	inode->attributes = &directory->body;
	for (size_t at = 0; at < directory->item_count;) {
		at += items_in_block(directory, at, &used);
		inode->size += at < directory->item_count ? EROFS_BLOCK : used;
	}
	directory->tail_size = inode->size % EROFS_BLOCK;
}

/* The topmost directory is where the superblock can name it. */
static int place_root(struct image_directory *directory, struct error *err)
{
	size_t head = inode_head_size(&directory->inode);

	if (ROOT_PLACE + head > EROFS_BLOCK)
		return error_set(err, ERROR_LIMIT,
				 "the extended attributes of the topmost directory are too large "
				 "for an EROFS image");
	directory->inlined =
		directory->tail_size > 0 && ROOT_PLACE + head + directory->tail_size <= EROFS_BLOCK;
	directory->place.byte = ROOT_PLACE;
	return 0;
}

static int place(struct image_cursor *cursor, struct image_directory *directory, struct error *err)
{
	struct inode *inode = &directory->inode;
	size_t tail = directory->tail_size, head = inode_head_size(inode);
	bool is_root = !directory->dir->parent;

	if (is_root && place_root(directory, err) < 0)
		return -1;
	if (!is_root)
		directory->inlined = image_inlines(cursor, head, tail);
	if (directory->inlined) {
		inode->layout = EROFS_FLAT_INLINE;
		inode->tail_size = tail;
	}
	inode->where = (uint32_t)cursor->end;
	cursor->end += inode->size / EROFS_BLOCK + (tail > 0 && !directory->inlined);
	if (!is_root)
		directory->place.byte =
			image_place(cursor, head + inode->tail_size, inode->tail_size);
	return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The blocks of a directory; what is inlined stays in `block`, and the root in `first_block`. */
static int write_directory(struct image *image, struct attribute_table *table,
			   struct image_directory *directory, unsigned char *first_block,
			   struct error *err)
{
	unsigned char block[EROFS_BLOCK];
	size_t used;

	for (size_t at = 0, count; at < directory->item_count; at += count) {
		count = items_in_block(directory, at, &used);
		encode_block(directory, at, count, block);
		if ((!directory->inlined || at + count < directory->item_count) &&
		    image_append(image, block, 1, err) < 0)
			return -1;
	}
	if (directory->inlined)
		directory->inode.tail = block;
	if (directory->dir->parent)
		return inode_write(image, table, &directory->inode, &directory->place, err);
	inode_encode(&directory->inode, (uint32_t)++image->inodes, first_block + ROOT_PLACE);
	return 0;
}

static int write_super(struct image *image, unsigned char *first_block, struct error *err)
{
	const struct image_cursor *cursor = &image->cursor;
	unsigned char *super = first_block + EROFS_SUPER_OFFSET;
	uint64_t blocks = cursor->end;

	/* nothing follows the last slab, which need not be full */
	if (cursor->slab_size > 0 && cursor->slab + cursor->slab_size == blocks * EROFS_BLOCK)
		blocks = round_up(cursor->slab + cursor->slab_used, EROFS_BLOCK) / EROFS_BLOCK;
	put32(super, erofs_magic);
	put32(super + 8, EROFS_COMPAT_MTIME);
	super[EROFS_SUPER_BLOCK_BITS_OFFSET] = EROFS_BLOCK_BITS;
	put16(super + 14, ROOT_PLACE / EROFS_SLOT);
	put64(super + 16, image->inodes);
	put32(super + EROFS_SUPER_BLOCKS_OFFSET, (uint32_t)blocks);
	put32(super + 80, image->chunked ? EROFS_INCOMPAT_CHUNKED_FILE : 0);
	if (image_flush(image, err) < 0 || image_patch(image, first_block, EROFS_BLOCK, 0, err) < 0)
		return -1;
	return ftruncate(image->fd, (off_t)(blocks * EROFS_BLOCK)) < 0
		       ? error_os(err, "cannot write the image")
		       : 0;
}

int image_directories_write(struct image *image, struct attribute_table *table,
			    const struct tree *tree, struct image_directory *list,
			    struct error *err)
{
	unsigned char first_block[EROFS_BLOCK] = { 0 };

	for (struct image_directory *at = list; at; at = at->next)
		list_items(tree, at);

	/* every directory names others: where each will be is known before the first is written */
	struct image_cursor plan = image->cursor;
	for (struct image_directory *at = list; at; at = at->next) {
		if (make_body(table, at, err) < 0)
			return -1;
		describe(at);
		if (place(&plan, at, err) < 0)
			return -1;
	}
	for (struct image_directory *at = list; at; at = at->next)
		if (write_directory(image, table, at, first_block, err) < 0)
			return -1;
	return write_super(image, first_block, err);
}
