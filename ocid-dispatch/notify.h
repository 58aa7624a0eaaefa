/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told of us, where it has started us (sd_notify(3)). */
#pragma once

/* A line as "READY=1"; RELOADING=1 gets its time. Without effect elsewhere. */
void notify(const char *state);
