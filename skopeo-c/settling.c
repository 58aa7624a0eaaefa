/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/settling.h"

#include "lib/memory.h"
#include "skopeo-c/http.h"
#include "skopeo-c/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct settling {
	pthread_t thread;
	int fd;
	struct http *http;
	int failure; /* of errno; 0 for none */
	atomic_bool is_done;
};

static void *settle(void *context)
{
	struct settling *settling = context;

	/* the size is part of it */
	settling->failure = fdatasync(settling->fd) < 0 ? errno : 0;
	atomic_store(&settling->is_done, true);
	http_wake(settling->http);
	return NULL;
}

struct settling *settling_start(int fd, struct http *http)
{
	struct settling *settling = xcalloc(1, sizeof *settling);

	settling->fd = fd;
	settling->http = http;
	if (thread_start(&settling->thread, settle, settling))
		return settling;
	free(settling);
	return NULL;
}

bool settling_is_done(const struct settling *settling)
{
	return atomic_load(&settling->is_done);
}

int settling_end(struct settling *settling, const char *what, struct error *err)
{
	pthread_join(settling->thread, NULL);
	int failure = settling->failure;

	free(settling);
	errno = failure;
	return failure ? error_os(err, "%s", what) : 0;
}
