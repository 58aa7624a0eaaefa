/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor, as the kernel shows it. */
#pragma once
#include <stdbool.h>

/* Our profile of containers that have none of their own. */
#define APPARMOR_DEFAULT "ocid-default"

bool apparmor_enabled(void);

enum apparmor_presence { APPARMOR_ABSENT, APPARMOR_LOADED, APPARMOR_HIDDEN };

/* Whether the kernel has the profile. HIDDEN: we may not see which it has. */
enum apparmor_presence apparmor_presence(const char *profile);

/* The profile of containers that have none of their own: ours, or that of another engine on this
 * host. NULL where none is known to be loaded. */
const char *apparmor_default(void);
