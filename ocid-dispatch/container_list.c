/* SPDX-License-Identifier: Apache-2.0 */
/* ListContainers and StreamContainers. */
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/processors.h"
#include "ocid-dispatch/container_status.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/transcode.h"
#include "ocid-dispatch/wire.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#undef linux /* a macro of gnu17, and a field of some messages */
#include "ocid-dispatch/cri.pb-c.h"

/* Numbers of cri.proto. */
enum { FIELD_CONTAINERS = 1, FIELD_STATE = 6 };

/* A message that is longer, which has very many labels, is read as JSON. */
enum { MESSAGE_MAX = 8 << 10, ID_MAX = 128 };

enum { PARTS_MAX = 4, CONTAINERS_EACH = 50 };

/* ---- all of them, as bytes ---- */

/* What a list is made from. */
struct list {
	const struct records *records;
	const char *state; /* only those, or NULL */
	struct entry *entries;
	size_t count;
};

struct entry {
	struct named named;
	bool pod_is_up;
};

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		named_free(&list->entries[i].named);
	free(list->entries);
}
#define cleanup_list __attribute__((cleanup(list_free)))

static int add_pod(struct list *list, const char *pod, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };
	bool is_up = pod_is_up(list->records, pod);

	if (container_ids(list->records, pod, &ids, err) < 0)
		return -1;
	list->entries =
		xreallocarray(list->entries, list->count + ids.count, sizeof *list->entries);
	for (size_t i = 0; i < ids.count; i++) {
		char *id = steal_ptr(&ids.items[i]);

		list->entries[list->count++] =
			(struct entry){ .named = { id, xstrdup(pod) }, .pod_is_up = is_up };
	}
	return 0;
}

static int find_all(struct list *list, struct error *err)
{
	cleanup_strings struct strings pods = { 0 };

	if (pod_ids(list->records, &pods, err) < 0)
		return -1;
	for (size_t i = 0; i < pods.count; i++)
		if (add_pod(list, pods.items[i], err) < 0)
			return -1;
	return 0;
}

/* Append a Container where it is asked for: the message, and its state, which is its last field. */
static void put(struct buffer *out, const struct list *list, const struct buffer *message,
		enum container_state state)
{
	cleanup_buffer struct buffer field = { 0 };

	if (list->state && strcmp(list->state, container_state_name(state)) != 0)
		return;
	if (state != CONTAINER_CREATED) { /* the default is left out */
		wire_write_tag(&field, FIELD_STATE, WIRE_VARINT);
		wire_write_number(&field, WIRE_VARINT, state);
	}
	wire_write_tag(out, FIELD_CONTAINERS, WIRE_BYTES);
	wire_write_number(out, WIRE_VARINT, buffer_length(message) + buffer_length(&field));
	buffer_append(out, buffer_data(message), buffer_length(message));
	buffer_append(out, buffer_data(&field), buffer_length(&field));
}

/* One without a message: half-made, failed, or from before a power cut. */
static int put_slowly(struct buffer *out, const struct list *list, const struct named *named,
		      struct error *err)
{
	cleanup_buffer struct buffer message = { 0 };
	json_auto_t *record = container_read(list->records, named, err);

	if (!record)
		return records_leave_out("container", named->id, err) ? 0 : -1;
	if (container_is_being_made(list->records, record))
		return 0;
	if (transcode_encode(&runtime__v1__container__descriptor, record, &message, err) < 0)
		return -1;
	put(out, list, &message, container_state(list->records, named));
	return 0;
}

static int put_container(struct buffer *out, const struct list *list, const struct entry *entry,
			 struct error *err)
{
	const struct named *named = &entry->named;
	unsigned char bytes[MESSAGE_MAX];
	char path[2 * ID_MAX + sizeof "/containers/.pb"];
	enum container_state state;

	snprintf(path, sizeof path, "%s/containers/%s.pb", named->pod, named->id);
	cleanup_fd int fd = openat(list->records->pods_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t length = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
	if (length <= 0 || length == sizeof bytes)
		return put_slowly(out, list, named, err);
	if (!container_was_started(list->records, named->id, &state)) {
		/* where there is a message it can be started; else it is being removed, and may
		 * have been started before */
		if (faccessat(list->records->pods_fd, path, F_OK, 0) < 0)
			return put_slowly(out, list, named, err);
		state = entry->pod_is_up ? CONTAINER_CREATED : CONTAINER_EXITED;
	}
	const struct buffer message = { .memory = bytes, .end = (size_t)length };
	put(out, list, &message, state);
	return 0;
}

/* The containers that one thread looks at. */
struct part {
	pthread_t thread;
	const struct list *list;
	size_t first, end;
	struct buffer out;
	int status;
	struct error err;
};

static void *put_part(void *argument)
{
	struct part *part = argument;

	for (size_t i = part->first; i < part->end && part->status == 0; i++)
		part->status =
			put_container(&part->out, part->list, &part->list->entries[i], &part->err);
	return NULL;
}

/* Nearly all of the time goes into looking up files, at which each processor can have a share. */
static size_t choose_parts(size_t containers)
{
	size_t parts = containers / CONTAINERS_EACH + 1, processors = processors_usable();

	if (parts > processors)
		parts = processors;
	return parts < PARTS_MAX ? parts : PARTS_MAX;
}

/* ListContainersResponse */
static int put_all(struct buffer *out, const struct list *list, struct error *err)
{
	struct part parts[PARTS_MAX] = { 0 };
	size_t count = choose_parts(list->count), started = 1;
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		parts[i].list = list;
		parts[i].first = list->count * i / count;
		parts[i].end = list->count * (i + 1) / count;
	}
	while (started < count &&
	       pthread_create(&parts[started].thread, NULL, put_part, &parts[started]) == 0)
		started++;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || i >= started)
			put_part(&parts[i]);
		else
			pthread_join(parts[i].thread, NULL);
		if (parts[i].status < 0 && status == 0) {
			*err = parts[i].err;
			status = -1;
		}
		buffer_append(out, buffer_data(&parts[i].out), buffer_length(&parts[i].out));
		buffer_free(&parts[i].out);
	}
	return status;
}

static int send_all(const struct rpc_context *context, const char *state, struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_buffer struct buffer out = { 0 };
	cleanup_list struct list list = { .records = &records, .state = state };

	if (records_open(context, &records, err) < 0 || find_all(&list, err) < 0 ||
	    put_all(&out, &list, err) < 0)
		return -1;
	return rpc_send_bytes(context, &out, err);
}

/* ---- some of them ---- */

json_t *containers_listed(const struct rpc_context *context, const json_t *request,
			  struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (records_open(context, &records, err) < 0)
		return NULL;
	return container_select(&records, json_object_get(request, "filter"), err);
}

int containers_list(const struct rpc_context *context, const json_t *request, json_t **response,
		    struct error *err)
{
	const json_t *filter = json_object_get(request, "filter");
	const json_t *state = json_object_get(filter, "state");

	if (!json_object_get(filter, "id") && !json_object_get(filter, "podSandboxId") &&
	    !json_object_get(filter, "labelSelector"))
		return send_all(context,
				state ? json_text(state, "state", "CONTAINER_CREATED") : NULL, err);
	json_t *some = containers_listed(context, request, err);
	if (!some)
		return -1;
	*response = json_pack("{s:o}", "containers", some);
	return 0;
}
