/* SPDX-License-Identifier: Apache-2.0 */
/* logout: remove credentials that login stored. */
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "skopeo-c/auth_file.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/helper.h"

#include <string.h>
#include <unistd.h>

struct logout_settings {
	const char *authfile, *compat_file;
	bool all, tls_verify;
};

#define FIELD(name) offsetof(struct logout_settings, name)

static const struct cli_option options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, FIELD(all), "remove credentials for all registries" },
	{ "authfile", 0, "FILE", OPTION_STRING, FIELD(authfile),
	  "where credentials are stored; see containers-auth.json(5)" },
	{ "compat-auth-file", 0, "FILE", OPTION_STRING, FIELD(compat_file),
	  "credentials file in docker's format" },
	{ "tls-verify", 0, NULL, OPTION_FLAG, FIELD(tls_verify),
	  "accepted for compatibility: no registry is contacted" },
	{ 0 },
};

/* Not found: credentials may still come from one of the other files. */
static void add_hint(const char *key, struct error *err)
{
	const struct access access = ACCESS_DEFAULTS;
	cleanup_credentials struct credentials credentials = { 0 };
	cleanup_free char *host = xstrndup(key, strcspn(key, "/"));
	struct error ignored;

	if (credentials_find(&access, host, "", &credentials, &ignored) == 0 && credentials.user)
		error_hint(err, "those in use are from another file: name it with --authfile");
}

/* What a helper keeps alone, which names no registries. */
static int forget(const char *helper, const char *key, struct error *err)
{
	if (!key)
		return error_set(err, ERROR_UNSUPPORTED,
				 "docker-credential-%s keeps the credentials: log out of each "
				 "registry",
				 helper);
	int erased = helper_erase(helper, key, err);
	if (erased == 0)
		return error_set(err, ERROR_NOT_FOUND,
				 "docker-credential-%s has no credentials for %s", helper, key);
	return erased < 0 ? -1 : 0;
}

static int logout_run(const struct cli *cli, struct error *err)
{
	const struct logout_settings *settings = cli->settings;
	const char *named = settings->compat_file ? settings->compat_file : settings->authfile;
	cleanup_free char *path = auth_file_path(named), *helper = NULL;

	if (settings->compat_file && settings->authfile)
		return cli_usage(cli, err, "--authfile and --compat-auth-file exclude each other");
	if (settings->all != (cli->operand_count == 0))
		return cli_usage(cli, err, "either a registry or --all");
	cleanup_free char *key = settings->all ? NULL : login_key(cli, settings->compat_file, err);
	if (!settings->all && !key)
		return -1;
	/* a name that is mistyped shall not look as if the password were gone */
	if (named && access(named, F_OK) < 0) {
		error_os(err, "%s", named);
		return error_missing_is(err, ERROR_USAGE);
	}
	if (credentials_keeper(named, &helper, err) < 0)
		return -1;
	int status = helper ? forget(helper, key, err)
		     : key  ? auth_file_erase(path, key, err)
			    : auth_file_erase_all(path, err);
	if (status < 0) {
		if (key && err->kind == ERROR_NOT_FOUND)
			add_hint(key, err);
		return -1;
	}
	json_auto_t *result = json_pack("{s:s*, s:s}", "registry", key, helper ? "helper" : "file",
					helper ? helper : path);
	return output_object(cli, result, err);
}

const struct cli_command logout_command = {
	.name = "logout",
	.operands = "[REGISTRY]",
	.operands_min = 0,
	.operands_max = 1,
	.summary = "remove credentials that login stored",
	.options = options,
	.settings_size = sizeof(struct logout_settings),
	.run = logout_run,
};
