/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cli_tables.h"

#include <stdlib.h>
#include <unistd.h>

/* A variable that is empty is as one that is not there. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* DESIGN section 3: the system's directories for root, the user's own for everybody else. */
void cli_default_roots(struct cli *cli)
{
	const char *data = variable("XDG_DATA_HOME"), *run = variable("XDG_RUNTIME_DIR");
	const char *home = variable("HOME");

	if (!cli->root)
		cli->root = variable("OCID_ROOT");
	if (!cli->runroot)
		cli->runroot = variable("OCID_RUNROOT");
	if (geteuid() == 0) {
		cli->root = cli->root ? cli->root : "/var/lib/ocid";
		cli->runroot = cli->runroot ? cli->runroot : "/run/ocid";
		return;
	}
	if (!cli->root)
		cli->root = data ? xasprintf("%s/ocid", data)
				 : xasprintf("%s/.local/share/ocid", home ? home : "/");
	if (!cli->runroot)
		cli->runroot = run ? xasprintf("%s/ocid", run)
				   : xasprintf("/tmp/ocid-%u", (unsigned)geteuid());
}
