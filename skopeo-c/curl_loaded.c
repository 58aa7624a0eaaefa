/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl where its archive is not at hand: loaded when a registry is first talked to. */
#include "lib/library.h"
#include "skopeo-c/curl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define GNUTLS_WAITS "GNUTLS_NO_IMPLICIT_INIT"

struct curl_functions curl;

int curl_load(struct error *err)
{
	static const char *const symbols[] = {
#define X(name) "curl_" #name,
		CURL_FUNCTIONS(X)
#undef X
			NULL
	};
	struct curl_functions found;
	bool is_set = getenv(GNUTLS_WAITS) != NULL;

	if (curl.easy_init)
		return 0;
	/* libcurl speaks TLS by OpenSSL; what brings GnuTLS along, protocols that are not spoken
	 * here, need not pay for its start */
	if (!is_set)
		setenv(GNUTLS_WAITS, "1", 1);
	/* the version of the interface that curl/curl.h declares */
	int status = library_load("libcurl.so.4", "registries need libcurl", symbols, &found, err);
	if (!is_set)
		unsetenv(GNUTLS_WAITS);
	if (status < 0)
		return -1;
	curl = found;
	return 0;
}
