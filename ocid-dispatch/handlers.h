/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers, one prototype each; the table is in rpc.c. */
#pragma once
#include "ocid-dispatch/rpc.h"

rpc_handler runtime_version, runtime_status;
rpc_handler images_list, images_status, images_pull, images_remove;
