/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/apparmor.h"

#include "lib/apparmor.h"
#include "lib/log.h"
#include "ocid-dispatch/pipeline.h"

void apparmor_load(const struct rpc_context *context)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct error err = { 0 };

	if (!apparmor_enabled() || apparmor_presence(APPARMOR_DEFAULT) != APPARMOR_ABSENT)
		return;
	pipeline_add(&pipeline, "oci-gen", "apparmor", NULL);
	pipeline_add(&pipeline, "apparmor_parser", "--replace", NULL);
	if (pipeline_run(&pipeline, context, &err) < 0)
		log_message(LOG_LEVEL_WARN,
			    "the AppArmor profile " APPARMOR_DEFAULT " cannot be loaded: %s",
			    err.message);
}
