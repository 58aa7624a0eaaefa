/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spawn.h"

#include "lib/cli.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SLEEP_S = 60 };

/* A signal that came before there was anything to wait for is not slept through. */
static void test_signal_before(void)
{
	const char *const argv[] = { "sleep", "60", NULL };
	const struct spawn spawn = { .argv = argv };
	const time_t begin = time(NULL);
	struct spawn_result result;
	struct error err = { 0 };

	cli_limit_time(1);
	while (!cli_interrupted())
		usleep(1000);
	ok(spawn_run(&spawn, &result, &err) < 0, "a run after the signal fails");
	is(err.message, "interrupted", "for that reason");
	ok(time(NULL) - begin < SLEEP_S / 2, "without having waited for its end");
	cli_interrupt_take();
}

static void test_output(void)
{
	const char *const argv[] = { "sh", "-c", "cat; echo no >&2; exit 3", NULL };
	const struct spawn spawn = { .argv = argv, .input = "in", .input_length = 2 };
	cleanup_spawn_result struct spawn_result result = { 0 };
	struct error err;

	ok(spawn_run(&spawn, &result, &err) == 0, "a program runs");
	ok(result.status == 3, "its status");
	is(result.out, "in", "what it printed");
	is(result.err, "no\n", "what it said on stderr");
}

/* No shell reads what the kernel cannot run. */
static void test_not_a_program(void)
{
	char path[] = "/tmp/ocid-spawn-XXXXXX";
	int fd = mkstemp(path);
	const char *const argv[] = { path, NULL };
	const struct spawn spawn = { .argv = argv };
	cleanup_spawn_result struct spawn_result result = { 0 };
	struct error err = { 0 };

	ok(fd >= 0 && write(fd, "exit 0\n", 7) == 7 && fchmod(fd, 0700) == 0, "a text");
	close(fd);
	ok(spawn_run(&spawn, &result, &err) < 0, "... is not run");
	ok(strstr(err.message, "Exec format error") != NULL, "... for that reason");
	unlink(path);
}

int main(void)
{
	test_signal_before();
	test_output();
	test_not_a_program();
	return tap_done();
}
