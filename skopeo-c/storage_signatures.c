/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/storage_signatures.h"

#include "lib/cleanup.h"
#include "lib/containers_storage.h"
#include "lib/file.h"
#include "lib/json.h"
#include "skopeo-c/signature.h"

#include <string.h>

static const char key[] = "signatures";

/* The caller owns them; NULL for none. */
static json_t *sizes_of(const json_t *image)
{
	const char *text = json_text(image, "metadata", "");
	struct error ignored;
	json_auto_t *metadata = json_parse(text, strlen(text), "metadata", &ignored);

	return json_incref(json_object_get(metadata, "signature-sizes"));
}

bool storage_signatures_are_there(const json_t *image)
{
	json_auto_t *sizes = sizes_of(image);

	return json_array_size(sizes) > 0;
}

/* Cut the bytes into pieces of these sizes. */
static int cut(const char *bytes, size_t length, const json_t *sizes, struct signatures *signatures,
	       struct error *err)
{
	const json_t *item;
	size_t i, at = 0;

	json_array_foreach (sizes, i, item) {
		cleanup_signature struct signature signature = { 0 };
		json_int_t size = json_integer_value(item);

		if (size <= 0 || (size_t)size > length - at)
			break;
		if (signature_from_file(bytes + at, (size_t)size, key, &signature, err) < 0 ||
		    signatures_add(signatures, &signature, err) < 0)
			return -1;
		at += (size_t)size;
	}
	if (i == json_array_size(sizes) && at == length)
		return 0;
	return error_set(err, ERROR_INTEGRITY,
			 "the signatures in the store are not as long as it says");
}

int storage_signatures_read(const struct storage *storage, const json_t *image,
			    struct signatures *signatures, struct error *err)
{
	json_auto_t *sizes = sizes_of(image);
	size_t length;

	if (json_array_size(sizes) == 0)
		return 0;
	cleanup_fd int fd = storage_open_file(storage, image, key, err);
	if (fd < 0)
		return -1;
	cleanup_free char *bytes = file_read_fd(fd, SIGNATURES_BYTES_MAX, &length, key, err);
	return bytes ? cut(bytes, length, sizes, signatures, err) : -1;
}
