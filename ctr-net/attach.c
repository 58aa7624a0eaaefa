/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/attach.h"

#include "ctr-net/cni_chain.h"
#include "ctr-net/cni_config.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/netlink.h"
#include "ctr-net/ns.h"
#include "ctr-net/ports.h"
#include "ctr-net/stand_in.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <string.h>
#include <unistd.h>

bool attach_is_alive(const json_t *entry)
{
	return json_flag(entry, "ready") &&
	       ns_look(json_text(entry, "netns", ""), json_text(entry, "netnsIdentity", NULL)) != 0;
}

/* The namespace that plugins may look into for DEL, or NULL. An interface that was there before an
 * ADD that failed is not ours to remove. */
static const char *netns_of(const json_t *entry)
{
	const char *path = json_text(entry, "netns", "");

	if (!json_flag(entry, "ready") && json_flag(entry, "foreign"))
		return NULL;
	return ns_look(path, json_text(entry, "netnsIdentity", NULL)) == 0 ? NULL : path;
}

/* The parameters of a recorded attachment; borrowed from it and from settings. */
static struct attachment recorded(const struct record *record, const json_t *entry,
				  const struct attach_settings *settings)
{
	const char *plugin_path = json_text(entry, "pluginPath", "");

	return (struct attachment){
		.container_id = record->id,
		.netns = netns_of(entry),
		.ifname = json_text(entry, "ifname", ""),
		.args = json_text(entry, "args", NULL),
		.capabilities = json_object_get(entry, "capabilities"),
		.plugin_path = settings->plugin_path ? settings->plugin_path : plugin_path,
		.timeout_ms = settings->timeout_ms,
	};
}

int attach_lock_network(const struct store *store, const char *network, enum lock_mode mode,
			struct error *err)
{
	return lock_take(store->locks_fd, "cni-gc", network, mode, true, err);
}

int attach_keep_gc_out(const struct store *store, const json_t *config, int *lock_fd,
		       struct error *err)
{
	if (!cni_config_speaks(config, "1.1.0"))
		return 0;

	int fd = attach_lock_network(store, cni_config_name(config), LOCK_SHARED, err);
	if (fd < 0)
		return -1;
	*lock_fd = fd;
	return 0;
}

/* Where the namespace is gone: the path of a stand-in for it, which *fd keeps. The caller frees it.
 * Without one, all but firewall rules is taken down by most plugins. */
static char *make_stand_in(const struct attachment *attachment, const json_t *result, int *fd)
{
	struct error failure;

	if (attachment->netns)
		return NULL;
	*fd = stand_in_make(attachment->ifname, result, &failure);
	if (*fd >= 0)
		return xasprintf("/proc/%d/fd/%d", getpid(), *fd);
	log_message(LOG_LEVEL_WARN, "%s: firewall rules may be left: %s", attachment->container_id,
		    failure.message);
	return NULL;
}

static int take_off(struct record *record, json_t *entry, const json_t *config,
		    const struct attach_settings *settings, enum cni_del_mode mode,
		    struct error *err)
{
	struct attachment attachment = recorded(record, entry, settings);
	const char *network = json_text(entry, "network", "?");
	const json_t *result = json_object_get(entry, "result");
	cleanup_fd int lock = -1, stand_in_fd = -1;
	cleanup_free char *stand_in = make_stand_in(&attachment, result, &stand_in_fd);

	attachment.stand_in = stand_in;
	if (attach_keep_gc_out(record->store, config, &lock, err) < 0)
		return -1;
	if (!json_flag(entry, "ready"))
		record_await_holders(record);
	if (cni_chain_del(config, &attachment, result, mode, record->lock_fd, err) < 0)
		return error_prefix(err, "network %s", network);
	record_remove(record, entry);
	return 0;
}

/* Take it off in spite of plugins that fail. */
static int force_off(struct record *record, json_t *entry, const struct attach_settings *settings,
		     struct error *err)
{
	if (take_off(record, entry, json_object_get(entry, "config"), settings, CNI_DEL_FORCE,
		     err) == 0)
		return 0;
	if (cli_interrupted())
		return -1;
	log_message(LOG_LEVEL_WARN, "%s", err->message);
	record_remove(record, entry);
	return 0;
}

/* After the configuration of an ADD that never succeeded has failed for DEL, too, with *err: by the
 * configuration that somebody has made of it meanwhile. */
static int take_off_mended(struct record *record, json_t *entry,
			   const struct attach_settings *settings, struct error *err)
{
	struct error failure;

	if (!settings->conf_dirs || json_flag(entry, "ready") || cli_interrupted())
		return -1;

	json_auto_t *config =
		cni_files_find(settings->conf_dirs, json_text(entry, "network", ""), &failure);
	if (!config || json_equal(config, json_object_get(entry, "config")))
		return -1;
	return take_off(record, entry, config, settings, CNI_DEL_STOP, err);
}

int attach_del(struct record *record, json_t *entry, const struct attach_settings *settings,
	       struct error *err)
{
	if (settings->force)
		return force_off(record, entry, settings, err);
	if (take_off(record, entry, json_object_get(entry, "config"), settings, CNI_DEL_STOP,
		     err) == 0 ||
	    take_off_mended(record, entry, settings, err) == 0)
		return 0;
	if (!err->hint[0])
		error_hint(err, "ctr-net del --id %s --force goes on all the same", record->id);
	return -1;
}

int attach_del_all(struct record *record, const struct attach_settings *settings, struct error *err)
{
	json_t *entries = record->attachments;

	for (size_t i = json_array_size(entries); i > 0; i--)
		if (attach_del(record, json_array_get(entries, i - 1), settings, err) < 0)
			return -1;
	return 0;
}

int attach_check(const struct record *record, const json_t *entry,
		 const struct attach_settings *settings, bool *checked, struct error *err)
{
	const struct attachment attachment = recorded(record, entry, settings);
	const json_t *config = json_object_get(entry, "config");
	const char *network = json_text(entry, "network", "?");

	if (!json_flag(entry, "ready")) {
		error_set(err, ERROR_FAILED, "network %s: add has not finished", network);
		return error_hint(err, "ctr-net del --id %s takes down what it has left",
				  record->id);
	}
	if (!attachment.netns)
		return error_set(err, ERROR_NOT_FOUND, "network %s: namespace %s is gone", network,
				 json_text(entry, "netns", ""));
	if (cni_config_is_set(config, "disableCheck")) {
		*checked = false;
		return 0;
	}
	if (!cni_config_speaks(config, "0.4.0"))
		return error_set(err, ERROR_UNSUPPORTED,
				 "network %s: CNI %s cannot check, only 0.4.0 and later can",
				 network, json_text(config, "cniVersion", ""));
	if (cni_chain_check(config, &attachment, json_object_get(entry, "result"), err) < 0)
		return error_prefix(err, "network %s", network);
	*checked = true;
	return 0;
}

/* Make room for the interface name. */
static int clear_stale(struct record *record, const struct attachment *attachment,
		       const struct attach_settings *settings, struct error *err)
{
	json_t *entry = record_find(record, attachment->ifname);

	if (!entry)
		return 0;
	if (attach_is_alive(entry)) {
		error_set(err, ERROR_EXISTS, "%s is already connected to network %s by %s",
			  record->id, json_text(entry, "network", "?"), attachment->ifname);
		error_subject(err, record->id);
		return error_hint(err, "ctr-net del --id %s takes it off", record->id);
	}
	if (attach_del(record, entry, settings, err) < 0)
		return error_prefix(err, "what an earlier add has left");
	return 0;
}

static json_t *make_entry(const json_t *config, const struct attachment *attachment)
{
	return json_pack("{s:s, s:s, s:s, s:O, s:O*, s:s*, s:s}", "network",
			 cni_config_name(config), "ifname", attachment->ifname, "netns",
			 attachment->netns, "config", config, "capabilities",
			 attachment->capabilities, "args", attachment->args, "pluginPath",
			 attachment->plugin_path);
}

/* Note which namespace it is, and whether the interface is there before any plugin has run. */
static int look_inside(const struct attachment *attachment, json_t *entry, struct error *err)
{
	cleanup_fd int fd = ns_open(attachment->netns, err);
	cleanup_netlink struct netlink netlink = { 0 };
	const json_t *link;
	size_t i;

	if (fd < 0 || ns_netlink(fd, &netlink, err) < 0)
		return -1;
	cleanup_free char *identity = ns_identity(fd, &netlink);
	json_auto_t *links = netlink_links(&netlink, err);
	if (!links)
		return -1;
	if (identity)
		json_object_set_new(entry, "netnsIdentity", json_string(identity));
	json_array_foreach (links, i, link) {
		if (strcmp(json_text(link, "name", ""), attachment->ifname) == 0)
			json_object_set_new(entry, "foreign", json_true());
	}
	return 0;
}

/* Record the attachment, and with it the ports that it publishes. */
static int record_entry(struct record *record, json_t *entry, struct error *err)
{
	const json_t *capabilities = json_object_get(entry, "capabilities");
	cleanup_fd int ports = -1;

	if (json_object_get(capabilities, "portMappings")) {
		ports = ports_reserve(record, capabilities, err);
		if (ports < 0)
			return -1;
	}
	return record_add(record, entry, err);
}

struct note {
	struct record *record;
	json_t *entry;
	size_t left; /* plugins that have not run yet */
};

/* After each plugin: what it has made must be found by a later DEL, whenever we are killed. */
static int note_result(void *context, json_t *result, struct error *err)
{
	struct note *note = context;

	return record_note_result(note->record, note->entry, result, --note->left == 0, err);
}

bool attach_undo(struct record *record, json_t *entry, const struct attach_settings *settings)
{
	int interrupted = cli_interrupt_take();
	struct error failure;
	bool undone = take_off(record, entry, json_object_get(entry, "config"), settings,
			       CNI_DEL_GO_ON, &failure) == 0;

	if (!undone)
		log_message(LOG_LEVEL_WARN,
			    "undoing it failed: %s (ctr-net del --id %s tries again)",
			    failure.message, record->id);
	cli_interrupt_put(interrupted);
	return undone;
}

int attach_add(struct record *record, const json_t *config, const struct attachment *attachment,
	       const struct strings *conf_dirs, json_t **result, struct error *err)
{
	const struct attach_settings settings = {
		.plugin_path = attachment->plugin_path,
		.conf_dirs = conf_dirs,
		.timeout_ms = attachment->timeout_ms,
	};

	if (cni_chain_find(config, attachment, err) < 0)
		return error_prefix(err, "network %s", cni_config_name(config));
	if (clear_stale(record, attachment, &settings, err) < 0)
		return -1;

	json_auto_t *entry = make_entry(config, attachment);
	if (!entry)
		return error_set(err, ERROR_USAGE, "a path or an argument is not UTF-8 text");

	cleanup_fd int lock = -1;
	if (look_inside(attachment, entry, err) < 0 ||
	    attach_keep_gc_out(record->store, config, &lock, err) < 0 ||
	    record_entry(record, entry, err) < 0)
		return -1;

	struct note note = { record, entry, cni_config_plugin_count(config) };
	const struct cni_progress progress = { note_result, &note };
	cleanup_fd int hold = record_hold(record, err);
	int status = hold < 0 ? -1 : cni_chain_add(config, attachment, &progress, hold, err);
	cleanup_fd_p(&hold);
	if (status == 0 && ns_look(attachment->netns, NULL) == 0)
		status = error_set(err, ERROR_NOT_FOUND, "namespace %s vanished meanwhile",
				   attachment->netns);
	if (status < 0) {
		attach_undo(record, entry, &settings);
		return error_prefix(err, "network %s", cni_config_name(config));
	}
	*result = json_object_get(entry, "result");
	return 0;
}
