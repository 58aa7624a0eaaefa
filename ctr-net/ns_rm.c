/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/attach.h"
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/options.h"
#include "ctr-net/pin.h"
#include "ctr-net/record.h"
#include "lib/json.h"
#include "lib/store.h"

struct ns_rm_settings {
	bool force;
};

/* Also where one cannot be removed, the others are. ERROR_NOT_FOUND where there is none at all. */
static int remove_all(const char *runroot, const char *name, struct error *err)
{
	int status = -1;
	bool failed = false;

	error_set(err, ERROR_NOT_FOUND, "no namespace \"%s\"", name);
	error_subject(err, name);
	error_hint(err, "see ctr-net ns list");
	for (int kind = 0; kind < PIN_KINDS; kind++) {
		struct error failure;

		if (pin_remove(runroot, (enum pin_kind)kind, name, &failure) == 0) {
			status = 0;
		} else if (failure.kind != ERROR_NOT_FOUND) {
			*err = failure;
			failed = true;
		}
	}
	return failed ? -1 : status;
}

/* Where an `add` was killed before its plugins had answered, what they have made, such as firewall
 * rules, may be found by the namespace alone. */
static void take_off_unfinished(struct record *record)
{
	const struct attach_settings settings = { .timeout_ms = TIMEOUT_DEFAULT_S * 1000 };

	for (size_t i = json_array_size(record->attachments); i > 0; i--) {
		json_t *entry = json_array_get(record->attachments, i - 1);

		if (!json_flag(entry, "ready"))
			attach_undo(record, entry, &settings);
	}
}

static int ns_rm(const struct cli *cli, struct error *err)
{
	const struct ns_rm_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	cleanup_record struct record record = { 0 };
	const char *name = cli->operands[0];
	struct error failure;

	if (ns_check_name(name, err) < 0)
		return -1;
	if (store_open(cli, &store, err) < 0 || record_open(&store, name, &record, err) < 0)
		return -1;
	if (!record_is_empty(&record) && !settings->force) {
		error_set(err, ERROR_IN_USE, "\"%s\" is still connected to networks", name);
		error_subject(err, name);
		return error_hint(err, "ctr-net del --id %s first, or --force", name);
	}
	take_off_unfinished(&record);
	if (remove_all(store.runroot, name, &failure) == 0 ||
	    (settings->force && failure.kind == ERROR_NOT_FOUND))
		return 0;
	*err = failure;
	return -1;
}

static const struct cli_option options[] = {
	{ "force", 'f', NULL, OPTION_FLAG, offsetof(struct ns_rm_settings, force),
	  "even if networks are connected; ignore missing namespaces" },
	{ 0 },
};

const struct cli_command ns_rm_command = {
	.name = "ns rm",
	.operands = "NETNS",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "remove all namespaces pinned under a name",
	.options = options,
	.settings_size = sizeof(struct ns_rm_settings),
	.run = ns_rm,
};
