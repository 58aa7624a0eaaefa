/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/source.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"

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

/* Overwrite the integers in a JSON text that are above the largest signed one and within the
 * largest unsigned one. What is longer or stands in a string stays. */
static void clamp_integers(char *text)
{
	static const char largest_signed[] = "9223372036854775807";
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
			memcpy(c, largest_signed, 19);
			memset(c + 19, ' ', digits - 19);
		}
		c += digits - 1;
	}
}

json_t *source_read_config(const char *path, size_t max, struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	const char *what = standard ? "standard input" : path;
	size_t length;
	cleanup_free char *text = standard ? file_read_fd(STDIN_FILENO, max, &length, what, err)
					   : file_read_at(AT_FDCWD, path, max, &length, err);

	if (!text)
		return NULL;
	clamp_integers(text);
	return json_parse(text, length, what, err);
}
