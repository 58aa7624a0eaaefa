/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are at a registry: --creds, or what the auth.json files of podman and docker hold
 * (containers-auth.json(5)). Nothing of it ever gets into an error, a document or a log. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

/* What --tls-verify says: as OPTION_FLAG stores it, or as it is where it was not given. */
enum tls_verify { TLS_ANY, TLS_INSISTED, TLS_AS_CONFIGURED };

/* How a command reaches one side's registry; the strings are borrowed from argv. */
struct access {
	unsigned char tls_verify; /* enum tls_verify, of the size of a flag */
	bool no_creds;
	const char *creds;	     /* USER:PASSWORD */
	const char *user, *password; /* the same in two */
	const char *registry_token;  /* a Bearer token that is used as it is */
	const char *authfile;	     /* instead of the usual files */
	const char *first_authfile;  /* before all others */
	const char *cert_dir;	     /* instead of the usual certs.d directories */
	long long retry_times;	     /* -1: the default */
	const char *retry_delay;     /* see lib/duration.h; NULL: longer each time */
};

#define ACCESS_DEFAULTS                                                                            \
	{                                                                                          \
		.tls_verify = TLS_AS_CONFIGURED, .retry_times = -1                                 \
	}

/* Rows that fill a struct access in a command's settings; FIELD() is the command's own offsetof. */
/* clang-format off */
#define RETRY_OPTIONS(access) \
	{ "retry-times", 0, "N", OPTION_NUMBER, FIELD(access.retry_times), \
	  "retry N times after temporary failures (default 2)" }, \
	{ "retry-delay", 0, "TIME", OPTION_STRING, FIELD(access.retry_delay), \
	  "time between retries: 90s, 1m30s" }
/* clang-format on */

/* The options that fill the field `access` of a command with one registry; FIELD() is the command's
 * own offsetof. */
/* clang-format off */
#define ACCESS_OPTIONS \
	{ "tls-verify", 0, NULL, OPTION_FLAG, FIELD(access.tls_verify), \
	  "require https and valid certificates (default)" }, \
	{ "authfile", 0, "FILE", OPTION_STRING, FIELD(access.authfile), \
	  "credentials file, see containers-auth.json(5)" }, \
	{ "creds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(access.creds), "credentials" }, \
	{ "username", 0, "USER", OPTION_STRING, FIELD(access.user), "user name, instead of --creds" }, \
	{ "password", 0, "PASSWORD", OPTION_STRING, FIELD(access.password), \
	  "the password of --username" }, \
	{ "registry-token", 0, "TOKEN", OPTION_STRING, FIELD(access.registry_token), \
	  "Bearer token, used as it is" }, \
	{ "no-creds", 0, NULL, OPTION_FLAG, FIELD(access.no_creds), "use no credentials" }, \
	{ "cert-dir", 0, "DIR", OPTION_STRING, FIELD(access.cert_dir), \
	  "certificates for the registry" }, \
	RETRY_OPTIONS(access)
/* clang-format on */

struct credentials {
	char *user, *password; /* both or none */
	char *identity_token;  /* to be exchanged for an access token, or NULL */
};

/* Find the credentials for REGISTRY/REPOSITORY; none is no error. Looked up in this order: --creds;
 * --src-first-authfile; --authfile, or without it $REGISTRY_AUTH_FILE; without either
 * $XDG_RUNTIME_DIR/containers/auth.json (without that variable /run/containers/UID/auth.json),
 * $XDG_CONFIG_HOME/containers/auth.json (~/.config), $DOCKER_CONFIG/config.json (~/.docker),
 * ~/.dockercfg. The first file that has a match is it; in a file the longest matching key. A helper
 * in "credHelpers" goes before the keys of its file, one in "credsStore" after them. */
int credentials_find(const struct access *access, const char *registry, const char *repository,
		     struct credentials *credentials, struct error *err);
void credentials_free(struct credentials *credentials);
#define cleanup_credentials __attribute__((cleanup(credentials_free)))

enum { CREDENTIALS_FILE_MAX = 1 << 20 }; /* bytes */

/* The helper that new credentials go to, as registries.conf says; NULL where it is a file. The
 * caller frees it. */
int credentials_keeper(const char *authfile, char **helper, struct error *err);

/* From now on a crash writes no memory to the disk. */
void credentials_keep_secret(void);

/* "Basic …", the value of the Authorization header; the caller frees it. */
char *credentials_basic(const struct credentials *credentials);
