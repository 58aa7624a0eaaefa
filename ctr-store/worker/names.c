/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/names.h"

#include <stdbool.h>
#include <string.h>

#define WHITEOUT ".wh."
#define RESERVED WHITEOUT WHITEOUT

enum { WHITEOUT_LENGTH = sizeof WHITEOUT - 1 };

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Move the leaf to the end of the parent, to make place for the next component. */
static int descend(struct name *name, size_t *parent_length, struct error *err)
{
	size_t length = strlen(name->leaf);

	if (*parent_length + length + 2 > NAME_PATH_MAX)
		return error_set(err, ERROR_INTEGRITY, "path is longer than %d bytes",
				 NAME_PATH_MAX);
	if (*parent_length > 0)
		name->parent[(*parent_length)++] = '/';
	memcpy(name->parent + *parent_length, name->leaf, length + 1);
	*parent_length += length;
	return 0;
}

/* Split into parent and leaf; both are empty for the root. */
static int split(const char *text, struct name *name, struct error *err)
{
	size_t parent_length = 0;

	name->parent[0] = '\0';
	name->leaf[0] = '\0';
	for (const char *at = text; *at;) {
		size_t length = strcspn(at, "/");
		const char *component = at;

		at += length + (at[length] == '/');
		if (length == 0 || (length == 1 && component[0] == '.'))
			continue;
		if (length == 2 && component[0] == '.' && component[1] == '.')
			return error_set(err, ERROR_INTEGRITY, "\"..\" in its name");
		if (length > NAME_LEAF_MAX)
			return error_set(err, ERROR_INTEGRITY, "name is longer than %d bytes",
					 NAME_LEAF_MAX);
		if (name->leaf[0] && descend(name, &parent_length, err) < 0)
			return -1;
		memcpy(name->leaf, component, length);
		name->leaf[length] = '\0';
	}
	if (parent_length + 1 + strlen(name->leaf) > NAME_PATH_MAX)
		return error_set(err, ERROR_INTEGRITY, "path is longer than %d bytes",
				 NAME_PATH_MAX);
	return 0;
}

/* A directory named ".wh.…" cannot be part of an image; AUFS has some of its own. */
static int check_parent(struct name *name, struct error *err)
{
	for (const char *at = name->parent; *at; at += at[strcspn(at, "/")] == '/') {
		if (starts_with(at, RESERVED)) {
			name->kind = NAME_IGNORED;
			return 0;
		}
		if (starts_with(at, WHITEOUT))
			return error_set(err, ERROR_INTEGRITY, "lies beneath a whiteout");
		at += strcspn(at, "/");
	}
	return 0;
}

static int parse_leaf(struct name *name, struct error *err)
{
	const char *hidden = name->leaf + WHITEOUT_LENGTH;

	if (!starts_with(name->leaf, WHITEOUT)) {
		name->kind = name->leaf[0] ? NAME_ENTRY : NAME_ROOT;
		return 0;
	}
	if (starts_with(hidden, WHITEOUT)) {
		name->kind = strcmp(hidden, WHITEOUT ".opq") == 0 ? NAME_OPAQUE : NAME_IGNORED;
		return 0;
	}
	if (hidden[0] == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return error_set(err, ERROR_INTEGRITY, "a whiteout of nothing");
	name->kind = NAME_WHITEOUT;
	memmove(name->leaf, hidden, strlen(hidden) + 1);
	return 0;
}

int name_parse(const char *text, struct name *name, struct error *err)
{
	if (split(text, name, err) < 0 || parse_leaf(name, err) < 0 || check_parent(name, err) < 0)
		return error_prefix(err, "entry \"%s\"", text);
	return 0;
}

int name_parse_target(const char *text, struct name *name, struct error *err)
{
	if (split(text, name, err) < 0)
		return error_prefix(err, "link target \"%s\"", text);
	name->kind = name->leaf[0] ? NAME_ENTRY : NAME_ROOT;
	return 0;
}
