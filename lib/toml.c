/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/toml.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 16, KEY_PARTS_MAX = 16 };

/* How a key came to be, which decides what may still be added to its value. */
enum origin {
	ORIGIN_VALUE,	/* KEY = …: nothing */
	ORIGIN_DOTTED,	/* A in A.B = …: further dotted keys */
	ORIGIN_IMPLIED, /* A in [A.B]: its own header may follow */
	ORIGIN_HEADER,	/* [KEY] */
	ORIGIN_ARRAY,	/* [[KEY]]: further elements */
	ORIGIN_COUNT
};

struct parser {
	const char *at, *end;
	int line;
	const char *what;
	struct toml toml;
	json_t *table; /* that keys go into; borrowed from toml.root */
	int nesting;
	struct error *err;
};

static int fail(struct parser *parser, const char *problem)
{
	return error_set(parser->err, ERROR_INTEGRITY, "%s:%d: %s", parser->what, parser->line,
			 problem);
}

/* The same where NULL tells of it. */
static void *fail_null(struct parser *parser, const char *problem)
{
	fail(parser, problem);
	return NULL;
}

/* ---- places ---- */

static char *place_name(const json_t *table, const char *key)
{
	return xasprintf("%p %s", (const void *)table, key ? key : "");
}

static void note(struct parser *parser, const json_t *table, const char *key, enum origin origin)
{
	cleanup_free char *name = place_name(table, key);

	json_object_set_new(parser->toml.places, name,
			    json_integer((json_int_t)parser->line * ORIGIN_COUNT + (int)origin));
}

static json_int_t look_up(const struct toml *toml, const json_t *table, const char *key)
{
	cleanup_free char *name = place_name(table, key);

	return json_integer_value(json_object_get(toml->places, name));
}

static enum origin origin_of(const struct parser *parser, const json_t *table, const char *key)
{
	return (enum origin)(look_up(&parser->toml, table, key) % ORIGIN_COUNT);
}

int toml_line(const struct toml *toml, const json_t *table, const char *key)
{
	return (int)(look_up(toml, table, key) / ORIGIN_COUNT);
}

int toml_rename(struct toml *toml, json_t *table, const char *key, const char *name)
{
	json_t *value = json_object_get(table, key);
	cleanup_free char *from = place_name(table, key), *to = place_name(table, name);

	if (json_object_get(table, name))
		return -1;
	json_object_set(table, name, value);
	json_object_del(table, key);
	json_object_set(toml->places, to, json_object_get(toml->places, from));
	json_object_del(toml->places, from);
	return 0;
}

/* ---- white space ---- */

static bool is_next(const struct parser *parser, char c)
{
	return parser->at < parser->end && *parser->at == c;
}

static bool skip(struct parser *parser, char c)
{
	bool there = is_next(parser, c);

	parser->at += there;
	return there;
}

static void skip_blanks(struct parser *parser)
{
	while (is_next(parser, ' ') || is_next(parser, '\t'))
		parser->at++;
}

static bool skip_text(struct parser *parser, const char *text)
{
	size_t length = strlen(text);
	bool there = (size_t)(parser->end - parser->at) >= length &&
		     memcmp(parser->at, text, length) == 0;

	parser->at += there ? length : 0;
	return there;
}

static bool skip_newline(struct parser *parser)
{
	bool there = skip(parser, '\n') || skip_text(parser, "\r\n");

	parser->line += there;
	return there;
}

/* The end of a line, with a comment before it. False where something else is next. */
static bool skip_line_end(struct parser *parser)
{
	skip_blanks(parser);
	if (skip(parser, '#'))
		while (parser->at < parser->end && *parser->at != '\n')
			parser->at++;
	return parser->at == parser->end || skip_newline(parser);
}

static void skip_lines(struct parser *parser)
{
	while (parser->at < parser->end && skip_line_end(parser))
		continue;
}

/* ---- strings ---- */

static void add_byte(struct buffer *text, char byte)
{
	buffer_append(text, &byte, 1);
}

static void add_utf8(struct buffer *text, uint32_t c)
{
	static const unsigned char marks[] = { 0, 0xc0, 0xe0, 0xf0 };
	int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	add_byte(text, (char)(marks[more] | c >> 6 * more));
	while (more-- > 0)
		add_byte(text, (char)(0x80 | (c >> 6 * more & 0x3f)));
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int take_unicode(struct parser *parser, int digits, struct buffer *text)
{
	uint32_t c = 0;

	for (int i = 0; i < digits; i++) {
		int value = parser->at < parser->end ? hex_value(*parser->at++) : -1;

		if (value < 0)
			return fail(parser, "not an escape");
		c = c << 4 | (uint32_t)value;
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(parser, "an escape for no character");
	add_utf8(text, c);
	return 0;
}

static int take_escape(struct parser *parser, struct buffer *text)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	char c = parser->at < parser->end ? *parser->at++ : '\0';
	const char *name = c ? strchr(names, c) : NULL;

	if (c == 'u' || c == 'U')
		return take_unicode(parser, c == 'u' ? 4 : 8, text);
	if (!name)
		return fail(parser, "not an escape");
	add_byte(text, values[name - names]);
	return 0;
}

/* One character of a string, or an escape, which literal strings have none of. */
static int take_character(struct parser *parser, char quote, struct buffer *text)
{
	char c = *parser->at++;

	if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
		return fail(parser, "a control character in a string");
	if (c == '\\' && quote == '"')
		return take_escape(parser, text);
	add_byte(text, c);
	return 0;
}

/* The rest of a string on one line, behind its quote. */
static int take_line_string(struct parser *parser, char quote, struct buffer *text)
{
	while (!skip(parser, quote)) {
		if (parser->at == parser->end || is_next(parser, '\n') || is_next(parser, '\r'))
			return fail(parser, "the string does not end on its line");
		if (take_character(parser, quote, text) < 0)
			return -1;
	}
	return 0;
}

/* A backslash at the end of a line, with the white space up to what follows on a later one. */
static bool skip_joined_lines(struct parser *parser)
{
	const char *start = parser->at;

	if (!skip(parser, '\\'))
		return false;
	skip_blanks(parser);
	if (!skip_newline(parser)) {
		parser->at = start;
		return false;
	}
	do
		skip_blanks(parser);
	while (skip_newline(parser));
	return true;
}

/* The rest of a string over several lines, behind its three quotes. Up to two more of them may
 * stand before the three that end it. */
static int take_lines_string(struct parser *parser, char quote, struct buffer *text)
{
	const char fence[] = { quote, quote, quote, '\0' };

	skip_newline(parser);
	while (!skip_text(parser, fence)) {
		const char *start = parser->at;

		if (parser->at == parser->end)
			return fail(parser, "the string does not end");
		if (skip_newline(parser))
			buffer_append(text, start, (size_t)(parser->at - start));
		else if (!(quote == '"' && skip_joined_lines(parser)) &&
			 take_character(parser, quote, text) < 0)
			return -1;
	}
	for (int more = 0; more < 2 && skip(parser, quote); more++)
		add_byte(text, quote);
	return 0;
}

/* A basic or literal string, whose quote is next. The caller frees the result. */
static char *take_string(struct parser *parser, bool may_have_lines)
{
	cleanup_buffer struct buffer text = { 0 };
	char quote = *parser->at++;
	const char fence[] = { quote, quote, '\0' };
	bool has_lines = may_have_lines && skip_text(parser, fence);

	if ((has_lines ? take_lines_string : take_line_string)(parser, quote, &text) < 0)
		return NULL;
	return buffer_take_text(&text);
}

/* ---- keys ---- */

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* One part of a key. The caller frees it. */
static char *take_key_part(struct parser *parser)
{
	const char *start = parser->at;

	if (is_next(parser, '"') || is_next(parser, '\''))
		return take_string(parser, false);
	while (parser->at < parser->end && is_bare(*parser->at))
		parser->at++;
	if (parser->at > start)
		return xstrndup(start, (size_t)(parser->at - start));
	return fail_null(parser, "a key is missing");
}

static int take_key(struct parser *parser, struct strings *parts)
{
	do {
		skip_blanks(parser);
		cleanup_free char *part = take_key_part(parser);

		if (!part)
			return -1;
		if (parts->count == KEY_PARTS_MAX)
			return fail(parser, "the key has too many parts");
		strings_add(parts, part);
		skip_blanks(parser);
	} while (skip(parser, '.'));
	return 0;
}

/* ---- values ---- */

static json_t *take_value(struct parser *parser);
static int take_pair(struct parser *parser, json_t *table);

static json_t *take_array(struct parser *parser)
{
	json_auto_t *array = json_array();

	skip_lines(parser);
	while (!skip(parser, ']')) {
		json_t *value = take_value(parser);

		if (!value)
			return NULL;
		json_array_append_new(array, value);
		skip_lines(parser);
		if (!skip(parser, ',') && !is_next(parser, ']'))
			return fail_null(parser, "the array lacks a comma or its end");
		skip_lines(parser);
	}
	return steal_ptr(&array);
}

static json_t *take_inline_table(struct parser *parser)
{
	json_auto_t *table = json_object();

	note(parser, table, NULL, ORIGIN_VALUE);
	skip_blanks(parser);
	if (skip(parser, '}'))
		return steal_ptr(&table);
	do {
		skip_blanks(parser);
		if (take_pair(parser, table) < 0)
			return NULL;
		skip_blanks(parser);
	} while (skip(parser, ','));
	if (skip(parser, '}'))
		return steal_ptr(&table);
	return fail_null(parser, "the inline table lacks a comma or its end");
}

/* true, false, or a whole number */
static json_t *take_word(struct parser *parser)
{
	const char *start = parser->at;
	char *number_end;

	while (parser->at < parser->end && *parser->at &&
	       (is_bare(*parser->at) || strchr("+.:", *parser->at)))
		parser->at++;
	cleanup_free char *word = xstrndup(start, (size_t)(parser->at - start));
	const char *digits = word + (word[0] == '+' || word[0] == '-');
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		return json_boolean(word[0] == 't');
	errno = 0;
	long long number = strtoll(word, &number_end, 10);
	bool is_number = digits[0] >= '0' && digits[0] <= '9' && *number_end == '\0' && !errno;
	if (is_number && (digits[0] != '0' || digits[1] == '\0'))
		return json_integer(number);
	return fail_null(parser, "not a value: a string in quotes, true, false, a whole number, "
				 "an array or an inline table");
}

static json_t *take_string_value(struct parser *parser)
{
	cleanup_free char *text = take_string(parser, true);
	json_t *value = text ? json_string(text) : NULL;

	if (text && !value)
		fail(parser, "the string is not UTF-8");
	return value;
}

static json_t *take_value(struct parser *parser)
{
	json_t *value;

	if (is_next(parser, '"') || is_next(parser, '\''))
		return take_string_value(parser);
	if (!is_next(parser, '[') && !is_next(parser, '{'))
		return take_word(parser);
	if (parser->nesting == NESTING_MAX)
		return fail_null(parser, "the value is nested too deeply");
	parser->nesting++;
	value = *parser->at++ == '[' ? take_array(parser) : take_inline_table(parser);
	parser->nesting--;
	return value;
}

/* ---- tables ---- */

/* Add a key that is new. json_object_set_new() takes the value over also where it fails. */
static int add(struct parser *parser, json_t *table, const char *key, json_t *value,
	       enum origin origin)
{
	if (json_object_get(table, key)) {
		json_decref(value);
		return fail(parser, "the key is there already");
	}
	if (json_object_set_new(table, key, value) < 0)
		return fail(parser, "the key is not UTF-8");
	note(parser, table, key, origin);
	if (json_is_object(value) && origin != ORIGIN_VALUE)
		note(parser, value, NULL, origin);
	return 0;
}

/* The table at a key, which comes to be where it is missing. */
static json_t *descend(struct parser *parser, json_t *table, const char *key, bool is_dotted)
{
	json_t *next = json_object_get(table, key);
	enum origin origin = origin_of(parser, table, key);

	if (!next) {
		next = json_object();
		return add(parser, table, key, next, is_dotted ? ORIGIN_DOTTED : ORIGIN_IMPLIED) < 0
			       ? NULL
			       : next;
	}
	if (is_dotted ? origin == ORIGIN_DOTTED : origin != ORIGIN_VALUE)
		return origin == ORIGIN_ARRAY ? json_array_get(next, json_array_size(next) - 1)
					      : next;
	return fail_null(parser, "a part of the key is there already and cannot be extended");
}

/* KEY = VALUE */
static int take_pair(struct parser *parser, json_t *table)
{
	cleanup_strings struct strings key = { 0 };

	if (take_key(parser, &key) < 0)
		return -1;
	if (!skip(parser, '='))
		return fail(parser, "\"=\" is missing after the key");
	for (size_t i = 0; i + 1 < key.count; i++) {
		table = descend(parser, table, key.items[i], true);
		if (!table)
			return -1;
	}
	skip_blanks(parser);
	/* an array may end lines further down: the key is where it begins */
	int line = parser->line;
	json_t *value = take_value(parser);
	if (!value)
		return -1;
	int end_line = parser->line;
	parser->line = line;
	if (add(parser, table, key.items[key.count - 1], value, ORIGIN_VALUE) < 0)
		return -1;
	parser->line = end_line;
	return 0;
}

static int open_array_element(struct parser *parser, json_t *parent, const char *key)
{
	json_t *array = json_object_get(parent, key);

	if (!array) {
		array = json_array();
		if (add(parser, parent, key, array, ORIGIN_ARRAY) < 0)
			return -1;
	} else if (origin_of(parser, parent, key) != ORIGIN_ARRAY) {
		return fail(parser, "the key is there already, and no array of tables");
	}
	parser->table = json_object();
	json_array_append_new(array, parser->table);
	note(parser, parser->table, NULL, ORIGIN_ARRAY);
	return 0;
}

static int open_table(struct parser *parser, json_t *parent, const char *key)
{
	json_t *table = json_object_get(parent, key);

	if (!table) {
		table = json_object();
		if (add(parser, parent, key, table, ORIGIN_HEADER) < 0)
			return -1;
	} else if (origin_of(parser, parent, key) != ORIGIN_IMPLIED) {
		return fail(parser, "the table is there already");
	}
	note(parser, parent, key, ORIGIN_HEADER);
	note(parser, table, NULL, ORIGIN_HEADER);
	parser->table = table;
	return 0;
}

/* [KEY] or [[KEY]] */
static int take_header(struct parser *parser)
{
	cleanup_strings struct strings key = { 0 };
	json_t *parent = parser->toml.root;

	parser->at++;
	bool is_array = skip(parser, '[');
	if (take_key(parser, &key) < 0)
		return -1;
	if (!skip(parser, ']') || (is_array && !skip(parser, ']')))
		return fail(parser, "the header does not end");
	for (size_t i = 0; i + 1 < key.count; i++) {
		parent = descend(parser, parent, key.items[i], false);
		if (!parent)
			return -1;
	}
	const char *last = key.items[key.count - 1];
	return is_array ? open_array_element(parser, parent, last)
			: open_table(parser, parent, last);
}

/* What editors of other systems put before UTF-8. */
static void skip_byte_order_mark(struct parser *parser)
{
	static const char mark[] = { '\xef', '\xbb', '\xbf' };

	if ((size_t)(parser->end - parser->at) >= sizeof mark &&
	    memcmp(parser->at, mark, sizeof mark) == 0)
		parser->at += sizeof mark;
}

int toml_parse(const char *text, size_t length, const char *what, struct toml *toml,
	       struct error *err)
{
	struct parser parser = {
		.at = text,
		.end = text + length,
		.line = 1,
		.what = what,
		.toml = { .root = json_object(), .places = json_object() },
		.err = err,
	};
	int status = 0;

	parser.table = parser.toml.root;
	skip_byte_order_mark(&parser);
	for (skip_lines(&parser); status == 0 && parser.at < parser.end; skip_lines(&parser)) {
		skip_blanks(&parser);
		status = is_next(&parser, '[') ? take_header(&parser)
					       : take_pair(&parser, parser.table);
		if (status == 0 && !skip_line_end(&parser))
			status = fail(&parser, "something follows on the line");
	}
	if (status < 0) {
		toml_free(&parser.toml);
		return -1;
	}
	*toml = parser.toml;
	return 0;
}

void toml_free(struct toml *toml)
{
	json_decref(toml->root);
	json_decref(toml->places);
	*toml = (struct toml){ 0 };
}
