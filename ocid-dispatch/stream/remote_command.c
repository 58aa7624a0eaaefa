/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "ocid-dispatch/stream/services.h"
#include "ocid-dispatch/stream/spdy_headers.h"
#include "ocid-dispatch/stream/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The numbers are those of a WebSocket's channels. */
enum role { STDIN, STDOUT, STDERR, ERRORS, RESIZE, ROLES };

enum { RESIZE_VERSION = 3, SIZE_TEXT_MAX = 256, SIDE_MAX = 0xffff };

static const char *const role_names[ROLES] = { "stdin", "stdout", "stderr", "error", "resize" };

/* The streams that come with STREAM_START, in that order. */
static const enum role fd_roles[STREAM_FDS_MAX] = { STDIN, STDOUT, STDERR, RESIZE };

struct command {
	struct channel *channels[ROLES];
	bool wanted[ROLES];
	bool asked, started, exited, failed;
	int status;
	char message[768];
	int resize_fd;
};

static struct command *command_of(const struct session *session)
{
	return session->service_data;
}

static void set_wanted(const struct session *session)
{
	const struct stream_reply *asked = &session->asked;
	struct command *command = command_of(session);

	command->wanted[ERRORS] = true;
	command->wanted[STDIN] = asked->has_stdin;
	command->wanted[STDOUT] = asked->has_stdout;
	command->wanted[STDERR] = asked->has_stderr;
	command->wanted[RESIZE] = asked->tty && session->version >= RESIZE_VERSION;
}

static int opened(struct channel *channel, const struct strings *fields, struct error *err)
{
	struct command *command = command_of(channel->session);
	const char *type = spdy_field(fields, "streamtype");

	for (size_t role = 0; type && role < ROLES; role++) {
		if (strcmp(type, role_names[role]) != 0)
			continue;
		if (!command->wanted[role] || command->channels[role])
			return error_set(err, ERROR_USAGE, "a second stream, or one not asked for");
		command->channels[role] = channel;
		channel->deaf = role != STDIN && role != RESIZE;
		return 0;
	}
	return error_set(err, ERROR_USAGE, "a stream of no known type");
}

static bool all_there(const struct command *command)
{
	for (size_t role = 0; role < ROLES; role++)
		if (command->wanted[role] && !command->channels[role])
			return false;
	return true;
}

static int ask_to_start(struct session *session, struct error *err)
{
	const struct stream_request request = { .verb = STREAM_START };

	command_of(session)->asked = true;
	session->deadline_ms = 0;
	return stream_control_send(session->control_fd, &request, sizeof request, NULL, 0, err);
}

static void take_fd(struct command *command, enum role role, int fd)
{
	struct channel *channel = command->channels[role];

	if (role == RESIZE)
		command->resize_fd = fd;
	else if (!channel || !channel->carried) /* the client has reset it meanwhile */
		close(fd);
	else if (role == STDIN)
		channel->in_fd = fd;
	else
		channel->out_fd = fd;
}

static bool comes(const struct session *session, enum role role)
{
	return role == RESIZE ? session->asked.tty : command_of(session)->wanted[role];
}

static void on_start(struct session *session, const struct stream_reply *reply, const int *fds,
		     size_t count)
{
	struct command *command = command_of(session);
	size_t used = 0;

	command->started = true;
	if (reply->failed) {
		command->failed = command->exited = true;
		snprintf(command->message, sizeof command->message, "%s", reply->message);
	}
	for (size_t i = 0; i < STREAM_FDS_MAX && used < count; i++)
		if (comes(session, fd_roles[i]))
			take_fd(command, fd_roles[i], fds[used++]);
	while (used < count)
		close(fds[used++]);
}

static int on_reply(struct session *session, const struct stream_reply *reply, const int *fds,
		    size_t count, struct error *err)
{
	struct command *command = command_of(session);

	(void)err;
	if (reply->verb == STREAM_START) {
		on_start(session, reply, fds, count);
	} else if (reply->verb == STREAM_EXITED) {
		command->exited = true;
		command->status = reply->status;
		for (struct channel *channel = session->channels; channel; channel = channel->next)
			channel->drain = true;
	}
	return 0;
}

/* One size out of what the client has sent, as a line for the shim. False when it is none. */
static bool size_line(const char *text, size_t length, char **line)
{
	struct error ignored;
	json_auto_t *size = json_parse(text, length, "resize", &ignored);
	json_int_t width = json_integer_value(json_object_get(size, "Width"));
	json_int_t height = json_integer_value(json_object_get(size, "Height"));

	if (width < 1 || width > SIDE_MAX || height < 1 || height > SIDE_MAX)
		return false;
	*line = xasprintf("{\"Width\":%d,\"Height\":%d}\n", (int)width, (int)height);
	return true;
}

/* Sizes are objects one after the other, with or without lines. */
static void pass_sizes(struct session *session)
{
	struct command *command = command_of(session);
	struct channel *channel = command->channels[RESIZE];
	const char *end;

	while (channel && command->started &&
	       (end = memchr(buffer_data(&channel->in), '}', buffer_length(&channel->in)))) {
		size_t length = (size_t)(end + 1 - (const char *)buffer_data(&channel->in));
		cleanup_free char *line = NULL;

		/* a terminal whose size cannot be told now has more pressing troubles */
		if (size_line((const char *)buffer_data(&channel->in), length, &line) &&
		    command->resize_fd >= 0 && write(command->resize_fd, line, strlen(line)) < 0) {
			close(command->resize_fd);
			command->resize_fd = -1;
		}
		channel_take(channel, length);
	}
	if (channel && buffer_length(&channel->in) > SIZE_TEXT_MAX)
		channel_take(channel, buffer_length(&channel->in));
}

static bool is_read(const struct channel *channel)
{
	return !channel || channel->out_fd < 0;
}

/* The command has ended and all it said is sent: say how it ended. */
static void say_end(struct session *session)
{
	const struct command *command = command_of(session);
	struct channel *errors = command->channels[ERRORS];
	cleanup_free char *text = command->failed
					  ? status_of_failure(session->version, command->message)
					  : status_of_exit(session->version, command->status);

	if (*text)
		channel_send(errors, text, strlen(text));
	for (struct channel *channel = session->channels; channel; channel = channel->next)
		channel_finish(channel);
	session_leave(session);
}

static int step(struct session *session, struct error *err)
{
	struct command *command = command_of(session);
	struct channel *input = command->channels[STDIN];

	if (!command->asked && all_there(command))
		return ask_to_start(session, err);
	if (!command->asked && clock_ms() >= session->deadline_ms)
		return error_set(err, ERROR_TEMPORARY, "the client did not open its streams");
	pass_sizes(session);
	/* tell a client that goes on sending to what nobody reads */
	if (command->started && input && input->deaf)
		channel_finish(input);
	if (command->exited && is_read(command->channels[STDOUT]) &&
	    is_read(command->channels[STDERR]))
		say_end(session);
	return 0;
}

static void command_free(struct session *session)
{
	struct command *command = command_of(session);

	if (command->resize_fd >= 0)
		close(command->resize_fd);
	free(command);
}

void remote_command(struct session *session, bool numbered)
{
	static const struct service service = { opened, on_reply, step, NULL, command_free };
	struct command *command = xcalloc(1, sizeof *command);

	command->resize_fd = -1;
	session->service = &service;
	session->service_data = command;
	session->deadline_ms = clock_ms() + SESSION_CREATION_MS;
	set_wanted(session);
	if (!numbered)
		return;
	command->wanted[RESIZE] = session->asked.tty;
	for (unsigned role = 0; role < ROLES; role++)
		if (command->wanted[role]) {
			command->channels[role] = session_channel(session, session, role);
			command->channels[role]->deaf = role != STDIN && role != RESIZE;
		}
	/* an empty message tells that the connection is there */
	for (unsigned role = STDOUT; role < RESIZE; role++)
		if (command->channels[role]) {
			channel_send(command->channels[role], "", 0);
			return;
		}
}
