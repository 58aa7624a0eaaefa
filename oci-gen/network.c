/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/network.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "oci-gen/generation.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_OPTIONS "bind,rprivate,nosuid,nodev,noexec"

enum { RESOLV_CONF_MAX = 64 << 10, HOSTS_MAX = 1 << 20 };

/* A file that is being composed; text_save() finishes it. */
struct text {
	FILE *stream;
	char *bytes;
	size_t length;
};

static void text_free(struct text *text)
{
	if (text->stream)
		fclose(text->stream);
	free(text->bytes);
}
#define cleanup_text __attribute__((cleanup(text_free)))

static int text_open(struct text *text, struct error *err)
{
	text->stream = open_memstream(&text->bytes, &text->length);
	return text->stream ? 0 : error_os(err, "memory for a file");
}

/* Write what was composed as the file `name` of the bundle. */
static int text_save(const struct generation *g, struct text *text, const char *name, int bundle_fd,
		     struct error *err)
{
	if (fclose(steal_ptr(&text->stream)) != 0)
		return error_set(err, ERROR_LIMIT, "%s: out of memory", name);
	if (file_replace_volatile_at(bundle_fd, name, text->bytes, text->length, 0644, err) < 0)
		return -1;
	return generation_give(g, bundle_fd, name, err);
}

/* A word that cannot end its line or become two: results of plugins go into files by line. */
static const char *word(const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || !*text)
		return NULL;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return NULL;
	return text;
}

static const char *const files[] = { "hosts", "hostname", "resolv.conf", NULL };

void network_bind_files(struct generation *g, const char *bundle)
{
	g->bundle = bundle;
	for (const char *const *name = files; *name; name++) {
		cleanup_free char *source = xasprintf("%s/%s", bundle, *name);
		cleanup_free char *destination = xasprintf("/etc/%s", *name);

		generation_put_mount(g, mount_new(destination, "bind", source, FILE_OPTIONS));
	}
}

void network_finish(struct generation *g)
{
	json_t *mount;
	size_t i;

	if (!g->bundle || !json_is_true(pointer_get(g->config, "/root/readonly")))
		return;
	for (const char *const *name = files; *name; name++) {
		cleanup_free char *source = xasprintf("%s/%s", g->bundle, *name);

		json_array_foreach (pointer_get(g->config, "/mounts"), i, mount) {
			if (strcmp(json_text(mount, "source", ""), source) == 0)
				json_array_append_new(json_object_get(mount, "options"),
						      json_string("ro"));
		}
	}
}

int network_apply(struct generation *g, const json_t *network, const char *bundle,
		  struct error *err)
{
	const char *path = json_text(network, "netns", "");
	json_t *namespace;
	size_t i;

	if (path[0] != '/')
		return error_set(err, ERROR_INTEGRITY,
				 "the document's network.netns is not an absolute path");
	json_array_foreach (pointer_get(g->config, "/linux/namespaces"), i, namespace) {
		if (strcmp(json_text(namespace, "type", ""), "network") == 0)
			json_object_set_new(namespace, "path", json_string(path));
	}
	if (bundle)
		network_bind_files(g, bundle);
	return 0;
}

/* One line for an address that ends in a prefix length; nothing for what is not one. */
static void put_host(FILE *out, const char *text, const char *hostname)
{
	char address[INET6_ADDRSTRLEN + 4];
	unsigned char binary[sizeof(struct in6_addr)];

	snprintf(address, sizeof address, "%s", text);
	address[strcspn(address, "/")] = '\0';
	if (inet_pton(AF_INET, address, binary) == 1 || inet_pton(AF_INET6, address, binary) == 1)
		fprintf(out, "%s\t%s\n", address, hostname);
}

/* The container's own name for each of its addresses. */
static void compose_hosts(FILE *out, const json_t *network, const char *hostname)
{
	json_t *attachment, *ip;
	size_t i, j, length;
	struct error unused;

	if (!network) {
		cleanup_free char *text =
			file_read_at(AT_FDCWD, "/etc/hosts", HOSTS_MAX, &length, &unused);

		fputs(text ? text : "", out);
		return;
	}
	fputs("127.0.0.1\tlocalhost\n"
	      "::1\tlocalhost ip6-localhost ip6-loopback\n",
	      out);
	json_array_foreach (json_object_get(network, "attachments"), i, attachment) {
		json_array_foreach (json_path(attachment, "result", "ips", NULL), j, ip) {
			put_host(out, json_text(ip, "address", ""), hostname);
		}
	}
}

static void put_words(FILE *out, const char *keyword, const json_t *words)
{
	const json_t *item;
	size_t i;
	int count = 0;

	json_array_foreach (words, i, item) {
		if (word(item))
			fprintf(out, "%s%s", count++ ? " " : keyword, word(item));
	}
	if (count)
		fputc('\n', out);
}

/* The name servers that the network itself gave (CNI, "dns"). False where it gave none. */
static bool compose_from_results(FILE *out, const json_t *network)
{
	json_t *attachment, *server;
	bool found = false;
	size_t i, j;

	json_array_foreach (json_object_get(network, "attachments"), i, attachment) {
		const json_t *dns = json_path(attachment, "result", "dns", NULL);
		const char *domain = word(json_object_get(dns, "domain"));

		if (json_array_size(json_object_get(dns, "nameservers")) == 0)
			continue;
		if (domain)
			fprintf(out, "domain %s\n", domain);
		put_words(out, "search ", json_object_get(dns, "search"));
		put_words(out, "options ", json_object_get(dns, "options"));
		json_array_foreach (json_object_get(dns, "nameservers"), j, server) {
			if (!word(server))
				continue;
			fprintf(out, "nameserver %s\n", word(server));
			found = true;
		}
	}
	return found;
}

/* The same for a pod's DNSConfig. */
static bool compose_from_pod(FILE *out, const json_t *dns)
{
	const json_t *server;
	size_t i;

	if (json_object_size(dns) == 0)
		return false;
	put_words(out, "search ", json_object_get(dns, "searches"));
	json_array_foreach (json_object_get(dns, "servers"), i, server) {
		if (word(server))
			fprintf(out, "nameserver %s\n", word(server));
	}
	put_words(out, "options ", json_object_get(dns, "options"));
	return true;
}

/* Copy the lines of a resolv.conf that hold within another network namespace: a server on the
 * host's loopback does not, unless the loopback is the same. Returns how many name servers were
 * kept. */
static int copy_lines(FILE *out, char *text, bool loopback)
{
	int servers = 0;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '#' || *line == ';')
			continue;
		if (strncmp(line, "nameserver", 10) == 0 && isspace((unsigned char)line[10])) {
			const char *address = line + 10 + strspn(line + 10, " \t");

			if (!loopback &&
			    (strncmp(address, "127.", 4) == 0 || strncmp(address, "::1", 3) == 0))
				continue;
			servers++;
		}
		fprintf(out, "%s\n", line);
	}
	return servers;
}

static void compose_resolv_conf(FILE *out, const json_t *network, const json_t *dns)
{
	/* the second is where systemd-resolved lists what stands behind its own 127.0.0.53 */
	static const char *const sources[] = { "/etc/resolv.conf",
					       "/run/systemd/resolve/resolv.conf" };
	struct error unused;

	if (compose_from_pod(out, dns) || compose_from_results(out, network))
		return;
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		size_t length;
		cleanup_free char *text =
			file_read_at(AT_FDCWD, sources[i], RESOLV_CONF_MAX, &length, &unused);

		if (text && copy_lines(out, text, !network) > 0)
			return;
	}
	log_message(LOG_LEVEL_WARN,
		    "neither the network nor the host's resolv.conf has a name server that the "
		    "container can reach");
}

int network_write_files(const struct generation *g, const char *hostname, const json_t *network,
			const json_t *dns, int bundle_fd, struct error *err)
{
	cleanup_text struct text hosts = { 0 }, name = { 0 }, resolv = { 0 };

	if (text_open(&hosts, err) < 0 || text_open(&name, err) < 0 || text_open(&resolv, err) < 0)
		return -1;
	compose_hosts(hosts.stream, network, hostname);
	fprintf(name.stream, "%s\n", hostname);
	compose_resolv_conf(resolv.stream, network, dns);
	if (text_save(g, &hosts, "hosts", bundle_fd, err) < 0 ||
	    text_save(g, &name, "hostname", bundle_fd, err) < 0)
		return -1;
	return text_save(g, &resolv, "resolv.conf", bundle_fd, err);
}
