/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/library.h"

#include <dlfcn.h>
#include <string.h>

int library_load(const char *file, const char *purpose, const char *const *symbols, void *functions,
		 struct error *err)
{
	/* a function of theirs that is never called is never looked for: of libcurl and those
	 * beneath it that is a sixth of the time */
	void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);

	if (!library)
		return error_set(err, ERROR_UNSUPPORTED, "%s: %s", purpose, dlerror());
	for (char *to = functions; *symbols; symbols++, to += sizeof(void *)) {
		void *address = dlsym(library, *symbols);

		if (!address)
			return error_set(err, ERROR_UNSUPPORTED, "%s is too old: it has no %s",
					 file, *symbols);
		/* POSIX has functions' addresses in pointers to objects; ISO C does not convert */
		memcpy(to, &address, sizeof address);
	}
	return 0;
}
