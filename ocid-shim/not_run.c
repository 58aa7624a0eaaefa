/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/not_run.h"

#include <string.h>

enum { NOT_RUN = 125, NOT_EXECUTABLE = 126, NO_COMMAND = 127 };

/* The code that fits the runtime's words: runc's `exec: "NAME": …`, crun's "executable file NAME
 * …". */
static int not_run_code(const char *message)
{
	if (!strstr(message, "exec: \"") && !strstr(message, "executable file"))
		return NOT_RUN;
	if (strcasestr(message, "not found") || strcasestr(message, "no such file") ||
	    strcasestr(message, "not a directory"))
		return NO_COMMAND;
	/* that of a directory is the newer runc's */
	return strcasestr(message, "permission denied") || strcasestr(message, "is a directory")
		       ? NOT_EXECUTABLE
		       : NOT_RUN;
}

/* The kind of an error is the exit status of the tool. */
int not_run(struct error *err)
{
	if (err->kind != ERROR_USAGE)
		err->kind = (enum error_kind)not_run_code(err->message);
	return -1;
}
