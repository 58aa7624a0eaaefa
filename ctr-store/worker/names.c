/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/names.h"

#include <stdbool.h>
#include <string.h>

#define RESERVED NAME_WHITEOUT_MARK NAME_WHITEOUT_MARK

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int name_too_long(struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "name is longer than %d bytes", NAME_LEAF_MAX);
}

static int path_too_long(struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "path is longer than %d bytes", NAME_PATH_MAX);
}

/* Move the leaf to the end of the parent, to make place for the next component. */
static int descend(struct name *name, size_t *parent_length, struct error *err)
{
	size_t length = strlen(name->leaf);

	if (length > NAME_LEAF_MAX)
		return name_too_long(err);
	if (*parent_length + length + 2 > NAME_PATH_MAX)
		return path_too_long(err);
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
		if (length >= sizeof name->leaf)
			return name_too_long(err);
		if (name->leaf[0] && descend(name, &parent_length, err) < 0)
			return -1;
		memcpy(name->leaf, component, length);
		name->leaf[length] = '\0';
	}
	return 0;
}

/* Of what is left when a whiteout's mark is taken off. */
static int check_length(const struct name *name, struct error *err)
{
	size_t length = strlen(name->leaf);

	if (length > NAME_LEAF_MAX)
		return name_too_long(err);
	if (strlen(name->parent) + 1 + length > NAME_PATH_MAX)
		return path_too_long(err);
	return 0;
}

/* A directory named ".wh.…" cannot be part of an image; AUFS has some of its own. */
static int check_parent(struct name *name, struct error *err)
{
	for (const char *at = name->parent; *at; at += at[strcspn(at, "/")] == '/') {
		if (starts_with(at, RESERVED)) {
			name->kind = name->kind == NAME_ENTRY &&
						     strcmp(name->parent, NAME_AUFS_LINKS) == 0
					     ? NAME_LINKED
					     : NAME_IGNORED;
			return 0;
		}
		if (starts_with(at, NAME_WHITEOUT_MARK))
			return error_set(err, ERROR_INTEGRITY, "lies beneath a whiteout");
		at += strcspn(at, "/");
	}
	return 0;
}

static int parse_leaf(struct name *name, struct error *err)
{
	const char *hidden = name->leaf + NAME_WHITEOUT_LENGTH;

	if (!starts_with(name->leaf, NAME_WHITEOUT_MARK)) {
		name->kind = name->leaf[0] ? NAME_ENTRY : NAME_ROOT;
		return 0;
	}
	if (starts_with(hidden, NAME_WHITEOUT_MARK)) {
		name->kind =
			strcmp(hidden, NAME_WHITEOUT_MARK ".opq") == 0 ? NAME_OPAQUE : NAME_IGNORED;
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
	if (split(text, name, err) < 0 || parse_leaf(name, err) < 0 ||
	    check_length(name, err) < 0 || check_parent(name, err) < 0)
		return error_prefix(err, "entry \"%s\"", text);
	return 0;
}

int name_parse_target(const char *text, struct name *name, struct error *err)
{
	if (split(text, name, err) < 0 || check_length(name, err) < 0)
		return error_prefix(err, "link target \"%s\"", text);
	name->kind = name->leaf[0] ? NAME_ENTRY : NAME_ROOT;
	return 0;
}
