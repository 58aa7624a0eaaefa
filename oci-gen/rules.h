/* SPDX-License-Identifier: Apache-2.0 */
/* The rules behind rules_check(): tables of a requirement and the function that looks for breaches
 * of it. */
#pragma once
#include "lib/error.h"
#include "oci-gen/findings.h"

#include <stdbool.h>
#include <stdint.h>

struct rule_check {
	struct rule rule;
	void (*check)(const json_t *config, const struct rule *rule, struct findings *findings);
};

void rules_run(const struct rule_check *rows, size_t count, const json_t *config,
	       struct findings *findings);

/* The parts of rules_check(). */
void rules_check_common(const json_t *config, bool on_posix, struct findings *findings);
void rules_check_platform(const json_t *config, const char *platform, struct findings *findings);
void rules_check_mounts(const json_t *config, struct findings *findings);
void rules_check_process(const json_t *config, struct findings *findings);
void rules_check_linux(const json_t *config, struct findings *findings);
void rules_check_mappings(const json_t *config, struct findings *findings);
void rules_check_devices(const json_t *config, struct findings *findings);
void rules_check_resources(const json_t *config, struct findings *findings);
void rules_check_seccomp(const json_t *config, struct findings *findings);

/* Check a list of namespaces at that pointer. */
void rules_check_namespaces(const json_t *config, const char *list, const struct rule *rule,
			    struct findings *findings);

/* True when the container has a namespace of that type which is not the runtime's own. *path is
 * the existing one's, or NULL for a new one; borrowed. */
bool rules_has_namespace(const json_t *config, const char *type, const char **path);

/* Check what the configuration names against this host; relative paths are below the directory. */
void rules_check_host(const json_t *config, const char *directory, struct findings *findings);

/* Warn about what a runtime, a program to ask for its features or a file of what one has answered,
 * says it does not know. -1 when it cannot be run or read. */
int rules_check_runtime(const json_t *config, const char *name, struct findings *findings,
			struct error *err);

/* Go down a path in a tree of objects, one a component, making what is missing. Returns the object
 * of the last component, borrowed; NULL for what is longer than a path can be. */
json_t *rules_enter(json_t *tree, const char *path);

bool rules_is_bind(const json_t *mount);
