/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/id_map.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OVERFLOW_ID = 65534, RANGES_MAX = 340 /* user_namespaces(7) */ };

static const json_int_t id_end = 0xffffffff; /* (uid_t)-1 is none */

struct range {
	json_int_t container, host, size;
};

/* ---- reading ---- */

static struct range range_at(const json_t *map, size_t i)
{
	const json_t *range = json_array_get(map, i);

	return (struct range){ json_integer_value(json_object_get(range, "containerID")),
			       json_integer_value(json_object_get(range, "hostID")),
			       json_integer_value(json_object_get(range, "size")) };
}

static bool parse_number(const char **text, char end, json_int_t *number)
{
	char *rest;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoll(*text, &rest, 10);
	if (errno || *rest != end)
		return false;
	*text = rest + (end != '\0');
	return true;
}

static bool is_sound(const struct range *range)
{
	return range->size > 0 && range->size <= id_end && range->container >= 0 &&
	       range->container <= id_end - range->size && range->host >= 0 &&
	       range->host <= id_end - range->size;
}

static bool parse_range(const char *text, struct range *range)
{
	return parse_number(&text, ':', &range->container) &&
	       parse_number(&text, ':', &range->host) && parse_number(&text, '\0', &range->size) &&
	       is_sound(range);
}

static bool meet(json_int_t a, json_int_t a_size, json_int_t b, json_int_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* What the kernel would refuse; a copy is made without asking it. */
static bool overlaps(const json_t *map, const struct range *range)
{
	for (size_t i = 0; i < json_array_size(map); i++) {
		struct range other = range_at(map, i);

		if (meet(range->container, range->size, other.container, other.size) ||
		    meet(range->host, range->size, other.host, other.size))
			return true;
	}
	return false;
}

int id_map_parse(const struct strings *texts, const char *option, json_t **map, struct error *err)
{
	json_auto_t *list = json_array();

	if (texts->count > RANGES_MAX)
		return error_set(err, ERROR_USAGE, "--%s: more than %d ranges", option, RANGES_MAX);
	for (size_t i = 0; i < texts->count; i++) {
		struct range range;

		if (!parse_range(texts->items[i], &range))
			return error_set(err, ERROR_USAGE,
					 "--%s: \"%s\" is not CONTAINER:HOST:SIZE", option,
					 texts->items[i]);
		if (overlaps(list, &range))
			return error_set(err, ERROR_USAGE, "--%s: \"%s\" overlaps another range",
					 option, texts->items[i]);
		json_array_append_new(list,
				      json_pack("{s:I, s:I, s:I}", "containerID", range.container,
						"hostID", range.host, "size", range.size));
	}
	*map = texts->count ? json_incref(list) : NULL;
	return 0;
}

struct id_maps id_maps_of(const json_t *container)
{
	return (struct id_maps){ json_object_get(container, "uidMappings"),
				 json_object_get(container, "gidMappings") };
}

/* ---- looking up ---- */

static uid_t look_up(const json_t *map, uid_t id, bool to_host)
{
	if (json_array_size(map) == 0)
		return id;
	for (size_t i = 0; i < json_array_size(map); i++) {
		struct range range = range_at(map, i);
		json_int_t from = to_host ? range.container : range.host;
		json_int_t to = to_host ? range.host : range.container;

		if (id >= from && id - from < range.size)
			return (uid_t)(to + (id - from));
	}
	return OVERFLOW_ID;
}

uid_t id_map_to_host(const json_t *map, uid_t id)
{
	return look_up(map, id, true);
}

uid_t id_map_to_container(const json_t *map, uid_t id)
{
	return look_up(map, id, false);
}

/* ---- the user namespace ---- */

static int write_map(pid_t pid, const char *file, const json_t *map, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/%s", (int)pid, file);
	cleanup_free char *text = xstrdup("");
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s", path);
	for (size_t i = 0; i < json_array_size(map); i++) {
		struct range range = range_at(map, i);
		char *longer = xasprintf("%s%lld %lld %lld\n", text, (long long)range.container,
					 (long long)range.host, (long long)range.size);

		free(text);
		text = longer;
	}
	if (json_array_size(map) == 0) {
		free(text);
		text = xstrdup("0 0 4294967295\n");
	}
	/* the kernel takes all of it in one write, or nothing */
	if (write(fd, text, strlen(text)) >= 0)
		return 0;
	return error_os(err, "cannot set the mapping");
}

/* A process that only waits, in a user namespace of its own. */
static pid_t start_holder(struct error *err)
{
	pid_t parent = getpid();
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		/* it has our locks, too, and must not outlive us */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	return pid < 0 ? error_os(err, "cannot make a user namespace") : pid;
}

static int open_namespace(pid_t pid, const struct id_maps *maps, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/user", (int)pid);

	if (write_map(pid, "uid_map", maps->uids, err) < 0 ||
	    write_map(pid, "gid_map", maps->gids, err) < 0)
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

int id_maps_open(const struct id_maps *maps, int *fd, struct error *err)
{
	if (json_array_size(maps->uids) == 0 && json_array_size(maps->gids) == 0)
		return 0;

	pid_t pid = start_holder(err);
	if (pid < 0)
		return -1;
	int opened = open_namespace(pid, maps, err);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (opened < 0)
		return -1;
	*fd = opened;
	return 0;
}
