/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that login and logout change (containers-auth.json(5)), or the helper that it names.
 * The file is replaced as a whole, under a lock, with the mode 0600; what else is in it stays.
 */
#pragma once
#include "lib/error.h"

struct credentials;

/* Which one it is: the one given; $REGISTRY_AUTH_FILE; $DOCKER_CONFIG/config.json;
 * $XDG_RUNTIME_DIR/containers/auth.json; /run/containers/UID/auth.json. The caller frees it. */
char *auth_file_path(const char *authfile);

/* Keep credentials under a key, HOST[:PORT][/PATH]. A helper for the host, or for all, is given
 * them instead. */
int auth_file_store(const char *path, const char *key, const struct credentials *credentials,
		    struct error *err);

/* Remove a key; ERROR_NOT_FOUND where it has none. */
int auth_file_erase(const char *path, const char *key, struct error *err);

/* Remove all keys, and what the helpers for single hosts have. */
int auth_file_erase_all(const char *path, struct error *err);
