/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/metrics.h"

#include <stddef.h>

enum { NS = 1000000000, US = 1000000, TICKS = 100 };

#define COUNTER(metric_name, text, ...)                                                            \
	{                                                                                          \
		.name = "container_" metric_name, .help = text, .counter = true, __VA_ARGS__       \
	}
#define GAUGE(metric_name, text, ...)                                                              \
	{                                                                                          \
		.name = "container_" metric_name, .help = text, __VA_ARGS__                        \
	}
#define V1(...) .v1 = { __VA_ARGS__ }
#define V2(...) .v2 = { "", __VA_ARGS__ }
#define PRESSURE(resource, word)                                                                   \
	.v1 = { "unified", resource ".pressure", word, US },                                       \
	.v2 = { "", resource ".pressure", word, US }
#define NETWORK(position) .kind = METRIC_NETWORK, .label = "interface", .column = (position)
#define OWN		  .kind = METRIC_OWN
#define PROCESSES	  .kind = METRIC_PROCESSES
#define DEVICE_LABEL	  .label = "device"
#define DEVICES(v1_file, v2_key, v1_operation)                                                     \
	.kind = METRIC_DEVICES, DEVICE_LABEL, .v1 = { "blkio", v1_file, NULL, 1 },                 \
	.v2 = { "", "io.stat", NULL, 1 }, .operation = { v1_operation, v2_key }

const struct metric metrics[] = {
	COUNTER("blkio_device_usage_total", "Bytes read from and written to block devices",
		DEVICES("blkio.throttle.io_service_bytes", NULL, NULL)),
	COUNTER("cpu_cfs_periods_total", "Enforcement periods that have passed",
		V1("cpu", "cpu.stat", "nr_periods", 1), V2("cpu.stat", "nr_periods", 1)),
	COUNTER("cpu_cfs_throttled_periods_total", "Enforcement periods with throttling",
		V1("cpu", "cpu.stat", "nr_throttled", 1), V2("cpu.stat", "nr_throttled", 1)),
	COUNTER("cpu_cfs_throttled_seconds_total", "How long it has been throttled",
		V1("cpu", "cpu.stat", "throttled_time", NS), V2("cpu.stat", "throttled_usec", US)),
	COUNTER("cpu_system_seconds_total", "CPU time in the kernel",
		V1("cpuacct", "cpuacct.stat", "system", TICKS), V2("cpu.stat", "system_usec", US)),
	COUNTER("cpu_usage_seconds_total", "CPU time", V1("cpuacct", "cpuacct.usage", NULL, NS),
		V2("cpu.stat", "usage_usec", US)),
	COUNTER("cpu_user_seconds_total", "CPU time in programs",
		V1("cpuacct", "cpuacct.stat", "user", TICKS), V2("cpu.stat", "user_usec", US)),
	GAUGE("file_descriptors", "Open file descriptors", PROCESSES),
	GAUGE("fs_inodes_free", "Free inodes of the file system", OWN, DEVICE_LABEL),
	GAUGE("fs_inodes_total", "Inodes of the file system", OWN, DEVICE_LABEL),
	GAUGE("fs_limit_bytes", "Size of the file system", OWN, DEVICE_LABEL),
	COUNTER("fs_reads_bytes_total", "Bytes read",
		DEVICES("blkio.throttle.io_service_bytes", "rbytes", "Read")),
	COUNTER("fs_reads_total", "Reads", DEVICES("blkio.throttle.io_serviced", "rios", "Read")),
	GAUGE("fs_usage_bytes", "Bytes that the container has written", OWN, DEVICE_LABEL),
	COUNTER("fs_writes_bytes_total", "Bytes written",
		DEVICES("blkio.throttle.io_service_bytes", "wbytes", "Write")),
	COUNTER("fs_writes_total", "Writes",
		DEVICES("blkio.throttle.io_serviced", "wios", "Write")),
	GAUGE("last_seen", "When it was seen last, in seconds since 1970", OWN),
	GAUGE("memory_cache", "Page cache", V1("memory", "memory.stat", "total_cache", 1),
	      V2("memory.stat", "file", 1)),
	COUNTER("memory_failcnt", "How often the limit was hit",
		V1("memory", "memory.failcnt", NULL, 1), V2("memory.events", "max", 1)),
	COUNTER("memory_failures_total", "Page faults", .label = "failure_type",
		.label_value = "pgfault", V1("memory", "memory.stat", "total_pgfault", 1),
		V2("memory.stat", "pgfault", 1)),
	GAUGE("memory_kernel_usage", "Memory of the kernel",
	      V1("memory", "memory.kmem.usage_in_bytes", NULL, 1), V2("memory.stat", "kernel", 1)),
	GAUGE("memory_mapped_file", "Memory-mapped files",
	      V1("memory", "memory.stat", "total_mapped_file", 1),
	      V2("memory.stat", "file_mapped", 1)),
	GAUGE("memory_max_usage_bytes", "The most memory that was used",
	      V1("memory", "memory.max_usage_in_bytes", NULL, 1), V2("memory.peak", NULL, 1)),
	GAUGE("memory_rss", "Memory that belongs to no file",
	      V1("memory", "memory.stat", "total_rss", 1), V2("memory.stat", "anon", 1)),
	GAUGE("memory_swap", "Swap", V1("memory", "memory.stat", "total_swap", 1),
	      V2("memory.swap.current", NULL, 1)),
	GAUGE("memory_usage_bytes", "Memory", V1("memory", "memory.usage_in_bytes", NULL, 1),
	      V2("memory.current", NULL, 1)),
	GAUGE("memory_working_set_bytes", "Memory without file pages that lie idle", OWN),
	COUNTER("network_receive_bytes_total", "Bytes received", NETWORK(0)),
	COUNTER("network_receive_errors_total", "Errors in receiving", NETWORK(2)),
	COUNTER("network_receive_packets_dropped_total", "Packets dropped in receiving",
		NETWORK(3)),
	COUNTER("network_receive_packets_total", "Packets received", NETWORK(1)),
	COUNTER("network_transmit_bytes_total", "Bytes sent", NETWORK(8)),
	COUNTER("network_transmit_errors_total", "Errors in sending", NETWORK(10)),
	COUNTER("network_transmit_packets_dropped_total", "Packets dropped in sending",
		NETWORK(11)),
	COUNTER("network_transmit_packets_total", "Packets sent", NETWORK(9)),
	COUNTER("oom_events_total", "Processes ended for lack of memory",
		V1("memory", "memory.oom_control", "oom_kill", 1),
		V2("memory.events", "oom_kill", 1)),
	COUNTER("pressure_cpu_stalled_seconds_total", "How long all waited for a CPU",
		PRESSURE("cpu", "full")),
	COUNTER("pressure_cpu_waiting_seconds_total", "How long some waited for a CPU",
		PRESSURE("cpu", "some")),
	COUNTER("pressure_io_stalled_seconds_total", "How long all waited for input or output",
		PRESSURE("io", "full")),
	COUNTER("pressure_io_waiting_seconds_total", "How long some waited for input or output",
		PRESSURE("io", "some")),
	COUNTER("pressure_memory_stalled_seconds_total", "How long all waited for memory",
		PRESSURE("memory", "full")),
	COUNTER("pressure_memory_waiting_seconds_total", "How long some waited for memory",
		PRESSURE("memory", "some")),
	GAUGE("processes", "Processes", PROCESSES),
	GAUGE("sockets", "Open sockets", PROCESSES),
	GAUGE("spec_cpu_period", "Enforcement period in microseconds", OWN),
	GAUGE("spec_cpu_quota", "CPU time in that, in microseconds", OWN),
	GAUGE("spec_cpu_shares", "Shares of CPU time", OWN),
	GAUGE("spec_memory_limit_bytes", "Limit of memory", OWN),
	GAUGE("spec_memory_swap_limit_bytes", "Limit of memory and swap", OWN),
	GAUGE("start_time_seconds", "When it was started, in seconds since 1970", OWN),
	GAUGE("threads", "Threads", PROCESSES),
	GAUGE("threads_max", "Limit of threads; 0 is none", V1("pids", "pids.max", NULL, 1),
	      V2("pids.max", NULL, 1)),
	GAUGE("ulimits_soft", "Soft limits of its processes", PROCESSES, .label = "ulimit",
	      .label_value = "max_open_files"),
	{ 0 },
};
