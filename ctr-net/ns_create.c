/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/commands.h"
#include "ctr-net/netlink.h"
#include "ctr-net/ns.h"
#include "ctr-net/ns_make.h"
#include "ctr-net/record.h"
#include "ctr-net/sysctl.h"
#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/random.h"
#include "lib/store.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTNAME_LENGTH_MAX = 64 };

struct ns_create_settings {
	bool net, ipc, uts, user;
	struct strings uid_maps, gid_maps, sysctls;
	const char *hostname;
	long long pid;
};

/* ---- from options to a plan ---- */

static void plan_free(struct ns_plan *plan)
{
	free(plan->uid_map);
	free(plan->gid_map);
}
#define cleanup_plan __attribute__((cleanup(plan_free)))

/* A decimal number of up to 32 bits at *at, which is moved behind it and `end`; false where there
 * is none. */
static bool take_number(const char **at, char end, unsigned long long *number)
{
	size_t digits = strspn(*at, "0123456789");

	if (digits == 0 || digits > 10 || (*at)[digits] != end)
		return false;
	*number = strtoull(*at, NULL, 10);
	*at += digits + (end != '\0');
	return *number <= UINT32_MAX;
}

/* The line of /proc/PID/uid_map for CONTAINER:HOST:SIZE, or NULL; the caller frees it. */
static char *make_map_line(const char *word, bool *has_root)
{
	unsigned long long inside, outside, size;

	if (!take_number(&word, ':', &inside) || !take_number(&word, ':', &outside) ||
	    !take_number(&word, '\0', &size) || size == 0 || inside + size > UINT32_MAX ||
	    outside + size > UINT32_MAX)
		return NULL;
	*has_root = *has_root || inside == 0;
	return xasprintf("%llu %llu %llu\n", inside, outside, size);
}

/* The whole of it; NULL with ERROR_USAGE. One line must hold the container's root. */
static char *make_map(const struct strings *words, const char *option, struct error *err)
{
	cleanup_free char *map = xstrdup("");
	bool has_root = false;

	for (size_t i = 0; i < words->count; i++) {
		cleanup_free char *line = make_map_line(words->items[i], &has_root);

		if (!line) {
			error_set(err, ERROR_USAGE, "%s %s: not CONTAINER:HOST:SIZE", option,
				  words->items[i]);
			return NULL;
		}

		char *longer = xasprintf("%s%s", map, line);
		free(map);
		map = longer;
	}
	if (has_root)
		return steal_ptr(&map);
	error_set(err, ERROR_USAGE, "a user namespace needs a mapping of its id 0");
	error_hint(err, "%s 0:100000:65536", option);
	return NULL;
}

static int plan_user(const struct ns_create_settings *settings, struct ns_plan *plan,
		     struct error *err)
{
	if (!settings->user && settings->uid_maps.count + settings->gid_maps.count == 0)
		return 0;
	if (!settings->user)
		return error_set(err, ERROR_USAGE, "--uidmap and --gidmap go with --user");
	plan->kinds[PIN_USER] = true;
	plan->uid_map = make_map(&settings->uid_maps, "--uidmap", err);
	plan->gid_map = plan->uid_map ? make_map(&settings->gid_maps, "--gidmap", err) : NULL;
	return plan->gid_map ? 0 : -1;
}

static int plan_hostname(const struct ns_create_settings *settings, struct ns_plan *plan,
			 struct error *err)
{
	const char *name = settings->hostname;
	bool valid = name && *name && strlen(name) <= HOSTNAME_LENGTH_MAX;

	if (!name)
		return 0;
	if (!settings->uts)
		return error_set(err, ERROR_USAGE, "--hostname goes with --uts");
	for (const char *c = name; *c; c++)
		valid = valid && isgraph((unsigned char)*c);
	if (!valid)
		return error_set(err, ERROR_USAGE, "\"%s\" cannot be a host name", name);
	plan->hostname = name;
	return 0;
}

static int plan_sysctls(const struct ns_create_settings *settings, struct ns_plan *plan,
			struct error *err)
{
	for (size_t i = 0; i < settings->sysctls.count; i++) {
		int kind = sysctl_kind(settings->sysctls.items[i], err);

		if (kind < 0)
			return -1;
		if (!plan->kinds[kind])
			return error_set(err, ERROR_USAGE,
					 "sysctl %s would be set where no namespace is made for it",
					 settings->sysctls.items[i]);
	}
	plan->sysctls = &settings->sysctls;
	return 0;
}

static int make_plan(const struct cli *cli, struct ns_plan *plan, struct error *err)
{
	const struct ns_create_settings *settings = cli->settings;

	if (settings->pid < 0 || settings->pid > INT_MAX)
		return error_set(err, ERROR_USAGE, "--pid is the number of a process");
	plan->kinds[PIN_NET] = settings->net;
	plan->kinds[PIN_IPC] = settings->ipc;
	plan->kinds[PIN_UTS] = settings->uts;
	plan->kinds[PIN_PID] = settings->pid > 0;
	plan->pid = (pid_t)settings->pid;
	if (plan_user(settings, plan, err) < 0 || plan_hostname(settings, plan, err) < 0 ||
	    plan_sysctls(settings, plan, err) < 0)
		return -1;
	for (int kind = 0; kind < PIN_KINDS; kind++)
		if (plan->kinds[kind])
			return 0;
	return cli_usage(cli, err, "--no-net alone leaves nothing to make");
}

/* ---- the verb ---- */

/* Add the interfaces that the kernel tells of. */
static int describe_network(json_t *created, const char *path, struct error *err)
{
	cleanup_netlink struct netlink netlink = { 0 };
	cleanup_fd int fd = ns_open(path, err);

	if (fd < 0 || ns_netlink(fd, &netlink, err) < 0)
		return -1;

	json_t *interfaces = netlink_interfaces(&netlink, err);
	json_object_set_new(created, "interfaces", interfaces);
	return interfaces ? 0 : -1;
}

static int print(const struct cli *cli, const struct ns_plan *plan, const char *runroot,
		 const char *name, struct error *err)
{
	json_auto_t *created = json_pack("{s:s}", "name", name);

	for (int kind = 0; kind < PIN_KINDS; kind++) {
		cleanup_free char *path = pin_path(runroot, (enum pin_kind)kind, name);

		if (!plan->kinds[kind])
			continue;
		json_object_set_new(created, pin_key((enum pin_kind)kind), json_string(path));
		if (kind == PIN_NET && describe_network(created, path, err) < 0)
			return -1;
	}
	return output_object(cli, created, err);
}

/* A network namespace that `add` makes of its own accord has the container's id for its name. */
static int check_not_owned(const struct record *record, const char *name, struct error *err)
{
	if (!record->owns_netns)
		return 0;
	error_set(err, ERROR_EXISTS, "\"%s\" is a container that add has connected", name);
	error_subject(err, name);
	return error_hint(err, "ctr-net del --id %s takes it off", name);
}

static int ns_create(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_record struct record record = { 0 };
	cleanup_plan struct ns_plan plan = { 0 };
	char random[RANDOM_ID_SIZE];
	const char *name = cli->operands[0];
	struct error ignored;

	if (!name) {
		random_id(random);
		name = random;
	}
	if (ns_check_name(name, err) < 0)
		return -1;
	/* the record's lock: `add` may be making the namespace of a container with that id */
	if (make_plan(cli, &plan, err) < 0 || store_open(cli, &store, err) < 0 ||
	    record_open(&store, name, &record, err) < 0 ||
	    (plan.kinds[PIN_NET] && check_not_owned(&record, name, err) < 0) ||
	    ns_make(&plan, store.runroot, name, err) < 0)
		return -1;
	/* where nobody reads the name, nobody could remove it */
	signal(SIGPIPE, SIG_IGN);
	if (print(cli, &plan, store.runroot, name, err) == 0)
		return 0;
	for (int kind = 0; kind < PIN_KINDS; kind++)
		if (plan.kinds[kind])
			pin_remove(store.runroot, (enum pin_kind)kind, name, &ignored);
	return err->os == EPIPE ? 128 + SIGPIPE : -1;
}

#define OPTION(name, value, kind, field, help)                                                     \
	{                                                                                          \
		name, 0, value, kind, offsetof(struct ns_create_settings, field), help             \
	}

static const struct cli_option options[] = {
	OPTION("net", NULL, OPTION_FLAG, net,
	       "create a network namespace (default; --no-net: none)"),
	OPTION("ipc", NULL, OPTION_FLAG, ipc, "also create an IPC namespace"),
	OPTION("uts", NULL, OPTION_FLAG, uts, "also create a UTS namespace"),
	OPTION("user", NULL, OPTION_FLAG, user,
	       "also create a user namespace, which owns the others"),
	OPTION("uidmap", "CONTAINER:HOST:SIZE", OPTION_LIST, uid_maps,
	       "user ids of the user namespace"),
	OPTION("gidmap", "CONTAINER:HOST:SIZE", OPTION_LIST, gid_maps, "the same for group ids"),
	OPTION("pid", "PID", OPTION_NUMBER, pid, "also pin the PID namespace of this process"),
	OPTION("hostname", "NAME", OPTION_STRING, hostname, "host name in the UTS namespace"),
	OPTION("sysctl", "KEY=VALUE", OPTION_LIST, sysctls,
	       "kernel parameter to set in the namespaces"),
	{ 0 },
};

static const struct ns_create_settings defaults = { .net = true };

const struct cli_command ns_create_command = {
	.name = "ns create",
	.operands = "[NAME]",
	.operands_max = 1,
	.summary = "create and pin a network namespace with loopback up",
	.details =
		"Without NAME, the name is random. The namespace stays until ns rm, without any\n"
		"process in it. For pods, namespaces of other types can be created and pinned\n"
		"under the same name.",
	.options = options,
	.settings_size = sizeof(struct ns_create_settings),
	.defaults = &defaults,
	.run = ns_create,
};
