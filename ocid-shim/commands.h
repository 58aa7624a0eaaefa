/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of ocid-shim; each is in the file of its name. */
#pragma once
#include "lib/cli.h"

extern const struct cli_command attach_command;
extern const struct cli_command checkpoint_command;
extern const struct cli_command create_command;
extern const struct cli_command events_command;
extern const struct cli_command exec_command;
extern const struct cli_command kill_command;
extern const struct cli_command list_command;
extern const struct cli_command logs_command;
extern const struct cli_command pause_command;
extern const struct cli_command ps_command;
extern const struct cli_command reopen_logs_command;
extern const struct cli_command resize_command;
extern const struct cli_command restore_command;
extern const struct cli_command resume_command;
extern const struct cli_command rm_command;
extern const struct cli_command run_command;
extern const struct cli_command start_command;
extern const struct cli_command state_command;
extern const struct cli_command stats_command;
extern const struct cli_command stop_command;
extern const struct cli_command update_command;
extern const struct cli_command wait_command;
