/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a file of credentials (auth.json, config.json). */
#include "skopeo-c/credentials.h"
#include "skopeo-c/helper.h"
#include "skopeo-c/registries.h"

#include "lib/file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No program is run that the file names. */
int helper_get(const char *name, const char *registry, struct credentials *out, struct error *err)
{
	(void)out;
	return name[0] && registry[0] ? 0 : error_set(err, ERROR_NOT_FOUND, "no helper");
}

/* And no file is read but that one. */
int registries_credential_helpers(struct strings *names, struct error *err)
{
	(void)names;
	(void)err;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access access = ACCESS_DEFAULTS;
	struct credentials credentials = { 0 };
	char path[64];
	struct error err;
	int fd = memfd_create("auth.json", MFD_CLOEXEC);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd < 0 || file_write_fd(fd, (const char *)data, size, path, &err) < 0)
		abort();
	access.authfile = path;
	if (credentials_find(&access, "a.example.com:5000", "ns/image", &credentials, &err) == 0) {
		if (!credentials.user != !credentials.password)
			abort();
		if (credentials.user)
			free(credentials_basic(&credentials));
		credentials_free(&credentials);
	}
	close(fd);
	return 0;
}
