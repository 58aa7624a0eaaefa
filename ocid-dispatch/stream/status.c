/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/status.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"

enum { JSON_VERSION = 4, INTERNAL_ERROR = 500 };

static char *failure(unsigned version, const char *message, const char *reason, json_t *details,
		     int code)
{
	json_auto_t *status =
		json_pack("{s:{}, s:s, s:s, s:s, s:o}", "metadata", "status", "Failure", "message",
			  message, "reason", reason, "details", details);

	if (version < JSON_VERSION || !status) /* a message that is not UTF-8 */
		return xstrdup(message);
	if (code)
		json_object_set_new(status, "code", json_integer(code));
	return json_compact(status);
}

char *status_of_exit(unsigned version, int status)
{
	cleanup_free char *number = xasprintf("%d", status);
	cleanup_free char *message =
		xasprintf("command terminated with non-zero exit code: %d", status);

	if (status == 0)
		return version < JSON_VERSION ? xstrdup("")
					      : xstrdup("{\"metadata\":{},\"status\":\"Success\"}");
	return failure(
		version, message, "NonZeroExitCode",
		json_pack("{s:[{s:s, s:s}]}", "causes", "reason", "ExitCode", "message", number),
		0);
}

char *status_of_failure(unsigned version, const char *message)
{
	cleanup_free char *text = xasprintf("Internal error occurred: %s", message);

	return failure(version, text, "InternalError",
		       json_pack("{s:[{s:s}]}", "causes", "message", message), INTERNAL_ERROR);
}
