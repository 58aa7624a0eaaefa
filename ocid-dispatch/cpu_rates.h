/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the processors is used now, which takes two looks at what has been used so far.
 * Nobody here lives on until the second: what was seen at the first is in RUNROOT/cpu.json,
 *
 *   {ID of a container or pod: {at, usage, rate}}
 *
 * with nanoseconds since 1970, nanoseconds of CPU time, and these per second.
 */
#pragma once
#include <jansson.h>

struct records;

/* What is known; the caller owns it. What cannot be read is nothing. */
json_t *cpu_rates_read(const struct records *records);

/* Note what is used now; `cpu`, a CpuUsage of CRI, gets the rate since it was noted before. */
void cpu_rates_note(json_t *rates, const char *id, json_t *cpu);

/* Keep it. A rate that is lost is told at the look after the next. */
void cpu_rates_write(const struct records *records, json_t *rates);
