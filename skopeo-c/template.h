/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What skopeo's --format is mostly used for: text with fields of the result in it, {{.Name}},
 * {{.Config.Env}}, {{json .Labels}}, {{index .Labels "KEY"}}, {{json .}}, and \n and \t. Values are
 * printed as Go prints them. Anything richer is ERROR_USAGE with a pointer to jq.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct cli;
struct strings;

/* Put the object's fields into the template; the caller frees the result, which ends its line.
 * With `object` NULL the template is only checked, and the result is empty. shape: the types that
 * skopeo's result has in Go, by which it prints what is missing or null, and how; or NULL. An
 * object is a struct, with its fields in order; an empty one a map; of a list there may be one
 * item. `true` stands for a time.
 */
char *template_render(const char *template, const json_t *object, const json_t *shape,
		      struct error *err);

/* Check the template of an option, NULL where that was not given. */
int template_check(const char *template, struct error *err);

/* The fields of the object that a template names which was checked, "Labels" for {{.Labels.a}}; ""
 * for the whole object. */
void template_fields(const char *template, struct strings *fields);

/* Print the result of a command by it; without one, or by an empty one or "json", as output_lines()
 * does. */
int template_output(const struct cli *cli, const char *template, const json_t *result,
		    const json_t *shape, struct error *err);
