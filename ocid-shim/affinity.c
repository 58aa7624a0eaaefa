/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/affinity.h"

#include <stdlib.h>

/* A number of a CPU at *text, which moves behind it. */
static bool parse_cpu(const char **text, unsigned long *cpu)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	*cpu = strtoul(*text, &end, 10);
	*text = end;
	return *cpu < CPU_SETSIZE;
}

bool affinity_parse(const char *list, cpu_set_t *cpus)
{
	unsigned long first, last;

	CPU_ZERO(cpus);
	for (;;) {
		if (!parse_cpu(&list, &first))
			return false;
		last = first;
		if (*list == '-') {
			list++;
			if (!parse_cpu(&list, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			CPU_SET(first, cpus);
		if (!*list)
			return true;
		if (*list++ != ',')
			return false;
	}
}

int affinity_set(pid_t pid, const char *list, struct error *err)
{
	cpu_set_t cpus;

	if (!list)
		return 0;
	if (!affinity_parse(list, &cpus))
		return error_set(err, ERROR_USAGE, "\"%s\" is not a list of CPUs", list);
	if (sched_setaffinity(pid, sizeof cpus, &cpus) < 0)
		return error_os(err, "CPUs %s", list);
	return 0;
}
