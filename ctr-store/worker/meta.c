/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/meta.h"

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/memory.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { ATTRIBUTE_NAME_MAX = 255, PERMISSIONS = 07777, LIST_MAX = 65536 };

void meta_free(struct meta *meta)
{
	free(meta->storage);
	meta->storage = NULL;
	meta->attribute_count = 0;
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_overlay(const char *name)
{
	return starts_with(name, "trusted.overlay.") || starts_with(name, "user.overlay.");
}

static bool is_kept(const char *name)
{
	return (starts_with(name, "user.") && !is_overlay(name)) ||
	       strcmp(name, "security.capability") == 0;
}

static int add_attribute(struct meta *meta, const char *name, const void *value, size_t size,
			 struct error *err)
{
	if (meta->attribute_count >= LAYER_ATTRIBUTES_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d extended attributes",
				 LAYER_ATTRIBUTES_MAX);
	if (strlen(name) > ATTRIBUTE_NAME_MAX || size > ATTRIBUTE_SIZE_MAX)
		return error_set(err, ERROR_LIMIT, "extended attribute \"%.32s\" is too large",
				 name);
	meta->attributes[meta->attribute_count++] = (struct attribute){ name, value, size };
	return 0;
}

static int attributes_from_entry(struct archive_entry *entry, struct meta *meta, struct error *err)
{
	const char *name;
	const void *value;
	size_t size;

	if (archive_entry_xattr_reset(entry) == 0)
		return 0;
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (!name)
			continue;
		if (is_overlay(name))
			return error_set(err, ERROR_INTEGRITY,
					 "extended attribute \"%s\" must not be in a layer", name);
		if (is_kept(name) && add_attribute(meta, name, value, size, err) < 0)
			return -1;
	}
	return 0;
}

/* libarchive gives a PAX time's sign to its seconds alone: -1.25 comes as -1 and 0.25. What begins
 * with -0 has lost it. */
static struct timespec time_from_entry(struct archive_entry *entry)
{
	enum { SECOND = 1000000000 };
	struct timespec time = { archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };

	if (time.tv_nsec < 0 || time.tv_nsec >= SECOND)
		time.tv_nsec = 0;
	if (time.tv_sec < 0 && time.tv_sec > INT64_MIN && time.tv_nsec > 0) {
		time.tv_sec--;
		time.tv_nsec = SECOND - time.tv_nsec;
	}
	return time;
}

int meta_from_entry(struct archive_entry *entry, struct meta *meta, struct error *err)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	/* -1 means "leave it" to chown(2) */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return error_set(err, ERROR_INTEGRITY, "owner %lld:%lld is out of range",
				 (long long)uid, (long long)gid);
	meta->uid = (uid_t)uid;
	meta->gid = (gid_t)gid;
	meta->mode = archive_entry_perm(entry) & PERMISSIONS;
	meta->mtime = time_from_entry(entry);
	return attributes_from_entry(entry, meta, err);
}

/* Read one attribute of a lower file to the end of the storage, which does not move. */
static int attribute_from_file(int fd, const char *name, struct meta *meta, size_t *used,
			       struct error *err)
{
	ssize_t size = fgetxattr(fd, name, meta->storage + *used, ATTRIBUTE_SIZE_MAX);

	if (size < 0)
		return error_os(err, "extended attribute %s", name);
	if (add_attribute(meta, name, meta->storage + *used, (size_t)size, err) < 0)
		return -1;
	*used += (size_t)size;
	return 0;
}

int meta_from_file(int fd, const struct stat *st, struct meta *meta, struct error *err)
{
	size_t used = LIST_MAX, kept = 0;
	ssize_t length;

	meta->uid = st->st_uid;
	meta->gid = st->st_gid;
	meta->mode = st->st_mode & PERMISSIONS;
	meta->mtime = st->st_mtim;
	meta->storage = xcalloc(1, LIST_MAX);
	length = flistxattr(fd, meta->storage, LIST_MAX);
	if (length < 0)
		return errno == EOPNOTSUPP ? 0 : error_os(err, "extended attributes");
	for (const char *name = meta->storage; name < meta->storage + length;
	     name += strlen(name) + 1)
		kept += is_kept(name);
	if (kept == 0)
		return 0;

	char *list = steal_ptr(&meta->storage);
	meta->storage = xreallocarray(list, 1, LIST_MAX + kept * ATTRIBUTE_SIZE_MAX);
	for (const char *name = meta->storage; name < meta->storage + length;
	     name += strlen(name) + 1)
		if (is_kept(name) && attribute_from_file(fd, name, meta, &used, err) < 0)
			return -1;
	return 0;
}

static int apply_attributes(int fd, const struct meta *meta, struct error *err)
{
	for (size_t i = 0; i < meta->attribute_count; i++) {
		const struct attribute *attribute = &meta->attributes[i];

		if (fsetxattr(fd, attribute->name, attribute->value, attribute->size, 0) == 0)
			continue;
		if (errno == EINVAL)
			return error_set(err, ERROR_INTEGRITY,
					 "extended attribute %s: not a value it can have",
					 attribute->name);
		/* a file system without user.* (an older tmpfs): the file is usable without */
		if (errno != EOPNOTSUPP || !starts_with(attribute->name, "user."))
			return error_os(err, "extended attribute %s", attribute->name);
		log_message(LOG_LEVEL_WARN, "no extended attributes here: %s is lost",
			    attribute->name);
	}
	return 0;
}

int meta_owner_failed(const struct meta *meta, struct error *err)
{
	/* every number is somebody on the host; in a user namespace only those that are mapped are
	 */
	if (errno != EINVAL)
		return error_os(err, "owner %u:%u", meta->uid, meta->gid);
	error_set(err, ERROR_UNSUPPORTED, "owner %u:%u is not in this user namespace", meta->uid,
		  meta->gid);
	return error_hint(err, "/etc/subuid and /etc/subgid say how many it has");
}

int meta_apply(int fd, const struct meta *meta, mode_t mode_now, struct error *err)
{
	bool owned = meta->uid != 0 || meta->gid != 0;

	if (owned && fchown(fd, meta->uid, meta->gid) < 0)
		return meta_owner_failed(meta, err);
	if (meta->mode != mode_now && fchmod(fd, meta->mode) < 0)
		return error_os(err, "mode %04o", meta->mode);
	return apply_attributes(fd, meta, err);
}

int meta_apply_at(int dir_fd, const char *name, const struct meta *meta, bool is_link,
		  mode_t mode_now, struct error *err)
{
	struct timespec times[2] = { meta->mtime, meta->mtime };
	bool owned = meta->uid != 0 || meta->gid != 0;

	if (owned && fchownat(dir_fd, name, meta->uid, meta->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return meta_owner_failed(meta, err);
	/* fchmodat() follows links, but this is none: it was made by us a moment ago */
	if (!is_link && meta->mode != mode_now && fchmodat(dir_fd, name, meta->mode, 0) < 0)
		return error_os(err, "mode %04o", meta->mode);
	if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_os(err, "modification time");
	return 0;
}

int meta_set_time(int fd, const struct timespec *mtime, struct error *err)
{
	struct timespec times[2] = { *mtime, *mtime };

	if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
		return error_os(err, "modification time");
	return 0;
}
