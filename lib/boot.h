/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

/* What names this boot of the machine: random(4)'s boot_id. The caller frees it. */
char *boot_id(struct error *err);
