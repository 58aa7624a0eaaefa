/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms of `ctr-net add` share their options and what follows from them. */
#pragma once
#include "ctr-net/cni_plugin.h"
#include "ctr-net/record.h"
#include "lib/memory.h"
#include "lib/store.h"

struct cli;

struct add_settings {
	struct strings networks, publish, capabilities, arguments, conf_dirs, plugin_dirs;
	const char *ifname, *id, *result_version;
	long long timeout_s;
};

/* The options, resolved and checked. Zero-initialise; free with add_request_free(). */
struct add_request {
	const struct add_settings *settings; /* borrowed */
	struct store store;
	struct strings conf_dirs;
	char *plugin_path, *args;
	json_t *capabilities; /* those that no network has taken yet */
	int timeout_ms;
};

/* Connect `record`'s container to one network, with the capability arguments that it declares and
 * no earlier one took. The caller owns *result, which is of --result-version. */
int add_network(struct add_request *request, struct record *record, const json_t *config,
		const char *netns, const char *ifname, json_t **result, struct error *err);

/* ERROR_UNSUPPORTED when ports are to be published but none of the configurations can. */
int add_check_publish(const struct add_request *request, const json_t *configs, struct error *err);

/* The document form. */
int add_document(const struct cli *cli, struct add_request *request, struct error *err);
