/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of podman, buildah and CRI-O (containers/storage) on this machine, as far as reading
 * images needs it: DRIVER-images/images.json with the files of each image,
 * DRIVER-layers/layers.json with what tar-split kept of each layer, and the layers' files. Its
 * locks are respected: shared ones while something is read.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* A directory of images: the store's own, or an additional image store. */
struct storage_part {
	char *root;			    /* absolute, without symbolic links */
	int images_fd, layers_fd, files_fd; /* DRIVER-images, DRIVER-layers, DRIVER; or -1 */
};

struct storage {
	char *root;		    /* "/var/lib/containers/storage", as it was named */
	char *driver;		    /* "overlay" */
	bool transient;		    /* its containers are kept elsewhere */
	struct storage_part *parts; /* in which order images are looked for */
	size_t part_count;
};

/* Open the store of what stands after "containers-storage:", "[WHERE]NAME" or just NAME, which
 * *name is then, borrowed. WHERE is "DRIVER@ROOT" or "ROOT", each with "+RUNROOT:OPTIONS" behind
 * it, of whose OPTIONS those that name additional stores count; without it the store is that of
 * storage.conf. To be closed also after a failure. */
int storage_open(const char *text, struct storage *storage, const char **name, struct error *err);
void storage_close(struct storage *storage);
#define cleanup_storage __attribute__((cleanup(storage_close)))

/* images.json and layers.json, of all parts; the caller owns them. */
json_t *storage_images(const struct storage *storage, struct error *err);
json_t *storage_layers(const struct storage *storage, struct error *err);

/* The image's entry that a name, "@ID" or an id means, borrowed from `images`. */
const json_t *storage_find(const json_t *images, const char *name, const char *what,
			   struct error *err);

/* The entry of a layer, borrowed from `layers`; NULL where there is none. */
const json_t *storage_find_layer(const json_t *layers, const char *id);

/* The part that an entry of such a list is in. */
const struct storage_part *storage_part(const struct storage *storage, const json_t *entry);

/* Read a small file that is kept with an image, "manifest" or a digest. The caller frees it. */
char *storage_read(const struct storage *storage, const json_t *image, const char *key,
		   size_t *length, struct error *err);
/* A descriptor for it. */
int storage_open_file(const struct storage *storage, const json_t *image, const char *key,
		      struct error *err);

/* Keep the layers of a part from changing: a descriptor whose close ends that. */
int storage_lock_layers(const struct storage_part *part, struct error *err);
