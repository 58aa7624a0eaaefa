/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a blob can be had that its source lacks: at the URLs that its descriptor names. Anybody may
 * have written these: only http and https are spoken, nothing is told of who we are, and what comes
 * has to be the blob as from anywhere else.
 */
#pragma once
#include "skopeo-c/web_server.h"

#include <stdbool.h>
#include <stddef.h>

struct blob;

struct elsewhere {
	size_t number; /* of the URL in use, from 1; 0: the source itself */
	struct web_server server;
};

/* Turn to the next URL; false where there is none, or enough were tried. */
bool elsewhere_next(struct elsewhere *elsewhere, const struct blob *blob);

/* Prepare a call to the URL in use. lender: the source, where it is a registry; or NULL. */
void elsewhere_ask(struct elsewhere *elsewhere, const struct blob *blob, struct http *http,
		   const struct registry *lender, struct registry_call *call);

/* The call must have ended. The URL stays the one in use. */
void elsewhere_close(struct elsewhere *elsewhere);
