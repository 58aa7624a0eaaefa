/* SPDX-License-Identifier: Apache-2.0 */
/* What a check of a config.json found, and the checks. */
#pragma once
#include <jansson.h>
#include <stddef.h>

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* One requirement of the runtime specification. */
struct rule {
	const char *name; /* "mount-destination-absolute" */
	enum severity severity;
	const char *spec; /* "config.md#mounts" */
};

/* Zero-initialised is empty; rows are {pointer, rule, severity, message, spec}. */
struct findings {
	json_t *rows;
	size_t errors;
};

void findings_free(struct findings *findings);
#define cleanup_findings __attribute__((cleanup(findings_free)))

/* Add a row: `rule` is broken at `pointer` (RFC 6901). */
void findings_add(struct findings *findings, const struct rule *rule, const char *pointer,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for an entry of a list, or a member of it (NULL: the entry): LIST/INDEX[/MEMBER]. */
void findings_add_entry(struct findings *findings, const struct rule *rule, const char *list,
			size_t index, const char *member, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Check types, required members, enumerations and ranges. */
void structure_check(const json_t *config, struct findings *findings);

/* Check numbers that are above 2^63-1, by their pointers: some members may be so large. */
void structure_check_clamped(const json_t *pointers, struct findings *findings);

/* Check what the members mean together, on a platform ("linux"), or with NULL on the one that it
 * seems to be for. Members of the wrong type are passed over: they are structure_check()'s. */
void rules_check(const json_t *config, const char *platform, struct findings *findings);
