/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/add.h"
#include "ctr-net/attach.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/ns.h"
#include "ctr-net/ns_make.h"
#include "ctr-net/pin.h"
#include "lib/cleanup.h"
#include "lib/document.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"

#include <string.h>

/* The configurations of the networks asked for, in order; none for "none". */
static json_t *choose_networks(const struct add_request *request, struct error *err)
{
	const struct strings *names = &request->settings->networks;
	bool none = names->count == 1 && strcmp(names->items[0], "none") == 0;
	size_t count = none ? 0 : names->count ? names->count : 1;
	json_auto_t *configs = json_array();

	if (request->settings->ifname && count != 1) {
		error_set(err, ERROR_USAGE, "--ifname needs exactly one network");
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		json_t *config = cni_files_find(&request->conf_dirs,
						names->count ? names->items[i] : NULL, err);

		if (!config)
			return NULL;
		json_array_append_new(configs, config);
	}
	return json_incref(configs);
}

/* Make and pin the namespace of the container. Recorded first, so that `del` finds it. *made stays
 * as it is where there is one. */
static int make_netns(struct add_request *request, struct record *record, bool *made,
		      struct error *err)
{
	const struct attach_settings settings = {
		.plugin_path = request->plugin_path,
		.conf_dirs = &request->conf_dirs,
		.timeout_ms = request->timeout_ms,
	};
	const struct ns_plan network_only = { .kinds[PIN_NET] = true };
	struct error ignored;
	int there = pin_exists(record->store->runroot, PIN_NET, record->id, err);

	if (there < 0)
		return -1;
	if (record->owns_netns && there && record->ready) {
		error_set(err, ERROR_EXISTS, "%s is connected already", record->id);
		error_subject(err, record->id);
		return error_hint(err, "ctr-net del --id %s takes it off", record->id);
	}
	if (record->owns_netns) {
		/* an add that was killed, or one before a reboot */
		if (attach_del_all(record, &settings, err) < 0)
			return error_prefix(err, "what an earlier add has left");
		pin_remove(record->store->runroot, PIN_NET, record->id, &ignored);
	} else if (there) {
		return 0; /* made by `ns create`, so left by `del` */
	}
	*made = record_own_netns(record, err) == 0 &&
		ns_make(&network_only, record->store->runroot, record->id, err) == 0;
	if (*made)
		return 0;
	record_disown_netns(record);
	return -1;
}

/* The path of the container's namespace, which is made where the document names none. */
static char *find_netns(struct add_request *request, struct record *record, const json_t *network,
			bool *made, struct error *err)
{
	const char *named = json_text(network, "netns", NULL);
	cleanup_free char *path = ns_path(record->store->runroot, named ? named : record->id, err);

	if (!path || (!named && make_netns(request, record, made, err) < 0))
		return NULL;
	return ns_check_not_ours(path, err) < 0 ? NULL : steal_ptr(&path);
}

/* Undo what this run has made: the attachments from `first` on, and the namespace. */
static void undo(struct add_request *request, struct record *record, const json_t *attachments,
		 size_t first, bool made_netns)
{
	const struct attach_settings settings = {
		.plugin_path = request->plugin_path,
		.timeout_ms = request->timeout_ms,
	};
	struct error failure;

	for (size_t i = json_array_size(attachments); i > first; i--) {
		const json_t *made = json_array_get(attachments, i - 1);

		attach_undo(record, record_find(record, json_text(made, "ifname", "")), &settings);
	}
	/* while an attachment is left, `del` needs to know of the namespace too */
	if (!made_netns || json_array_size(record->attachments) > 0)
		return;
	if (pin_remove(record->store->runroot, PIN_NET, record->id, &failure) == 0 ||
	    failure.kind == ERROR_NOT_FOUND)
		record_disown_netns(record);
	else
		log_message(LOG_LEVEL_WARN,
			    "undoing it failed: %s (ctr-net del --id %s tries again)",
			    failure.message, record->id);
}

static bool has_ifname(const json_t *attachments, const char *ifname)
{
	const json_t *attachment;
	size_t i;

	json_array_foreach (attachments, i, attachment) {
		if (strcmp(json_text(attachment, "ifname", ""), ifname) == 0)
			return true;
	}
	return false;
}

/* The first of eth0, eth1, ... that none of the attachments has; the caller frees it. */
static char *free_ifname(const json_t *attachments)
{
	for (size_t number = 0;; number++) {
		cleanup_free char *ifname = xasprintf("eth%zu", number);

		if (!has_ifname(attachments, ifname))
			return steal_ptr(&ifname);
	}
}

/* Connect to each network and append what the document will say of it. */
static int connect_all(struct add_request *request, struct record *record, const json_t *configs,
		       const char *netns, json_t *attachments, struct error *err)
{
	const json_t *config;
	size_t i;

	json_array_foreach (configs, i, config) {
		cleanup_free char *numbered = free_ifname(attachments);
		const char *ifname =
			request->settings->ifname ? request->settings->ifname : numbered;
		json_auto_t *result = NULL;

		if (add_network(request, record, config, netns, ifname, &result, err) < 0)
			return -1;
		json_array_append_new(attachments, json_pack("{s:O, s:s, s:O}", "network",
							     json_object_get(config, "name"),
							     "ifname", ifname, "result", result));
	}
	return record_set_ready(record, err);
}

/* The container's id, by which `del` with the document must find it again; borrowed. */
static const char *choose_id(const struct add_request *request, const json_t *document,
			     struct error *err)
{
	const char *id = request->settings->id;
	const char *own = json_string_value(json_path(document, "rootfs", "id", NULL));

	if (!id)
		return document_id(document, err);
	if (!own || strcmp(own, id) == 0)
		return id;
	error_set(err, ERROR_USAGE, "--id %s: the document is of \"%s\"", id, own);
	return NULL;
}

static int check_network(const json_t *network, struct error *err)
{
	const json_t *netns = json_object_get(network, "netns");

	if (network && !json_is_object(network))
		return error_set(err, ERROR_INTEGRITY, "the document's network is no object");
	if (netns && !json_is_string(netns))
		return error_set(err, ERROR_INTEGRITY, "the document's network.netns is no text");
	return 0;
}

/* The attachments that the document already lists, as an array of our own. */
static json_t *listed_attachments(const struct add_request *request, const json_t *network,
				  struct error *err)
{
	const json_t *listed = json_object_get(network, "attachments");

	if (listed && !json_is_array(listed)) {
		error_set(err, ERROR_INTEGRITY, "the document's network.attachments is no array");
		return NULL;
	}
	if (json_array_size(listed) > 0 && request->settings->networks.count == 0) {
		error_set(err, ERROR_EXISTS, "the document's container is connected already");
		error_hint(err, "name a further network with --network, or use ctr-net del first");
		return NULL;
	}
	return listed ? json_copy((json_t *)listed) : json_array();
}

int add_document(const struct cli *cli, struct add_request *request, struct error *err)
{
	json_auto_t *document = document_read(err);
	json_auto_t *configs = document ? choose_networks(request, err) : NULL;

	if (!configs || add_check_publish(request, configs, err) < 0)
		return -1;

	const char *id = choose_id(request, document, err);
	const json_t *network = json_object_get(document, "network");
	if (!id || check_network(network, err) < 0)
		return -1;

	json_auto_t *attachments = listed_attachments(request, network, err);
	struct error ignored;
	cleanup_record struct record record = { 0 };
	if (!attachments || record_open(&request->store, id, &record, err) < 0)
		return -1;

	const char *bundle = json_text(json_object_get(document, "rootfs"), "bundle", "");
	if (*bundle == '/' && record_set_bundle(&record, bundle, err) < 0)
		return -1;

	bool made_netns = false;
	cleanup_free char *netns = find_netns(request, &record, network, &made_netns, err);
	if (!netns)
		return -1;

	json_auto_t *before = json_copy(document);
	size_t first = json_array_size(attachments);
	if (connect_all(request, &record, configs, netns, attachments, err) == 0) {
		json_auto_t *value =
			json_pack("{s:s, s:O}", "netns", netns, "attachments", attachments);

		if (document_finish(cli, document, "network", value, err) == 0)
			return 0;
		/* in the bundle it may be written already */
		document_save(before, &ignored);
	}
	undo(request, &record, attachments, first, made_netns);
	return -1;
}
