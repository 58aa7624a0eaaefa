/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs, one file each; the table is in main.c. */
#pragma once
#include "lib/cli.h"

extern const struct cli_command command_serve, command_call, command_check, command_rpcs;
