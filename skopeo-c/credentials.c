/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/credentials.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "skopeo-c/docker_hub.h"
#include "skopeo-c/helper.h"
#include "skopeo-c/registries.h"
#include "skopeo-c/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void credentials_free(struct credentials *credentials)
{
	secret_wipe(credentials->user);
	secret_wipe(credentials->password);
	secret_wipe(credentials->identity_token);
	*credentials = (struct credentials){ 0 };
}

char *credentials_basic(const struct credentials *credentials)
{
	char *pair = xasprintf("%s:%s", credentials->user, credentials->password);
	char *encoded = base64_encode(pair, strlen(pair));
	char *value = xasprintf("Basic %s", encoded);

	secret_wipe(pair);
	secret_wipe(encoded);
	return value;
}

/* Split "USER:PASSWORD". False without a colon. */
static bool split_pair(const char *pair, struct credentials *out)
{
	const char *colon = strchr(pair, ':');

	if (!colon)
		return false;
	out->user = xstrndup(pair, (size_t)(colon - pair));
	out->password = xstrdup(colon + 1);
	return true;
}

/* Decode "auth": base64 of "USER:PASSWORD", after which docker may have left NULs. 1 it is that, 0
 * it has no colon, -1 it is not base64. */
static int decode_pair(const char *base64, struct credentials *out)
{
	size_t length = strlen(base64);
	cleanup_free unsigned char *text = xcalloc(length + 4, 1);

	if (base64_decode(base64, length, text) < 0)
		return -1;
	bool split = split_pair((const char *)text, out);
	OPENSSL_cleanse(text, length);
	return split;
}

/* 1 rather than 0: that one stops the programs that core(5) pipes to as well. */
void credentials_keep_secret(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur > 1) {
		limit.rlim_cur = 1;
		setrlimit(RLIMIT_CORE, &limit);
	}
}

/* ---- keys ---- */

/* How well a key of a file fits REGISTRY/REPOSITORY: 0 not at all, else longer is better. Old files
 * have URLs as keys, whose path means nothing. */
static size_t key_score(const char *key, const char *registry, const char *repository)
{
	bool is_url = strncmp(key, "https://", 8) == 0 || strncmp(key, "http://", 7) == 0;
	const char *name = is_url ? strstr(key, "://") + 3 : key;
	size_t host_length = strcspn(name, "/");
	cleanup_free char *host = xstrndup(name, host_length);
	const char *path = is_url ? "" : name + host_length;

	if (strcmp(host, registry) != 0 && !(docker_hub_is(host) && docker_hub_is(registry)))
		return 0;
	if (path[0] == '\0' || strcmp(path, "/v1/") == 0)
		return is_url ? 1 : 2;
	path++;
	size_t length = strlen(path);
	if (strncmp(path, repository, length) != 0 ||
	    (repository[length] != '/' && repository[length] != '\0'))
		return 0;
	return length + 3;
}

static const json_t *best_entry(const json_t *entries, const char *registry, const char *repository)
{
	const char *key;
	const json_t *entry, *best = NULL;
	size_t best_score = 0;

	json_object_foreach ((json_t *)entries, key, entry) {
		size_t score = key_score(key, registry, repository);

		if (score > best_score) {
			best_score = score;
			best = entry;
		}
	}
	return best;
}

/* The text of a parser could quote a secret. */
static int not_understood(const char *what, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "%s: not the JSON of credentials", what);
}

/* ---- files ---- */

static bool is_object_or_none(const json_t *value)
{
	return !value || json_is_null(value) || json_is_object(value);
}

static bool is_text_or_none(const json_t *value)
{
	return !value || json_is_null(value) || json_is_string(value);
}

static bool are_entries(const json_t *entries)
{
	const char *key;
	const json_t *entry;

	json_object_foreach ((json_t *)entries, key, entry) {
		if (!is_object_or_none(entry) || !is_text_or_none(json_object_get(entry, "auth")) ||
		    !is_text_or_none(json_object_get(entry, "identitytoken")))
			return false;
	}
	return is_object_or_none(entries);
}

/* Whether the file is what it is taken for: else credentials would be missing, and nobody knew why.
 */
static bool is_understood(const json_t *file, bool legacy)
{
	const json_t *helpers = json_object_get(file, "credHelpers"), *helper;
	const char *host;

	if (legacy)
		return are_entries(file);
	json_object_foreach ((json_t *)helpers, host, helper) {
		if (!is_text_or_none(helper))
			return false;
	}
	return json_is_object(file) && is_object_or_none(helpers) &&
	       are_entries(json_object_get(file, "auths"));
}

/* A helper for all registries that is not installed, or fails, must not keep us from public images.
 */
static int ask_store(const char *helper, const char *registry, struct credentials *out,
		     struct error *err)
{
	int found = helper_get(helper, registry, out, err);

	if (found >= 0 || err->kind != ERROR_FAILED)
		return found;
	log_message(LOG_LEVEL_WARN, "%s", err->message);
	return 0;
}

/* Look into one parsed file. 1 found, 0 not. `legacy`: ~/.dockercfg, whose top level is "auths". */
static int search_file(const json_t *file, bool legacy, const char *registry,
		       const char *repository, struct credentials *out, struct error *err)
{
	const char *helper = json_text(json_object_get(file, "credHelpers"), registry, NULL);
	const char *store = json_text(file, "credsStore", NULL);
	const json_t *entry =
		best_entry(legacy ? file : json_object_get(file, "auths"), registry, repository);
	const char *auth = json_text(entry, "auth", "");
	const char *token = json_text(entry, "identitytoken", "");

	if (helper)
		return helper_get(helper, registry, out, err);
	int decoded = auth[0] ? decode_pair(auth, out) : 0;
	if (decoded < 0)
		return error_set(err, ERROR_INTEGRITY, "the entry for %s cannot be decoded",
				 registry);
	if (auth[0] && decoded == 0)
		log_message(LOG_LEVEL_WARN, "the entry for %s has no colon after the user",
			    registry);
	if (token[0])
		out->identity_token = xstrdup(token);
	if (token[0] || decoded > 0)
		return 1;
	/* with a store, an entry of the file says no more than that there is something */
	return store && !legacy ? ask_store(store, registry, out, err) : 0;
}

/* The same for a path; a file that is not there has nothing, nor one that cannot be read, unless
 * the user named it. */
static int search_path(const char *path, bool required, const char *registry,
		       const char *repository, struct credentials *out, struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || (errno == EACCES && !required))) {
		if (required)
			log_message(LOG_LEVEL_WARN, "%s: %s", path, strerror(errno));
		return 0;
	}
	if (fd < 0)
		return error_os(err, "%s", path);
	json_auto_t *file = json_read_fd(fd, CREDENTIALS_FILE_MAX, path, err);
	if (!file)
		return err->kind == ERROR_INTEGRITY ? not_understood(path, err) : -1;
	const char *base = strrchr(path, '/');
	bool legacy = base && strcmp(base, "/.dockercfg") == 0;
	if (!is_understood(file, legacy))
		return not_understood(path, err);
	int found = search_file(file, legacy, registry, repository, out, err);
	return found < 0 ? error_prefix(err, "%s", path) : found;
}

static void usual_paths(struct strings *paths)
{
	const char *home = getenv("HOME"), *runtime = getenv("XDG_RUNTIME_DIR");
	const char *config = getenv("XDG_CONFIG_HOME"), *docker = getenv("DOCKER_CONFIG");

	if (runtime && runtime[0])
		strings_addf(paths, "%s/containers/auth.json", runtime);
	else
		strings_addf(paths, "/run/containers/%u/auth.json", (unsigned)getuid());
	if (config && config[0])
		strings_addf(paths, "%s/containers/auth.json", config);
	else if (home)
		strings_addf(paths, "%s/.config/containers/auth.json", home);
	if (docker && docker[0])
		strings_addf(paths, "%s/config.json", docker);
	else if (home)
		strings_addf(paths, "%s/.docker/config.json", home);
	if (home)
		strings_addf(paths, "%s/.dockercfg", home);
}

static int search_usual(const char *registry, const char *repository, struct credentials *out,
			struct error *err)
{
	cleanup_strings struct strings paths = { 0 };
	int status = 0;

	usual_paths(&paths);
	for (size_t i = 0; status == 0 && i < paths.count; i++)
		status = search_path(paths.items[i], false, registry, repository, out, err);
	return status;
}

static const char *named_file(const char *authfile)
{
	const char *named = authfile ? authfile : getenv("REGISTRY_AUTH_FILE");

	return named && named[0] ? named : NULL;
}

int credentials_keeper(const char *authfile, char **helper, struct error *err)
{
	cleanup_strings struct strings helpers = { 0 };

	*helper = NULL;
	if (named_file(authfile))
		return 0;
	if (registries_credential_helpers(&helpers, err) < 0)
		return -1;
	if (strcmp(helpers.items[0], CREDENTIAL_FILES) != 0)
		*helper = xstrdup(helpers.items[0]);
	return 0;
}

/* In one file that is named; without it in the usual ones. */
static int search_files(const struct access *access, const char *registry, const char *repository,
			struct credentials *out, struct error *err)
{
	const char *named = named_file(access->authfile);

	return named ? search_path(named, access->authfile, registry, repository, out, err)
		     : search_usual(registry, repository, out, err);
}

/* In the file that comes first; then where registries.conf says, in files and with helpers. */
static int search(const struct access *access, const char *registry, const char *repository,
		  struct credentials *out, struct error *err)
{
	const char *first = access->first_authfile;
	cleanup_strings struct strings helpers = { 0 };
	int status = 0;

	if (first)
		status = search_path(first, true, registry, repository, out, err);
	if (status == 0)
		status = registries_credential_helpers(&helpers, err);
	for (size_t i = 0; status == 0 && i < helpers.count; i++)
		status = strcmp(helpers.items[i], CREDENTIAL_FILES) == 0
				 ? search_files(access, registry, repository, out, err)
				 : ask_store(helpers.items[i], registry, out, err);
	return status;
}

/* USER:PASSWORD, or USER alone, whose password is empty then, as for skopeo. */
static int take_pair(const char *pair, struct credentials *out, struct error *err)
{
	if (pair[0] == '\0' || pair[0] == ':')
		return error_set(err, ERROR_USAGE, "credentials are given as USER:PASSWORD");
	if (!split_pair(pair, out)) {
		out->user = xstrdup(pair);
		out->password = xstrdup("");
	}
	return 0;
}

/* What the command line gives, in one or in two. */
static int take_given(const struct access *access, struct credentials *out, struct error *err)
{
	if (access->creds && (access->user || access->password))
		return error_set(err, ERROR_USAGE,
				 "credentials are given twice, in one and in two");
	if (access->creds)
		return take_pair(access->creds, out, err);
	if (!access->user && !access->password)
		return 0;
	if (!access->user || !access->password)
		return error_set(err, ERROR_USAGE, "a user and a password belong together");
	out->user = xstrdup(access->user);
	out->password = xstrdup(access->password);
	return 0;
}

int credentials_find(const struct access *access, const char *registry, const char *repository,
		     struct credentials *credentials, struct error *err)
{
	cleanup_credentials struct credentials found = { 0 };

	if (access->no_creds &&
	    (access->creds || access->user || access->password || access->registry_token))
		return error_set(err, ERROR_USAGE, "credentials are given, and to go without any");
	if (access->no_creds)
		return 0;
	if (take_given(access, &found, err) < 0)
		return -1;
	if (!found.user && !access->registry_token &&
	    search(access, registry, repository, &found, err) < 0)
		return -1;
	if (found.user || found.identity_token || access->registry_token)
		credentials_keep_secret();
	*credentials = found;
	found = (struct credentials){ 0 };
	return 0;
}
