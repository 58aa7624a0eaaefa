/* SPDX-License-Identifier: Apache-2.0 */
/* Files that grow are on the disk when they are said to be; what the disk has refused once is told.
 */
#include "lib/settling.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MUCH = 32 << 20 /* bytes for which the disk is asked at once */ };

static size_t woken;

static void wake(void *context)
{
	(*(size_t *)context)++;
}

static int new_file(void)
{
	FILE *file = tmpfile();
	int fd = file ? dup(fileno(file)) : -1;

	if (file)
		fclose(file);
	return fd;
}

static void several_files(struct settling *settling)
{
	struct settled files[2] = { 0 };
	int fds[2] = { new_file(), new_file() };
	struct error err = { 0 };

	for (int i = 0; i < 2; i++) {
		ok(!settling_is_begun(&files[i]), "file %d is not begun", i);
		settling_begin(settling, &files[i], fds[i]);
		ok(settling_is_begun(&files[i]), "file %d is begun", i);
	}
	for (int i = 0; i < 100; i++)
		settling_grow(settling, &files[i % 2], MUCH / 10);
	ok(!settling_is_done(settling, &files[0]), "a file that grows is not done");
	for (int i = 0; i < 2; i++)
		settling_finish(settling, &files[i]);
	for (int i = 0; i < 2; i++) {
		ok(settling_end(settling, &files[i], "file", &err) == 0, "file %d: %s", i,
		   err.message);
		ok(settling_is_done(settling, &files[i]), "file %d is done", i);
		close(fds[i]);
	}
	ok(woken == 2, "each has woken us once: %zu", woken);
}

/* A pipe has no disk. */
static void refused(struct settling *settling)
{
	struct settled file = { 0 };
	struct error err = { 0 };
	int fds[2], good = new_file();

	ok(pipe(fds) == 0, "pipe");
	settling_begin(settling, &file, fds[1]);
	settling_grow(settling, &file, MUCH);
	for (int i = 0; i < 5000 && !__atomic_load_n(&file.failure, __ATOMIC_SEQ_CST); i++)
		usleep(1000);
	/* the end itself goes well */
	ok(dup2(good, fds[1]) >= 0, "dup2");
	settling_finish(settling, &file);
	ok(settling_end(settling, &file, "the file", &err) < 0, "the failure is told");
	is(err.message, "the file: Invalid argument", "with its name");
	close(fds[0]);
	close(fds[1]);
	close(good);
}

static void given_up(struct settling *settling)
{
	struct settled file = { 0 };
	struct error err = { 0 };
	int fd = new_file();

	ok(settling_end(settling, &file, "file", &err) == 0, "one that was not begun");
	settling_begin(settling, &file, fd);
	settling_grow(settling, &file, 1);
	ok(settling_end(settling, &file, "file", &err) == 0, "one that was not finished");
	ok(!settling_is_done(settling, &file), "is not done");
	close(fd);
}

int main(void)
{
	struct settling *settling = settling_new(2, wake, &woken);

	several_files(settling);
	refused(settling);
	given_up(settling);
	settling_free(settling);
	settling_free(NULL);
	return tap_done();
}
