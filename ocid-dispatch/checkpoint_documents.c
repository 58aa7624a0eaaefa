/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/checkpoint_documents.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/timestamp.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/container_status.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/rpc.h"

#include <stdlib.h>
#include <time.h>

enum { STATE_RUNNING = 1, NANOSECONDS = 1000000000 };

/* What the documents are made of. */
struct sources {
	const char *id;
	json_t *status;	  /* ContainerStatus */
	json_t *document; /* of the container */
	json_t *pod;	  /* the pod's document */
	json_t *facts;	  /* what ocid-shim keeps, or NULL */
};

static void sources_free(struct sources *sources)
{
	json_decref(sources->status);
	json_decref(sources->document);
	json_decref(sources->pod);
	json_decref(sources->facts);
}
#define cleanup_sources __attribute__((cleanup(sources_free)))

static int sources_read(const struct records *records, const struct named *named,
			struct sources *sources, struct error *err)
{
	json_auto_t *record = container_read(records, named, err);
	cleanup_facts struct facts facts = { 0 };

	if (!record)
		return -1;
	sources->id = named->id;
	sources->document = container_document(records, named->id, err);
	sources->pod = sources->document ? pod_read(records, named->pod, err) : NULL;
	if (!sources->pod)
		return -1;
	sources->status = container_status(records, record);
	container_facts(records, named, &facts);
	sources->facts = json_incref(facts.shim);
	return 0;
}

static json_t *pod_metadata(const struct sources *sources)
{
	return json_path(sources->pod, "cri", "pod", "metadata", NULL);
}

static char *time_text(json_int_t nanoseconds)
{
	const time_t seconds = (time_t)(nanoseconds / NANOSECONDS);
	char date[sizeof "2026-01-02T03:04:05"] = "";
	struct tm utc;

	if (gmtime_r(&seconds, &utc))
		strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
	return xasprintf("%s.%09dZ", date, (int)(nanoseconds % NANOSECONDS));
}

/* By CRI's names of pod and container, as other engines call it where names must be unique. */
static char *unique_name(const struct sources *sources)
{
	const json_t *metadata = json_object_get(sources->status, "metadata");
	const json_t *pod = pod_metadata(sources);

	return xasprintf("%s_%s_%s_%s_%" JSON_INTEGER_FORMAT, json_text(metadata, "name", ""),
			 json_text(pod, "name", ""), json_text(pod, "namespace", ""),
			 json_text(pod, "uid", ""),
			 json_integer_value(json_object_get(metadata, "attempt")));
}

static json_t *config_dump(const struct rpc_context *context, const struct sources *sources)
{
	const json_t *status = sources->status;
	const char *image = json_text(json_object_get(status, "image"), "image", "");
	const char *runtime =
		configuration_handler(context->configuration, pod_handler(sources->pod));
	cleanup_free char *name = unique_name(sources);
	cleanup_free char *created =
		time_text(json_integer_value(json_object_get(status, "createdAt")));
	char now[TIMESTAMP_SIZE];

	timestamp_now(now);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "id", sources->id,
			 "name", name, "rootfsImage", image, "rootfsImageName", image,
			 "rootfsImageRef", json_text(status, "imageRef", ""), "runtime", runtime,
			 "createdTime", created, "checkpointedTime", now, "restoredTime",
			 "0001-01-01T00:00:00Z", "restored", 0);
}

/* Without the mounts, resources and user, which spec.dump has. */
static json_t *status_dump(const struct sources *sources)
{
	static const struct {
		const char *json, *proto;
	} members[] = {
		{ "id", "id" },
		{ "metadata", "metadata" },
		{ "createdAt", "created_at" },
		{ "startedAt", "started_at" },
		{ "imageRef", "image_ref" },
		{ "imageId", "image_id" },
		{ "labels", "labels" },
		{ "annotations", "annotations" },
		{ "logPath", "log_path" },
	};
	const json_t *image = json_object_get(sources->status, "image");
	json_t *dump = json_pack("{s:i, s:{s:s, s:s*}}", "state", STATE_RUNNING, "image", "image",
				 json_text(image, "image", ""), "user_specified_image",
				 json_text(image, "userSpecifiedImage", NULL));

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *value = json_object_get(sources->status, members[i].json);

		if (value && !json_is_null(value))
			json_object_set(dump, members[i].proto, value);
	}
	return dump;
}

static json_t *status_file(const struct sources *sources)
{
	const json_t *status = sources->status;

	return json_pack("{s:s, s:I, s:I, s:i, s:i, s:I, s:s, s:s}", "Version", "v1", "CreatedAt",
			 json_integer_value(json_object_get(status, "createdAt")), "StartedAt",
			 json_integer_value(json_object_get(status, "startedAt")), "FinishedAt", 0,
			 "ExitCode", 0, "Pid",
			 json_integer_value(json_object_get(sources->facts, "pid")), "Reason", "",
			 "Message", "");
}

static json_t *spec_dump(const struct sources *sources)
{
	const json_t *pod = pod_metadata(sources);
	json_t *spec = json_deep_copy(json_object_get(sources->document, "config"));
	json_t *annotations = json_object_get(spec, "annotations");
	const struct {
		const char *name, *value;
	} added[] = {
		{ "container-type", "container" },
		{ "container-name",
		  json_text(json_object_get(sources->status, "metadata"), "name", "") },
		{ "image-name", json_text(json_object_get(sources->status, "image"), "image", "") },
		{ "sandbox-id", pod_id(sources->pod) },
		{ "sandbox-name", json_text(pod, "name", "") },
		{ "sandbox-namespace", json_text(pod, "namespace", "") },
		{ "sandbox-uid", json_text(pod, "uid", "") },
	};

	if (!annotations) {
		annotations = json_object();
		json_object_set_new(spec, "annotations", annotations);
	}
	for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
		cleanup_free char *key = xasprintf("io.kubernetes.cri.%s", added[i].name);

		json_object_set_new(annotations, key, json_string(added[i].value));
	}
	return spec;
}

json_t *checkpoint_documents(const struct rpc_context *context, const struct records *records,
			     const struct named *named, char **log_path, struct error *err)
{
	cleanup_sources struct sources sources = { 0 };

	if (sources_read(records, named, &sources, err) < 0)
		return NULL;
	const char *log = json_text(sources.status, "logPath", NULL);
	*log_path = log ? xstrdup(log) : NULL;
	return json_pack("{s:o, s:o, s:o, s:o}", "config.dump", config_dump(context, &sources),
			 "spec.dump", spec_dump(&sources), "status.dump", status_dump(&sources),
			 "status", status_file(&sources));
}
