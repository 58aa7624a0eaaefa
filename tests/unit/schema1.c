/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/schema1.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "tests/unit/tap.h"

#include <string.h>

enum { WORDS = 800000 };

static json_t *manifest_of(const char *compatibility)
{
	return json_pack("{s:i, s:[{s:s}], s:[{s:s}]}", "schemaVersion", 1, "fsLayers", "blobSum",
			 "sha256:"
			 "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
			 "history", "v1Compatibility", compatibility);
}

/* What became of the command in the history of the configuration, or NULL. The caller frees it. */
static char *command_of(const char *compatibility)
{
	json_auto_t *manifest = manifest_of(compatibility);
	struct error err;
	json_auto_t *config = schema1_config(manifest, NULL, "test", &err);
	const json_t *entry = json_array_get(json_object_get(config, "history"), 0);

	return config ? strdup(json_text(entry, "created_by", "")) : NULL;
}

int main(void)
{
	cleanup_free char *joined =
		command_of("{\"container_config\":{\"Cmd\":[\"/bin/sh\",\"-c\",1,\"true\"]}}");
	cleanup_free char *none = command_of("{\"container_config\":{\"Cmd\":\"true\"}}");
	cleanup_free char *malformed = command_of("[]");
	cleanup_buffer struct buffer many = { 0 };

	is(joined, "/bin/sh -c  true", "words are joined");
	is(none, "", "what is no list of words is none");
	ok(!malformed, "a history that is no object is refused");

	/* as many as a manifest has room for: what a registry sends must not cost their square */
	buffer_add(&many, "{\"container_config\":{\"Cmd\":[\"\"");
	for (int i = 1; i < WORDS; i++)
		buffer_add(&many, ",\"\"");
	buffer_add(&many, "]}}");
	cleanup_free char *text = buffer_take_text(&many);
	cleanup_free char *spaces = command_of(text);
	ok(spaces && strlen(spaces) == WORDS - 1, "many words");
	return tap_done();
}
