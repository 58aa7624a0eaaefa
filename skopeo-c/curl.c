/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/curl.h"

#include "lib/library.h"

#include <stddef.h>

int curl_load(struct curl_functions *functions, struct error *err)
{
	static const char *const symbols[] = {
#define X(name) "curl_" #name,
		CURL_FUNCTIONS(X)
#undef X
			NULL
	};
	struct curl_functions found;

	/* the version of the interface that curl/curl.h declares */
	if (library_load("libcurl.so.4", "registries need libcurl", symbols, &found, err) < 0)
		return -1;
	*functions = found;
	return 0;
}
