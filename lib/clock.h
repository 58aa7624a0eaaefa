/* SPDX-License-Identifier: Apache-2.0 */
/* Time as numbers; as text it is lib/timestamp.h's. */
#pragma once

/* Milliseconds on a clock that only goes forward. */
long long clock_ms(void);

/* Nanoseconds since 1970 by the system's clock. */
long long clock_wall_ns(void);
