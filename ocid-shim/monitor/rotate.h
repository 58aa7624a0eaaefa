/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct log;

/* Go on in a new log file; those before are PATH.1 (the newest), PATH.2, …, as many as are kept.
 * Where that cannot be, the old one grows on. */
void log_rotate(struct log *log);
