/* SPDX-License-Identifier: Apache-2.0 */
/* What killed processes leave in directories that images are written to. */
#pragma once

/* How the names of new files begin that have no other yet; whoever writes one holds its lock. */
#define UNFINISHED_PREFIX ".new."

/* Remove the files of that name in dir_fd whose lock nobody holds any more, and the unfinished
 * downloads there that were given up. */
void unfinished_sweep(int dir_fd);
