/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/erofs_attributes.h"

#include "ctr-store/worker/erofs_format.h"
#include "lib/memory.h"

#include <linux/capability.h>
#include <linux/xattr.h>
#include <stdbool.h>
#include <stdlib.h>

/* Few and small ones are what files have in common. Eight of them share a bucket; a layer that is
 * made so that all do must not make each search a long one. */
enum {
	BUCKETS = 1024,
	SHARED_MAX = 8192,
	CHAIN_MAX = 64,
	SHARED_SIZE_MAX = 512,
	SHARED_PER_INODE = UINT8_MAX
};

struct shared_attribute {
	struct shared_attribute *next;
	unsigned rank; /* how many come after it */
	uint32_t id;   /* its place in the image in units of four bytes */
	size_t size;
	unsigned char entry[];
};

static const struct {
	const char *text;
	unsigned char index;
} prefixes[] = { { "user.", 1 }, { "trusted.", 4 }, { "security.", 6 } };

void attribute_table_free(struct attribute_table *table)
{
	for (size_t i = 0; table->buckets && i < BUCKETS; i++)
		for (struct shared_attribute *at = table->buckets[i], *next; at; at = next) {
			next = at->next;
			free(at);
		}
	free(table->buckets);
	*table = (struct attribute_table){ 0 };
}

static size_t bucket_of(const unsigned char *entry, size_t size)
{
	uint32_t hash = 2166136261; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ entry[i]) * 16777619;
	return hash % BUCKETS;
}

static const struct shared_attribute *find(const struct attribute_table *table,
					   const unsigned char *entry, size_t size)
{
	const struct shared_attribute *at =
		table->buckets ? table->buckets[bucket_of(entry, size)] : NULL;

	while (at && (at->size != size || memcmp(at->entry, entry, size) != 0))
		at = at->next;
	return at;
}

/* Write the entry of an attribute to `entry`; returns its size, or 0 when it has none. */
static size_t encode(const struct attribute *attribute, unsigned char *entry)
{
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t prefix = strlen(prefixes[i].text);

		if (strncmp(attribute->name, prefixes[i].text, prefix) != 0)
			continue;
		const char *name = attribute->name + prefix;
		size_t length = strnlen(name, UINT8_MAX + 1);
		if (length > UINT8_MAX || attribute->size > UINT16_MAX)
			return 0;
		entry[0] = (unsigned char)length;
		entry[1] = prefixes[i].index;
		put16(entry + 2, (unsigned)attribute->size);
		memcpy(entry + EROFS_ATTRIBUTE_HEADER, name, length);
		if (attribute->size > 0)
			memcpy(entry + EROFS_ATTRIBUTE_HEADER + length, attribute->value,
			       attribute->size);
		return round_size_up(EROFS_ATTRIBUTE_HEADER + length + attribute->size, 4);
	}
	return 0;
}

/* Bytes that the entries may take when none is shared. */
static size_t size_of_all(const struct attribute *attributes, size_t count)
{
	size_t size = EROFS_BODY_HEADER;

	for (size_t i = 0; i < count; i++)
		size += EROFS_ATTRIBUTE_HEADER + strlen(attributes[i].name) + attributes[i].size +
			4;
	return size;
}

/* Whether one that comes later has the same name, and so wins. */
static bool is_replaced(const struct attribute *attributes, size_t count, size_t i)
{
	for (size_t later = i + 1; later < count; later++)
		if (strcmp(attributes[later].name, attributes[i].name) == 0)
			return true;
	return false;
}

/* What setxattr(2) would let pass: capabilities of version 2 or 3 (linux/capability.h). */
static bool is_sound(const struct attribute *attribute)
{
	uint32_t magic;

	if (strcmp(attribute->name, XATTR_NAME_CAPS) != 0)
		return true;
	if (attribute->size < sizeof magic)
		return false;
	memcpy(&magic, attribute->value, sizeof magic);
	magic = le32toh(magic) & ~(uint32_t)VFS_CAP_FLAGS_EFFECTIVE;
	return (magic == VFS_CAP_REVISION_2 && attribute->size == XATTR_CAPS_SZ_2) ||
	       (magic == VFS_CAP_REVISION_3 && attribute->size == XATTR_CAPS_SZ_3);
}

static int check_all(const struct attribute *attributes, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!is_sound(&attributes[i]))
			return error_set(err, ERROR_INTEGRITY,
					 "extended attribute %s: not a value it can have",
					 attributes[i].name);
	return 0;
}

static int too_large(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "extended attributes are too large for an EROFS image");
}

int attribute_body_make(const struct attribute_table *table, const struct attribute *attributes,
			size_t count, struct attribute_body *body, struct error *err)
{
	size_t shared = 0, size = 0;

	if (check_all(attributes, count, err) < 0)
		return -1;
	if (count == 0)
		return 0;

	/* entries are made one after the other, and those that are known taken back: the numbers
	 * of these come before the others */
	size_t room = size_of_all(attributes, count);
	unsigned char *entries = xcalloc(1, room);
	unsigned char *numbers = xcalloc(count, 4);
	for (size_t i = 0; i < count; i++) {
		if (is_replaced(attributes, count, i))
			continue;
		size_t length = encode(&attributes[i], entries + size);
		const struct shared_attribute *known =
			shared < SHARED_PER_INODE ? find(table, entries + size, length) : NULL;

		if (length == 0) {
			free(entries);
			free(numbers);
			return too_large(err);
		}
		if (known) {
			put32(numbers + 4 * shared++, known->id);
			memset(entries + size, 0, length);
		} else {
			size += length;
		}
	}
	body->size = EROFS_BODY_HEADER + 4 * shared + size;
	body->bytes = xcalloc(1, body->size);
	body->bytes[4] = (unsigned char)shared;
	memcpy(body->bytes + EROFS_BODY_HEADER, numbers, 4 * shared);
	memcpy(body->bytes + EROFS_BODY_HEADER + 4 * shared, entries, size);
	free(entries);
	free(numbers);
	return body->size > EROFS_BODY_MAX ? too_large(err) : 0;
}

void attribute_body_free(struct attribute_body *body)
{
	free(body->bytes);
	*body = (struct attribute_body){ 0 };
}

static void remember(struct attribute_table *table, const unsigned char *entry, size_t size,
		     uint64_t place)
{
	if (size > SHARED_SIZE_MAX || table->count >= SHARED_MAX || place / 4 > UINT32_MAX)
		return;
	if (!table->buckets)
		table->buckets = xcalloc(BUCKETS, sizeof(struct shared_attribute *));

	struct shared_attribute **bucket = &table->buckets[bucket_of(entry, size)];
	unsigned rank = *bucket ? (*bucket)->rank + 1 : 0;
	if (rank >= CHAIN_MAX)
		return;
	struct shared_attribute *shared = xcalloc(1, sizeof *shared + size);
	memcpy(shared->entry, entry, size);
	shared->rank = rank;
	shared->size = size;
	shared->id = (uint32_t)(place / 4);
	shared->next = *bucket;
	*bucket = shared;
	table->count++;
}

void attribute_body_placed(struct attribute_table *table, const struct attribute_body *body,
			   uint64_t place)
{
	if (body->size == 0)
		return;
	for (size_t at = EROFS_BODY_HEADER + 4u * body->bytes[4]; at < body->size;) {
		const unsigned char *entry = body->bytes + at;
		size_t size = round_size_up(
			EROFS_ATTRIBUTE_HEADER + entry[0] + (size_t)(entry[2] | entry[3] << 8), 4);

		remember(table, entry, size, place + at);
		at += size;
	}
}
