/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/files_difference.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

/* What one layer says of a path. */
struct saying {
	const struct layer_file *file;
	size_t layer, number; /* of the layer in the stack, of the saying in all of it */
	const struct layer_file *same_as; /* of a hard link: the file, or NULL */
};

/* What a stack as a whole says of a path. */
struct state {
	const char *path;
	const struct saying *saying; /* NULL: only that what is below is gone */
	bool is_opaque;
};

struct view {
	struct saying *sayings; /* sorted by path, then by number */
	size_t count;
	struct state *states; /* sorted by path */
	size_t state_count;
};

static void view_free(struct view *view)
{
	free(view->sayings);
	free(view->states);
}

#define cleanup_view __attribute__((cleanup(view_free)))

/* ---- putting layers on top of each other ---- */

/* What is in a directory follows it at once: a "/" is less than any other byte. */
static int compare_paths(const char *one, const char *other)
{
	for (; *one && *one == *other; one++)
		other++;
	int a = *one == '/' ? 1 : *one ? (unsigned char)*one + 1 : 0;
	int b = *other == '/' ? 1 : *other ? (unsigned char)*other + 1 : 0;

	return a - b;
}

static int compare_sayings(const void *one, const void *other)
{
	const struct saying *a = one, *b = other;
	int order = compare_paths(a->file->path, b->file->path);

	return order ? order : (a->number > b->number) - (a->number < b->number);
}

static void collect(const struct layer_stack *stack, struct view *view)
{
	size_t total = 0, n = 0;

	for (size_t i = 0; i < stack->count; i++)
		total += stack->layers[i]->count;
	view->sayings = xcalloc(total + 1, sizeof *view->sayings);
	for (size_t i = 0; i < stack->count; i++)
		for (size_t j = 0; j < stack->layers[i]->count; j++, n++)
			view->sayings[n] =
				(struct saying){ &stack->layers[i]->items[j], i, n, NULL };
	view->count = total;
	qsort(view->sayings, total, sizeof *view->sayings, compare_sayings);
}

/* The last saying of a path before that one, which is a hard link to it. */
static const struct saying *find_target(const struct view *view, const struct saying *link)
{
	struct error ignored;
	cleanup_free char *path = layer_path(link->file->link, &ignored);
	const struct layer_file file = { .path = path };
	const struct saying wanted = { &file, link->layer, link->number, NULL };
	size_t low = 0, high = view->count;

	if (!path)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_sayings(&view->sayings[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	const struct saying *found = low > 0 ? &view->sayings[low - 1] : NULL;
	return found && found->file->kind == LAYER_MEMBER && strcmp(found->file->path, path) == 0
		       ? found
		       : NULL;
}

/* Which of several names of a file is the link is chance. In the order of the layers, so that what
 * a link leads to is known before a link to that link asks. */
static void resolve_links(struct view *view)
{
	cleanup_free size_t *places = xcalloc(view->count + 1, sizeof *places);

	for (size_t i = 0; i < view->count; i++)
		places[view->sayings[i].number] = i;
	for (size_t number = 0; number < view->count; number++) {
		struct saying *link = &view->sayings[places[number]];
		const struct saying *target =
			link->file->type == '1' ? find_target(view, link) : NULL;

		if (target)
			link->same_as = target->file->type == '1' ? target->same_as : target->file;
	}
}

/* From which layer on what is in a directory counts; from 0 all of it. */
struct level {
	const char *path;
	size_t length, from;
};

static bool is_within(const struct level *level, const char *path)
{
	return level->length == 0 ||
	       (strncmp(path, level->path, level->length) == 0 && path[level->length] == '/');
}

/* Take together what is said of one path; `level` is its own, inherited from above. */
static struct state fold(const struct saying *sayings, size_t count, struct level *level)
{
	struct state state = { .path = sayings->file->path };
	size_t inherited = level->from;

	for (size_t i = 0; i < count; i++) {
		const struct saying *saying = &sayings[i];

		if (saying->layer < inherited)
			continue;
		if (saying->file->kind != LAYER_MEMBER || saying->file->type != '5')
			level->from = saying->layer;
		if (saying->file->kind == LAYER_OPAQUE) {
			state.is_opaque = true;
			continue;
		}
		/* a whiteout is about what is in lower layers */
		if (saying->file->kind == LAYER_WHITEOUT && state.saying &&
		    state.saying->layer == saying->layer)
			continue;
		state.saying = saying;
	}
	state.is_opaque =
		state.is_opaque && (!state.saying || (state.saying->file->kind == LAYER_MEMBER &&
						      state.saying->file->type == '5'));
	return state;
}

static void put_together(struct view *view)
{
	/* a path has as many levels as it has parts, and one for the root */
	cleanup_free struct level *levels = xcalloc(TAR_NAME_MAX + 2, sizeof *levels);
	size_t depth = 0;

	view->states = xcalloc(view->count + 1, sizeof *view->states);
	for (size_t i = 0, same; i < view->count; i += same) {
		const char *path = view->sayings[i].file->path;

		for (same = 1; i + same < view->count &&
			       strcmp(view->sayings[i + same].file->path, path) == 0;)
			same++;
		while (depth > 0 && !is_within(&levels[depth - 1], path))
			depth--;
		levels[depth] = (struct level){ path, strlen(path),
						depth > 0 ? levels[depth - 1].from : 0 };
		struct state state = fold(&view->sayings[i], same, &levels[depth++]);
		if (state.saying || state.is_opaque)
			view->states[view->state_count++] = state;
	}
}

static void make_view(const struct layer_stack *stack, struct view *view)
{
	collect(stack, view);
	resolve_links(view);
	put_together(view);
}

/* ---- what is told ---- */

/* JSON holds no text that is not UTF-8. */
static json_t *text(const char *bytes)
{
	json_t *string = json_string(bytes);

	if (string)
		return string;
	cleanup_free char *shown = xstrdup(bytes);
	for (char *c = shown; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(shown);
}

static const char *type_name(char type)
{
	switch (type) {
	case '1':
		return "hardlink";
	case '2':
		return "symlink";
	case '3':
		return "character";
	case '4':
		return "block";
	case '5':
		return "directory";
	case '6':
		return "fifo";
	default:
		return "file";
	}
}

static void tell_special(json_t *row, const struct layer_file *file)
{
	if (file->type == '1' || file->type == '2')
		json_object_set_new(row, "target", text(file->link));
	if (file->type == '3' || file->type == '4') {
		cleanup_free char *device =
			xasprintf("%lld:%lld", (long long)file->major, (long long)file->minor);

		json_object_set_new(row, "device", json_string(device));
	}
}

static const struct layer_file *file_of(const struct state *state)
{
	return state->saying->same_as ? state->saying->same_as : state->saying->file;
}

static json_t *describe(const struct state *state)
{
	json_t *row = json_object();
	char mode[8];

	if (state->is_opaque)
		json_object_set_new(row, "opaque", json_true());
	if (!state->saying)
		return row;
	if (state->saying->file->kind == LAYER_WHITEOUT) {
		json_object_set_new(row, "type", json_string("removed"));
		return row;
	}
	const struct layer_file *file = file_of(state);
	json_object_set_new(row, "type", json_string(type_name(file->type)));
	tell_special(row, file);
	if (file->type == '1')
		return row;
	snprintf(mode, sizeof mode, "%04llo", (unsigned long long)file->mode & 07777);
	json_object_set_new(row, "mode", json_string(mode));
	json_object_set_new(row, "uid", json_integer(file->uid));
	json_object_set_new(row, "gid", json_integer(file->gid));
	if (file->digest[0]) {
		json_object_set_new(row, "size", json_integer(file->size));
		json_object_set_new(row, "digest", json_string(file->digest));
	}
	if (file->attributes)
		json_object_set(row, "xattrs", file->attributes);
	return row;
}

/* Two states with the same description: targets that are not UTF-8 look alike in it. */
static bool have_same_target(const struct state *a, const struct state *b)
{
	if (!a->saying || a->saying->file->kind != LAYER_MEMBER)
		return true;
	const char *one = file_of(a)->link, *other = file_of(b)->link;

	return !one || !other || strcmp(one, other) == 0;
}

/* The row of a path, or NULL where both say the same. */
static json_t *compare(const char *path, const struct state *a, const struct state *b)
{
	json_auto_t *of_a = a ? describe(a) : NULL, *of_b = b ? describe(b) : NULL;

	if (of_a && of_b && json_equal(of_a, of_b) && have_same_target(a, b))
		return NULL;
	cleanup_free char *full = xasprintf("/%s", path);
	json_t *row = json_pack("{s:o}", "path", text(full));
	if (of_a)
		json_object_set(row, "A", of_a);
	if (of_b)
		json_object_set(row, "B", of_b);
	return row;
}

int files_difference(const struct layer_stack *a, const struct layer_stack *b,
		     int (*tell)(void *context, json_t *row, struct error *err), void *context,
		     struct error *err)
{
	cleanup_view struct view of_a = { 0 }, of_b = { 0 };
	size_t i = 0, j = 0;

	make_view(a, &of_a);
	make_view(b, &of_b);
	while (i < of_a.state_count || j < of_b.state_count) {
		const struct state *one = &of_a.states[i], *other = &of_b.states[j];
		int order = i == of_a.state_count   ? 1
			    : j == of_b.state_count ? -1
						    : compare_paths(one->path, other->path);
		json_t *row = compare(order <= 0 ? one->path : other->path, order <= 0 ? one : NULL,
				      order >= 0 ? other : NULL);

		if (row && tell(context, row, err) < 0)
			return -1;
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}
