/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that cannot fail: out of memory prints one line and exits with status 9, since a
 * short-lived process can do no better. Callers own what is returned and free() it.
 */
#pragma once
#include <stddef.h>

void *xcalloc(size_t count, size_t size) __attribute__((returns_nonnull, malloc));
void *xreallocarray(void *pointer, size_t count, size_t size) __attribute__((returns_nonnull));
/* The list with room for one more than the `count` items that it has. It grows by this alone, from
 * NULL and 0: whenever it is full, its room is a power of two, which doubles. */
void *xgrow(void *list, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((returns_nonnull, malloc));
char *xstrndup(const char *text, size_t length) __attribute__((returns_nonnull, malloc));
char *xasprintf(const char *format, ...)
	__attribute__((returns_nonnull, malloc, format(printf, 1, 2)));

/* A growing list of strings that it owns, always NULL-terminated once it is not empty, so `items`
 * can serve as an argv. Zero-initialise it. */
struct strings {
	char **items;
	size_t count;
};

void strings_add(struct strings *list, const char *text);
void strings_addf(struct strings *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void strings_sort(struct strings *list);
void strings_free(struct strings *list);
#define cleanup_strings __attribute__((cleanup(strings_free)))
