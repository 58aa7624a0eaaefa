/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics of containers and pods, by the names that cAdvisor has made known. Each row of the table
 * says where a figure is found, with cgroups v1 and v2; what a kernel does not count is left out.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where the kernel keeps a figure: a file of a controller, and in it a key (NULL: the only or first
 * number), of which `scale` make one. */
struct metric_source {
	const char *controller; /* v1; "" is v2 */
	const char *file, *key;
	uint64_t scale;
};

enum metric_kind {
	METRIC_CGROUP,	  /* sources */
	METRIC_DEVICES,	  /* a figure for each block device, by its operation */
	METRIC_PROCESSES, /* counted in /proc */
	METRIC_OWN,	  /* known otherwise */
	METRIC_NETWORK,	  /* of the pod, for each interface */
};

struct metric {
	const char *name, *help;
	enum metric_kind kind;
	bool counter;
	const char *label;	     /* beside those that all have, or NULL */
	const char *label_value;     /* the one value of that, or NULL where it varies */
	struct metric_source v1, v2; /* of METRIC_CGROUP and METRIC_DEVICES */
	const char *operation[2];    /* of METRIC_DEVICES in v1 and v2; NULL: all */
	unsigned column;	     /* of METRIC_NETWORK: in /proc/net/dev */
};

/* All of them; ends with a row without a name. */
extern const struct metric metrics[];

/* A figure from the cgroups (paths of directories, as state.json of ocid-shim has them). False
 * where the kernel has none. */
bool metric_read(const json_t *cgroups, const struct metric *metric, uint64_t *value);

/* Call `put` for each block device with its name and operation. */
void metric_read_devices(const json_t *cgroups, const struct metric *metric,
			 void (*put)(void *to, const char *device, const char *operation,
				     uint64_t value),
			 void *to);

/* What the processes of the cgroups are and have. */
struct metric_processes {
	uint64_t processes, threads, descriptors, sockets, open_files_soft;
};

void metric_count_processes(const json_t *cgroups, struct metric_processes *processes);
