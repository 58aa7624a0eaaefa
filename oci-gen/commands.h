/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of oci-gen, as rows for cli_main(). */
#pragma once
#include "lib/cli.h"

struct cli_command generate_command(void);
struct cli_command validate_command(void);
struct cli_command diff_command(void);
struct cli_command explain_command(void);
struct cli_command apparmor_command(void);
