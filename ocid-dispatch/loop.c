/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

int loop_open(struct error *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd < 0 ? error_os(err, "epoll_create1") : fd;
}

int loop_add(int loop_fd, struct watch *watch, struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };

	if (epoll_ctl(loop_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0)
		return error_os(err, "epoll_ctl");
	return 0;
}

void loop_change(int loop_fd, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	epoll_ctl(loop_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_remove(int loop_fd, const struct watch *watch)
{
	epoll_ctl(loop_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

int loop_step(int loop_fd, int timeout_ms, struct error *err)
{
	struct epoll_event event;
	int ready = epoll_wait(loop_fd, &event, 1, timeout_ms);

	if (ready < 0 && errno != EINTR)
		return error_os(err, "epoll_wait");
	if (ready > 0) {
		struct watch *watch = event.data.ptr;

		watch->ready(watch->owner, event.events);
	}
	return 0;
}
