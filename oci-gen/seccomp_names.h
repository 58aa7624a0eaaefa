/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of system calls are nearly all of a filter, and only who edits one looks into them: until
 * then they stand apart, as text. In the filter "names" is ["#N"] then, for the Nth of the lists,
 * which is as between the brackets of an array.
 */
#pragma once
#include "lib/memory.h"

#include <jansson.h>
#include <stddef.h>

/*
 * The text of a profile whose lists have been moved to `lists`, which is empty before, with a NUL
 * behind; the caller frees it. What was not JSON is not JSON. NULL, and no lists, where something
 * might be taken for what stands for a list: the profile is to be read as it is then.
 */
char *seccomp_names_take(const char *text, size_t length, size_t *taken_length,
			 struct strings *lists);

/* A list of names that have a space between; returns what stands for it, which the caller owns. */
json_t *seccomp_names_add(struct strings *lists, const char *names);

/* Compact text of a filter with its lists in their places; the caller frees it. */
char *seccomp_names_text(const json_t *filter, const struct strings *lists);

/* Put the lists into a filter (or NULL), which needs them no more: they are freed. */
void seccomp_names_restore(json_t *filter, struct strings *lists);
