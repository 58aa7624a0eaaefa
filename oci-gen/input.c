/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/input.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/source.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void input_free(struct input *input)
{
	free(input->path);
	free(input->directory);
	json_decref(input->whole);
	json_decref(input->clamped);
}

/* A container document holds the configuration; a configuration has no such member. */
static json_t *config_of(json_t *whole)
{
	json_t *in_document = json_object_get(whole, "config");

	return in_document && !json_object_get(whole, "ociVersion") ? in_document : whole;
}

int input_read(struct input *input, const char *operand, struct error *err)
{
	const char *path = operand ? operand : source_stdin_given() ? "-" : ".";
	struct stat st;

	input->bundle = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	input->path = input->bundle ? xasprintf("%s/config.json", path) : xstrdup(path);
	if (strcmp(path, "-") != 0) {
		const char *slash = strrchr(input->path, '/');

		input->directory = slash ? xstrndup(input->path, (size_t)(slash - input->path) + 1)
					 : xstrdup(".");
	}
	json_auto_t *other = NULL;
	input->whole = source_read_config(input->path, JSON_DOCUMENT_MAX, &other, err);
	if (!input->whole)
		return -1;
	input->config = config_of(input->whole);
	if (other)
		input->clamped = source_clamped(input->config, config_of(other));
	return 0;
}

const char *input_name(const struct input *input)
{
	return strcmp(input->path, "-") == 0 ? "standard input" : input->path;
}
