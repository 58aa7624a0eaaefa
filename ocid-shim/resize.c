/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/control.h"
#include "ocid-shim/find.h"
#include "ocid-shim/monitor/protocol.h"

#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 0xffff };

/* A number of rows or columns; 0 where it is none. */
static uint16_t parse_cells(const char *text)
{
	char *end;
	long number = strspn(text, "0123456789") > 0 ? strtol(text, &end, 10) : 0;

	return number > 0 && number <= CELLS_MAX && !*end ? (uint16_t)number : 0;
}

static int run_resize(const struct cli *cli, struct error *err)
{
	const struct monitor_size size = { .columns = parse_cells(cli->operands[1]),
					   .rows = parse_cells(cli->operands[2]) };
	char message[1 + sizeof size] = { MONITOR_RESIZE }, answer;
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };

	if (size.columns == 0 || size.rows == 0)
		return cli_usage(cli, err, "a size is columns and rows, 1 to %d", CELLS_MAX);
	memcpy(message + 1, &size, sizeof size);
	if (store_open(cli, &store, err) < 0 ||
	    find_container(&store, cli->operands[0], &container, err) < 0)
		return -1;

	cleanup_fd int fd = control_request(&container, message, sizeof message, -1, err);
	int got = fd < 0 ? -1 : control_answer(&container, fd, &answer, 1, NULL, err);
	if (got == 0)
		return error_set(err, ERROR_UNSUPPORTED, "container \"%s\" has no terminal",
				 container.id);
	return got < 0 ? -1 : 0;
}

const struct cli_command resize_command = {
	.name = "resize",
	.operands = "ID COLUMNS ROWS",
	.operands_min = 3,
	.operands_max = 3,
	.summary = "set the size of a container's terminal",
	.run = run_resize,
};
