/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that help the one that waits for what comes. */
#pragma once
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* Signals are for the thread that waits. False where no further one can be started. */
static inline bool thread_start(pthread_t *thread, void *(*work)(void *context), void *context)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(thread, NULL, work, context) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}
