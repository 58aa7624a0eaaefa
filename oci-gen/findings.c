/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/findings.h"

#include <stdarg.h>
#include <stdio.h>

void findings_free(struct findings *findings)
{
	json_decref(findings->rows);
	*findings = (struct findings){ 0 };
}

void findings_add(struct findings *findings, const struct rule *rule, const char *pointer,
		  const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
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
