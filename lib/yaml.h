/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML into JSON, for configuration files, by libyaml (loaded when first used). One document of
 * mappings, lists and scalars, with anchors, aliases and merges ("<<") up to a limit; tags and
 * duplicate keys are refused. Only a schema can tell what an unquoted word means, so every
 * scalar is a string, but for the unquoted true and false, and null, ~ and nothing at all.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { YAML_DEPTH_MAX = 32 };

/* ERROR_INTEGRITY "WHAT:LINE: …". An empty document is null. The caller owns the result. */
json_t *yaml_parse(const char *text, size_t length, const char *what, struct error *err);

/* Read what a schema says is true or false, which YAML 1.1 has other words for: those that Go's
 * library takes, and so other programs. False where it is none of them. */
bool yaml_flag(const json_t *value, bool *flag);
