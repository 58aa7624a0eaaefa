/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/processors.h"

#include <sched.h>

size_t processors_usable(void)
{
	cpu_set_t set;

	/* a machine with more of them than fit into the set refuses to tell */
	return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : CPU_SETSIZE;
}
