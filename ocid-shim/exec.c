/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A further process in a container. The runtime only starts it, with our own standard streams, and
 * is gone then; the process becomes our child, since we are the nearest subreaper. So its exit
 * status is the kernel's word, its number stays taken until we have read that, and no runtime stays
 * in memory meanwhile.
 */
#include "lib/cgroup.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory_file.h"
#include "lib/random.h"
#include "lib/spawn.h"
#include "lib/store.h"
#include "ocid-shim/affinity.h"
#include "ocid-shim/children.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/console_socket.h"
#include "ocid-shim/container.h"
#include "ocid-shim/descriptor.h"
#include "ocid-shim/exec_process.h"
#include "ocid-shim/find.h"
#include "ocid-shim/not_run.h"
#include "ocid-shim/relay.h"
#include "ocid-shim/runtime.h"
#include "ocid-shim/terminal.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	TOOK_TOO_LONG = 124, /* as timeout(1) has it */
	TIMEOUT_MAX = INT_MAX / 1000,
	PID_MAX_LENGTH = 32
};

struct exec_settings {
	struct exec_request request;
	long long timeout; /* seconds; 0: none */
	long long resize_fd, errors_fd;
	const char *cpus;
	bool interactive, no_stdin;
};

/* One `exec` at work. */
struct session {
	const struct cli *cli;
	const struct exec_settings *settings;
	struct store store;
	struct container container;
	long long deadline;   /* clock_ms(); 0: none */
	json_t *process;      /* what the runtime is to run */
	char *pid_path;	      /* the file in which it says the process id */
	char socket_name[32]; /* in the container's directory; "" where there is no terminal */
	char *socket_path;
	int socket_fd;
	int stderr_fd; /* the command's standard error; 0: it is still ours, too */
};

static void session_close(struct session *session)
{
	if (session->pid_path)
		unlink(session->pid_path);
	if (session->socket_name[0])
		unlinkat(session->container.dir_fd, session->socket_name, 0);
	cleanup_fd_p(&session->socket_fd);
	if (session->stderr_fd > 0)
		close(session->stderr_fd);
	free(session->pid_path);
	free(session->socket_path);
	json_decref(session->process);
	container_close(&session->container);
	store_close(&session->store);
}

/* Start the runtime's `exec` of what process_fd holds; it writes the process id to the file. */
static pid_t start(const struct session *session, int process_fd, int log_fd, struct error *err)
{
	const json_t *facts = session->container.facts;
	bool has_input = !session->settings->no_stdin && !session->socket_path;
	cleanup_strings struct strings argv = { 0 };
	cleanup_fd int input =
		has_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;

	runtime_command(&session->store, json_text(facts, "runtime", "runc"),
			json_object_get(facts, "runtimeOptions"), log_fd, &argv);
	strings_add(&argv, "exec");
	strings_add(&argv, "--detach");
	strings_add(&argv, "--pid-file");
	strings_add(&argv, session->pid_path);
	if (session->socket_path) {
		strings_add(&argv, "--console-socket");
		strings_add(&argv, session->socket_path);
	}
	strings_add(&argv, "--process");
	strings_addf(&argv, "/proc/self/fd/%d", process_fd);
	strings_add(&argv, session->container.id);

	const int pass[] = { log_fd, process_fd, -1 };
	cleanup_free const char **environment = runtime_environment(false);
	const struct spawn spawn = { .argv = (const char *const *)argv.items,
				     .environment = environment,
				     .stdin_fd = input,
				     .stderr_fd = session->stderr_fd,
				     .pass_fds = pass };
	return spawn_start(&spawn, err);
}

/* The process that the runtime has made, which is a child of ours now. */
static pid_t find_process(const char *pid_path, struct error *err)
{
	struct error ignored;
	size_t length;
	cleanup_free char *text =
		file_read_at(AT_FDCWD, pid_path, PID_MAX_LENGTH, &length, &ignored);
	pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;

	if (pid < 2 || !child_is(pid))
		return error_set(err, ERROR_FAILED,
				 "the runtime did not say which process it made");
	return pid;
}

/* End everything, since that took too long or we are asked to end. Returns -1. */
static int cut_short(const struct session *session, struct error *err)
{
	children_end();
	error_set(err, ERROR_TEMPORARY, "%s took longer than %lld seconds and was ended",
		  session->cli->operands[1], session->settings->timeout);
	err->kind = (enum error_kind)TOOK_TOO_LONG;
	return -1;
}

/* Wait for a child, and end all of them where that takes too long or we are asked to end. */
static int await_or_end(const struct session *session, pid_t pid, struct error *err)
{
	int late = child_await(pid, session->deadline, err);

	if (late == 0)
		return 0;
	if (late > 0)
		return cut_short(session, err);
	children_end();
	return not_run(err);
}

/* Which CPUs: asked for, or the configuration's for the time before (`initial`) or after the
 * process is in the container's cgroups (runtime-spec, config.md, execCPUAffinity). */
static const char *choose_cpus(const struct session *session, const char *when)
{
	const json_t *configured = json_object_get(session->process, "execCPUAffinity");

	return session->settings->cpus ? session->settings->cpus
				       : json_text(configured, when, NULL);
}

/* Have the runtime make the process, until the deadline. */
static pid_t make_process(const struct session *session, struct error *err)
{
	cleanup_free char *text = json_compact(session->process);
	cleanup_fd int log_fd = runtime_log_open(err);
	cleanup_fd int process_fd = log_fd < 0 ? -1 : memory_file("process", text, err);

	/* what we start inherits it */
	if (process_fd < 0 || affinity_set(0, choose_cpus(session, "initial"), err) < 0)
		return not_run(err);
	pid_t runtime = start(session, process_fd, log_fd, err);
	if (runtime < 0)
		return not_run(err);
	if (await_or_end(session, runtime, err) < 0)
		return -1;

	int status = child_reap(runtime);
	if (status != 0) {
		runtime_failed(json_text(session->container.facts, "runtime", "runc"), log_fd, NULL,
			       status, err);
		return not_run(err);
	}
	pid_t process = find_process(session->pid_path, err);
	/* cgroups undo what was inherited */
	if (process < 0 || affinity_set(process, choose_cpus(session, "final"), err) < 0) {
		children_end();
		return not_run(err);
	}
	return process;
}

/* Between our standard streams and the process's terminal, until it ends. */
static int serve_terminal(const struct session *session, pid_t process, struct error *err)
{
	cleanup_terminal struct terminal terminal = { 0 };
	cleanup_fd int master = console_socket_receive(session->socket_fd, err);
	cleanup_fd int pid_fd = (int)syscall(SYS_pidfd_open, process, 0);
	struct relay relay = { .output_fd = master,
			       .input_fd = session->settings->no_stdin ? -1 : master,
			       .resize_fd = (int)session->settings->resize_fd,
			       .end_fd = pid_fd,
			       .deadline = session->deadline };

	if (master < 0 || pid_fd < 0) {
		children_end();
		return master < 0 ? -1 : error_set(err, ERROR_FAILED, "no pidfd");
	}
	if (!session->settings->no_stdin)
		terminal_make_raw(&terminal);
	switch (relay_run(&relay, err)) {
	case RELAY_ENDED:
		return child_reap(process);
	case RELAY_UNREAD:
		children_end();
		return 128 + SIGPIPE;
	case RELAY_TOO_LATE:
	case RELAY_INTERRUPTED:
		return cut_short(session, err);
	default:
		children_end();
		return -1;
	}
}

static int prepare_terminal(struct session *session, struct error *err)
{
	if (!session->settings->request.tty)
		return 0;
	char unique[RANDOM_NAME_SIZE];
	random_name(unique); /* not the process's id, which a killed one may have had */
	snprintf(session->socket_name, sizeof session->socket_name, "exec-%s.tty", unique);
	session->socket_fd = console_socket_listen(session->container.dir_fd, session->socket_name,
						   &session->socket_path, err);
	return session->socket_fd < 0 ? -1 : 0;
}

static int prepare(struct session *session, struct error *err)
{
	const struct cli *cli = session->cli;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return error_os(err, "subreaper");
	if (store_open(cli, &session->store, err) < 0 ||
	    find_container(&session->store, cli->operands[0], &session->container, err) < 0)
		return -1;

	const struct container *container = &session->container;
	enum container_status status = container_status(container);
	if (status == CONTAINER_STOPPED || status == CONTAINER_PAUSED)
		return error_set(err, ERROR_IN_USE, "container \"%s\" is %s, not running",
				 container->id, container_status_name(status));
	session->pid_path = xasprintf("%s/containers/%s/exec-%d", session->store.runroot,
				      container->id, (int)getpid());
	session->process = exec_process(container->facts, &session->settings->request,
					(const char *const *)cli->operands + 1, err);
	return session->process ? prepare_terminal(session, err) : -1;
}

/* Have what we say ourselves, from now on, go elsewhere than what the command says. */
static int part_errors(struct session *session, struct error *err)
{
	int fd = (int)session->settings->errors_fd;

	if (fd < 0)
		return 0;
	session->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (session->stderr_fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		return error_os(err, "--errors-fd");
	return 0;
}

static int run_exec(const struct cli *cli, struct error *err)
{
	const struct exec_settings *settings = cli->settings;
	__attribute__((cleanup(session_close))) struct session session = {
		.cli = cli,
		.settings = settings,
		.container = { .dir_fd = -1 },
		.deadline = settings->timeout ? clock_ms() + settings->timeout * 1000 : 0,
		.socket_fd = -1
	};
	cpu_set_t cpus;

	if (settings->timeout < 0 || settings->timeout > TIMEOUT_MAX)
		return cli_usage(cli, err, "--timeout: 0 to %d seconds", TIMEOUT_MAX);
	if (settings->cpus && !affinity_parse(settings->cpus, &cpus))
		return cli_usage(cli, err, "--cpus: \"%s\" is not a list of CPUs", settings->cpus);
	if (settings->resize_fd >= 0 && !settings->request.tty)
		return cli_usage(cli, err, "--resize-fd needs --tty");
	if (settings->interactive && settings->no_stdin)
		return cli_usage(cli, err, "--interactive and --no-stdin exclude each other");
	if (descriptor_option(cli, "resize-fd", settings->resize_fd, err) < 0 ||
	    descriptor_option(cli, "errors-fd", settings->errors_fd, err) < 0 ||
	    exec_request_check(cli, &settings->request, err) < 0 || part_errors(&session, err) < 0)
		return -1;
	/* the runtime moves the process */
	cgroup_expect_move();
	if (prepare(&session, err) < 0)
		return not_run(err);

	pid_t process = make_process(&session, err);
	if (process < 0)
		return -1;
	if (settings->request.tty)
		return serve_terminal(&session, process, err);
	return await_or_end(&session, process, err) < 0 ? -1 : child_reap(process);
}

static const struct cli_option options[] = {
	{ "tty", 't', NULL, OPTION_FLAG, offsetof(struct exec_settings, request.tty),
	  "allocate a terminal; its output is our standard output" },
	{ "interactive", 'i', NULL, OPTION_FLAG, offsetof(struct exec_settings, interactive),
	  "use our standard input (the default)" },
	{ "no-stdin", 0, NULL, OPTION_FLAG, offsetof(struct exec_settings, no_stdin),
	  "no standard input" },
	{ "resize-fd", 0, "FD", OPTION_NUMBER, offsetof(struct exec_settings, resize_fd),
	  "read terminal sizes from FD: {\"Width\":80,\"Height\":24}" },
	{ "errors-fd", 0, "FD", OPTION_NUMBER, offsetof(struct exec_settings, errors_fd),
	  "print our own errors to FD instead of standard error" },
	{ "env", 'e', "NAME=VALUE", OPTION_LIST, offsetof(struct exec_settings, request.env),
	  "add an environment variable" },
	{ "cwd", 0, "DIR", OPTION_STRING, offsetof(struct exec_settings, request.cwd),
	  "working directory (default: the container's)" },
	{ "user", 'u', "USER[:GROUP]", OPTION_STRING, offsetof(struct exec_settings, request.user),
	  "user, by name or number (default: the container's)" },
	{ "cpus", 0, "LIST", OPTION_STRING, offsetof(struct exec_settings, cpus),
	  "CPUs to run on, such as 0-3,8" },
	{ "timeout", 0, "SECONDS", OPTION_NUMBER, offsetof(struct exec_settings, timeout),
	  "kill the process group after this time (exit 124)" },
	{ 0 },
};

const struct cli_command exec_command = {
	.name = "exec",
	.operands = "ID COMMAND [ARG...]",
	.operands_min = 2,
	.operands_max = -1,
	.summary = "run a command in a running container",
	.details =
		"Uses our standard input, output and error. The exit code is that of the command;\n"
		"125 to 127 mean that it did not run. Options must precede the ID.",
	.options = options,
	.settings_size = sizeof(struct exec_settings),
	.defaults = &(const struct exec_settings){ .resize_fd = -1, .errors_fd = -1 },
	.stop_at_operand = true,
	.run = run_exec,
};
