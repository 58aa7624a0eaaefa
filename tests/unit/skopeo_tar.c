/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tar.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

struct seen {
	int members;
	char name[256];
	int64_t size, offset;
	char content[64];
	size_t length;
};

static int note(void *context, const struct tar_member *member, struct error *err)
{
	struct seen *seen = context;

	(void)err;
	seen->members++;
	snprintf(seen->name, sizeof seen->name, "%s", member->name);
	seen->size = member->size;
	seen->offset = member->offset;
	return 0;
}

static int collect(void *context, const void *data, size_t length, struct error *err)
{
	struct seen *seen = context;

	(void)err;
	if (seen->length + length < sizeof seen->content) {
		memcpy(seen->content + seen->length, data, length);
		seen->length += length;
	}
	return 0;
}

/* One member with a content, in an archive that is given in pieces of `step` bytes. */
static bool survives(const char *name, size_t step)
{
	static const char content[] = { 'h', 'e', 'l', 'l', 'o' };
	static unsigned char archive[8 * TAR_BLOCK];
	struct seen seen = { 0 };
	struct error err;

	memset(archive, 0, sizeof archive);
	size_t at = tar_header(name, 5, archive);
	memcpy(archive + at, content, sizeof content);
	size_t total = at + TAR_BLOCK + 2 * TAR_BLOCK;
	struct tar_parser *parser = tar_parser_new(note, collect, &seen);
	int status = 0;
	for (size_t done = 0; done < total && status == 0; done += step)
		status = tar_parse(parser, archive + done,
				   step < total - done ? step : total - done, &err);
	bool good = status == 0 && tar_parse_end(parser, &err) == 0 && seen.members == 1 &&
		    strcmp(seen.name, name) == 0 && seen.size == 5 && seen.offset == (int64_t)at &&
		    seen.length == 5 && memcmp(seen.content, "hello", 5) == 0;
	tar_parser_free(parser);
	return good;
}

static bool skips(void)
{
	unsigned char archive[8 * TAR_BLOCK] = { 0 };
	struct seen seen = { 0 };
	struct error err;

	size_t first = tar_header("first", 700, archive);
	size_t second = first + 2 * TAR_BLOCK;
	second += tar_header("second", 0, archive + second);
	struct tar_parser *parser = tar_parser_new(note, NULL, &seen);
	bool good = tar_parse(parser, archive, first, &err) == 0 &&
		    tar_skippable(parser) == 2 * TAR_BLOCK;
	tar_skip(parser, 2 * TAR_BLOCK);
	good = good &&
	       tar_parse(parser, archive + first + 2 * TAR_BLOCK, 3 * TAR_BLOCK, &err) == 0 &&
	       seen.members == 2 && strcmp(seen.name, "second") == 0 && tar_at_end(parser);
	tar_parser_free(parser);
	return good;
}

/* Many writers leave the zeroes at the end away. */
static bool ends_with(int64_t size)
{
	unsigned char archive[8 * TAR_BLOCK] = { 0 };
	struct seen seen = { 0 };
	struct error err;
	struct tar_parser *parser = tar_parser_new(note, collect, &seen);
	size_t length = tar_header("last", size, archive) + (size_t)tar_padded(size);
	bool good = tar_parse(parser, archive, length, &err) == 0 && seen.members == 1 &&
		    tar_parse_end(parser, &err) == 0;

	tar_parser_free(parser);
	return good;
}

static bool refuses(const void *data, size_t length)
{
	struct seen seen = { 0 };
	struct error err;
	struct tar_parser *parser = tar_parser_new(note, collect, &seen);
	bool refused = tar_parse(parser, data, length, &err) < 0 || tar_parse_end(parser, &err) < 0;

	tar_parser_free(parser);
	return refused;
}

/* The header of a member of that size is taken. */
static bool takes_size(int64_t size)
{
	unsigned char block[TAR_HEADER_MAX];
	struct seen seen = { 0 };
	struct error err;
	struct tar_parser *parser = tar_parser_new(note, collect, &seen);

	tar_header("x", size, block);
	bool taken = tar_parse(parser, block, TAR_BLOCK, &err) == 0 && seen.size == size;
	tar_parser_free(parser);
	return taken;
}

int main(void)
{
	unsigned char block[TAR_HEADER_MAX];
	char long_name[160];

	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	ok(survives("blobs/sha256/x", 4096), "tar: a member, in one piece");
	ok(survives("blobs/sha256/x", 1), "tar: a member, byte by byte");
	ok(survives(long_name, 100), "tar: a name that is too long for a header");
	ok(skips(), "tar: content that is passed over");
	ok(ends_with(5) && ends_with(TAR_BLOCK), "tar: an archive without zeroes at its end");
	ok(ends_with(0), "tar: whose last member is empty");
	ok(refuses("", 0), "tar: nothing is no archive");
	ok(refuses("hello", 5), "tar: text is no archive");
	tar_header("x", 5, block);
	ok(refuses(block, TAR_BLOCK), "tar: an archive that ends in a member is cut off");
	ok(takes_size((int64_t)1 << 45) && !takes_size(INT64_MAX),
	   "tar: a size that no file can have");
	block[0] = 'y';
	ok(refuses(block, TAR_BLOCK), "tar: a wrong checksum");
	return tap_done();
}
