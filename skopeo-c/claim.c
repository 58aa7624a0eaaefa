/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/claim.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DIGITS = 15 /* of the digest: what fits into a file offset */ };

int claims_new(struct error *err)
{
	int fd = memfd_create("claims", MFD_CLOEXEC);

	return fd < 0 ? error_os(err, "cannot share memory") : fd;
}

int claims_open(int shared, struct error *err)
{
	/* the locks belong to an open file, which must not be the one of another process */
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", shared);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? error_os(err, "cannot share memory") : fd;
}

/* The byte of the file that stands for the digest. */
static struct flock lock_of(const char *digest, short type)
{
	cleanup_free char *digits = xstrndup(digest_hex(digest), DIGITS);

	return (struct flock){ .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = (off_t)strtoull(digits, NULL, 16),
			       .l_len = 1 };
}

bool claim_try(int claims, const char *digest)
{
	struct flock lock = lock_of(digest, F_WRLCK);

	return fcntl(claims, F_OFD_SETLK, &lock) == 0;
}

void claim_wait(int claims, const char *digest)
{
	struct flock lock = lock_of(digest, F_WRLCK);

	/* without it only more is done than need be */
	(void)fcntl(claims, F_OFD_SETLKW, &lock);
}

void claim_release(int claims, const char *digest)
{
	struct flock lock = lock_of(digest, F_UNLCK);

	(void)fcntl(claims, F_OFD_SETLK, &lock);
}
