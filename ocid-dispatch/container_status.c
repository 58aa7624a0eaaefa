/* SPDX-License-Identifier: Apache-2.0 */
/* ContainerStatus, and choosing containers by filters. */
#include "ocid-dispatch/container_status.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/signals.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pod_select.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Of a container whose end nobody saw, and of one that could not be started; containerd's, too. */
enum { UNKNOWN_EXIT_CODE = 255, START_EXIT_CODE = 128 };

/* ---- the status of one ---- */

static void copy(json_t *to, const json_t *from, const char *const *keys)
{
	for (; *keys; keys++) {
		json_t *value = json_object_get(from, *keys);

		if (value)
			json_object_set(to, *keys, value);
	}
}

/* Exit code, when, and why, in the words that kubelets know. */
static void put_end(json_t *status, const struct facts *facts, const json_t *failure)
{
	json_t *code = json_object_get(facts->exit, "code");
	const char *finished = json_text(facts->exit, "finished", NULL), *reason = "Error";
	bool oom = json_flag(facts->exit, "oomKilled");

	if (finished)
		json_object_set_new(status, "finishedAt", json_integer(records_time(finished)));
	if (!code && failure) {
		json_object_set_new(status, "exitCode", json_integer(START_EXIT_CODE));
		json_object_set_new(status, "reason", json_string("StartError"));
		json_object_set(status, "message", json_object_get(failure, "message"));
		json_object_set(status, "finishedAt", json_object_get(failure, "at"));
		return;
	}
	if (!code) {
		json_object_set_new(status, "exitCode", json_integer(UNKNOWN_EXIT_CODE));
		json_object_set_new(status, "reason", json_string("Unknown"));
		json_object_set_new(status, "message",
				    json_string(facts->shim ? "nobody saw how it ended"
							    : "it ended with the node"));
		return;
	}
	if (oom)
		reason = "OOMKilled";
	else if (json_integer_value(code) == 0)
		reason = "Completed";
	json_object_set(status, "exitCode", code);
	json_object_set_new(status, "reason", json_string(reason));
}

/* A reboot leaves that in the document alone. */
static void put_start(json_t *status, const struct facts *facts, const json_t *document)
{
	const char *started =
		facts->started ? facts->started
			       : json_string_value(json_path(document, "process", "started", NULL));

	if (started)
		json_object_set_new(status, "startedAt", json_integer(records_time(started)));
}

/* The user as oci-gen has found it. */
static json_t *user_of(const json_t *document)
{
	const json_t *user = json_path(document, "config", "process", "user", NULL);

	return json_pack("{s:{s:O*, s:O*, s:O*}}", "linux", "uid", json_object_get(user, "uid"),
			 "gid", json_object_get(user, "gid"), "supplementalGroups",
			 json_object_get(user, "additionalGids"));
}

static json_t *resources_of(const json_t *document)
{
	json_t *cri = json_path(document, "cri", "container", "linux", "resources", NULL);

	return json_pack("{s:o}", "linux", cri ? json_incref(cri) : json_object());
}

/* The Signal of the CRI that ocid-shim sends: what the client or else the image has asked for, or
 * TERM. */
static void put_stop_signal(json_t *status, const json_t *document)
{
	static const char by_default[] = "SIGNAL_RUNTIME_DEFAULT";
	const char *asked =
		json_text(json_path(document, "cri", "container", NULL), "stopSignal", by_default);
	const char *image = json_text(json_path(document, "config", "annotations", NULL),
				      "org.opencontainers.image.stopSignal", "");
	int number = signal_number(image);
	cleanup_free char *name = signal_name(number ? number : SIGTERM);

	if (strcmp(asked, by_default) != 0) {
		json_object_set_new(status, "stopSignal", json_string(asked));
	} else if (name) {
		size_t length = strcspn(name, "+-");
		const char *sign = name[length] == '+' ? "PLUS" : name[length] ? "MINUS" : "";

		json_object_set_new(status, "stopSignal",
				    json_sprintf("SIGNAL_SIG%.*s%s%s", (int)length, name, sign,
						 name[length] ? name + length + 1 : ""));
	}
}

/* As ocid-shim says, or will say. */
static json_t *log_path(const json_t *document)
{
	json_t *path = json_path(document, "process", "logPath", NULL);
	const char *directory =
		json_string_value(json_path(document, "cri", "pod", "logDirectory", NULL));
	const char *name =
		json_string_value(json_path(document, "cri", "container", "logPath", NULL));

	if (path || !directory || !name)
		return json_incref(path);
	cleanup_free char *joined = xasprintf("%s/%s", directory, name);
	return json_string(joined);
}

json_t *container_status(const struct records *records, const json_t *record)
{
	static const char *const of_record[] = { "id",	   "metadata",	  "createdAt",
						 "image",  "imageRef",	  "imageId",
						 "labels", "annotations", NULL };
	const struct named named = { (char *)json_text(record, "id", ""),
				     (char *)json_text(record, "podSandboxId", "") };
	cleanup_facts struct facts facts = { 0 };
	json_t *status = json_object(), *mounts;
	struct error ignored;
	json_auto_t *document = container_document(records, named.id, &ignored);

	/* kubelets ask when a container has ended, and run again what seems to have failed */
	container_keep_end(records, &named);
	container_facts(records, &named, &facts);
	copy(status, record, of_record);
	json_object_set_new(status, "state", json_string(container_state_name(facts.state)));
	put_start(status, &facts, document);
	if (facts.state == CONTAINER_EXITED)
		put_end(status, &facts, json_object_get(record, "failure"));
	mounts = json_path(document, "cri", "container", "mounts", NULL);
	if (mounts)
		json_object_set(status, "mounts", mounts);
	json_object_set_new(status, "logPath", log_path(document));
	json_object_set_new(status, "resources", resources_of(document));
	json_object_set_new(status, "user", user_of(document));
	put_stop_signal(status, document);
	return status;
}

json_t *container_statuses(const struct records *records, const char *pod, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };
	json_auto_t *statuses = json_array();

	if (container_ids(records, pod, &ids, err) < 0)
		return NULL;
	for (size_t i = 0; i < ids.count; i++) {
		const struct named named = { ids.items[i], (char *)pod };
		json_auto_t *record = container_read(records, &named, err);

		if (!record && !records_leave_out("container", named.id, err))
			return NULL;
		if (record && !container_is_being_made(records, record))
			json_array_append_new(statuses, container_status(records, record));
	}
	return json_incref(statuses);
}

/* ---- lists ---- */

static bool passes(const json_t *record, const json_t *filter, enum container_state state)
{
	const json_t *wanted = json_object_get(filter, "state");

	if (!labels_match(json_object_get(record, "labels"),
			  json_object_get(filter, "labelSelector")))
		return false;
	return !wanted || strcmp(json_text(wanted, "state", "CONTAINER_CREATED"),
				 container_state_name(state)) == 0;
}

static int add(const struct records *records, const struct named *named, const json_t *filter,
	       json_t *list, struct error *err)
{
	json_auto_t *record = container_read(records, named, err);

	if (!record)
		return records_leave_out("container", named->id, err) ? 0 : -1;
	if (container_is_being_made(records, record))
		return 0;
	enum container_state state = container_state(records, named);
	if (!passes(record, filter, state))
		return 0;
	json_object_set_new(record, "state", json_string(container_state_name(state)));
	return json_array_append(list, record);
}

static int add_all_of(const struct records *records, char *pod, const json_t *filter, json_t *list,
		      struct error *err)
{
	cleanup_strings struct strings ids = { 0 };

	if (container_ids(records, pod, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++)
		if (add(records, &(struct named){ ids.items[i], pod }, filter, list, err) < 0)
			return -1;
	return 0;
}

json_t *container_select(const struct records *records, const json_t *filter, struct error *err)
{
	const char *id = json_text(filter, "id", ""), *pod = json_text(filter, "podSandboxId", "");
	cleanup_strings struct strings pods = { 0 };
	cleanup_named struct named named = { 0 };
	json_auto_t *list = json_array();
	struct error why = { 0 };

	if (pod_choose(records, pod, &pods, err) < 0)
		return NULL;
	if (*id) {
		bool found = container_find(records, id, &named, &why) == 0;

		if (!found && why.kind != ERROR_NOT_FOUND && why.kind != ERROR_USAGE) {
			*err = why;
			return NULL;
		}
		if (found && (!*pod || (pods.count > 0 && strcmp(pods.items[0], named.pod) == 0)) &&
		    add(records, &named, filter, list, err) < 0)
			return NULL;
		return json_incref(list);
	}
	for (size_t i = 0; i < pods.count; i++)
		if (add_all_of(records, pods.items[i], filter, list, err) < 0)
			return NULL;
	return json_incref(list);
}

/* What verbose asks for: what crictl and people look for, and everything there is. */
static json_t *info(const struct records *records, const struct named *named)
{
	cleanup_facts struct facts facts = { 0 };
	struct error ignored;
	json_auto_t *document = container_document(records, named->id, &ignored);

	container_facts(records, named, &facts);
	json_auto_t *all =
		json_pack("{s:O*, s:O*, s:O*, s:O*}", "pid", json_object_get(facts.shim, "pid"),
			  "runtimeSpec", json_object_get(document, "config"), "document", document,
			  "shim", facts.shim);
	cleanup_free char *text = json_compact(all);
	return json_pack("{s:s}", "info", text);
}

int containers_status(const struct rpc_context *context, const json_t *request, json_t **response,
		      struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };

	if (records_open(context, &records, err) < 0 ||
	    container_find(&records, json_text(request, "containerId", ""), &named, err) < 0)
		return -1;
	json_auto_t *record = container_read(&records, &named, err);
	if (!record)
		return -1;
	*response = json_pack("{s:o}", "status", container_status(&records, record));
	if (json_flag(request, "verbose"))
		json_object_set_new(*response, "info", info(&records, &named));
	return 0;
}
