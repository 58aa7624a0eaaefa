/* SPDX-License-Identifier: Apache-2.0 */
/* login: log in to a registry and store the credentials. */
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/auth_file.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/helper.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/secret.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct login_settings {
	struct access access;
	const char *user, *password;
	const char *compat_file;
	bool password_stdin, get_login, verbose;
};

static const struct login_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct login_settings, name)

static const struct cli_option options[] = {
	{ "username", 'u', "USER", OPTION_STRING, FIELD(user), "user name (default: ask)" },
	{ "password", 'p', "PASSWORD", OPTION_STRING, FIELD(password),
	  "password; visible to other users, prefer --password-stdin" },
	{ "password-stdin", 0, NULL, OPTION_FLAG, FIELD(password_stdin),
	  "read the password from standard input" },
	{ "get-login", 0, NULL, OPTION_FLAG, FIELD(get_login),
	  "only print the user who is logged in" },
	{ "authfile", 0, "FILE", OPTION_STRING, FIELD(access.authfile),
	  "where to store credentials; see containers-auth.json(5)" },
	{ "compat-auth-file", 0, "FILE", OPTION_STRING, FIELD(compat_file),
	  "store credentials in FILE, in docker's format" },
	{ "verbose", 'v', NULL, OPTION_FLAG, FIELD(verbose),
	  "accepted for compatibility: the result names the file" },
	{ "tls-verify", 0, NULL, OPTION_FLAG, FIELD(access.tls_verify),
	  "require https and valid certificates (default)" },
	{ "cert-dir", 0, "DIR", OPTION_STRING, FIELD(access.cert_dir),
	  "certificates for the registry" },
	RETRY_OPTIONS(access),
	{ 0 },
};

/* Of a URL only the host, as for skopeo. The caller frees it. */
static char *without_scheme(const char *operand)
{
	const char *end = strstr(operand, "://");
	bool is_url = end &&
		      (strncmp(operand, "http://", 7) == 0 || strncmp(operand, "https://", 8) == 0);

	return is_url ? xstrndup(end + 3, strcspn(end + 3, "/")) : xstrdup(operand);
}

char *login_key(const struct cli *cli, bool is_docker, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_free char *name = without_scheme(cli->operands[0]);
	const char *slash = strchr(name, '/');
	/* the grammar of references judges it, and has no registries without a repository */
	cleanup_free char *text = xasprintf("%s%s", name, slash ? "" : "/any");

	if (reference_parse(text, &reference, err) < 0 || reference.tag || reference.digest ||
	    (strncmp(reference.registry, name, strcspn(name, "/")) != 0 &&
	     strncmp(name, "index.docker.io", strcspn(name, "/")) != 0)) {
		cli_usage(cli, err, "\"%s\" is not HOST[:PORT][/PATH]", name);
		return NULL;
	}
	if (is_docker && slash) {
		cli_usage(cli, err, "Docker's files have credentials for hosts, not for paths");
		return NULL;
	}
	if (is_docker && strcmp(reference.registry, "docker.io") == 0)
		return xstrdup("https://index.docker.io/v1/");
	return slash ? reference_name(&reference) : steal_ptr(&reference.registry);
}

/* ---- --get-login ---- */

static int print_login(const struct login_settings *settings, const char *key, struct error *err)
{
	cleanup_credentials struct credentials credentials = { 0 };
	size_t host_length = strcspn(key, "/");
	cleanup_free char *host = xstrndup(key, host_length);
	const char *path = key[host_length] ? key + host_length + 1 : "";

	if (credentials_find(&settings->access, host, path, &credentials, err) < 0)
		return -1;
	if (!credentials.user)
		return error_set(err, ERROR_NOT_FOUND, "not logged into %s", key);
	if (printf("%s\n", credentials.user) < 0)
		return error_os(err, "standard output");
	return 0;
}

/* ---- the login ---- */

static int ask_credentials(const struct login_settings *settings, struct credentials *out,
			   struct error *err)
{
	out->user = settings->user ? xstrdup(settings->user) : secret_ask("Username", false, err);
	if (!out->user)
		return -1;
	out->password = settings->password	   ? xstrdup(settings->password)
			: settings->password_stdin ? secret_read(err)
						   : secret_ask("Password", true, err);
	if (!out->password)
		return -1;
	if (!out->user[0] || !out->password[0])
		return error_set(err, ERROR_USAGE, "the %s is empty",
				 out->user[0] ? "password" : "name");
	if (strchr(out->user, ':'))
		return error_set(err, ERROR_USAGE, "a name has no \":\"");
	return 0;
}

/* Ask the registry something that it only tells those whom it knows (distribution-spec, end-1). */
static int check(const struct login_settings *settings, const char *key,
		 const struct credentials *credentials, struct error *err)
{
	cleanup_http struct http *http = http_new(err);
	cleanup_free char *host = xstrndup(key, strcspn(key, "/"));
	struct endpoint endpoint = { .registry = host, .repository = (char *)"" };
	struct access access = settings->access;
	struct registry registry = { 0 };
	struct registry_call call = { 0 };

	if (!http || registries_judge(key, &endpoint.insecure, err) < 0)
		return -1;
	char *pair = xasprintf("%s:%s", credentials->user, credentials->password);
	access.creds = pair;
	int status = registry_open(http, &access, &endpoint, host, NULL, &registry, err);
	secret_wipe(pair);
	if (status < 0)
		return -1;
	registry_call_init(&call, &registry, "GET", xstrdup("/v2/"));
	status = registry_call_run(&call, err);
	if (status == 0 && call.request.status != 200)
		status = registry_refused(&call, key, err);
	registry_call_free(&call);
	registry_close(&registry);
	return status;
}

/* Where nobody is named, whether what is kept already is valid: 1, and *credentials is that; 0:
 * ask.
 */
static int try_kept(const struct login_settings *settings, const char *host,
		    struct credentials *credentials, struct error *err)
{
	size_t length = strcspn(host, "/");
	cleanup_free char *registry = xstrndup(host, length);
	cleanup_credentials struct credentials kept = { 0 };
	struct error failure;

	/* a file may still have to be made */
	const char *file = settings->access.authfile;
	if (settings->user || settings->password || (file && access(file, F_OK) < 0))
		return 0;
	if (credentials_find(&settings->access, registry, host[length] ? host + length + 1 : "",
			     &kept, err) < 0)
		return -1;
	if (!kept.user || kept.identity_token)
		return 0;
	if (check(settings, host, &kept, &failure) == 0) {
		*credentials = kept;
		kept = (struct credentials){ 0 };
		return 1;
	}
	if (failure.kind != ERROR_DENIED) {
		*err = failure;
		return -1;
	}
	log_message(LOG_LEVEL_WARN, "%s no longer accepts the stored password of %s", host,
		    kept.user);
	return 0;
}

static int login_run(const struct cli *cli, struct error *err)
{
	struct login_settings *settings = cli->settings;
	cleanup_credentials struct credentials credentials = { 0 };
	cleanup_free char *host = login_key(cli, false, err);
	cleanup_free char *key = host ? login_key(cli, settings->compat_file, err) : NULL;

	if (!key)
		return -1;
	if (settings->compat_file && settings->access.authfile)
		return cli_usage(cli, err, "--authfile and --compat-auth-file exclude each other");
	if (settings->compat_file)
		settings->access.authfile = settings->compat_file;
	cleanup_free char *path = auth_file_path(settings->access.authfile);
	if (settings->get_login)
		return print_login(settings, host, err);
	if (settings->password && settings->password_stdin)
		return cli_usage(cli, err, "--password and --password-stdin contradict each other");
	if (settings->password_stdin && !settings->user)
		return cli_usage(cli, err, "--password-stdin needs --username");
	cleanup_free char *helper = NULL;
	credentials_keep_secret();
	int found = try_kept(settings, host, &credentials, err);
	if (found < 0)
		return -1;
	if (found) {
		json_auto_t *result =
			json_pack("{s:s, s:s}", "registry", host, "user", credentials.user);
		return output_object(cli, result, err);
	}
	if (credentials_keeper(settings->access.authfile, &helper, err) < 0 ||
	    ask_credentials(settings, &credentials, err) < 0 ||
	    check(settings, host, &credentials, err) < 0)
		return -1;
	if ((helper ? helper_store(helper, key, &credentials, err)
		    : auth_file_store(path, key, &credentials, err)) < 0)
		return -1;
	json_auto_t *result =
		json_pack("{s:s, s:s, s:s}", "registry", host, "user", credentials.user,
			  helper ? "helper" : "file", helper ? helper : path);
	return output_object(cli, result, err);
}

const struct cli_command login_command = {
	.name = "login",
	.operands = "REGISTRY",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "log in to a registry and store the credentials",
	.details = "REGISTRY is HOST[:PORT], or HOST[:PORT]/PATH for credentials that apply only\n"
		   "below that path. If the stored credentials are still valid, nothing is asked.",
	.options = options,
	.settings_size = sizeof(struct login_settings),
	.defaults = &defaults,
	.run = login_run,
};
