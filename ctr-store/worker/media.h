/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer is written to: a directory of the file system (media_directory.h), or an EROFS image
 * (erofs.h). The tree above it says what goes where, and when something is replaced or removed.
 *
 * Functions return 0, or -1 with err filled, or what is said beside them.
 */
#pragma once
#include "ctr-store/worker/meta.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct dir;
struct tree;

enum media_status {
	MEDIA_TAKEN = 1, /* something has that name; nothing was done */
	MEDIA_ABSENT = 2 /* nothing has that name */
};

/* What has a name; directories are known to the tree. */
enum media_kind { MEDIA_NOTHING, MEDIA_WHITEOUT, MEDIA_SYMLINK, MEDIA_OTHER };

/* What overlayfs is told of a directory. Whiteouts it passes over only where it merges directories,
 * and where it is told to: nothing need be beneath that has one. */
enum media_mark { MARK_NONE, MARK_OPAQUE, MARK_WHITEOUTS };

/* Called for each name in a directory, which it may remove or move. -1 ends it. */
typedef int media_each(void *context, const char *name, bool is_whiteout, struct error *err);

struct media {
	/* The topmost directory, before all else. */
	int (*start)(struct tree *tree, struct error *err);
	/* Whatever start() and the rest have taken; state may be half made. */
	void (*free)(struct tree *tree);

	/* New things; also MEDIA_TAKEN. The directory gets only the mode. A node of type S_IFCHR
	 * with device 0:0 is a whiteout, which needs no meta. */
	int (*directory)(struct tree *tree, struct dir *dir, const char *name, mode_t mode,
			 struct error *err);
	int (*symlink)(struct tree *tree, struct dir *dir, const char *name, const char *target,
		       const struct meta *meta, struct error *err);
	int (*node)(struct tree *tree, struct dir *dir, const char *name, mode_t type, dev_t device,
		    const struct meta *meta, struct error *err);
	/* Also MEDIA_ABSENT, of the target; a directory is ERROR_INTEGRITY. */
	int (*link)(struct tree *tree, struct dir *dir, const char *name, struct dir *target_dir,
		    const char *target_name, struct error *err);

	/* A new file of `size` bytes; also MEDIA_TAKEN. One at a time: its content, in pieces that
	 * do not go back, or all of what another file holds, and then the end. */
	int (*file)(struct tree *tree, struct dir *dir, const char *name, const struct meta *meta,
		    long long size, struct error *err);
	int (*write)(struct tree *tree, const void *data, size_t length, long long offset,
		     struct error *err);
	int (*copy)(struct tree *tree, int fd, struct error *err);
	int (*file_end)(struct tree *tree, const struct meta *meta, struct error *err);

	/* All that meta says of a directory but its time, which comes with finish(). */
	int (*declare)(struct tree *tree, struct dir *dir, const struct meta *meta,
		       struct error *err);

	/* Absent is success. The second is for a directory, with all that is in it. */
	int (*remove)(struct tree *tree, struct dir *dir, const char *name, struct error *err);
	int (*remove_directory)(struct tree *tree, struct dir *dir, const char *name,
				struct error *err);

	/* To the same name in another directory; also MEDIA_TAKEN. */
	int (*move)(struct tree *tree, struct dir *from, struct dir *to, const char *name,
		    struct error *err);

	enum media_kind (*kind)(struct tree *tree, struct dir *dir, const char *name);
	/* Bytes of the link's target, which gets no NUL; also -MEDIA_ABSENT, or -MEDIA_TAKEN for
	 * what is no symbolic link. */
	ssize_t (*read_link)(struct tree *tree, struct dir *dir, const char *name, char *target,
			     size_t size);
	int (*list)(struct tree *tree, struct dir *dir, media_each *each, void *context,
		    struct error *err);

	/* The directory is whole: mark it, set what it could not have before. */
	int (*finish)(struct tree *tree, struct dir *dir, enum media_mark mark, struct error *err);
	/* And all of them are. */
	int (*end)(struct tree *tree, struct error *err);
};
