/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tar.h"

#include "lib/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* POSIX.1-2001, pax, "ustar Interchange Format" */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type[1];
	char link[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
	char prefix[155], padding[12];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

/* no file is larger, and the sum of two is a number */
#define SIZE_LIMIT ((int64_t)1 << 60)

struct tar_parser {
	int (*member)(void *context, const struct tar_member *member, struct error *err);
	int (*data)(void *context, const void *data, size_t length, struct error *err);
	void *context;
	int64_t offset; /* of the next byte in the archive */
	enum { IN_HEADER, IN_RECORDS, IN_CONTENT, IN_PADDING, AT_END } state;
	unsigned char block[TAR_BLOCK]; /* a header, as far as it is there */
	size_t filled;			/* bytes in block or records */
	int64_t left;			/* bytes of content or padding to come */
	int64_t padding;		/* that follows the content */
	char records_type;		/* 'x', 'L' or 'K' */
	char *records;
	size_t records_size;
	char *long_name, *long_link;	       /* for the next member */
	int64_t long_size, long_uid, long_gid; /* -1: none */
	struct tar_attribute *attributes;
	size_t attribute_count;
	unsigned zero_blocks;
};

int64_t tar_padded(int64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

struct tar_parser *
tar_parser_new(int (*member)(void *context, const struct tar_member *member, struct error *err),
	       int (*data)(void *context, const void *data, size_t length, struct error *err),
	       void *context)
{
	struct tar_parser *parser = xcalloc(1, sizeof *parser);

	parser->member = member;
	parser->data = data;
	parser->context = context;
	parser->long_size = parser->long_uid = parser->long_gid = -1;
	return parser;
}

static void forget_attributes(struct tar_parser *parser)
{
	for (size_t i = 0; i < parser->attribute_count; i++) {
		free(parser->attributes[i].name);
		free(parser->attributes[i].value);
	}
	free(parser->attributes);
	parser->attributes = NULL;
	parser->attribute_count = 0;
}

/* Forget what was said of the next member. */
static void forget_records(struct tar_parser *parser)
{
	free(parser->long_name);
	free(parser->long_link);
	parser->long_name = parser->long_link = NULL;
	parser->long_size = parser->long_uid = parser->long_gid = -1;
	forget_attributes(parser);
}

void tar_parser_free(struct tar_parser *parser)
{
	if (!parser)
		return;
	forget_records(parser);
	free(parser->records);
	free(parser);
}

static int malformed(const struct tar_parser *parser, const char *why, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "not a tar archive: %s at byte %lld", why,
			 (long long)parser->offset);
}

/* ---- headers ---- */

/* An octal number, or GNU's binary one; -1 for what is neither. */
static int64_t read_number(const char *field, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)field;
	int64_t number = 0;
	size_t i = 0;

	if (bytes[0] == 0x80) {
		for (i = 1; i < size; i++) {
			if (number >> 55)
				return -1;
			number = number << 8 | bytes[i];
		}
		return number;
	}
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] && field[i] != ' '; i++) {
		if (field[i] < '0' || field[i] > '7')
			return -1;
		number = number * 8 + (field[i] - '0');
	}
	return number;
}

static bool checksum_is_right(const struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	int64_t sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool in_field =
			i >= offsetof(struct header, checksum) && i < offsetof(struct header, type);

		sum += in_field ? ' ' : bytes[i];
	}
	return read_number(header->checksum, sizeof header->checksum) == sum;
}

static bool is_zero(const unsigned char *block)
{
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

bool tar_is_header(const unsigned char *block)
{
	return is_zero(block) || checksum_is_right((const struct header *)block);
}

static char *header_name(const struct header *header)
{
	bool is_ustar = memcmp(header->magic, "ustar", 6) == 0;
	int name = (int)strnlen(header->name, sizeof header->name);
	int prefix = (int)strnlen(header->prefix, sizeof header->prefix);

	if (is_ustar && prefix > 0)
		return xasprintf("%.*s/%.*s", prefix, header->prefix, name, header->name);
	return xasprintf("%.*s", name, header->name);
}

static int begin_records(struct tar_parser *parser, char type, int64_t size, struct error *err)
{
	if (size > TAR_RECORDS_MAX)
		return error_set(err, ERROR_LIMIT, "a header of the tar archive is too large");
	parser->records_type = type;
	parser->records = xreallocarray(parser->records, (size_t)size + 1, 1);
	parser->records_size = (size_t)size;
	parser->filled = 0;
	parser->state = IN_RECORDS;
	return 0;
}

static int64_t either(int64_t record, const char *field, size_t size)
{
	return record >= 0 ? record : read_number(field, size);
}

static int begin_member(struct tar_parser *parser, const struct header *header, int64_t size,
			struct error *err)
{
	if (!parser->long_name)
		parser->long_name = header_name(header);
	if (!parser->long_link)
		parser->long_link = xstrndup(header->link, sizeof header->link);
	char type = header->type[0] == '\0' || header->type[0] == '7' ? '0' : header->type[0];
	/* links and directories have none, whatever the field says */
	bool has_content = type != '1' && type != '2' && type != '5';
	struct tar_member member = {
		.name = parser->long_name,
		.link = parser->long_link,
		.type = type,
		.size = !has_content		 ? 0
			: parser->long_size >= 0 ? parser->long_size
						 : size,
		.offset = parser->offset,
		.mode = read_number(header->mode, sizeof header->mode),
		.uid = either(parser->long_uid, header->uid, sizeof header->uid),
		.gid = either(parser->long_gid, header->gid, sizeof header->gid),
		.major = read_number(header->major, sizeof header->major),
		.minor = read_number(header->minor, sizeof header->minor),
		.attributes = parser->attributes,
		.attribute_count = parser->attribute_count,
	};

	parser->left = member.size;
	parser->padding = tar_padded(member.size) - member.size;
	parser->state = IN_CONTENT;
	int status = parser->member(parser->context, &member, err);
	forget_records(parser);
	return status;
}

static int take_header(struct tar_parser *parser, struct error *err)
{
	const struct header *header = (const struct header *)parser->block;
	int64_t size = read_number(header->size, sizeof header->size);

	parser->filled = 0;
	if (is_zero(parser->block)) {
		if (++parser->zero_blocks == 2)
			parser->state = AT_END;
		return 0;
	}
	parser->zero_blocks = 0;
	if (!tar_is_header(parser->block))
		return malformed(parser, "a header with a wrong checksum", err);
	if (size < 0 || size > SIZE_LIMIT)
		return malformed(parser, "a size that cannot be", err);
	switch (header->type[0]) {
	case 'x':
	case 'L':
	case 'K':
		return begin_records(parser, header->type[0], size, err);
	case 'g':
		parser->left = tar_padded(size);
		parser->state = IN_PADDING; /* of no interest */
		return 0;
	default:
		return begin_member(parser, header, size, err);
	}
}

/* ---- what stands before a header ---- */

static void add_attribute(struct tar_parser *parser, const char *name, size_t name_length,
			  const char *value, size_t length)
{
	parser->attributes =
		xgrow(parser->attributes, parser->attribute_count, sizeof *parser->attributes);
	struct tar_attribute *attribute = &parser->attributes[parser->attribute_count++];
	attribute->name = xstrndup(name, name_length);
	attribute->value = xcalloc(1, length + 1);
	memcpy(attribute->value, value, length);
	attribute->length = length;
}

static int take_record(struct tar_parser *parser, const char *key, size_t key_length,
		       const char *value, size_t length, struct error *err)
{
	static const char xattr[] = "SCHILY.xattr.";
	const struct {
		const char *key;
		char **text;
		int64_t *number;
	} known[] = {
		{ "path", &parser->long_name, NULL }, { "linkpath", &parser->long_link, NULL },
		{ "size", NULL, &parser->long_size }, { "uid", NULL, &parser->long_uid },
		{ "gid", NULL, &parser->long_gid },
	};
	char *end;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strlen(known[i].key) != key_length ||
		    memcmp(known[i].key, key, key_length) != 0)
			continue;
		if (known[i].text) {
			free(*known[i].text);
			*known[i].text = xstrndup(value, length);
			continue;
		}
		*known[i].number = strtoll(value, &end, 10);
		if (end != value + length || *known[i].number < 0 || *known[i].number > SIZE_LIMIT)
			return malformed(parser, "a record that is no number", err);
	}
	if (key_length > sizeof xattr - 1 && memcmp(key, xattr, sizeof xattr - 1) == 0)
		add_attribute(parser, key + sizeof xattr - 1, key_length - (sizeof xattr - 1),
			      value, length);
	return 0;
}

/* PAX records, each "LENGTH KEY=VALUE\n". */
static int take_pax(struct tar_parser *parser, struct error *err)
{
	const char *at = parser->records, *end = at + parser->records_size;

	forget_attributes(parser); /* of several headers in a row the last one counts */
	while (at < end) {
		char *space;
		size_t length = strtoul(at, &space, 10);
		const char *key = space + 1;

		if (*space != ' ' || length > (size_t)(end - at) || length < 5 ||
		    at + length <= key || at[length - 1] != '\n')
			return malformed(parser, "a malformed PAX record", err);
		const char *equals = memchr(key, '=', (size_t)(at + length - key));
		if (!equals)
			return malformed(parser, "a malformed PAX record", err);
		if (take_record(parser, key, (size_t)(equals - key), equals + 1,
				(size_t)(at + length - 1 - (equals + 1)), err) < 0)
			return -1;
		at += length;
	}
	return 0;
}

static int take_records(struct tar_parser *parser, struct error *err)
{
	int64_t padding = tar_padded((int64_t)parser->records_size) - (int64_t)parser->records_size;
	char **text = parser->records_type == 'L' ? &parser->long_name : &parser->long_link;

	parser->records[parser->records_size] = '\0';
	parser->filled = 0;
	parser->left = padding;
	parser->state = IN_PADDING;
	if (parser->records_type == 'x')
		return take_pax(parser, err);
	free(*text);
	*text = xstrdup(parser->records);
	return 0;
}

/* ---- the stream ---- */

static size_t at_most(size_t length, int64_t limit)
{
	return (int64_t)length < limit ? length : (size_t)limit;
}

/* Take some of the bytes; returns how many, or -1. */
static ssize_t take_some(struct tar_parser *parser, const unsigned char *data, size_t length,
			 struct error *err)
{
	size_t part = length;

	switch (parser->state) {
	case IN_HEADER:
		part = at_most(length, (int64_t)(TAR_BLOCK - parser->filled));
		memcpy(parser->block + parser->filled, data, part);
		parser->filled += part;
		parser->offset += (int64_t)part;
		if (parser->filled == TAR_BLOCK && take_header(parser, err) < 0)
			return -1;
		return (ssize_t)part;
	case IN_RECORDS:
		part = at_most(length, (int64_t)(parser->records_size - parser->filled));
		memcpy(parser->records + parser->filled, data, part);
		parser->filled += part;
		parser->offset += (int64_t)part;
		if (parser->filled == parser->records_size && take_records(parser, err) < 0)
			return -1;
		return (ssize_t)part;
	case IN_CONTENT:
	case IN_PADDING:
		part = at_most(length, parser->left);
		if (parser->state == IN_CONTENT && parser->data && part > 0 &&
		    parser->data(parser->context, data, part, err) < 0)
			return -1;
		tar_skip(parser, (int64_t)part);
		return (ssize_t)part;
	case AT_END:
		break;
	}
	parser->offset += (int64_t)part;
	return (ssize_t)part;
}

int tar_parse(void *context, const void *data, size_t length, struct error *err)
{
	struct tar_parser *parser = context;
	const unsigned char *at = data;

	while (length > 0) {
		ssize_t taken = take_some(parser, at, length, err);
		if (taken < 0)
			return -1;
		at += taken;
		length -= (size_t)taken;
		/* states without bytes to come pass by themselves */
		if (parser->state == IN_RECORDS && parser->records_size == 0 &&
		    take_records(parser, err) < 0)
			return -1;
		tar_skip(parser, 0);
	}
	return 0;
}

int64_t tar_skippable(const struct tar_parser *parser)
{
	if (parser->state == IN_CONTENT)
		return parser->left + parser->padding;
	return parser->state == IN_PADDING ? parser->left : 0;
}

void tar_skip(struct tar_parser *parser, int64_t length)
{
	parser->offset += length;
	if (parser->state == IN_CONTENT && length >= parser->left) {
		length -= parser->left;
		parser->left = parser->padding;
		parser->state = IN_PADDING;
	}
	if (parser->state != IN_CONTENT && parser->state != IN_PADDING)
		return;
	parser->left -= length;
	if (parser->state == IN_PADDING && parser->left == 0)
		parser->state = IN_HEADER;
}

bool tar_at_end(const struct tar_parser *parser)
{
	return parser->state == AT_END;
}

int tar_parse_end(const struct tar_parser *parser, struct error *err)
{
	/* many writers leave the zeroes at the end away */
	bool between = parser->state == IN_HEADER && parser->filled == 0 && parser->offset > 0;

	if (tar_at_end(parser) || between)
		return 0;
	return malformed(parser, "it ends too early", err);
}

/* ---- writing ---- */

static void put_number(char *field, size_t size, int64_t number)
{
	char text[32];

	if (number >= (int64_t)1 << (3 * (size - 1))) { /* GNU's binary form */
		field[0] = (char)0x80;
		for (size_t i = size - 1; i > 0; i--, number >>= 8)
			field[i] = (char)(number & 0xff);
		return;
	}
	snprintf(text, sizeof text, "%0*llo", (int)size - 1, (unsigned long long)number);
	memcpy(field, text, size - 1);
}

static void put_block(unsigned char *block, char type, const char *name, const char *link,
		      int64_t size)
{
	struct header *header = (struct header *)block;
	unsigned sum = 0;
	char text[8];

	memset(header, 0, sizeof *header);
	memcpy(header->name, name, strnlen(name, sizeof header->name));
	memcpy(header->link, link, strnlen(link, sizeof header->link));
	put_number(header->mode, sizeof header->mode, type == '2' ? 0777 : 0444);
	put_number(header->uid, sizeof header->uid, 0);
	put_number(header->gid, sizeof header->gid, 0);
	put_number(header->size, sizeof header->size, size);
	put_number(header->mtime, sizeof header->mtime, 0);
	header->type[0] = type;
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	memset(header->checksum, ' ', sizeof header->checksum);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	snprintf(text, sizeof text, "%06o", sum);
	memcpy(header->checksum, text, 7);
}

size_t tar_header(const char *name, int64_t size, unsigned char header[static TAR_HEADER_MAX])
{
	size_t used = 0;

	if (strlen(name) > sizeof((struct header *)0)->name) {
		char record[TAR_BLOCK] = "";
		/* the length counts its own three digits */
		int length =
			snprintf(record, sizeof record, "%03zu path=%s\n", strlen(name) + 10, name);

		put_block(header, 'x', "PaxHeaders/x", "", length);
		memcpy(header + TAR_BLOCK, record, sizeof record);
		used = 2 * TAR_BLOCK;
	}
	put_block(header + used, '0', name, "", size);
	return used + TAR_BLOCK;
}

size_t tar_link_header(const char *name, const char *target,
		       unsigned char header[static TAR_HEADER_MAX])
{
	put_block(header, '2', name, target, 0);
	return TAR_BLOCK;
}
