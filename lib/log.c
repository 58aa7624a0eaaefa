/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/log.h"

#include "lib/printable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *log_tool = "ocid";
static enum log_level log_limit = LOG_LEVEL_WARN;

void log_setup(const char *tool, enum log_level level)
{
	log_tool = tool;
	log_limit = level;
}

void log_message(enum log_level level, const char *format, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	int saved = errno;
	char text[1024];
	va_list args;

	if (level > log_limit)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	printable_hide_controls(text);
	fprintf(stderr, "%s: %s: %s\n", log_tool, names[level], text);
	errno = saved;
}
