/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml.h"

#include "lib/cleanup.h"
#include "lib/library.h"
#include "lib/memory.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { COPIED_MAX = 10000, COPIED_BYTES_MAX = 1 << 20 };

#define FUNCTIONS(X)                                                                               \
	X(event_delete)                                                                            \
	X(parser_delete)                                                                           \
	X(parser_initialize)                                                                       \
	X(parser_parse)                                                                            \
	X(parser_set_encoding)                                                                     \
	X(parser_set_input_string)

static struct yaml_functions {
#define X(name) __typeof__(yaml_##name) *name;
	FUNCTIONS(X)
#undef X
} yaml; /* loaded once */

static int load(struct error *err)
{
	static const char *const symbols[] = {
#define X(name) "yaml_" #name,
		FUNCTIONS(X)
#undef X
			NULL
	};

	if (yaml.parser_parse)
		return 0;
	return library_load("libyaml-0.so.2", "YAML files need libyaml", symbols, &yaml, err);
}

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	int depth;
	json_t *anchors;     /* values by the names of their anchors */
	size_t copied;	     /* nodes that aliases have added */
	size_t copied_bytes; /* of text in them */
	const char *what;
	struct error *err;
};

static json_t *read_value(struct reader *reader);

__attribute__((format(printf, 3, 4))) static int refuse(struct reader *reader, enum error_kind kind,
							const char *format, ...)
{
	char problem[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, sizeof problem, format, arguments);
	va_end(arguments);
	return error_set(reader->err, kind, "%s:%zu: %s", reader->what,
			 reader->event.start_mark.line + 1, problem);
}

/* Go to the next event. */
static int advance(struct reader *reader)
{
	yaml.event_delete(&reader->event);
	if (yaml.parser_parse(&reader->parser, &reader->event))
		return 0;
	return error_set(reader->err, ERROR_INTEGRITY, "%s:%zu: %s", reader->what,
			 reader->parser.problem_mark.line + 1,
			 reader->parser.problem ? reader->parser.problem : "not valid YAML");
}

static int check_tag(struct reader *reader, const void *tag)
{
	return tag ? refuse(reader, ERROR_UNSUPPORTED, "tags are not supported") : 0;
}

/* The text of the current event, which is a scalar; borrowed from it. */
static const char *scalar_text(struct reader *reader)
{
	const char *text = (const char *)reader->event.data.scalar.value;

	if (check_tag(reader, reader->event.data.scalar.tag) < 0)
		return NULL;
	if (strlen(text) != reader->event.data.scalar.length) {
		refuse(reader, ERROR_INTEGRITY, "a NUL in a text");
		return NULL;
	}
	return text;
}

/* As YAML 1.2.2, 10.3.2 has it. */
static bool is_one_of(const char *text, const char *const words[3])
{
	return strcmp(text, words[0]) == 0 || strcmp(text, words[1]) == 0 ||
	       strcmp(text, words[2]) == 0;
}

static json_t *read_scalar(struct reader *reader)
{
	static const char *const nothing[] = { "null", "Null", "NULL" };
	static const char *const yes[] = { "true", "True", "TRUE" };
	static const char *const no[] = { "false", "False", "FALSE" };
	const char *text = scalar_text(reader);

	if (!text)
		return NULL;
	if (reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		if (!text[0] || strcmp(text, "~") == 0 || is_one_of(text, nothing))
			return json_null();
		if (is_one_of(text, yes) || is_one_of(text, no))
			return json_boolean(is_one_of(text, yes));
	}
	json_t *string = json_string(text);
	if (!string)
		refuse(reader, ERROR_INTEGRITY, "a text that is not UTF-8");
	return string;
}

static int read_items(struct reader *reader, json_t *list)
{
	for (;;) {
		if (advance(reader) < 0)
			return -1;
		if (reader->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		json_t *value = read_value(reader);
		if (!value)
			return -1;
		json_array_append_new(list, value);
	}
}

/* The current event as the key of a mapping: an object's member that is null, to be filled. */
static json_t *read_key(struct reader *reader, const json_t *object)
{
	if (reader->event.type != YAML_SCALAR_EVENT) {
		refuse(reader, ERROR_INTEGRITY, "a key that is not a text");
		return NULL;
	}
	const char *text = scalar_text(reader);
	if (text && json_object_get(object, text)) {
		refuse(reader, ERROR_INTEGRITY, "a second \"%s\"", text);
		return NULL;
	}
	return text ? json_string(text) : NULL;
}

/* "<<" (YAML's merge type, yaml.org/type/merge.html) */
static bool is_merge(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT &&
	       event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       strcmp((const char *)event->data.scalar.value, "<<") == 0;
}

/* Take the members of a mapping, or of each of a list of them, that the object has not. */
static int merge(struct reader *reader, json_t *object, json_t *merged)
{
	json_t *item;
	size_t i;

	if (json_is_object(merged))
		return json_object_update_missing(object, merged);
	json_array_foreach (merged, i, item) {
		if (json_is_object(item))
			json_object_update_missing(object, item);
		else
			merged = NULL;
	}
	return json_is_array(merged)
		       ? 0
		       : refuse(reader, ERROR_INTEGRITY, "\"<<\" that is not a mapping");
}

static int read_members(struct reader *reader, json_t *object)
{
	json_auto_t *merged = NULL; /* what the mapping says itself goes before that */

	for (;;) {
		if (advance(reader) < 0)
			return -1;
		if (reader->event.type == YAML_MAPPING_END_EVENT)
			return merged ? merge(reader, object, merged) : 0;
		bool merges = is_merge(&reader->event);
		if (merges && merged)
			return refuse(reader, ERROR_INTEGRITY, "a second \"<<\"");
		json_auto_t *key = read_key(reader, object);
		if (!key || advance(reader) < 0)
			return -1;
		json_t *value = read_value(reader);
		if (!value)
			return -1;
		if (merges)
			merged = value;
		else
			json_object_set_new(object, json_string_value(key), value);
	}
}

static json_t *read_collection(struct reader *reader, bool is_list)
{
	json_t *value = is_list ? json_array() : json_object();

	if (++reader->depth > YAML_DEPTH_MAX)
		refuse(reader, ERROR_INTEGRITY, "nested deeper than %d levels", YAML_DEPTH_MAX);
	else if ((is_list ? read_items(reader, value) : read_members(reader, value)) == 0) {
		reader->depth--;
		return value;
	}
	json_decref(value);
	return NULL;
}

/* Count the nodes of a value, until there are too many in all. */
static void count_copied(struct reader *reader, const json_t *value)
{
	const json_t *item;
	const char *key;
	size_t i;

	if (reader->copied++ > COPIED_MAX)
		return;
	reader->copied_bytes += json_string_length(value);
	json_array_foreach (value, i, item) {
		count_copied(reader, item);
	}
	json_object_foreach ((json_t *)value, key, item) {
		reader->copied_bytes += strlen(key);
		count_copied(reader, item);
	}
}

/* A copy, so that to change one is not to change the other. */
static json_t *read_alias(struct reader *reader)
{
	const char *name = (const char *)reader->event.data.alias.anchor;
	const json_t *value = json_object_get(reader->anchors, name);

	if (!value) {
		refuse(reader, ERROR_INTEGRITY, "no anchor \"%s\" before its alias", name);
		return NULL;
	}
	count_copied(reader, value);
	if (reader->copied > COPIED_MAX || reader->copied_bytes > COPIED_BYTES_MAX) {
		refuse(reader, ERROR_LIMIT, "aliases for more than %d values or %d bytes",
		       COPIED_MAX, COPIED_BYTES_MAX);
		return NULL;
	}
	return json_deep_copy(value);
}

static json_t *read_node(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;
	bool is_list = event->type == YAML_SEQUENCE_START_EVENT;

	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(reader);
	if (check_tag(reader,
		      is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag) < 0)
		return NULL;
	return read_collection(reader, is_list);
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT		  ? event->data.scalar.anchor
	       : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
							  : event->data.mapping_start.anchor;
}

/* The value that the current event begins; its last event is the current one afterwards. */
static json_t *read_value(struct reader *reader)
{
	if (reader->event.type == YAML_ALIAS_EVENT)
		return read_alias(reader);

	const char *name = (const char *)anchor_of(&reader->event);
	cleanup_free char *anchor = name ? xstrdup(name) : NULL;
	json_t *value = read_node(reader);
	if (value && anchor)
		json_object_set(reader->anchors, anchor, value);
	return value;
}

/* Go over an event that says nothing, to the one after it. */
static int skip(struct reader *reader)
{
	return advance(reader) < 0 ? -1 : advance(reader);
}

/* The stream's only document. */
static json_t *read_stream(struct reader *reader)
{
	/* the stream's beginning */
	if (skip(reader) < 0)
		return NULL;
	if (reader->event.type == YAML_STREAM_END_EVENT)
		return json_null();
	json_auto_t *value = advance(reader) < 0 ? NULL : read_value(reader);
	/* the document's end */
	if (!value || skip(reader) < 0)
		return NULL;
	if (reader->event.type != YAML_STREAM_END_EVENT) {
		refuse(reader, ERROR_UNSUPPORTED, "a second document");
		return NULL;
	}
	return json_incref(value);
}

json_t *yaml_parse(const char *text, size_t length, const char *what, struct error *err)
{
	json_auto_t *anchors = json_object();
	struct reader reader = { .anchors = anchors, .what = what, .err = err };
	json_t *value = NULL;

	if (load(err) < 0)
		return NULL;
	if (!yaml.parser_initialize(&reader.parser)) {
		error_set(err, ERROR_FAILED, "libyaml does not start");
		return NULL;
	}
	yaml.parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml.parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	value = read_stream(&reader);
	yaml.event_delete(&reader.event);
	yaml.parser_delete(&reader.parser);
	return value;
}

bool yaml_flag(const json_t *value, bool *flag)
{
	static const struct {
		const char *word;
		bool flag;
	} words[] = { { "y", true },  { "Y", true },  { "yes", true }, { "on", true },
		      { "n", false }, { "N", false }, { "no", false }, { "off", false } };
	const char *text = json_string_value(value);

	if (json_is_boolean(value))
		*flag = json_is_true(value);
	for (size_t i = 0; text && i < sizeof words / sizeof *words; i++) {
		if (strcmp(text, words[i].word) != 0)
			continue;
		*flag = words[i].flag;
		return true;
	}
	return json_is_boolean(value);
}
