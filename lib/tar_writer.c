/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tar_writer.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { BLOCK = 512, OCTAL_7 = 07777777 }; /* the largest number in a field of 8 bytes */

static const long long octal_11 = 077777777777; /* in one of 12 */

/* POSIX.1-2001, pax, "ustar Interchange Format" */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type[1];
	char link[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
	char prefix[155], padding[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

int tar_write(struct tar_writer *tar, const void *data, size_t length, struct error *err)
{
	if (tar->hasher)
		hasher_update(tar->hasher, data, length);
	tar->written += (long long)length;
	return file_write_fd(tar->fd, data, length, tar->what, err);
}

int tar_pad(struct tar_writer *tar, struct error *err)
{
	static const char zeros[BLOCK];
	size_t over = (size_t)(tar->written % BLOCK);

	return over ? tar_write(tar, zeros, BLOCK - over, err) : 0;
}

int tar_write_file(struct tar_writer *tar, int fd, long long size, void *buffer, size_t length,
		   struct error *err)
{
	while (size > 0) {
		ssize_t got = read(fd, buffer, size < (long long)length ? (size_t)size : length);

		if (got < 0)
			return error_os(err, "cannot read");
		if (got == 0)
			return error_set(err, ERROR_TEMPORARY, "it was truncated in the meantime");
		if (tar_write(tar, buffer, (size_t)got, err) < 0)
			return -1;
		size -= got;
	}
	return tar_pad(tar, err);
}

int tar_finish(struct tar_writer *tar, struct error *err)
{
	static const char zeros[2 * BLOCK];

	return tar_write(tar, zeros, sizeof zeros, err);
}

/* ---- records ---- */

void tar_add_record(struct tar_records *records, const char *key, const void *value, size_t length)
{
	size_t rest = strlen(key) + length + 3; /* a space, "=" and a line end */
	size_t total = rest + 1;
	char number[24];
	int digits;

	/* the length counts its own digits */
	while (total != rest + (size_t)(digits = snprintf(number, sizeof number, "%zu", total)))
		total = rest + (size_t)digits;
	records->bytes = xreallocarray(records->bytes, records->length + total + 1, 1);
	char *at = records->bytes + records->length;
	at += snprintf(at, total, "%s %s=", number, key);
	memcpy(at, value, length);
	at[length] = '\n';
	records->length += total;
}

void tar_records_free(struct tar_records *records)
{
	free(records->bytes);
	*records = (struct tar_records){ 0 };
}

static void add_text(struct tar_records *records, const char *key, const char *text)
{
	tar_add_record(records, key, text, strlen(text));
}

static void add_number(struct tar_records *records, const char *key, long long number)
{
	cleanup_free char *text = xasprintf("%lld", number);

	add_text(records, key, text);
}

static void add_time(struct tar_records *records, const struct timespec *time)
{
	long long seconds = time->tv_sec;
	long nanoseconds = time->tv_nsec;
	bool negative = seconds < 0;

	/* tv_nsec counts forward from tv_sec, the text has one sign for both */
	if (negative && nanoseconds > 0) {
		seconds++;
		nanoseconds = 1000000000 - nanoseconds;
	}
	cleanup_free char *text = xasprintf("%s%lld.%09ld", negative ? "-" : "",
					    negative ? -seconds : seconds, nanoseconds);
	add_text(records, "mtime", text);
}

/* What the header of the entry cannot say. */
static void add_large(struct tar_records *records, const struct tar_entry *entry, const char *name,
		      const char *link, long long size)
{
	const struct stat *st = entry->st;

	if (strlen(name) > sizeof((struct header *)0)->name)
		add_text(records, "path", name);
	if (link && strlen(link) > sizeof((struct header *)0)->link)
		add_text(records, "linkpath", link);
	if (size > octal_11)
		add_number(records, "size", size);
	if (st->st_uid > OCTAL_7)
		add_number(records, "uid", st->st_uid);
	if (st->st_gid > OCTAL_7)
		add_number(records, "gid", st->st_gid);
	if (st->st_mtim.tv_nsec || st->st_mtim.tv_sec < 0 || st->st_mtim.tv_sec > octal_11)
		add_time(records, &st->st_mtim);
	if (entry->xattrs_length) {
		records->bytes =
			xreallocarray(records->bytes, records->length + entry->xattrs_length, 1);
		memcpy(records->bytes + records->length, entry->xattrs, entry->xattrs_length);
		records->length += entry->xattrs_length;
	}
}

/* ---- headers ---- */

/* A field that is not ended by NUL when it is full. */
static void put_text(char *field, size_t size, const char *text)
{
	memcpy(field, text, strnlen(text, size));
}

static void put_octal(char *field, size_t size, long long number, long long max)
{
	char text[24];

	snprintf(text, sizeof text, "%0*llo", (int)size - 1,
		 (unsigned long long)(number < 0 || number > max ? 0 : number));
	memcpy(field, text, size - 1);
}

static void put_checksum(struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;
	char text[8];

	memset(header->checksum, ' ', sizeof header->checksum);
	for (size_t i = 0; i < sizeof *header; i++)
		sum += bytes[i];
	snprintf(text, sizeof text, "%06o", sum);
	memcpy(header->checksum, text, 7);
}

static void put_common(struct header *header, char type, long long size, unsigned mode)
{
	header->type[0] = type;
	put_octal(header->size, sizeof header->size, size, octal_11);
	put_octal(header->mode, sizeof header->mode, mode, OCTAL_7);
	put_text(header->magic, sizeof header->magic, "ustar");
	put_text(header->version, sizeof header->version, "00");
}

static int write_records(struct tar_writer *tar, const struct tar_records *records,
			 struct error *err)
{
	struct header header = { 0 };

	put_common(&header, 'x', (long long)records->length, 0644);
	put_text(header.name, sizeof header.name, "PaxHeaders/x");
	put_octal(header.uid, sizeof header.uid, 0, 0);
	put_octal(header.gid, sizeof header.gid, 0, 0);
	put_octal(header.mtime, sizeof header.mtime, 0, 0);
	put_checksum(&header);
	if (tar_write(tar, &header, sizeof header, err) < 0 ||
	    tar_write(tar, records->bytes, records->length, err) < 0)
		return -1;
	return tar_pad(tar, err);
}

/* The type flag, or 0 for a socket and what else there may be. */
static char type_of(const struct tar_entry *entry)
{
	if (entry->hard_link)
		return '1';
	switch (entry->st->st_mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return 0;
	}
}

int tar_write_header(struct tar_writer *tar, const struct tar_entry *entry, struct error *err)
{
	__attribute__((cleanup(tar_records_free))) struct tar_records records = { 0 };
	const struct stat *st = entry->st;
	struct header header = { 0 };
	char type = type_of(entry);
	long long size = type == '0' ? (long long)st->st_size : 0;
	const char *link = entry->hard_link ? entry->hard_link : entry->link;
	cleanup_free char *name = xasprintf("%s%s", entry->path, type == '5' ? "/" : "");

	if (!type)
		return error_set(err, ERROR_UNSUPPORTED, "%s: an archive cannot hold its kind",
				 entry->path);
	add_large(&records, entry, name, link, size);
	if (records.length && write_records(tar, &records, err) < 0)
		return -1;

	put_common(&header, type, size, st->st_mode & 07777);
	put_text(header.name, sizeof header.name, name);
	if (link)
		put_text(header.link, sizeof header.link, link);
	put_octal(header.uid, sizeof header.uid, st->st_uid, OCTAL_7);
	put_octal(header.gid, sizeof header.gid, st->st_gid, OCTAL_7);
	put_octal(header.mtime, sizeof header.mtime, st->st_mtim.tv_sec, octal_11);
	if (type == '3' || type == '4') {
		put_octal(header.major, sizeof header.major, major(st->st_rdev), OCTAL_7);
		put_octal(header.minor, sizeof header.minor, minor(st->st_rdev), OCTAL_7);
	}
	put_checksum(&header);
	return tar_write(tar, &header, sizeof header, err);
}
