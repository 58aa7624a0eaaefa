/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers, one prototype each; the table is in rpc.c. */
#pragma once
#include "ocid-dispatch/rpc.h"

rpc_handler runtime_version, runtime_status, runtime_config, runtime_update_config;
rpc_handler pods_run, pods_stop, pods_remove, pods_status, pods_list, pods_stream;
rpc_handler pods_update_resources;
rpc_handler containers_create, containers_start, containers_stop, containers_remove;
rpc_handler containers_status, containers_list, containers_stream;
rpc_handler containers_checkpoint, containers_reopen_log, containers_update, containers_exec_sync;
rpc_handler stream_exec, stream_attach, stream_port_forward;
rpc_handler stats_container, stats_containers, stats_stream_containers;
rpc_handler stats_pod, stats_pods, stats_stream_pods, stats_filesystems;
rpc_handler metrics_descriptors, metrics_list, metrics_stream;
rpc_handler events_get;
rpc_handler images_list, images_status, images_pull, images_remove, images_stream;
