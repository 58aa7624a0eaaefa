/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/hints.h"

#include "lib/error.h"

#include <string.h>

/* The first row decides whose words are in the tool's hint. */
static const struct {
	const char *words, *instead;
} hints[] = {
	{ "--creds", "a pod's imagePullSecrets or the node's auth.json can have credentials" },
	{ "ca-certificates", "install the package ca-certificates, or name its authority in "
			     "certs.d" },
	{ "--cert-dir", "name its authority in certs.d, or say insecure in registries.conf" },
	{ "--tls-verify", "insecure in registries.conf allows plain http" },
	{ "--network none", "make one with ctr-net init" },
	{ "--plugin-dir", "install it, or name its directory in \"network.pluginDirs\" of "
			  "ocid.json(5)" },
	{ "--runtime", "install it, or name another in \"runtimes\" of ocid.json(5)" },
};

void hints_adapt(struct error *err)
{
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		if (!strstr(err->hint, hints[i].words))
			continue;
		error_hint(err, "%s", hints[i].instead);
		return;
	}
}
