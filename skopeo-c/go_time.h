/* SPDX-License-Identifier: Apache-2.0 */
/* Times as Go's time.Time has them, from text of RFC 3339 such as the `created` of a config. NULL
 * where the text is none; the caller frees the result. */
#pragma once

/* As its JSON: without zeros at the end of a fraction, "Z" for UTC. */
char *go_time_json(const char *text);

/* As it is printed: "2026-01-02 03:04:05.12 +0200 +0200". */
char *go_time_print(const char *text);
