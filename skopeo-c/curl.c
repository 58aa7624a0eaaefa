/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/curl.h"

#include <dlfcn.h>
#include <string.h>

/* the version of the interface that curl/curl.h declares */
#define LIBRARY "libcurl.so.4"

/* POSIX has functions' addresses in pointers to objects, which ISO C does not convert. */
static int find(void *library, const char *name, void *function, struct error *err)
{
	void *address = dlsym(library, name);

	if (!address)
		return error_set(err, ERROR_UNSUPPORTED, "%s is too old: it has no %s", LIBRARY,
				 name);
	memcpy(function, &address, sizeof address);
	return 0;
}

int curl_load(struct curl_functions *functions, struct error *err)
{
	struct curl_functions found;
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return error_set(err, ERROR_UNSUPPORTED, "registries need libcurl: %s", dlerror());
#define X(name)                                                                                    \
	if (find(library, "curl_" #name, &found.name, err) < 0)                                    \
		return -1;
	CURL_FUNCTIONS(X)
#undef X
	*functions = found;
	return 0;
}
