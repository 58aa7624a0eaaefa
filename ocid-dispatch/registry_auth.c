/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/registry_auth.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/memory_file.h"

#include <string.h>
#include <strings.h>

/* Docker's registry has several names. */
static const char *canonical_host(const char *host)
{
	static const char *const docker[] = { "index.docker.io", "registry-1.docker.io" };

	for (size_t i = 0; i < sizeof docker / sizeof *docker; i++)
		if (strcasecmp(host, docker[i]) == 0)
			return "docker.io";
	return host;
}

/* True when the address ("https://index.docker.io/v1/", "registry:5000") is the registry's. */
static bool is_server(const char *address, const char *registry)
{
	const char *scheme = strstr(address, "://");
	const char *start = scheme ? scheme + 3 : address;
	cleanup_free char *host = xstrndup(start, strcspn(start, "/"));

	return strcasecmp(canonical_host(host), canonical_host(registry)) == 0;
}

/* Overwrites a secret before it is freed. */
static void free_secret(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	cleanup_free_p(secret);
}

/* The entry of an auth.json; NULL where there are no credentials. */
static json_t *auth_entry(const json_t *auth)
{
	const char *user = json_text(auth, "username", ""), *basic = json_text(auth, "auth", "");
	const char *token = json_text(auth, "identityToken", "");

	if (*token)
		return json_pack("{s:s}", "identitytoken", token);
	if (*user) {
		__attribute__((cleanup(free_secret))) char *pair =
			xasprintf("%s:%s", user, json_text(auth, "password", ""));
		__attribute__((cleanup(free_secret))) char *encoded =
			base64_encode(pair, strlen(pair));

		return json_pack("{s:s}", "auth", encoded);
	}
	return *basic ? json_pack("{s:s}", "auth", basic) : NULL;
}

/* Whether the Base64 of a client's is that of USER:PASSWORD. */
static bool is_pair(const char *encoded)
{
	size_t length = strlen(encoded);
	__attribute__((cleanup(free_secret))) char *pair = xcalloc(length / 4 * 3 + 4, 1);

	return base64_decode(encoded, length, (unsigned char *)pair) > 0 && strchr(pair, ':');
}

int registry_auth_file(const json_t *auth, const char *registry, struct error *err)
{
	const char *server = json_text(auth, "serverAddress", "");

	if (*server && !is_server(server, registry))
		return 0;
	if (*json_text(auth, "registryToken", ""))
		return error_set(err, ERROR_UNSUPPORTED, "registry tokens are not supported");

	json_t *entry = auth_entry(auth);
	if (!entry)
		return 0;

	json_auto_t *file = json_pack("{s:{s:o}}", "auths", registry, entry);
	const char *encoded = json_text(entry, "auth", NULL);
	if (encoded && !is_pair(encoded))
		return error_set(err, ERROR_USAGE,
				 "the credentials are not the Base64 of USER:PASSWORD");
	__attribute__((cleanup(free_secret))) char *text = json_compact(file);
	return memory_file("auth.json", text, err);
}
