/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration to look at: a config.json, a bundle, a container document, or standard input. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct input {
	char *path;	 /* of the file, "-" for standard input */
	char *directory; /* what relative paths in it are relative to; NULL for standard input */
	bool bundle;	 /* a directory was named */
	json_t *whole;	 /* the configuration, or the document around it */
	json_t *config;	 /* borrowed from whole */
	json_t *clamped; /* pointers to its numbers above 2^63-1, which are that there; or NULL */
};

/* Read what an operand names; NULL stands for standard input where that is given, else for the
 * current directory. Zero-initialise it. */
int input_read(struct input *input, const char *operand, struct error *err);
void input_free(struct input *input);
#define cleanup_input __attribute__((cleanup(input_free)))

/* What to call it in errors; borrowed. */
const char *input_name(const struct input *input);
