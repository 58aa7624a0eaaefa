/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/findings.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "oci-gen/pointer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void findings_free(struct findings *findings)
{
	json_decref(findings->rows);
	*findings = (struct findings){ 0 };
}

static void __attribute__((format(printf, 4, 0)))
add(struct findings *findings, const struct rule *rule, const char *pointer, const char *format,
    va_list args)
{
	char message[512];

	vsnprintf(message, sizeof message, format, args);
	if (!findings->rows)
		findings->rows = json_array();

	json_t *row = json_object();
	json_object_set_new(row, "pointer", json_string(pointer));
	json_object_set_new(row, "rule", json_string(rule->name));
	json_object_set_new(row, "severity",
			    json_string(rule->severity == SEVERITY_ERROR ? "error" : "warning"));
	/* a cut may fall into a character */
	json_t *text = json_string(message);
	json_object_set_new(row, "message", text ? text : json_string("(too long to show)"));
	json_object_set_new(row, "spec", json_string(rule->spec));
	json_array_append_new(findings->rows, row);
	if (rule->severity == SEVERITY_ERROR)
		findings->errors++;
}

void findings_add(struct findings *findings, const struct rule *rule, const char *pointer,
		  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(findings, rule, pointer, format, args);
	va_end(args);
}

void findings_add_entry(struct findings *findings, const struct rule *rule, const char *list,
			size_t index, const char *member, const char *format, ...)
{
	cleanup_free char *entry = pointer_index(list, index);
	cleanup_free char *pointer = member ? pointer_join(entry, member) : xstrdup(entry);
	va_list args;

	va_start(args, format);
	add(findings, rule, pointer, format, args);
	va_end(args);
}
