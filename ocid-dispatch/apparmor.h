/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct rpc_context;

/* Have the kernel know the profile of containers that have none of their own, where it has AppArmor
 * and not yet the profile. What goes wrong is logged: containers can do without. */
void apparmor_load(const struct rpc_context *context);
