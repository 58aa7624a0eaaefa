/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pod_config.h"

#include "lib/json.h"
#include "ocid-dispatch/pods.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static int check_modes(const json_t *config, struct error *err)
{
	static const char *const whats[] = { "network", "ipc", NULL };

	for (const char *const *what = whats; *what; what++) {
		const char *mode = pod_mode(config, *what);

		if (strcmp(mode, "POD") != 0 && strcmp(mode, "NODE") != 0)
			return error_set(err, ERROR_USAGE,
					 "a pod's %s namespace is its own or the node's, not of "
					 "mode %s",
					 *what, mode);
	}
	if (strcmp(pod_mode(config, "pid"), "TARGET") == 0)
		return error_set(err, ERROR_USAGE, "a pod has no target to share processes with");
	return 0;
}

static bool is_port(const json_t *mapping, const char *key)
{
	json_int_t port = json_integer_value(json_object_get(mapping, key));

	return port >= 0 && port <= UINT16_MAX;
}

static bool is_address(const char *text)
{
	unsigned char binary[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

/* What no plugin can publish may be something that none can take back, and what is no address is
 * passed over by plugins without a word. */
static int check_ports(const json_t *config, struct error *err)
{
	const json_t *mapping;
	size_t i;

	json_array_foreach (json_object_get(config, "portMappings"), i, mapping) {
		if (!is_port(mapping, "hostPort") || !is_port(mapping, "containerPort"))
			return error_set(err, ERROR_USAGE,
					 "a port of the pod is above %d or below 0", UINT16_MAX);
		const char *address = json_text(mapping, "hostIp", "");
		if (*address && !is_address(address))
			return error_set(err, ERROR_USAGE,
					 "\"%s\", for a port of the pod, is no IP address",
					 address);
	}
	return 0;
}

/* Not empty, and no blank or control character in it. */
static bool is_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return *text;
}

/* Each is to be one word of a resolv.conf. Servers need not be mere addresses: those of the node,
 * which kubelets pass on, may have a zone. */
static int check_dns(const json_t *config, struct error *err)
{
	static const char *const keys[] = { "servers", "searches", "options" };
	const json_t *item;
	size_t i;

	for (size_t row = 0; row < sizeof keys / sizeof *keys; row++) {
		json_array_foreach (json_path(config, "dnsConfig", keys[row], NULL), i, item) {
			if (!is_word(json_string_value(item)))
				return error_set(err, ERROR_USAGE,
						 "dnsConfig: one of its %s is not one word: \"%s\"",
						 keys[row], json_string_value(item));
		}
	}
	return 0;
}

/* It would lead to what is not the pod's, and no container is made in such a one. */
static int check_cgroup(const json_t *config, struct error *err)
{
	const char *parent = json_text(json_object_get(config, "linux"), "cgroupParent", "");

	for (const char *at = parent; *at; at += strcspn(at, "/")) {
		at += strspn(at, "/");
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2]))
			return error_set(err, ERROR_USAGE,
					 "the pod's cgroup parent \"%s\" holds \"..\"", parent);
	}
	return 0;
}

int pod_config_check(const json_t *config, struct error *err)
{
	const json_t *metadata = json_object_get(config, "metadata");
	const char *log_directory = json_text(config, "logDirectory", "/");

	if (!*json_text(metadata, "name", ""))
		return error_set(err, ERROR_USAGE, "the pod's metadata has no name");
	if (*log_directory != '/')
		return error_set(err, ERROR_USAGE, "the pod's log directory \"%s\" is not absolute",
				 log_directory);
	if (json_object_get(config, "windows"))
		return error_set(err, ERROR_UNSUPPORTED, "this is no Windows node");
	if (check_ports(config, err) < 0 || check_dns(config, err) < 0 ||
	    check_cgroup(config, err) < 0)
		return -1;
	return check_modes(config, err);
}
