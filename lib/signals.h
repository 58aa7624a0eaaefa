/* SPDX-License-Identifier: Apache-2.0 */
/* Signals by name or number. */
#pragma once

/* The number of "9", "KILL", "SIGKILL", "sigkill", "RTMIN+1", "SIGRTMAX-2"; 0 where it is none. */
int signal_number(const char *name);

/* "KILL", "RTMIN+1", "RTMAX-2"; NULL where the number has none. The caller frees it. */
char *signal_name(int number);
