/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts (image-spec, image-layout.md): oci: directories and the store's own images/.
 * index.json changes by atomic rename under a lock on the `oci-layout` file, so concurrent writers
 * lose nothing. Blobs are checked against their digest before anything is parsed.
 */
#pragma once
#include "lib/error.h"
#include "lib/lock.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_REF_NAME "org.opencontainers.image.ref.name"

/* bytes, so that those of all that a manifest can name are a number, too */
#define BLOB_SIZE_MAX ((json_int_t)1 << 47)

struct layout {
	int fd;
	char *path;
	bool is_store; /* an image whose last name moves to another stays */
	struct layout
		*others; /* where blobs and names that are not here are looked for; only read */
	size_t other_count;
};

/* Open the layout at `path`; with `create`, make what is missing. ERROR_NOT_FOUND without it. */
int layout_open(const char *path, bool create, struct layout *layout, struct error *err);
void layout_close(struct layout *layout);
#define cleanup_layout __attribute__((cleanup(layout_close)))

/* Look into the layout at `path` too, after this one and those added before. */
int layout_add(struct layout *layout, const char *path, struct error *err);

/* index.json; the caller owns it. */
json_t *layout_index(const struct layout *layout, struct error *err);

/* The name of an entry of it, or NULL. Borrowed. */
const char *layout_entry_name(const json_t *entry);

/* Put `descriptor` into the index under `name` (the org.opencontainers.image.ref.name annotation,
 * which is added to it; NULL: without a name). An entry of that name is replaced; an unnamed entry
 * of the same digest goes. Other entries stay; with is_store also the image that had the name,
 * if it had no other, under that of its digest in the same repository. */
int layout_tag(const struct layout *layout, const char *name, const json_t *descriptor,
	       struct error *err);

/* The same in an index of the caller's, whose list that is. */
int layout_put_entry(json_t *manifests, const char *name, const json_t *descriptor,
		     struct error *err);

/* Remove entries for which `matches` says true, and add those of `unnamed`, an array of descriptors
 * (or NULL), without a name, where there is none of that digest. Returns how many went, or -1. */
int layout_untag(const struct layout *layout, bool (*matches)(const json_t *entry, void *context),
		 void *context, const json_t *unnamed, struct error *err);

/* The lock under which blobs go, of a layout that is no store (which has a gate of its own,
 * lib/staging.h): shared by who will name blobs, from before it looks whether they are there until
 * the index names them; exclusive to who removes blobs, from reading the index on. Taken before the
 * index changes. Returns a descriptor whose close lets go of it; ERROR_IN_USE without `wait`. */
int layout_gate(const struct layout *layout, enum lock_mode mode, bool wait, struct error *err);

/* The entry that `name` means, as the caller's own copy. Tried in this order: the exact name; the
 * normalised reference ("nginx" is docker.io/library/nginx:latest; NAME@DIGEST is what has that
 * digest and a name in that repository, with the tag where one is given); a digest or an
 * unambiguous hex prefix (at least 4 digits) of a manifest's digest or of its config's (the image
 * id); the last components of a name ("nginx:1" for quay.io/a/nginx:1) where just one image ends
 * so. ERROR_NOT_FOUND, or ERROR_USAGE where it means several. Other layouts that were added are
 * asked after this one. */
json_t *layout_resolve(const struct layout *layout, const char *name, struct error *err);

/* The same in an index that was read before. */
json_t *layout_resolve_in(const struct layout *layout, const json_t *index, const char *name,
			  struct error *err);

/* A blob of that size is there (its content is not read). size -1: any. */
bool layout_has_blob(const struct layout *layout, const char *digest, json_int_t size);

/* Open a blob for reading. ERROR_NOT_FOUND, ERROR_INTEGRITY for an invalid digest. */
int layout_open_blob(const struct layout *layout, const char *digest, struct error *err);

/* Read a small blob (a manifest, a config) and check its digest. The caller frees it. */
char *layout_read_blob(const struct layout *layout, const char *digest, size_t *length,
		       struct error *err);

/* The same, parsed. */
json_t *layout_read_json(const struct layout *layout, const char *digest, struct error *err);

/* Put a whole file `name` of dir_fd, whose content is known to have that digest, into blobs/ by
 * rename; it is fsynced first. Already there is success, and the file is removed then. The file
 * must be on the layout's file system. */
int layout_adopt_blob(const struct layout *layout, int dir_fd, const char *name, const char *digest,
		      struct error *err);

/* The same for a file that is on the disk already, without waiting for the disk:
 * layout_sync_blobs() must do so before anything that has to survive names the blob. */
int layout_place_blob(const struct layout *layout, int dir_fd, const char *name, const char *digest,
		      struct error *err);
int layout_sync_blobs(const struct layout *layout, struct error *err);

/* Write a small blob. Fills digest when `digest` begins with NUL, else checks against it. */
int layout_write_blob(const struct layout *layout, const void *data, size_t length, char *digest,
		      struct error *err);

/* What a manifest descriptor of the layout stands for, as the `image` field of the container
 * document: {name?, descriptor, manifest, config}. An index is resolved to this machine's platform
 * first. The caller owns it. */
json_t *layout_image(const struct layout *layout, const json_t *descriptor, struct error *err);

/* The platform of this machine, "linux"/GOARCH/variant, as an OCI platform object. */
json_t *layout_platform(void);

/* From an index (or Docker manifest list): the entry that fits `platform` best (image-spec,
 * image-index.md; containerd's order for arm variants); where several of OCI's do so alike, one
 * whose layers are marked as zstd before the others, as for containers/image. Borrowed; NULL with
 * ERROR_NOT_FOUND that lists what there is. */
json_t *layout_choose_platform(const json_t *index, const json_t *platform, const char *what,
			       struct error *err);

/* True for the media types of an OCI index and a Docker manifest list. */
bool layout_is_index_type(const char *media_type);
