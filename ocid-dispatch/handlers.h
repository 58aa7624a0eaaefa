/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers, and the listers; the table is in rpc.c. */
#pragma once
#include "ocid-dispatch/rpc.h"

rpc_handler runtime_version, runtime_status, runtime_config, runtime_update_config;
rpc_handler pods_run, pods_stop, pods_remove, pods_status;
rpc_handler pods_update_resources;
rpc_handler containers_create, containers_start, containers_stop, containers_remove;
rpc_handler containers_status, containers_list;
rpc_handler containers_checkpoint, containers_reopen_log, containers_update, containers_exec_sync;
rpc_handler stream_exec, stream_attach, stream_port_forward;
rpc_handler stats_container, stats_pod, stats_filesystems;
rpc_handler metrics_descriptors;
rpc_handler events_get;
rpc_handler images_status, images_pull, images_remove;

rpc_lister pods_listed, containers_listed, images_listed;
rpc_lister stats_of_containers, stats_of_pods, metrics_of_pods;
