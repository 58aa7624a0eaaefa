/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/policy_keys.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/gpg.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_FILE_MAX = 4 << 20 };

/* Takes one file's content. */
typedef int add_function(struct policy_keys *keys, const char *bytes, size_t length,
			 const char *what, struct error *err);

static int add_gpg(struct policy_keys *keys, const char *bytes, size_t length, const char *what,
		   struct error *err)
{
	return gpg_add_keys(keys->gpg, bytes, length, what, err);
}

static int add_sigstore(struct policy_keys *keys, const char *bytes, size_t length,
			const char *what, struct error *err)
{
	return sigstore_keys_add(&keys->sigstore, bytes, length, what, err);
}

static int add_rekor(struct policy_keys *keys, const char *bytes, size_t length, const char *what,
		     struct error *err)
{
	return sigstore_keys_add(&keys->rekor, bytes, length, what, err);
}

static int add_file(struct policy_keys *keys, const char *path, add_function *add,
		    struct error *err)
{
	size_t length;
	cleanup_free char *bytes = file_read_at(AT_FDCWD, path, KEYS_FILE_MAX, &length, err);

	return bytes ? add(keys, bytes, length, path, err) : -1;
}

static int add_data(struct policy_keys *keys, const char *text, add_function *add,
		    struct error *err)
{
	size_t length = strlen(text);
	cleanup_free char *bytes = xcalloc(1, length / 4 * 3 + 4);
	ssize_t got = base64_decode(text, length, (unsigned char *)bytes);

	return got < 0 ? error_set(err, ERROR_INTEGRITY, "the key in the policy is not base64")
		       : add(keys, bytes, (size_t)got, "the key in the policy", err);
}

/* Add the keys of the members PREFIXPath, PREFIXPaths, PREFIXData and PREFIXDatas. */
static int add_members(struct policy_keys *keys, const char *prefix, add_function *add,
		       struct error *err)
{
	static const struct {
		const char *suffix;
		int (*read)(struct policy_keys *keys, const char *text, add_function *add,
			    struct error *err);
	} members[] = {
		{ "Path", add_file },
		{ "Paths", add_file },
		{ "Data", add_data },
		{ "Datas", add_data },
	};

	for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
		cleanup_free char *name = xasprintf("%s%s", prefix, members[m].suffix);
		json_t *value = json_object_get(keys->requirement, name);
		const json_t *item;
		size_t i;

		if (json_is_string(value) &&
		    members[m].read(keys, json_string_value(value), add, err) < 0)
			return -1;
		json_array_foreach (value, i, item) {
			if (members[m].read(keys, json_string_value(item), add, err) < 0)
				return -1;
		}
	}
	return 0;
}

int policy_keys_read(const json_t *requirement, struct policy_keys *ret, struct error *err)
{
	bool is_gpg = strcmp(json_text(requirement, "type", ""), "signedBy") == 0;
	struct policy_keys keys = { .requirement = requirement };
	int status = 0;

	if (is_gpg && !(keys.gpg = gpg_open_empty(err)))
		return -1;
	status = add_members(&keys, "key", is_gpg ? add_gpg : add_sigstore, err);
	if (status == 0 && !is_gpg)
		status = add_members(&keys, "rekorPublicKey", add_rekor, err);
	if (status < 0) {
		policy_keys_free(&keys);
		return -1;
	}
	*ret = keys;
	return 0;
}

void policy_keys_free(struct policy_keys *keys)
{
	gpg_close(keys->gpg);
	sigstore_keys_free(&keys->sigstore);
	sigstore_keys_free(&keys->rekor);
	*keys = (struct policy_keys){ 0 };
}
