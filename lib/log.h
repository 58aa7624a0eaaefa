/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics for people, on stderr, one line each: "TOOL: LEVEL: TEXT". Set by --log-level. */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Called once by cli_main(). Messages above `level` are dropped; the default is warn. */
void log_setup(const char *tool, enum log_level level);

/* errno is preserved, control characters in the text are escaped. */
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
