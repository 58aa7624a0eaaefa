/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/store.h"
#include "lib/watch.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/cri_log.h"
#include "ocid-shim/find.h"
#include "ocid-shim/log_set.h"
#include "ocid-shim/log_time.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000 };

struct logs_settings {
	bool follow, timestamps, raw;
	const char *since, *until;
	long long tail; /* -1: all */
};

/* Where records go. */
struct printer {
	const struct logs_settings *settings;
	bool bounded; /* by one of these at least, in nanoseconds since 1970 */
	long long since, until;
	bool rotates;	     /* the log does */
	FILE *last;	     /* written to last, so that the order of both streams is kept */
	bool inside_line[2]; /* of stdout, stderr: the last record was a part */
};

static int parse_time(const struct cli *cli, const char *option, const char *text,
		      long long *nanoseconds, struct error *err)
{
	if (!text || log_time_parse(text, nanoseconds))
		return 0;
	return cli_usage(cli, err, "%s: \"%s\" is neither a time (RFC 3339) nor an age like 1h30m",
			 option, text);
}

static FILE *turn_to(struct printer *printer, FILE *stream)
{
	if (printer->last && printer->last != stream)
		fflush(printer->last);
	printer->last = stream;
	return stream;
}

/* Whether it was written in the time that is asked for. */
static bool is_wanted(const struct printer *printer, const struct cri_record *record)
{
	long long when;

	return !printer->bounded || (cri_time_parse(record->time, record->time_length, &when) &&
				     when >= printer->since && when <= printer->until);
}

/* Lines that are no records (a log that something else wrote to) are shown raw only. */
static void print_line(struct printer *printer, const char *line, size_t length)
{
	struct cri_record record;
	bool *inside, raw = printer->settings->raw;

	if (cri_record_parse(line, length, &record) ? !is_wanted(printer, &record)
						    : !raw || printer->bounded)
		return;
	if (raw) {
		fwrite(line, 1, length, turn_to(printer, stdout));
		putc('\n', stdout);
		return;
	}
	FILE *stream = turn_to(printer, record.is_stderr ? stderr : stdout);
	inside = &printer->inside_line[record.is_stderr];
	if (printer->settings->timestamps && !*inside)
		fprintf(stream, "%.*s ", (int)record.time_length, record.time);
	fwrite(record.content, 1, record.length, stream);
	if (record.is_full)
		putc('\n', stream);
	*inside = !record.is_full;
}

static int print_all(struct log_reader *reader, struct printer *printer, struct error *err)
{
	const char *line;
	size_t length;
	int status;

	while ((status = log_reader_next(reader, &line, &length, err)) > 0)
		print_line(printer, line, length);
	if (printer->last && fflush(printer->last) != 0)
		return error_os(err, "output");
	return status;
}

/* A descriptor that tells of the monitor's end; -1 when it has ended already. */
static int watch_monitor(const struct container *container)
{
	struct error ignored;
	size_t length;
	cleanup_free char *text =
		file_read_at(container->dir_fd, "shim.pid", PATH_MAX, &length, &ignored);
	long pid = text ? strtol(text, NULL, 10) : 0;
	cleanup_fd int fd = pid > 1 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;

	/* only after the open: while the lock is held the number is the monitor's */
	return fd >= 0 && container_is_watched(container) ? steal_fd(&fd) : -1;
}

/* Print all but the newest file, which becomes *reader. */
static int print_older(struct log_set *set, struct log_reader *reader, struct printer *printer,
		       struct error *err)
{
	for (size_t i = set->count - 1; i > 0; i--)
		if (print_all(&set->readers[i], printer, err) < 0)
			return -1;
	log_reader_close(reader);
	*reader = set->readers[0];
	set->readers[0] = (struct log_reader){ .fd = -1 };
	return 0;
}

/* Go over to the log that has taken the place of the one that is read (it was rotated, or
 * reopened), if there is one: only when something is in it, or at the end of the container, since
 * until then the old one may still grow. 1 when that was done. */
static int change_file(struct log_reader *reader, struct printer *printer, int changes, bool ended,
		       struct error *err)
{
	cleanup_log_set struct log_set newer = { 0 };
	struct error ignored;
	struct stat status;

	if (stat(reader->path, &status) < 0 || !log_reader_is_other(reader, &status))
		return 0;
	/* it may be written to at any moment from now */
	if (inotify_add_watch(changes, reader->path, IN_MODIFY) < 0 ||
	    stat(reader->path, &status) < 0 || (status.st_size == 0 && !ended))
		return 0;
	if (print_all(reader, printer, err) < 0)
		return -1;
	/* between a renaming and the making of the next there is none */
	if (log_set_open(reader->path, printer->rotates, reader, &newer, &ignored) < 0 ||
	    newer.count == 0)
		return 0;
	return print_older(&newer, reader, printer, err) < 0 ? -1 : 1;
}

/* Watch the log, and its directory for one that takes its place. */
static int watch_log(const char *path, int changes, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *directory = xstrndup(path, (size_t)(slash - path) + 1);

	return watch_add(changes, path, IN_MODIFY, err) < 0 ||
			       watch_add(changes, directory, IN_CREATE | IN_MOVED_TO, err) < 0
		       ? -1
		       : 0;
}

/* Print what there is in the log, and in the one that took its place. */
static int catch_up(struct log_reader *reader, struct printer *printer, int changes, bool ended,
		    struct error *err)
{
	int changed;

	do {
		if (print_all(reader, printer, err) < 0)
			return -1;
		changed = change_file(reader, printer, changes, ended, err);
	} while (changed > 0);
	return changed;
}

/* The exit record is written when the log is complete, before an exit command runs. */
static bool has_exited(const struct container *container)
{
	json_auto_t *exit = container_exit(container);

	return exit != NULL;
}

static int watch_container(const struct container *container, int changes, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", container->dir_fd);

	return watch_add(changes, path, IN_MOVED_TO, err);
}

/* Milliseconds until what the container writes is not wanted any more; -1: for ever. */
static int time_left(const struct printer *printer)
{
	if (printer->until == LLONG_MAX)
		return -1;
	long long left = (printer->until - clock_wall_ns()) / NS_PER_MS + 1;
	return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* Print what comes until the container has ended, or its monitor was killed. */
static int follow(const struct container *container, struct log_reader *reader,
		  struct printer *printer, struct error *err)
{
	char events[4096];
	cleanup_fd int changes = watch_open(IN_CLOEXEC | IN_NONBLOCK, err);
	cleanup_fd int monitor = watch_monitor(container);

	if (changes < 0 || watch_log(reader->path, changes, err) < 0 ||
	    watch_container(container, changes, err) < 0)
		return -1;
	for (bool ended = monitor < 0;;) {
		struct pollfd polls[] = {
			{ changes, POLLIN, 0 },
			{ monitor, POLLIN, 0 },
			{ STDOUT_FILENO, 0, 0 }, /* an error or a hangup: nobody reads any more */
		};

		int left = time_left(printer);
		ended = ended || left == 0 || has_exited(container);
		if (catch_up(reader, printer, changes, ended, err) < 0)
			return -1;
		if (ended)
			return 0;
		if (cli_poll(polls, 3, left) < 0 && errno != EINTR)
			return error_os(err, "poll");
		if (cli_interrupted())
			return cli_fail_interrupted(err);
		if (polls[2].revents)
			return 0;
		if (polls[0].revents && read(changes, events, sizeof events) < 0 && errno != EAGAIN)
			return error_os(err, "inotify");
		ended = polls[1].revents != 0;
	}
}

static int print_log(const struct container *container, struct printer *printer, struct error *err)
{
	const struct logs_settings *settings = printer->settings;
	const char *path = json_text(container->facts, "logPath", NULL);
	cleanup_log_set struct log_set set = { 0 };
	cleanup_log_reader struct log_reader reader = { .fd = -1 };

	printer->rotates = json_flag(container->facts, "logRotates");
	if (!path)
		return error_set(err, ERROR_UNSUPPORTED,
				 "container \"%s\" has no log file (see --log-driver of create)",
				 container->id);
	if (log_set_open(path, printer->rotates, NULL, &set, err) < 0 ||
	    (settings->tail >= 0 && log_set_tail(&set, settings->tail, printer->until, err) < 0) ||
	    print_older(&set, &reader, printer, err) < 0)
		return -1;
	return settings->follow ? follow(container, &reader, printer, err)
				: print_all(&reader, printer, err);
}

static int run_logs(const struct cli *cli, struct error *err)
{
	const struct logs_settings *settings = cli->settings;
	struct printer printer = { .settings = settings,
				   .bounded = settings->since || settings->until,
				   .until = LLONG_MAX };
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };

	if (settings->raw && settings->timestamps)
		return cli_usage(cli, err, "--raw has the timestamps already");
	if (settings->tail < -1)
		return cli_usage(cli, err, "--tail: %lld is no number of lines", settings->tail);
	if (parse_time(cli, "--since", settings->since, &printer.since, err) < 0 ||
	    parse_time(cli, "--until", settings->until, &printer.until, err) < 0 ||
	    store_open(cli, &store, err) < 0 ||
	    find_container(&store, cli->operands[0], &container, err) < 0)
		return -1;

	static char stderr_buffer[BUFSIZ];
	setvbuf(stderr, stderr_buffer, _IOFBF, sizeof stderr_buffer);
	int status = print_log(&container, &printer, err);
	fflush(stderr);
	return status;
}

static const struct cli_option options[] = {
	{ "follow", 'f', NULL, OPTION_FLAG, offsetof(struct logs_settings, follow),
	  "keep printing until the container has ended" },
	{ "tail", 'n', "N", OPTION_NUMBER, offsetof(struct logs_settings, tail),
	  "only the last N lines" },
	{ "since", 0, "TIME", OPTION_STRING, offsetof(struct logs_settings, since),
	  "only output since TIME: an age like 1h30m or 2d, or an RFC 3339 time" },
	{ "until", 0, "TIME", OPTION_STRING, offsetof(struct logs_settings, until),
	  "only output until TIME" },
	{ "timestamps", 't', NULL, OPTION_FLAG, offsetof(struct logs_settings, timestamps),
	  "print the time before each line" },
	{ "raw", 0, NULL, OPTION_FLAG, offsetof(struct logs_settings, raw),
	  "print log records unchanged, all to standard output" },
	{ 0 },
};

static const struct logs_settings defaults = { .tail = -1 };

const struct cli_command logs_command = {
	.name = "logs",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "print the output of a container",
	.details = "The container's standard output and error go to ours.",
	.options = options,
	.settings_size = sizeof defaults,
	.defaults = &defaults,
	.run = run_logs,
};
