/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules apply: those of every container are in rules_common.c, those about Linux in
 * rules_process.c, rules_mounts.c and rules_linux.c, those about other platforms in
 * rules_platforms.c. */
#include "oci-gen/rules.h"

#include "lib/cleanup.h"
#include "oci-gen/pointer.h"

#include <string.h>

/* The sections of platforms, and what a section makes a configuration for. A virtual machine is one
 * of Linux or Windows. */
static const char *const sections[] = { "linux", "windows", "solaris", "zos", "freebsd", "vm" };

static const char *seeming_platform(const json_t *config)
{
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		if (strcmp(sections[i], "vm") != 0 && json_object_get(config, sections[i]))
			return sections[i];
	return "linux";
}

static void check_sections(const json_t *config, const char *platform, enum severity severity,
			   struct findings *findings)
{
	const struct rule rule = { "platform", severity,
				   "config.md#platform-specific-configuration" };
	bool machine = strcmp(platform, "linux") == 0 || strcmp(platform, "windows") == 0;

	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		cleanup_free char *at = pointer_join("", sections[i]);

		if (json_object_get(config, sections[i]) && strcmp(sections[i], platform) != 0 &&
		    !(machine && strcmp(sections[i], "vm") == 0))
			findings_add(findings, &rule, at, "is not for %s", platform);
	}
	if (strcmp(platform, "windows") == 0 && !json_object_get(config, "windows"))
		findings_add(findings, &rule, "/windows", "is required on Windows");
}

void rules_check(const json_t *config, const char *platform, struct findings *findings)
{
	const char *actual = platform ? platform : seeming_platform(config);
	bool on_linux = strcmp(actual, "linux") == 0;

	rules_check_common(config, strcmp(actual, "windows") != 0, findings);
	rules_check_platform(config, actual, findings);
	if (on_linux)
		rules_check_process(config, findings);
	check_sections(config, actual, platform ? SEVERITY_ERROR : SEVERITY_WARNING, findings);
	if (on_linux) {
		rules_check_mounts(config, findings);
		rules_check_linux(config, findings);
	}
}
