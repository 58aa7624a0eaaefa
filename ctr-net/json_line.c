/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/json_line.h"

#include <stdlib.h>
#include <string.h>

struct scan {
	const char *at, *end;
	int line;
};

static char peek(const struct scan *scan)
{
	return scan->at < scan->end ? *scan->at : '\0';
}

static void advance(struct scan *scan)
{
	if (scan->at == scan->end)
		return;
	if (*scan->at++ == '\n')
		scan->line++;
}

/* What stands between values. */
static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n,:", *scan->at))
		advance(scan);
}

static void skip_string(struct scan *scan)
{
	for (advance(scan); scan->at < scan->end && *scan->at != '"'; advance(scan))
		if (*scan->at == '\\')
			advance(scan);
	advance(scan);
}

static void skip_value(struct scan *scan)
{
	int depth = 0;

	do {
		char c = peek(scan);

		if (c == '"') {
			skip_string(scan);
		} else if (c == '{' || c == '[') {
			depth++;
			advance(scan);
		} else if (c == '}' || c == ']') {
			depth--;
			advance(scan);
		} else if (depth > 0) {
			advance(scan);
		} else {
			while (scan->at < scan->end && !strchr(" \t\r\n,:]}", *scan->at))
				advance(scan);
		}
	} while (depth > 0 && scan->at < scan->end);
}

/* From the opening bracket to the value under that key or index; *line is of its key. */
static bool enter(struct scan *scan, const char *token, size_t length, int *line)
{
	bool is_object = peek(scan) == '{';

	if (!is_object && peek(scan) != '[')
		return false;
	advance(scan);
	for (unsigned long index = 0;; index++) {
		skip_space(scan);
		if (scan->at == scan->end || *scan->at == '}' || *scan->at == ']')
			return false;

		int at_line = scan->line;
		const char *key = scan->at + 1;
		bool wanted = !is_object && index == strtoul(token, NULL, 10);
		if (is_object) {
			skip_string(scan);
			wanted = (size_t)(scan->at - 1 - key) == length &&
				 memcmp(key, token, length) == 0;
			skip_space(scan);
		}
		if (wanted) {
			*line = at_line;
			return true;
		}
		skip_value(scan);
	}
}

int json_line_of(const char *text, size_t length, const char *pointer, bool *found)
{
	struct scan scan = { text, text + length, 1 };
	int line;

	skip_space(&scan);
	line = scan.line;
	*found = true;
	while (*found && *pointer == '/') {
		size_t token_length = strcspn(++pointer, "/");

		*found = enter(&scan, pointer, token_length, &line);
		pointer += token_length;
	}
	return line;
}
