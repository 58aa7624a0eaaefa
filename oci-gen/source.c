/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/source.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/leaves.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool source_stdin_given(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
}

json_t *source_read(const char *path, size_t max, struct error *err)
{
	if (strcmp(path, "-") == 0)
		return json_read_fd(STDIN_FILENO, max, "standard input", err);
	return json_read_at(AT_FDCWD, path, max, err);
}

static const char largest_signed[] = "9223372036854775807";

/* Overwrite the integers in a JSON text that are above the largest signed one and within the
 * largest unsigned one with one that is as long as the former. What is longer or stands in a string
 * stays. */
static void clamp_integers(char *text, const char *substitute)
{
	static const char largest_unsigned[] = "18446744073709551615";
	bool in_string = false;

	for (char *c = text; *c; c++) {
		if (*c == '"')
			in_string = !in_string;
		if (in_string && *c == '\\' && c[1])
			c++;
		if (in_string || !isdigit((unsigned char)*c))
			continue;

		size_t digits = strspn(c, "0123456789");
		bool integer = !strchr(".eE", c[digits]) || !c[digits];
		bool positive = c == text || !strchr("-.eE+", c[-1]);
		bool large = digits == 20 ? memcmp(c, largest_unsigned, digits) <= 0
					  : digits == 19 && memcmp(c, largest_signed, digits) > 0;
		if (integer && positive && large) {
			memcpy(c, substitute, 19);
			memset(c + 19, ' ', digits - 19);
		}
		c += digits - 1;
	}
}

/* For errors. */
static const char *name_of(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static char *read_text(const char *path, size_t max, size_t *length, struct error *err)
{
	return strcmp(path, "-") == 0 ? file_read_fd(STDIN_FILENO, max, length, name_of(path), err)
				      : file_read_at(AT_FDCWD, path, max, length, err);
}

json_t *source_read_config(const char *path, size_t max, json_t **other, struct error *err)
{
	size_t length;
	cleanup_free char *text = read_text(path, max, &length, err);

	if (!text)
		return NULL;
	json_t *exact = json_parse(text, length, name_of(path), err);
	if (exact)
		return exact;

	cleanup_free char *copy = xcalloc(length + 1, 1);
	memcpy(copy, text, length);
	clamp_integers(text, largest_signed);
	clamp_integers(copy, "9223372036854775806");
	json_t *config = json_parse(text, length, name_of(path), err);
	if (config)
		*other = json_parse(copy, length, name_of(path), err);
	return config;
}

json_t *source_clamped(const json_t *config, const json_t *other)
{
	json_auto_t *leaves = leaves_of(config, false), *others = leaves_of(other, false);
	json_t *pointers = json_array(), *leaf;
	const char *path;

	json_object_foreach (leaves, path, leaf) {
		if (!json_equal(leaf, json_object_get(others, path)))
			json_array_append(pointers, json_object_get(leaf, "pointer"));
	}
	return pointers;
}

/* What was clamped may only be a resource limit, where all that is so large is "unlimited". */
static int check_clamped(const json_t *config, const json_t *other, const char *what,
			 struct error *err)
{
	static const char limits[] = "/process/rlimits/";
	json_auto_t *pointers = source_clamped(config, other);
	const json_t *pointer;
	size_t i;

	json_array_foreach (pointers, i, pointer) {
		if (strncmp(json_string_value(pointer), limits, strlen(limits)) != 0)
			return error_set(err, ERROR_UNSUPPORTED,
					 "%s: %s has a number above 2^63-1, which cannot be kept",
					 what, json_string_value(pointer));
	}
	return 0;
}

json_t *source_read_template(const char *path, size_t max, struct error *err)
{
	json_auto_t *other = NULL;
	json_auto_t *config = source_read_config(path, max, &other, err);

	if (!config || (other && check_clamped(config, other, name_of(path), err) < 0))
		return NULL;
	return steal_ptr(&config);
}
