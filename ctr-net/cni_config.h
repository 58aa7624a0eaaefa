/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network configurations (CNI SPEC 1.1, sections 1 and 3), as values: nothing here opens a file.
 * A parsed configuration is a JSON object in the one form that the rest of the tool knows:
 * {"cniVersion": the version chosen, "name", "plugins": [objects with a valid "type"], …}.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Parse a list of plugins (.conflist) or a single plugin (.conf), which becomes a list of one.
 * `what` names the file in errors: ERROR_INTEGRITY, or ERROR_UNSUPPORTED for a version outside
 * CNI_VERSION_MIN to CNI_VERSION_MAX; the subject is a JSON Pointer to what is wrong, where it is
 * not the syntax. The caller owns the result, whose list may still be empty where
 * cni_config_is_open(). */
json_t *cni_config_parse(const char *text, size_t length, const char *what, struct error *err);

/* Whether plugins from files in the folder named after the network belong to the list too
 * (SPEC 1.1, loadOnlyInlinedPlugins). */
bool cni_config_is_open(const json_t *config);

/* Append one such plugin. */
int cni_config_add_plugin(json_t *config, const char *text, size_t length, const char *what,
			  struct error *err);

/* ERROR_INTEGRITY unless there is a plugin to run, ERROR_LIMIT for too many. */
int cni_config_check(const json_t *config, const char *what, struct error *err);

/* The members by name; borrowed. */
const char *cni_config_name(const json_t *config);
size_t cni_config_plugin_count(const json_t *config);
const char *cni_config_plugin_type(const json_t *config, size_t index);

/* The plugin that gives out addresses for the one at `index`, or NULL; borrowed. */
const char *cni_config_ipam_type(const json_t *config, size_t index);

/* Whether the plugin at `index` masquerades the addresses of containers (SPEC section 1, "ipMasq").
 */
bool cni_config_masquerades(const json_t *config, size_t index);

/* Whether some plugin of the list declares the capability. */
bool cni_config_declares(const json_t *config, const char *capability);

/* Whether the configuration speaks `version` ("0.4.0") or a later one. */
bool cni_config_speaks(const json_t *config, const char *version);

/* Whether a switch such as "disableCheck" is on. */
bool cni_config_is_set(const json_t *config, const char *key);

/* What the plugin at `index` is given on stdin (SPEC section 3, "Deriving request configuration"):
 * `capabilities` is the object of all capability arguments, or NULL; `previous` a CNI result, or
 * NULL. The caller owns it. */
json_t *cni_config_request(const json_t *config, size_t index, const json_t *capabilities,
			   const json_t *previous);
