/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/container_message.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/records.h"
#include "ocid-dispatch/transcode.h"

#undef linux /* a macro of gnu17, and a field of some messages */
#include "ocid-dispatch/cri.pb-c.h"

int container_message_note(int directory_fd, const json_t *record, struct error *err)
{
	cleanup_free char *name = xasprintf("%s.pb", json_text(record, "id", ""));
	cleanup_buffer struct buffer message = { 0 };

	if (transcode_encode(&runtime__v1__container__descriptor, record, &message, err) < 0)
		return -1;
	return file_replace_volatile_at(directory_fd, name, buffer_data(&message),
					buffer_length(&message), 0600, err);
}

int container_message_drop(int directory_fd, const json_t *record, struct error *err)
{
	cleanup_free char *name = xasprintf("%s.pb", json_text(record, "id", ""));

	return records_remove(directory_fd, name, err);
}
