/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/erofs_names.h"

#include "lib/memory.h"

#include <stdlib.h>

enum { TABLE_START = 1024 };

void names_free(struct names *names)
{
	free(names->table);
	*names = (struct names){ 0 };
}

static uint32_t hash_of(const struct dir *dir, const char *name)
{
	/* FNV-1a over the name, begun with the directory's place in memory */
	uint64_t hash = 14695981039346656037ULL ^ (uintptr_t)dir;

	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		hash = (hash ^ *c) * 1099511628211ULL;
	return (uint32_t)(hash ^ hash >> 32);
}

static struct name_entry **bucket(const struct names *names, uint32_t hash)
{
	return &names->table[hash & (names->table_size - 1)];
}

struct name_entry *names_find(const struct names *names, const struct dir *dir, const char *name)
{
	uint32_t hash = hash_of(dir, name);
	struct name_entry *at = names->table ? *bucket(names, hash) : NULL;

	while (at && (at->hash != hash || at->dir != dir || strcmp(at->name, name) != 0))
		at = at->next_hashed;
	return at;
}

static void grow(struct names *names)
{
	struct name_entry **old = names->table;
	size_t old_size = names->table_size;

	names->table_size = old ? 2 * old_size : TABLE_START;
	names->table = xcalloc(names->table_size, sizeof(struct name_entry *));
	for (size_t i = 0; old && i < old_size; i++)
		for (struct name_entry *at = old[i], *next; at; at = next) {
			struct name_entry **place = bucket(names, at->hash);

			next = at->next_hashed;
			at->next_hashed = *place;
			*place = at;
		}
	free(old);
}

struct name_entry *names_add(struct names *names, const struct dir *dir, struct name_entry **list,
			     const char *name, enum name_entry_kind kind)
{
	size_t length = strlen(name);
	struct name_entry *entry = xcalloc(1, sizeof *entry + length + 1);

	if (names->count >= names->table_size)
		grow(names);
	memcpy(entry->name, name, length + 1);
	entry->dir = dir;
	entry->kind = (uint8_t)kind;
	entry->hash = hash_of(dir, name);
	entry->next_in_dir = *list;
	*list = entry;

	struct name_entry **place = bucket(names, entry->hash);
	entry->next_hashed = *place;
	*place = entry;
	names->count++;
	return entry;
}

void names_remove(struct names *names, struct name_entry *entry)
{
	struct name_entry **at = bucket(names, entry->hash);

	while (*at != entry)
		at = &(*at)->next_hashed;
	*at = entry->next_hashed;
	entry->gone = true;
	names->count--;
}
