/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cli_tables.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted_by;

int cli_interrupted(void)
{
	return interrupted_by;
}

int cli_fail_interrupted(struct error *err)
{
	return error_set(err, ERROR_TEMPORARY, "interrupted");
}

static void note_signal(int number);

static void catch_signal(int number)
{
	const struct sigaction action = { .sa_handler = note_signal };

	sigaction(number, &action, NULL);
}

/* One that came just before a call that waits would be slept through: it comes again each second.
 */
static void note_signal(int number)
{
	if (number != SIGALRM || !interrupted_by)
		interrupted_by = number;
	catch_signal(SIGALRM);
	alarm(1);
}

void cli_catch_signal(int number)
{
	struct sigaction old;

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		catch_signal(number);
}

void cli_catch_signals(void)
{
	cli_catch_signal(SIGHUP);
	cli_catch_signal(SIGINT);
	cli_catch_signal(SIGTERM);
}

void cli_limit_time(long long ms)
{
	const struct itimerval timer = { .it_value = { (time_t)(ms / 1000),
						       (suseconds_t)(ms % 1000 * 1000) } };

	catch_signal(SIGALRM);
	setitimer(ITIMER_REAL, &timer, NULL);
}

int cli_interrupt_take(void)
{
	int number = interrupted_by;

	if (number) { /* a time limit that has not run out goes on */
		alarm(0);
		interrupted_by = 0;
	}
	return number;
}

void cli_interrupt_put(int number)
{
	if (!number)
		return;
	interrupted_by = number;
	alarm(1);
}

int cli_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
	const struct timespec timeout = { .tv_sec = timeout_ms / 1000,
					  .tv_nsec = timeout_ms % 1000 * 1000000L };
	sigset_t all, before;
	int ready = -1, failure = EINTR;

	/* none comes between the look and the waiting, where only those come that came anyway */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (!interrupted_by) {
		ready = ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, &before);
		failure = errno;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = failure;
	return ready;
}
