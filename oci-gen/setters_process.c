/* SPDX-License-Identifier: Apache-2.0 */
/* Options about the process: its command, environment, user, limits and capabilities. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/user.h"
#include "oci-gen/capabilities.h"
#include "oci-gen/generation.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ENV_FILE_MAX = 1 << 20 };

/* Forget what the image would run. */
static void clear_command(struct generation *g)
{
	json_decref(g->entrypoint);
	json_decref(g->command);
	g->entrypoint = json_array();
	g->command = json_array();
}

int set_args(const struct setting *s)
{
	if (!s->g->args_given)
		clear_command(s->g);
	s->g->args_given = true;
	json_array_append_new(s->g->command, json_string(s->value));
	return 0;
}

int set_entrypoint(const struct setting *s)
{
	if (s->g->args_given)
		return error_set(s->err, ERROR_USAGE, "--args already gives the whole command");
	if (!s->g->entrypoint_given)
		clear_command(s->g);
	s->g->entrypoint_given = true;
	if (*s->value)
		json_array_append_new(s->g->entrypoint, json_string(s->value));
	return 0;
}

static int add_variable(struct generation *g, const char *text, struct error *err)
{
	if (*text == '=' || !*text)
		return error_set(err, ERROR_USAGE, "\"%s\" is not NAME=VALUE", text);
	if (strchr(text, '=')) {
		generation_set_env(g, text);
		return 0;
	}

	const char *own = getenv(text);
	if (!own)
		return 0;
	cleanup_free char *assignment = xasprintf("%s=%s", text, own);
	if (generation_check_text(assignment, text, err) < 0)
		return -1;
	generation_set_env(g, assignment);
	return 0;
}

int set_env(const struct setting *s)
{
	return add_variable(s->g, s->value, s->err);
}

/* Cut off the next line at the text, with the carriage return that editors of other systems leave
 * there; returns what is behind. */
static char *cut_line(char *text)
{
	char *end = text + strcspn(text, "\n"), *rest = end + (*end != '\0');

	if (end > text && end[-1] == '\r')
		end--;
	*end = '\0';
	return rest;
}

int set_env_file(const struct setting *s)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, s->value, ENV_FILE_MAX, &length, s->err);

	if (!text) {
		/* no program can be given as much: it is not what was meant */
		if (s->err->kind == ERROR_LIMIT)
			s->err->kind = ERROR_USAGE;
		return -1;
	}
	if (strlen(text) != length)
		return error_set(s->err, ERROR_INTEGRITY, "%s: holds a NUL byte", s->value);
	if (generation_check_text(text, s->value, s->err) < 0)
		return -1;

	bool marked = strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0;
	char *rest = text + (marked ? strlen(byte_order_mark) : 0);
	while (*rest) {
		const char *line = rest;

		rest = cut_line(rest);
		line += strspn(line, " \t");
		if (*line && *line != '#' && add_variable(s->g, line, s->err) < 0)
			return error_prefix(s->err, "%s", s->value);
	}
	return 0;
}

int set_user(const struct setting *s)
{
	if (!*s->value)
		return error_set(s->err, ERROR_USAGE, "the value is empty");
	free(s->g->user);
	s->g->user = xstrdup(s->value);
	s->g->gid = NULL; /* of the document's user; --process-gid comes later */
	s->g->user_given = true;
	return 0;
}

int set_uid(const struct setting *s)
{
	unsigned id;

	s->g->uid = s->value;
	return user_parse_id(s->value, &id, s->err);
}

int set_gid(const struct setting *s)
{
	unsigned id;

	s->g->gid = s->value;
	return user_parse_id(s->value, &id, s->err);
}

int add_group(const struct setting *s)
{
	unsigned id;

	if (user_parse_id(s->value, &id, s->err) < 0)
		return -1;
	json_array_append_new(pointer_array(s->g->config, s->rule->pointer), json_integer(id));
	return 0;
}

int set_hostname(const struct setting *s)
{
	s->g->hostname_given = true;
	return set_text(s);
}

int set_version(const struct setting *s)
{
	s->g->version_given = true;
	return set_text(s);
}

/* "Unlimited" in JSON: our integers are signed, and in the document it may pass through programs
 * that hold numbers as doubles, which round to 17 digits and must not end above the largest. */
static const json_int_t unlimited = LLONG_MAX - 1023;

static int parse_limit(const char *text, size_t length, json_int_t *limit)
{
	cleanup_free char *copy = xstrndup(text, length);

	if (strcmp(copy, "unlimited") == 0 || strcmp(copy, "-1") == 0) {
		*limit = unlimited;
		return 0;
	}
	if (!*copy || copy[strspn(copy, "0123456789")])
		return -1;
	errno = 0;
	*limit = strtoll(copy, NULL, 10);
	return errno ? -1 : 0;
}

int add_rlimit(const struct setting *s)
{
	size_t name = strcspn(s->value, ":");
	const char *hard_text = s->value + name + (s->value[name] == ':');
	size_t hard_length = strcspn(hard_text, ":");
	const char *soft_text = hard_text[hard_length] ? hard_text + hard_length + 1 : hard_text;
	cleanup_free char *bare = xstrndup(s->value, name);
	const char *type = known_rlimit(bare);
	json_int_t hard, soft;

	if (!type)
		return error_set(s->err, ERROR_USAGE,
				 "\"%s\": unknown resource limit (getrlimit(2))", s->value);
	if (parse_limit(hard_text, hard_length, &hard) < 0 ||
	    parse_limit(soft_text, soft_text == hard_text ? hard_length : strlen(soft_text),
			&soft) < 0)
		return error_set(s->err, ERROR_USAGE, "\"%s\" is not TYPE:HARD[:SOFT]", s->value);

	json_t *limits = pointer_array(s->g->config, s->rule->pointer);
	json_array_remove(limits, setting_find(limits, "type", type));
	json_array_append_new(
		limits, json_pack("{s:s, s:I, s:I}", "type", type, "hard", hard, "soft", soft));
	return 0;
}

int remove_rlimit(const struct setting *s)
{
	json_t *limits = pointer_array(s->g->config, s->rule->pointer);
	const char *type = known_rlimit(s->value);

	if (!type)
		return error_set(s->err, ERROR_USAGE,
				 "\"%s\": unknown resource limit (getrlimit(2))", s->value);
	json_array_remove(limits, setting_find(limits, "type", type));
	return 0;
}

int set_console_size(const struct setting *s)
{
	long long size[2];

	if (setting_numbers(s, s->value, size, 2) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		if (size[i] < s->rule->min || size[i] > s->rule->max)
			return error_set(s->err, ERROR_USAGE, "%lld is not between %lld and %lld",
					 size[i], s->rule->min, s->rule->max);
	pointer_set(s->g->config, s->rule->pointer,
		    json_pack("{s:I, s:I}", "width", (json_int_t)size[0], "height",
			      (json_int_t)size[1]));
	return 0;
}

/* One capability or several with commas between. */
static int change_capabilities(const struct setting *s,
			       int (*change)(struct capability_choice *choice, unsigned sets,
					     const char *name, struct error *err))
{
	cleanup_free char *names = xstrdup(s->value);
	char *rest = names;

	do {
		const char *name = strsep(&rest, ",");

		if (change(&s->g->capabilities, s->rule->sets, name, s->err) < 0)
			return -1;
	} while (rest);
	return 0;
}

int add_capabilities(const struct setting *s)
{
	return change_capabilities(s, capabilities_add);
}

int drop_capabilities(const struct setting *s)
{
	return change_capabilities(s, capabilities_drop);
}

int drop_all_capabilities(const struct setting *s)
{
	return capabilities_drop(&s->g->capabilities, s->rule->sets, "ALL", s->err);
}

/* "be:4" is IOPRIO_CLASS_BE with priority 4. */
int set_io_priority(const struct setting *s)
{
	static const char *const classes[][2] = { { "rt", "IOPRIO_CLASS_RT" },
						  { "be", "IOPRIO_CLASS_BE" },
						  { "idle", "IOPRIO_CLASS_IDLE" } };
	size_t length = strcspn(s->value, ":");
	long long priority = 0;

	if (s->value[length] && setting_numbers(s, s->value + length + 1, &priority, 1) < 0)
		return -1;
	if (priority < s->rule->min || priority > s->rule->max)
		return setting_malformed(s);
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		if (strlen(classes[i][0]) != length ||
		    strncmp(classes[i][0], s->value, length) != 0)
			continue;
		pointer_set(s->g->config, s->rule->pointer,
			    json_pack("{s:s, s:I}", "class", classes[i][1], "priority",
				      (json_int_t)priority));
		return 0;
	}
	return setting_malformed(s);
}
