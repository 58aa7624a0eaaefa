/* SPDX-License-Identifier: Apache-2.0 */
/* What was half-made or half-removed when a dispatcher was killed. */
#pragma once

struct rpc_context;

/* Finish removing it, in a process of its own that nobody waits for; then what nothing in the store
 * refers to. What cannot be removed is told of; pods and containers of it are shown as not ready
 * and exited meanwhile. */
void recover(const struct rpc_context *context);
