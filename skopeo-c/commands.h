/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of skopeo-c, each in the file of its name. */
#pragma once
#include "lib/cli.h"

extern const struct cli_command inspect_command, list_tags_command, copy_command;
