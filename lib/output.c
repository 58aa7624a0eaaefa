/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/output.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/printable.h"

#include <float.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool output_is_for_people(const struct cli *cli)
{
	if (cli->output == OUTPUT_AUTO)
		return isatty(STDOUT_FILENO);
	return cli->output == OUTPUT_TABLE;
}

/* JSON without control characters, of which jansson escapes those below U+0020 only; the newlines
 * between its lines stay. */
static void print_json(const char *json)
{
	const char *begin = json;

	for (size_t length; *json; json += length ? length : 1) {
		length = *json == '\n' ? 0 : printable_control_length(json);
		if (length == 0)
			continue;
		fwrite(begin, 1, (size_t)(json - begin), stdout);
		begin = json + length;
		printf("\\u%04x", (unsigned char)begin[-1]);
	}
	puts(begin);
}

int output_text(const char *text, struct error *err)
{
	print_json(text);
	return fflush(stdout) != 0 || ferror(stdout) ? error_os(err, "standard output") : 0;
}

int output_object(const struct cli *cli, const json_t *object, struct error *err)
{
	cleanup_free char *text =
		output_is_for_people(cli)
			? json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY)
			: json_compact(object);

	return output_text(text ? text : "null", err);
}

int output_lines(const struct cli *cli, const json_t *object, struct error *err)
{
	if (cli->output == OUTPUT_JSON)
		return output_object(cli, object, err);
	cleanup_free char *text = json_dumps(object, JSON_INDENT(4) | JSON_ENCODE_ANY);
	return output_text(text ? text : "null", err);
}

static char *join(const json_t *array)
{
	struct buffer text = { 0 };
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		const char *one = json_string_value(item);

		buffer_add(&text, i ? "," : "");
		buffer_add(&text, one ? one : "?");
	}
	return buffer_take_text(&text);
}

/* 1024-based, as ls -h does: "1.5M". */
static char *size_text(json_int_t bytes)
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	if (unit == 0)
		return xasprintf("%lldB", (long long)bytes);
	return xasprintf(value < 10 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

/* What a key, or several with dots between them, leads to. */
static const json_t *find(const json_t *row, const char *key)
{
	for (size_t length; row; key += length + 1) {
		length = strcspn(key, ".");
		cleanup_free char *one = xstrndup(key, length);

		row = json_object_get(row, one);
		if (!key[length])
			break;
	}
	return row;
}

static char *cell_text(const json_t *row, const struct output_column *column)
{
	const json_t *value = find(row, column->key);
	const char *text = json_string_value(value);

	if (column->kind == COLUMN_DIGEST && text && digest_is_valid(text))
		return xstrndup(digest_hex(text), 12);
	if (column->kind == COLUMN_SIZE && json_is_integer(value))
		return size_text(json_integer_value(value));
	if (text)
		return xstrdup(text);
	if (json_is_array(value))
		return join(value);
	return !value || json_is_null(value) ? xstrdup("-") : json_compact(value);
}

/* Bytes from outside must not move a terminal's cursor. */
static void print_cell(char *text, size_t width)
{
	printable_hide_controls(text);
	printf("%-*s", (int)width, text);
}

static int print_table(const json_t *rows, const struct output_column *columns, size_t count,
		       struct error *err)
{
	cleanup_free size_t *widths = xcalloc(count, sizeof *widths);
	const json_t *row;
	size_t i;

	for (size_t c = 0; c < count; c++)
		widths[c] = strlen(columns[c].title);
	json_array_foreach (rows, i, row) {
		for (size_t c = 0; c < count; c++) {
			cleanup_free char *text = cell_text(row, &columns[c]);

			if (strlen(text) > widths[c])
				widths[c] = strlen(text);
		}
	}
	for (size_t c = 0; c < count; c++)
		printf("%-*s%s", c + 1 < count ? (int)widths[c] : 0, columns[c].title,
		       c + 1 < count ? "  " : "\n");
	json_array_foreach (rows, i, row) {
		for (size_t c = 0; c < count; c++) {
			cleanup_free char *text = cell_text(row, &columns[c]);

			print_cell(text, c + 1 < count ? widths[c] : 0);
			fputs(c + 1 < count ? "  " : "\n", stdout);
		}
	}
	return ferror(stdout) ? error_os(err, "standard output") : 0;
}

int output_json_lines(const json_t *rows, struct error *err)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		/* in so many digits what the kernel says is 0.43, not 0.42999999999999999 */
		size_t digits = JSON_REAL_PRECISION(DBL_DIG);
		cleanup_free char *text =
			json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | digits);

		print_json(text ? text : "null");
	}
	return ferror(stdout) ? error_os(err, "standard output") : 0;
}

int output_list(const struct cli *cli, const json_t *rows, const struct output_column *columns,
		struct error *err)
{
	size_t count = 0;

	while (columns[count].title)
		count++;
	return output_is_for_people(cli) ? print_table(rows, columns, count, err)
					 : output_json_lines(rows, err);
}
