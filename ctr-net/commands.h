/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of ctr-net, each defined in the file of its name. */
#pragma once
#include "lib/cli.h"

extern const struct cli_command add_command;
extern const struct cli_command del_command;
extern const struct cli_command check_command;
extern const struct cli_command gc_command;
extern const struct cli_command init_command;
extern const struct cli_command list_command;
extern const struct cli_command status_command;
extern const struct cli_command versions_command;
extern const struct cli_command validate_command;
extern const struct cli_command show_command;
extern const struct cli_command stats_command;
extern const struct cli_command monitor_command;
extern const struct cli_command ns_create_command;
extern const struct cli_command ns_rm_command;
extern const struct cli_command ns_list_command;
extern const struct cli_command ns_exec_command;
