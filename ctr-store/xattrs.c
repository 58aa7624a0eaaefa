/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/xattrs.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

enum { LIST_MAX = 64 << 10, VALUE_MAX = 64 << 10 };

static int list(int fd, struct strings *names, struct error *err)
{
	cleanup_free char *text = xcalloc(1, LIST_MAX);
	ssize_t length = flistxattr(fd, text, LIST_MAX);

	if (length < 0)
		return errno == EOPNOTSUPP ? 0 : error_os(err, "extended attributes");
	for (const char *name = text; name < text + length; name += strlen(name) + 1)
		strings_add(names, name);
	strings_sort(names);
	return 0;
}

int xattrs_each(int fd, xattr_visit *visit, void *context, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (list(fd, &names, err) < 0)
		return -1;
	cleanup_free unsigned char *value = names.count ? xcalloc(1, VALUE_MAX) : NULL;
	for (size_t i = 0; i < names.count; i++) {
		ssize_t size = fgetxattr(fd, names.items[i], value, VALUE_MAX);
		const struct xattr xattr = { names.items[i], value, (size_t)size };

		if (size < 0)
			return error_os(err, "extended attribute %s", names.items[i]);
		if (visit(&xattr, context, err) < 0)
			return -1;
	}
	return 0;
}

int xattr_hash(const struct xattr *xattr, void *context, struct error *err)
{
	(void)err;
	hasher_update(context, xattr->name, strlen(xattr->name) + 1);
	hasher_update(context, &xattr->size, sizeof xattr->size);
	hasher_update(context, xattr->value, xattr->size);
	return 0;
}

bool xattr_is_capability(const char *name)
{
	return strcmp(name, "security.capability") == 0;
}

size_t xattr_unbind_capability(unsigned char *value, size_t size)
{
	enum { VERSION_2_SIZE = 20, VERSION_3_SIZE = 24, VERSION_BYTE = 3 };

	if (size != VERSION_3_SIZE || value[VERSION_BYTE] != 3)
		return size;
	value[VERSION_BYTE] = 2;
	return VERSION_2_SIZE;
}

bool xattr_is_kept(const char *name)
{
	return xattr_is_capability(name) ||
	       (strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0);
}

int xattr_is_opaque(int fd, struct error *err)
{
	static const char *const names[] = { "trusted.overlay.opaque", "user.overlay.opaque" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char value;
		ssize_t size = fgetxattr(fd, names[i], &value, 1);

		if (size == 1 && value == 'y')
			return 1;
		if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ERANGE)
			return error_os(err, "extended attribute %s", names[i]);
	}
	return 0;
}

int xattr_set(int fd, const struct xattr *xattr, struct error *err)
{
	if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) < 0)
		return error_os(err, "extended attribute %s", xattr->name);
	return 0;
}
