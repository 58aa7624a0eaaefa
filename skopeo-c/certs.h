/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of registries (containers-certs.d(5)). */
#pragma once
#include "lib/error.h"

struct http_tls;

/* Read the directory of a registry, "HOST[:PORT]", into tls: every *.crt is an authority beside the
 * system's; X.cert and X.key are our own certificate and key, a half of which is an error.
 * cert_dir: exactly this directory, which must exist. NULL: the first that exists of
 * ~/.config/containers/certs.d/REGISTRY, /etc/containers/certs.d/REGISTRY and
 * /etc/docker/certs.d/REGISTRY; none is no error. */
int certs_load(const char *cert_dir, const char *registry, struct http_tls *tls, struct error *err);
