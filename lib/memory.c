/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/memory.h"

#include "lib/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void) __attribute__((noreturn));

static void out_of_memory(void)
{
	fputs("out of memory\n", stderr);
	_Exit(ERROR_LIMIT);
}

void *xcalloc(size_t count, size_t size)
{
	void *pointer = calloc(count ? count : 1, size ? size : 1);

	if (!pointer)
		out_of_memory();
	return pointer;
}

void *xreallocarray(void *pointer, size_t count, size_t size)
{
	void *grown = reallocarray(pointer, count ? count : 1, size ? size : 1);

	if (!grown)
		out_of_memory();
	return grown;
}

void *xgrow(void *list, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return list;
	return xreallocarray(list, count > 0 ? 2 * count : 1, size);
}

char *xstrdup(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		out_of_memory();
	return copy;
}

char *xstrndup(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		out_of_memory();
	return copy;
}

static char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static char *xvasprintf(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		out_of_memory();
	return text;
}

char *xasprintf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	return text;
}

static void add_owned(struct strings *list, char *text)
{
	/* beside the text the NULL */
	list->items = xgrow(list->items, list->count + 1, sizeof *list->items);
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

void strings_add(struct strings *list, const char *text)
{
	add_owned(list, xstrdup(text));
}

void strings_addf(struct strings *list, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_owned(list, xvasprintf(format, args));
	va_end(args);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof *list->items, compare);
}

void strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){ 0 };
}
