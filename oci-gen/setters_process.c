/* SPDX-License-Identifier: Apache-2.0 */
/* Options about the process: its command, environment, user, limits and capabilities. */
#include "oci-gen/setters.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "oci-gen/capabilities.h"
#include "oci-gen/generation.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ENV_FILE_MAX = 1 << 20 };

/* Forget what the image would run. */
static void clear_command(struct generation *g)
{
	json_decref(g->entrypoint);
	json_decref(g->command);
	g->entrypoint = json_array();
	g->command = json_array();
}

int set_args(struct generation *g, const struct option_rule *rule, const char *value,
	     struct error *err)
{
	(void)rule;
	(void)err;
	if (!g->args_given)
		clear_command(g);
	g->args_given = true;
	json_array_append_new(g->command, json_string(value));
	return 0;
}

int set_entrypoint(struct generation *g, const struct option_rule *rule, const char *value,
		   struct error *err)
{
	(void)rule;
	if (g->args_given)
		return error_set(err, ERROR_USAGE, "--args already gives the whole command");
	if (!g->entrypoint_given)
		clear_command(g);
	g->entrypoint_given = true;
	if (*value)
		json_array_append_new(g->entrypoint, json_string(value));
	return 0;
}

int set_env(struct generation *g, const struct option_rule *rule, const char *value,
	    struct error *err)
{
	(void)rule;
	if (*value == '=' || !*value)
		return error_set(err, ERROR_USAGE, "\"%s\" is not NAME=VALUE", value);
	if (strchr(value, '=')) {
		generation_set_env(g, value);
		return 0;
	}

	const char *own = getenv(value);
	if (!own)
		return 0;
	cleanup_free char *assignment = xasprintf("%s=%s", value, own);
	if (generation_check_text(assignment, value, err) < 0)
		return -1;
	generation_set_env(g, assignment);
	return 0;
}

int set_env_file(struct generation *g, const struct option_rule *rule, const char *value,
		 struct error *err)
{
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, value, ENV_FILE_MAX, &length, err);
	char *rest = text;

	if (!text)
		return -1;
	if (strlen(text) != length)
		return error_set(err, ERROR_INTEGRITY, "%s: holds a NUL byte", value);
	if (generation_check_text(text, value, err) < 0)
		return -1;
	while (*rest) {
		char *line = rest + strspn(rest, " \t");

		rest += strcspn(rest, "\n");
		if (*rest)
			*rest++ = '\0';
		if (*line && *line != '#' && set_env(g, rule, line, err) < 0)
			return error_prefix(err, "%s", value);
	}
	return 0;
}

int set_user(struct generation *g, const struct option_rule *rule, const char *value,
	     struct error *err)
{
	(void)rule;
	if (!*value)
		return error_set(err, ERROR_USAGE, "the value is empty");
	free(g->user);
	g->user = xstrdup(value);
	g->user_given = true;
	return 0;
}

int set_uid(struct generation *g, const struct option_rule *rule, const char *value,
	    struct error *err)
{
	unsigned id;

	(void)rule;
	g->uid = value;
	return user_parse_id(value, &id, err);
}

int set_gid(struct generation *g, const struct option_rule *rule, const char *value,
	    struct error *err)
{
	unsigned id;

	(void)rule;
	g->gid = value;
	return user_parse_id(value, &id, err);
}

int add_group(struct generation *g, const struct option_rule *rule, const char *value,
	      struct error *err)
{
	unsigned id;

	if (user_parse_id(value, &id, err) < 0)
		return -1;
	json_array_append_new(pointer_array(g->config, rule->pointer), json_integer(id));
	return 0;
}

int set_hostname(struct generation *g, const struct option_rule *rule, const char *value,
		 struct error *err)
{
	g->hostname_given = true;
	return set_text(g, rule, value, err);
}

/* "Unlimited" in JSON: our integers are signed, and in the document it may pass through programs
 * that hold numbers as doubles, which round to 17 digits and must not end above the largest. */
static const json_int_t unlimited = LLONG_MAX - 1023;

static int parse_limit(const char *text, size_t length, json_int_t *limit)
{
	cleanup_free char *copy = xstrndup(text, length);
	char *end;

	if (strcmp(copy, "unlimited") == 0 || strcmp(copy, "-1") == 0) {
		*limit = unlimited;
		return 0;
	}
	errno = 0;
	*limit = strtoll(copy, &end, 10);
	return errno || end == copy || *end || *limit < 0 ? -1 : 0;
}

static const char *rlimit_type(const char *text, size_t length)
{
	for (const char *const *known = known_rlimits; *known; known++) {
		const char *bare = *known + strlen("RLIMIT_");

		if ((strlen(*known) == length && strncasecmp(*known, text, length) == 0) ||
		    (strlen(bare) == length && strncasecmp(bare, text, length) == 0))
			return *known;
	}
	return NULL;
}

int add_rlimit(struct generation *g, const struct option_rule *rule, const char *value,
	       struct error *err)
{
	size_t name = strcspn(value, ":");
	const char *hard_text = value + name + (value[name] == ':');
	size_t hard_length = strcspn(hard_text, ":");
	const char *soft_text = hard_text[hard_length] ? hard_text + hard_length + 1 : hard_text;
	const char *type = rlimit_type(value, name);
	json_int_t hard, soft;

	if (!type)
		return error_set(err, ERROR_USAGE, "\"%s\": unknown resource limit (getrlimit(2))",
				 value);
	if (parse_limit(hard_text, hard_length, &hard) < 0 ||
	    parse_limit(soft_text, soft_text == hard_text ? hard_length : strlen(soft_text),
			&soft) < 0)
		return error_set(err, ERROR_USAGE, "\"%s\" is not TYPE:HARD[:SOFT]", value);

	json_t *limits = pointer_array(g->config, rule->pointer), *other;
	size_t i;
	json_array_foreach(limits, i, other)
	{
		if (strcmp(json_text(other, "type", ""), type) == 0)
			break;
	}
	json_array_remove(limits, i);
	json_array_append_new(
		limits, json_pack("{s:s, s:I, s:I}", "type", type, "hard", hard, "soft", soft));
	return 0;
}

int add_capability(struct generation *g, const struct option_rule *rule, const char *value,
		   struct error *err)
{
	(void)rule;
	return capabilities_add(&g->capabilities, value, err);
}

int drop_capability(struct generation *g, const struct option_rule *rule, const char *value,
		    struct error *err)
{
	(void)rule;
	return capabilities_drop(&g->capabilities, value, err);
}

int drop_capabilities(struct generation *g, const struct option_rule *rule, const char *value,
		      struct error *err)
{
	(void)rule;
	(void)value;
	return capabilities_drop(&g->capabilities, "ALL", err);
}
