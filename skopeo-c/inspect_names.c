/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/inspect_names.h"

#include "lib/cli.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static bool is_waiting(int fd)
{
	struct pollfd question = { .fd = fd, .events = POLLIN };

	return poll(&question, 1, 0) != 0;
}

/* Take a line out of the buffer. False when there is no whole one. */
static bool take_line(struct inspect_names *names)
{
	const char *end = memchr(names->buffer, '\n', names->used);

	if (!end && !(names->input_ended && names->used > 0))
		return false;
	size_t length = end ? (size_t)(end - names->buffer) : names->used;
	size_t taken = end ? length + 1 : length;
	memcpy(names->line, names->buffer, length);
	names->line[length] = '\0';
	names->line[strcspn(names->line, "\r")] = '\0';
	names->used -= taken;
	memmove(names->buffer, names->buffer + taken, names->used);
	return true;
}

static int fill(struct inspect_names *names, struct error *err)
{
	size_t room = sizeof names->buffer - names->used;

	if (room == 0)
		return error_set(err, ERROR_USAGE,
				 "a line of standard input has more than %d bytes",
				 NAME_LINE_SIZE - 1);
	ssize_t got = read(STDIN_FILENO, names->buffer + names->used, room);
	if (got < 0 && errno == EINTR && !cli_interrupted())
		return 0;
	if (got < 0)
		return error_os(err, "standard input");
	names->used += (size_t)got;
	names->input_ended = got == 0;
	return 0;
}

static int next_line(struct inspect_names *names, bool may_wait, const char **name,
		     struct error *err)
{
	for (;;) {
		while (take_line(names))
			if (names->line[0]) {
				*name = names->line;
				return 1;
			}
		if (names->input_ended || (!may_wait && !is_waiting(STDIN_FILENO)))
			return 0;
		if (fill(names, err) < 0)
			return -1;
	}
}

int inspect_names_next(struct inspect_names *names, bool may_wait, const char **name,
		       struct error *err)
{
	*name = NULL;
	for (;;) {
		if (names->at_input) {
			int status = next_line(names, may_wait, name, err);

			if (status != 0 || !names->input_ended)
				return status;
			names->at_input = false;
		}
		if (!*names->operands)
			return 0;
		const char *operand = *names->operands++;
		if (strcmp(operand, "-") != 0) {
			*name = operand;
			return 1;
		}
		names->at_input = true;
	}
}
