/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl from its archive, without the libraries for what is not spoken here: LDAP, SSH, RTMP,
 * Kerberos, international names, cookies, and other compressions than gzip. The functions that it
 * would call of those are defined here; the Makefile lists them from the archive.
 */
#include "skopeo-c/curl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct curl_functions curl = {
#define X(name) .name = (curl_##name),
	CURL_FUNCTIONS(X)
#undef X
};

int curl_load(struct error *err)
{
	(void)err;
	return 0;
}

/* What libcurl calls where HTTP is all that it is asked for, and takes 0 for success or "there is
 * none": when it starts and ends, for a host that is not ASCII and for a Transfer-Encoding. */
static const char *const harmless[] = {
	"BrotliDecoderCreateInstance",
	"ZSTD_createDStream",
	"idn2_check_version",
	"libssh2_exit",
	"libssh2_init",
};

static long absent(const char *function)
{
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
		if (strcmp(function, harmless[i]) == 0)
			return 0;
	fprintf(stderr, "skopeo-c: libcurl calls %s(), of a library that is not linked\n",
		function);
	abort();
}

/* Only their names are known, and all that the linker asks for. They are hidden, since another
 * library may need a real one. */
#define HIDDEN __attribute__((visibility("hidden")))
#define ABSENT(name)                                                                               \
	HIDDEN long name(void);                                                                    \
	long name(void)                                                                            \
	{                                                                                          \
		return absent(#name);                                                              \
	}
#include "skopeo-c/curl_absent.h"

/* the one that is no function: the kind of name that Kerberos would be asked for */
HIDDEN extern const void *const GSS_C_NT_HOSTBASED_SERVICE;
const void *const GSS_C_NT_HOSTBASED_SERVICE;
