/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/helper.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/spawn.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/docker_hub.h"
#include "skopeo-c/secret.h"

#include <openssl/crypto.h>
#include <string.h>

enum { TIMEOUT_MS = 60000 };

/* What stands for an identity token in the place of a user's name. */
#define TOKEN_USER "<token>"

/* The registry as helpers know it. */
static const char *server_of(const char *registry)
{
	return docker_hub_is(registry) ? "https://index.docker.io/v1/" : registry;
}

static int run(const char *name, const char *verb, const char *input, struct spawn_result *result,
	       struct error *err)
{
	cleanup_free char *program = xasprintf("docker-credential-%s", name);
	const char *argv[] = { program, verb, NULL };
	struct spawn spawn = { .argv = argv,
			       .input = input,
			       .input_length = strlen(input),
			       .timeout_ms = TIMEOUT_MS };

	if (!name[0] || strchr(name, '/'))
		return error_set(err, ERROR_INTEGRITY, "\"%s\" does not name a credential helper",
				 name);
	if (spawn_run(&spawn, result, err) < 0) {
		error_prefix(err, "credential helper %s", program);
		return error_missing_is(err, ERROR_FAILED);
	}
	return 0;
}

/* That there is nothing is known by these words (credentials.IsErrCredentialsNotFoundMessage() of
 * docker-credential-helpers), which come on standard output. */
static bool found_none(const struct spawn_result *result)
{
	return strstr(result->out, "credentials not found");
}

/* What went wrong, in the helper's own words: they print it on either output. */
static int refused(const char *name, const struct spawn_result *result, struct error *err)
{
	cleanup_free char *said = spawn_last_line(result->err[0] ? result->err : result->out);

	return error_set(err, ERROR_FAILED, "docker-credential-%s failed with %d: %s", name,
			 result->status, said);
}

int helper_get(const char *name, const char *registry, struct credentials *credentials,
	       struct error *err)
{
	cleanup_spawn_result struct spawn_result result = { 0 };
	struct error unsaid; /* the text of a parser could quote a secret */
	const char *user, *secret;

	if (run(name, "get", server_of(registry), &result, err) < 0)
		return -1;
	if (result.status != 0)
		return found_none(&result) ? 0 : refused(name, &result, err);
	json_auto_t *json = json_parse(result.out, result.out_length, name, &unsaid);
	OPENSSL_cleanse(result.out, result.out_length);
	if (!json || json_unpack(json, "{s:s, s:s}", "Username", &user, "Secret", &secret) < 0)
		return error_set(err, ERROR_INTEGRITY,
				 "docker-credential-%s: not the JSON of credentials", name);
	if (strcmp(user, TOKEN_USER) == 0) {
		credentials->identity_token = xstrdup(secret);
	} else {
		credentials->user = xstrdup(user);
		credentials->password = xstrdup(secret);
	}
	return 1;
}

int helper_store(const char *name, const char *registry, const struct credentials *credentials,
		 struct error *err)
{
	cleanup_spawn_result struct spawn_result result = { 0 };
	json_auto_t *json =
		json_pack("{s:s, s:s, s:s}", "ServerURL", server_of(registry), "Username",
			  credentials->user, "Secret", credentials->password);

	if (strchr(registry, '/') && !strstr(registry, "://"))
		return error_set(err, ERROR_UNSUPPORTED,
				 "docker-credential-%s is asked for registries, not for %s", name,
				 registry);
	if (!json)
		return error_set(err, ERROR_USAGE, "the name or the password is not UTF-8");
	char *input = json_compact(json);
	int status = run(name, "store", input, &result, err);
	secret_wipe(input);
	if (status < 0)
		return -1;
	return result.status == 0 ? 0 : refused(name, &result, err);
}

int helper_erase(const char *name, const char *registry, struct error *err)
{
	cleanup_spawn_result struct spawn_result had = { 0 }, result = { 0 };
	const char *server = server_of(registry);

	/* some say that they have erased what they never had */
	if (run(name, "get", server, &had, err) < 0)
		return -1;
	if (had.status != 0)
		return found_none(&had) ? 0 : refused(name, &had, err);
	OPENSSL_cleanse(had.out, had.out_length);
	if (run(name, "erase", server, &result, err) < 0)
		return -1;
	return result.status == 0 ? 1 : refused(name, &result, err);
}
