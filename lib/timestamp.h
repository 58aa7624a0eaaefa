/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as text, RFC 3339 in UTC with nanoseconds. */
#pragma once

enum { TIMESTAMP_SIZE = sizeof "2026-01-02T03:04:05.123456789Z" };

void timestamp_now(char text[static TIMESTAMP_SIZE]);
