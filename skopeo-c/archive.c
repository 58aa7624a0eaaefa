/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/archive.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/compression.h"
#include "skopeo-c/spool.h"
#include "skopeo-c/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MEMBERS_MAX = 100000,
	LINKS_MAX = 8, /* that lead to a file */
	PIECE = 256 << 10,
	HEAD_SIZE = 6,
	/* of a stream, the members with files of their own: there are only so many descriptors */
	OWN_MAX = 256,
	OWN_SIZE_MIN = 64 << 10
};

/* ---- names ---- */

/* Take "." and ".." and double slashes out of a path, as if its beginning were the root. */
static char *clean_path(const char *path)
{
	char *clean = xcalloc(1, strlen(path) + 2), *end = clean;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0) {
			while (end > clean && *--end != '/')
				;
		} else if (length > 0 && !(length == 1 && path[0] == '.')) {
			if (end > clean)
				*end++ = '/';
			memcpy(end, path, length);
			end += length;
		}
		path += length + (path[length] == '/');
	}
	*end = '\0';
	return clean;
}

static const struct archive_member *find_exact(const struct archive *archive, const char *name)
{
	const json_t *last = json_object_get(archive->last, name);

	return last ? &archive->members[json_integer_value(last)] : NULL;
}

/* Where a link leads to; the caller frees it. */
static char *link_target(const struct archive_member *member)
{
	const char *slash = strrchr(member->name, '/');
	cleanup_free char *path = member->type == '2' && slash && member->link[0] != '/'
					  ? xasprintf("%.*s/%s", (int)(slash - member->name),
						      member->name, member->link)
					  : xstrdup(member->link);

	return clean_path(path);
}

const struct archive_member *archive_find(const struct archive *archive, const char *name)
{
	cleanup_free char *at = clean_path(name);

	for (int i = 0; i < LINKS_MAX; i++) {
		const struct archive_member *member = find_exact(archive, at);

		if (!member || member->type == '0')
			return member;
		if (member->type != '1' && member->type != '2')
			return NULL;
		char *next = link_target(member);
		free(at);
		at = next;
	}
	return NULL;
}

/* ---- members ---- */

struct reading {
	struct archive *archive;
	const char *spool_directory;
	bool is_stream;
	/* of a stream: */
	struct hasher hasher;
	size_t own_count; /* members with files of their own */
	int shared;	  /* the file of all others, or -1 */
	int64_t shared_size;
	int target; /* where the member's content goes, borrowed; or -1 */
};

static void end_content(struct reading *reading)
{
	struct archive *archive = reading->archive;

	if (reading->is_stream && archive->count > 0 && reading->hasher.context)
		hasher_finish(&reading->hasher, archive->members[archive->count - 1].digest);
}

/* Where the content of a member of a stream is kept. */
static int choose_target(struct reading *reading, struct archive_member *member, struct error *err)
{
	bool is_own = member->size >= OWN_SIZE_MIN && reading->own_count < OWN_MAX;
	int *fd = is_own ? &member->fd : &reading->shared;

	if (*fd < 0)
		*fd = spool_open(reading->spool_directory, err);
	reading->target = *fd;
	if (is_own) {
		reading->own_count++;
	} else {
		member->offset = reading->shared_size;
		reading->shared_size += member->size;
	}
	hasher_start(&reading->hasher, "sha256");
	return *fd < 0 ? -1 : 0;
}

static int note_member(void *context, const struct tar_member *found, struct error *err)
{
	struct reading *reading = context;
	struct archive *archive = reading->archive;

	end_content(reading);
	if (archive->count == MEMBERS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d members", MEMBERS_MAX);
	if (strlen(found->name) > TAR_NAME_MAX || strlen(found->link) > TAR_NAME_MAX)
		return error_set(err, ERROR_LIMIT, "a name has more than %d bytes", TAR_NAME_MAX);
	archive->members = xgrow(archive->members, archive->count, sizeof *archive->members);
	struct archive_member *member = &archive->members[archive->count++];
	*member = (struct archive_member){
		.name = clean_path(found->name),
		.link = xstrdup(found->link),
		.type = found->type,
		.size = found->size,
		.offset = found->offset,
		.fd = -1,
	};
	json_object_set_new_nocheck(archive->last, member->name,
				    json_integer((json_int_t)archive->count - 1));
	reading->target = -1;
	return reading->is_stream && member->type == '0' ? choose_target(reading, member, err) : 0;
}

static int keep_content(void *context, const void *data, size_t length, struct error *err)
{
	struct reading *reading = context;

	if (reading->target < 0)
		return 0;
	hasher_update(&reading->hasher, data, length);
	return file_write_fd(reading->target, data, length, "temporary file", err);
}

/* ---- files ---- */

/* Read the headers, and pass over what is between them. */
static int read_headers(struct archive *archive, struct tar_parser *parser, struct error *err)
{
	unsigned char block[TAR_BLOCK];
	off_t at = 0;

	while (!tar_at_end(parser)) {
		int64_t rest = tar_skippable(parser);

		tar_skip(parser, rest);
		at += rest;
		ssize_t got = pread(archive->fd, block, sizeof block, at);
		if (got < 0)
			return error_os(err, "cannot read");
		if (got == 0)
			break;
		if (tar_parse(parser, block, (size_t)got, err) < 0)
			return -1;
		at += got;
	}
	return tar_parse_end(parser, err);
}

static int check_length(const struct archive *archive, int64_t length, struct error *err)
{
	for (size_t i = 0; i < archive->count; i++) {
		const struct archive_member *member = &archive->members[i];

		if (member->size > length || member->offset > length - member->size)
			return error_set(err, ERROR_INTEGRITY, "not a tar archive: %s is cut off",
					 member->name);
	}
	return 0;
}

/* ---- streams ---- */

static ssize_t read_some(int fd, void *buffer, size_t size, struct error *err)
{
	ssize_t got;

	do
		got = read(fd, buffer, size);
	while (got < 0 && errno == EINTR && !cli_interrupted());
	if (got < 0)
		return error_os(err, "cannot read");
	return got;
}

static int read_stream(struct archive *archive, struct tar_parser *parser, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, PIECE);
	struct decompressor *decompressor = decompressor_new(tar_parse, parser);
	ssize_t got;
	int status = 0;

	while (status == 0 && (got = read_some(archive->fd, buffer, PIECE, err)) != 0)
		status = got < 0 ? -1 : decompressor_write(decompressor, buffer, (size_t)got, err);
	if (status == 0)
		status = decompressor_finish(decompressor, err);
	decompressor_free(decompressor);
	return status < 0 ? -1 : tar_parse_end(parser, err);
}

/* True for a regular file that is not compressed. */
static bool is_plain_file(int fd, int64_t *length)
{
	unsigned char head[HEAD_SIZE] = { 0 };
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || lseek(fd, 0, SEEK_CUR) != 0)
		return false;
	*length = st.st_size;
	ssize_t got = pread(fd, head, sizeof head, 0);
	return got < 0 || compression_of(head, (size_t)got) == COMPRESSION_NONE;
}

struct archive *archive_open_fd(int fd, const char *path, const char *spool_directory,
				struct error *err)
{
	struct archive *archive = xcalloc(1, sizeof *archive);
	struct reading reading = { .archive = archive,
				   .spool_directory = spool_directory,
				   .shared = -1 };
	int64_t length = 0;

	archive->fd = fd;
	archive->path = xstrdup(path);
	archive->last = json_object();
	reading.is_stream = !is_plain_file(fd, &length);
	struct tar_parser *parser =
		tar_parser_new(note_member, reading.is_stream ? keep_content : NULL, &reading);
	int status = reading.is_stream ? read_stream(archive, parser, err)
				       : read_headers(archive, parser, err);
	end_content(&reading);
	tar_parser_free(parser);
	hasher_free(&reading.hasher);
	if (reading.is_stream) {
		cleanup_fd_p(&archive->fd);
		archive->fd = reading.shared;
	} else if (status == 0) {
		status = check_length(archive, length, err);
	}
	if (status == 0)
		return archive;
	error_prefix(err, "%s", path);
	archive_free(archive);
	return NULL;
}

struct archive *archive_open(const char *path, const char *spool_directory, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0;
	int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
			  : open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return archive_open_fd(fd, is_stdin ? "standard input" : path, spool_directory,
				       err);
	error_os(err, "%s", path);
	return NULL;
}

void archive_free(struct archive *archive)
{
	if (!archive)
		return;
	for (size_t i = 0; i < archive->count; i++) {
		free(archive->members[i].name);
		free(archive->members[i].link);
		cleanup_fd_p(&archive->members[i].fd);
	}
	json_decref(archive->last);
	free(archive->members);
	cleanup_fd_p(&archive->fd);
	free(archive->path);
	free(archive);
}

/* ---- content ---- */

int archive_reopen(const struct archive *archive, const struct archive_member *member,
		   struct error *err)
{
	bool is_own = member->fd >= 0;
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", is_own ? member->fd : archive->fd);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || lseek(fd, is_own ? 0 : member->offset, SEEK_SET) < 0)
		return error_os(err, "%s: %s", archive->path, member->name);
	return steal_fd(&fd);
}

int archive_source(const struct archive *archive, const struct archive_member *member,
		   const char *digest, struct blob_source *source, struct error *err)
{
	source->is_whole = member->fd >= 0 && strcmp(member->digest, digest) == 0;
	source->rest = member->size;
	/* a file that is taken over must be the very one, which is locked */
	source->fd = source->is_whole ? fcntl(member->fd, F_DUPFD_CLOEXEC, 0)
				      : archive_reopen(archive, member, err);
	if (source->is_whole && (source->fd < 0 || lseek(source->fd, 0, SEEK_SET) < 0))
		return error_os(err, "%s", archive->path);
	return source->fd < 0 ? -1 : 0;
}

char *archive_read(const struct archive *archive, const char *name, size_t max, size_t *length,
		   struct error *err)
{
	const struct archive_member *member = archive_find(archive, name);

	if (!member) {
		error_set(err, ERROR_NOT_FOUND, "%s has no %s", archive->path, name);
		return NULL;
	}
	if (member->size > (int64_t)max) {
		error_set(err, ERROR_LIMIT, "%s: %s is larger than %zu bytes", archive->path, name,
			  max);
		return NULL;
	}
	cleanup_fd int fd = archive_reopen(archive, member, err);
	if (fd < 0)
		return NULL;
	struct blob_source source = { .fd = fd, .rest = member->size };
	cleanup_free char *text = xcalloc(1, (size_t)member->size + 1);
	size_t used = 0;
	ssize_t got;
	while ((got = blob_source_read(&source, text + used, (size_t)member->size - used,
				       archive->path, err)) > 0)
		used += (size_t)got;
	if (got < 0)
		return NULL;
	*length = used;
	return steal_ptr(&text);
}

json_t *archive_read_json(const struct archive *archive, const char *name, struct error *err)
{
	size_t length;
	cleanup_free char *text = archive_read(archive, name, JSON_CONFIG_MAX, &length, err);
	cleanup_free char *what = xasprintf("%s: %s", archive->path, name);

	return text ? json_parse(text, length, what, err) : NULL;
}
