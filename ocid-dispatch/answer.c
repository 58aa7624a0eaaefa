/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/answer.h"

#include "lib/file.h"
#include "lib/memory.h"

#include <string.h>

enum {
	FLAG_STATUS = 0x80, /* what gRPC-Web marks trailers with */
	STATUS_MAX = 4096,  /* one byte of status, the rest is text */
};

static int write_frame(int fd, unsigned char flags, const void *data, size_t length,
		       struct error *err)
{
	unsigned char prefix[GRPC_PREFIX_SIZE];

	grpc_prefix(prefix, flags, length);
	if (file_write_fd(fd, prefix, sizeof prefix, "the answer", err) < 0)
		return -1;
	return file_write_fd(fd, data, length, "the answer", err);
}

int answer_message(int fd, const struct buffer *message, struct error *err)
{
	return write_frame(fd, 0, buffer_data(message), buffer_length(message), err);
}

int answer_status(int fd, enum grpc_status status, const char *text, struct error *err)
{
	cleanup_buffer struct buffer frame = { 0 };
	unsigned char byte = (unsigned char)status;

	buffer_append(&frame, &byte, 1);
	buffer_append(&frame, text, strnlen(text, STATUS_MAX - 1));
	return write_frame(fd, FLAG_STATUS, buffer_data(&frame), buffer_length(&frame), err);
}

static size_t at_most(size_t length, size_t max)
{
	return length < max ? length : max;
}

/* The prefix of a frame is whole: note what follows it. */
static int begin_frame(struct answer *answer, struct buffer *messages, struct error *err)
{
	const unsigned char *prefix = buffer_data(&answer->prefix);

	answer->in_status = prefix[0] == FLAG_STATUS;
	answer->left = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 |
		       (size_t)prefix[4];
	if (answer->in_status ? answer->left < 1 || answer->left > STATUS_MAX
			      : prefix[0] != 0 || answer->left > GRPC_MESSAGE_MAX)
		return error_set(err, ERROR_FAILED, "malformed answer of the handler");
	if (!answer->in_status)
		buffer_append(messages, prefix, GRPC_PREFIX_SIZE);
	buffer_consume(&answer->prefix, GRPC_PREFIX_SIZE);
	return 0;
}

int answer_take(struct answer *answer, const void *data, size_t length, struct buffer *messages,
		struct error *err)
{
	const unsigned char *at = data, *end = at + length;

	while (at < end) {
		size_t there = (size_t)(end - at), take;

		if (answer->whole)
			return error_set(err, ERROR_FAILED, "the handler went on after its status");
		if (answer->left > 0) {
			take = at_most(there, answer->left);
			buffer_append(answer->in_status ? &answer->status : messages, at, take);
			answer->left -= take;
			answer->whole = answer->in_status && answer->left == 0;
		} else {
			take = at_most(there, GRPC_PREFIX_SIZE - buffer_length(&answer->prefix));
			buffer_append(&answer->prefix, at, take);
			if (buffer_length(&answer->prefix) == GRPC_PREFIX_SIZE &&
			    begin_frame(answer, messages, err) < 0)
				return -1;
		}
		at += take;
	}
	return 0;
}

enum grpc_status answer_result(const struct answer *answer, char **text)
{
	const unsigned char *status = buffer_data(&answer->status);

	*text = xstrndup((const char *)status + 1, buffer_length(&answer->status) - 1);
	return (enum grpc_status)status[0];
}

void answer_free(struct answer *answer)
{
	buffer_free(&answer->prefix);
	buffer_free(&answer->status);
}
