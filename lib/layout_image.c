/* SPDX-License-Identifier: Apache-2.0 */
/* The half of lib/layout.h that knows images: names, platforms, manifests. */
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/memory.h"
#include "lib/reference.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { HEX_PREFIX_MIN = 4, NESTING_MAX = 4, PLATFORMS_LENGTH = 300 };

#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

bool layout_is_index_type(const char *media_type)
{
	return strcmp(media_type, "application/vnd.oci.image.index.v1+json") == 0 ||
	       strcmp(media_type, DOCKER_LIST) == 0;
}

/* ---- platforms ---- */

json_t *layout_platform(void)
{
	static const struct {
		const char *machine, *architecture, *variant;
	} machines[] = {
		{ "x86_64", "amd64", NULL },
		{ "aarch64", "arm64", "v8" },
		{ "armv7l", "arm", "v7" },
		{ "armv6l", "arm", "v6" },
		{ "i686", "386", NULL },
		{ "i586", "386", NULL },
		{ "i386", "386", NULL },
		{ "ppc64le", "ppc64le", NULL },
		{ "s390x", "s390x", NULL },
		{ "riscv64", "riscv64", NULL },
		{ "loongarch64", "loong64", NULL },
	};
	struct utsname host;

	uname(&host);
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
		if (strcmp(host.machine, machines[i].machine) == 0)
			return json_pack("{s:s, s:s, s:s*}", "os", "linux", "architecture",
					 machines[i].architecture, "variant", machines[i].variant);
	return json_pack("{s:s, s:s}", "os", "linux", "architecture", host.machine);
}

/* The generation of a variant that runs what is built for the older ones, or 0. */
static int generation(const char *architecture, const char *variant)
{
	bool is_known = variant[0] == 'v' && variant[1] && !variant[2] &&
			((strcmp(architecture, "arm") == 0 && strchr("5678", variant[1])) ||
			 (strcmp(architecture, "arm64") == 0 && variant[1] == '8'));

	return is_known ? variant[1] - '0' : 0;
}

/* How well an entry's platform serves the wanted one: 0 not at all, more is better. As
 * containers/image has it: the very variant; the newest that is no newer than the wanted one, or of
 * all; none where one is wanted. */
static int platform_score(const json_t *have, const json_t *want)
{
	const char *architecture = json_text(want, "architecture", "");
	const char *have_variant = json_text(have, "variant", "");
	const char *want_variant = json_text(want, "variant", "");
	int have_generation = generation(architecture, have_variant);
	int want_generation = generation(architecture, want_variant);

	if (strcmp(json_text(have, "os", ""), json_text(want, "os", "")) != 0 ||
	    strcmp(json_text(have, "architecture", ""), architecture) != 0)
		return 0;
	if (strcmp(have_variant, want_variant) == 0)
		return 100;
	if (!have_variant[0])
		return 1;
	if (have_generation && (!want_variant[0] || have_generation < want_generation))
		return 10 + have_generation;
	return 0;
}

/* As many as a message has room for. */
static char *list_platforms(const json_t *manifests)
{
	char *text = xstrdup("");
	const json_t *entry;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		const json_t *platform = json_object_get(entry, "platform");
		const char *variant = json_text(platform, "variant", NULL);
		char *longer = xasprintf("%s%s%s/%s%s%s", text, i ? ", " : "",
					 json_text(platform, "os", "unknown"),
					 json_text(platform, "architecture", "unknown"),
					 variant ? "/" : "", variant ? variant : "");

		free(text);
		text = longer;
		if (strlen(text) > PLATFORMS_LENGTH)
			break;
	}
	return text;
}

/* The first of the entries that fit best; NULL where none does. */
static json_t *find_best(const json_t *manifests, const json_t *platform)
{
	json_t *entry, *best = NULL;
	int best_score = 0;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		int score = platform_score(json_object_get(entry, "platform"), platform);

		if (score > best_score) {
			best = entry;
			best_score = score;
		}
	}
	if (best)
		return best;
	/* who says no platform excludes none */
	json_array_foreach (manifests, i, entry) {
		if (!json_object_get(entry, "platform"))
			return entry;
	}
	return NULL;
}

static bool is_zstd(const json_t *entry)
{
	return strcmp(json_text(json_object_get(entry, "annotations"),
				"io.github.containers.compression.zstd", ""),
		      "true") == 0;
}

static bool is_same_platform(const json_t *one, const json_t *other)
{
	static const char *const parts[] = { "os", "architecture", "variant", NULL };
	const json_t *a = json_object_get(one, "platform"), *b = json_object_get(other, "platform");

	for (size_t i = 0; parts[i]; i++)
		if (strcmp(json_text(a, parts[i], ""), json_text(b, parts[i], "")) != 0)
			return false;
	return true;
}

/* The entry, or one for its platform that is marked as zstd, which only OCI's indexes do. */
static json_t *prefer_zstd(const json_t *index, json_t *best)
{
	json_t *entry;
	size_t i;

	if (strcmp(json_text(index, "mediaType", ""), DOCKER_LIST) == 0)
		return best;
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		if (is_same_platform(entry, best) && is_zstd(entry))
			return entry;
	}
	return best;
}

json_t *layout_choose_platform(const json_t *index, const json_t *platform, const char *what,
			       struct error *err)
{
	const json_t *manifests = json_object_get(index, "manifests");
	json_t *best = find_best(manifests, platform);

	if (best)
		return prefer_zstd(index, best);

	cleanup_free char *there = list_platforms(manifests);
	const char *variant = json_text(platform, "variant", NULL);
	error_set(err, ERROR_NOT_FOUND, "%s has no image for %s/%s%s%s (it has %s)", what,
		  json_text(platform, "os", "?"), json_text(platform, "architecture", "?"),
		  variant ? "/" : "", variant ? variant : "", there[0] ? there : "none");
	return NULL;
}

/* ---- names ---- */

/* True when `wanted`, "REPO[:TAG]" without a registry, is how the full name ends. */
static bool ends_with_components(const char *full, const char *wanted)
{
	size_t full_length = strlen(full), length = strlen(wanted);

	if (full_length <= length || full[full_length - length - 1] != '/')
		return false;
	return strcmp(full + full_length - length, wanted) == 0;
}

static bool hex_prefix_matches(const char *digest, const char *wanted)
{
	const char *hex = strncmp(wanted, "sha256:", 7) == 0 ? wanted + 7 : wanted;
	size_t length = strlen(hex);

	return length >= HEX_PREFIX_MIN && strspn(hex, "0123456789abcdef") == length &&
	       digest_is_valid(digest) && strncmp(digest_hex(digest), hex, length) == 0;
}

/* The ways a name can mean an entry, in the order they are tried. */
enum way { WAY_EXACT, WAY_NORMAL, WAY_DIGEST, WAY_IMAGE_ID, WAY_SUFFIX, WAYS };

struct query {
	const struct layout *layout;
	const char *wanted;
	const struct reference *reference; /* `wanted` as one; all NULL where it is none */
	char *normal;			   /* the same normalised, or NULL */
	char *with_tag;			   /* `wanted` with ":latest" where it has no tag */
};

/* The digest of the config that the entry's manifest names, "" where there is none. */
static bool image_id_matches(const struct query *query, const json_t *entry)
{
	struct error ignored;
	json_auto_t *manifest =
		layout_read_json(query->layout, json_text(entry, "digest", ""), &ignored);

	return hex_prefix_matches(json_text(json_object_get(manifest, "config"), "digest", ""),
				  query->wanted);
}

/* Whether REPO[:TAG]@DIGEST, `wanted`, or just its last components, means the entry that has this
 * name: of that repository, and with that tag where both have one. */
static bool repository_matches(const struct query *query, const char *name, bool by_end)
{
	const struct reference *wanted = query->reference;
	cleanup_reference struct reference own = { 0 };
	struct error ignored;

	if (reference_parse(name, &own, &ignored) < 0 ||
	    (wanted->tag && own.tag && strcmp(wanted->tag, own.tag) != 0))
		return false;
	cleanup_free char *repository = reference_name(&own);
	if (!by_end) {
		cleanup_free char *whole = reference_name(wanted);

		return strcmp(repository, whole) == 0;
	}
	size_t tag_length = wanted->tag ? strlen(wanted->tag) + 1 : 0;
	cleanup_free char *end = xstrndup(query->wanted, strcspn(query->wanted, "@") - tag_length);
	return ends_with_components(repository, end);
}

static bool name_matches(const struct query *query, const json_t *entry, bool by_end)
{
	const char *name = layout_entry_name(entry), *digest = query->reference->digest;

	if (!name)
		return false;
	if (digest)
		return strcmp(digest, json_text(entry, "digest", "")) == 0 &&
		       repository_matches(query, name, by_end);
	return by_end ? ends_with_components(name, query->with_tag)
		      : query->normal && strcmp(name, query->normal) == 0;
}

static bool entry_matches(const struct query *query, const json_t *entry, enum way way)
{
	const char *name = layout_entry_name(entry);

	switch (way) {
	case WAY_EXACT:
		return name && strcmp(name, query->wanted) == 0;
	case WAY_NORMAL:
		return name_matches(query, entry, false);
	case WAY_DIGEST:
		return hex_prefix_matches(json_text(entry, "digest", ""), query->wanted);
	case WAY_IMAGE_ID:
		return image_id_matches(query, entry);
	case WAY_SUFFIX:
		return name_matches(query, entry, true);
	case WAYS:
		break;
	}
	return false;
}

/* The one entry that matches in this way; borrowed. *several is set when they differ. */
static json_t *match(const struct query *query, const json_t *manifests, enum way way,
		     bool *several)
{
	json_t *entry, *found = NULL;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		if (!entry_matches(query, entry, way))
			continue;
		if (found &&
		    strcmp(json_text(found, "digest", ""), json_text(entry, "digest", "")) != 0)
			*several = true;
		if (!found)
			found = entry;
	}
	return found;
}

static bool may_be_hex(const char *name)
{
	const char *hex = strncmp(name, "sha256:", 7) == 0 ? name + 7 : name;

	return strlen(hex) >= HEX_PREFIX_MIN && hex[strspn(hex, "0123456789abcdef")] == '\0';
}

static json_t *resolve(const struct query *query, const json_t *manifests, struct error *err)
{
	for (enum way way = WAY_EXACT; way < WAYS; way++) {
		bool several = false;

		/* reading every manifest is only worth it for what can be an id */
		if (way == WAY_IMAGE_ID && !may_be_hex(query->wanted))
			continue;
		json_t *found = match(query, manifests, way, &several);
		if (found && several) {
			error_set(err, ERROR_USAGE, "\"%s\" means several images", query->wanted);
			error_hint(err, "give more of the name or the digest");
			return NULL;
		}
		if (found)
			return json_deep_copy(found);
	}
	error_set(err, ERROR_NOT_FOUND, "no image \"%s\"", query->wanted);
	error_subject(err, query->wanted);
	return NULL;
}

json_t *layout_resolve(const struct layout *layout, const char *name, struct error *err)
{
	json_auto_t *index = layout_index(layout, err);
	json_t *entry = index ? layout_resolve_in(layout, index, name, err) : NULL;

	for (size_t i = 0;
	     index && !entry && err->kind == ERROR_NOT_FOUND && i < layout->other_count; i++)
		entry = layout_resolve(&layout->others[i], name, err);
	return entry;
}

json_t *layout_resolve_in(const struct layout *layout, const json_t *index, const char *name,
			  struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	struct query query = { .layout = layout, .wanted = name, .reference = &reference };
	struct error ignored;

	const char *tag = strrchr(name, ':');
	bool has_tag = strchr(name, '@') || (tag && !strchr(tag, '/'));
	cleanup_free char *with_tag = has_tag ? xstrdup(name) : xasprintf("%s:latest", name);
	cleanup_free char *normal = NULL;
	if (reference_parse(name, &reference, &ignored) == 0) {
		reference_default_tag(&reference);
		normal = reference_text(&reference);
	}
	query.with_tag = with_tag;
	query.normal = normal;
	return resolve(&query, json_object_get(index, "manifests"), err);
}

/* ---- images ---- */

/* Follow indexes down to a manifest for this machine. Both are the caller's own. */
static int find_manifest(const struct layout *layout, json_t **descriptor, json_t **manifest,
			 struct error *err)
{
	json_auto_t *platform = layout_platform();

	for (int nesting = 0; nesting < NESTING_MAX; nesting++) {
		const char *digest = json_text(*descriptor, "digest", "");
		json_auto_t *json = layout_read_json(layout, digest, err);

		if (!json)
			return -1;
		if (!json_is_array(json_object_get(json, "manifests"))) {
			*manifest = json_incref(json);
			return 0;
		}
		json_t *chosen = layout_choose_platform(json, platform, digest, err);
		if (!chosen)
			return -1;
		json_t *next = json_deep_copy(chosen);
		json_decref(*descriptor);
		*descriptor = next;
	}
	return error_set(err, ERROR_INTEGRITY, "an index is nested deeper than %d levels",
			 NESTING_MAX);
}

json_t *layout_image(const struct layout *layout, const json_t *entry, struct error *err)
{
	json_auto_t *descriptor = json_deep_copy(entry);
	json_auto_t *manifest = NULL;
	const char *name = layout_entry_name(entry), *config_digest;

	if (find_manifest(layout, &descriptor, &manifest, err) < 0)
		return NULL;
	if (json_require(manifest, json_text(descriptor, "digest", "manifest"), err,
			 "{s:{s:s}, s:o}", "config", "digest", &config_digest, "layers",
			 &(json_t *){ NULL }) < 0)
		return NULL;
	json_auto_t *config = layout_read_json(layout, config_digest, err);
	if (!config)
		return NULL;

	json_t *image = json_pack("{s:O, s:O, s:O}", "descriptor", descriptor, "manifest", manifest,
				  "config", config);
	if (name)
		json_object_set_new(image, "name", json_string(name));
	return image;
}
