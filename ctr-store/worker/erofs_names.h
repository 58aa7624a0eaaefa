/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the directories of a layer that becomes an EROFS image. */
#pragma once
#include "ctr-store/worker/erofs_inode.h"

#include <stdbool.h>
#include <stddef.h>

struct dir;

/* A file, under one name or several. */
struct file {
	struct inode_place place;
	struct file *next; /* all of them */
	uint32_t links;	   /* how many names it has in the end */
	enum erofs_type type;
	char target[]; /* of a symbolic link */
};

enum name_entry_kind { ENTRY_FILE, ENTRY_WHITEOUT, ENTRY_DIRECTORY };

/* A name in a directory. */
struct name_entry {
	const struct dir *dir;
	struct name_entry *next_hashed, *next_in_dir;
	struct file *file; /* of ENTRY_FILE */
	uint32_t hash;
	uint8_t kind;
	bool gone;
	char name[];
};

/* Zero-initialise it. */
struct names {
	struct name_entry **table;
	size_t table_size, count;
};

void names_free(struct names *names);

struct name_entry *names_find(const struct names *names, const struct dir *dir, const char *name);

/* A new entry, whose name is free, on top of the directory's list. */
struct name_entry *names_add(struct names *names, const struct dir *dir, struct name_entry **list,
			     const char *name, enum name_entry_kind kind);

/* It stays in its directory's list, marked as gone. */
void names_remove(struct names *names, struct name_entry *entry);
