/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/manifest.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

#define DIGEST	   "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DESCRIPTOR "{\"mediaType\":\"a\",\"digest\":\"" DIGEST "\",\"size\":0}"
#define IMAGE	   "\"config\":" DESCRIPTOR ",\"layers\":[" DESCRIPTOR "]"
#define INDEX	   "\"manifests\":[" DESCRIPTOR "]"
#define TYPE(type) "\"mediaType\":\"" type "\","
#define BEGIN	   "{\"schemaVersion\":2,"

static const struct {
	const char *what, *text, *content_type;
	const char *media_type; /* NULL: refused, as `kind` */
	enum error_kind kind;
} cases[] = {
	{ "an image", BEGIN TYPE(MANIFEST_OCI) IMAGE "}", MANIFEST_OCI, MANIFEST_OCI, 0 },
	{ "an image of Docker's", BEGIN TYPE(MANIFEST_DOCKER) IMAGE "}", NULL, MANIFEST_DOCKER, 0 },
	{ "an index", BEGIN INDEX "}", MANIFEST_OCI_INDEX, MANIFEST_OCI_INDEX, 0 },
	{ "a list of Docker's", BEGIN INDEX "}", MANIFEST_DOCKER_LIST, MANIFEST_DOCKER_LIST, 0 },
	{ "an image that is told by its content", BEGIN IMAGE "}", NULL, MANIFEST_OCI, 0 },
	{ "an index that is told by its content", BEGIN INDEX "}", "text/plain; charset=utf-8",
	  MANIFEST_OCI_INDEX, 0 },
	{ "a type with parameters", BEGIN IMAGE "}", MANIFEST_OCI "; charset=utf-8", MANIFEST_OCI,
	  0 },
	{ "no layers", BEGIN "\"config\":" DESCRIPTOR ",\"layers\":[]}", NULL, MANIFEST_OCI, 0 },

	{ "both in one", BEGIN IMAGE "," INDEX "}", NULL, NULL, ERROR_INTEGRITY },
	{ "neither", BEGIN "\"x\":1}", NULL, NULL, ERROR_INTEGRITY },
	{ "an image served as an index", BEGIN IMAGE "}", MANIFEST_OCI_INDEX, NULL,
	  ERROR_INTEGRITY },
	{ "an image that calls itself an index", BEGIN TYPE(MANIFEST_OCI_INDEX) IMAGE "}", NULL,
	  NULL, ERROR_INTEGRITY },
	{ "two words about its type", BEGIN TYPE(MANIFEST_OCI) IMAGE "}", MANIFEST_DOCKER, NULL,
	  ERROR_INTEGRITY },
	{ "an unknown type", BEGIN TYPE("text/x") IMAGE "}", NULL, NULL, ERROR_UNSUPPORTED },
	{ "something else", BEGIN IMAGE "}", "text/html", NULL, ERROR_UNSUPPORTED },
	{ "schema 1 without layers", "{\"schemaVersion\":1}", NULL, NULL, ERROR_INTEGRITY },
	{ "schema 1",
	  "{\"schemaVersion\":1,\"fsLayers\":[{\"blobSum\":\"sha256:"
	  "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4\"}],"
	  "\"history\":[{\"v1Compatibility\":\"{}\"}]}",
	  NULL, MANIFEST_DOCKER_V1, 0 },
	{ "schema 3", "{\"schemaVersion\":3," IMAGE "}", NULL, NULL, ERROR_INTEGRITY },
	{ "no schema", "{" IMAGE "}", NULL, NULL, ERROR_INTEGRITY },
	{ "a list", "[]", NULL, NULL, ERROR_INTEGRITY },
	{ "no JSON", "<html>", NULL, NULL, ERROR_INTEGRITY },
	{ "nothing", "", NULL, NULL, ERROR_INTEGRITY },
	{ "a path for a digest",
	  BEGIN
	  "\"config\":{\"mediaType\":\"a\",\"digest\":\"sha256:../x\",\"size\":0},\"layers\":[]}",
	  NULL, NULL, ERROR_INTEGRITY },
	{ "a negative size",
	  BEGIN "\"config\":{\"mediaType\":\"a\",\"digest\":\"" DIGEST
		"\",\"size\":-1},\"layers\":[]}",
	  NULL, NULL, ERROR_INTEGRITY },
	{ "a size that nothing has",
	  BEGIN "\"config\":{\"mediaType\":\"a\",\"digest\":\"" DIGEST
		"\",\"size\":9223372036854775807},\"layers\":[]}",
	  NULL, NULL, ERROR_INTEGRITY },
	{ "layers that are no list", BEGIN "\"config\":" DESCRIPTOR ",\"layers\":{}}", NULL, NULL,
	  ERROR_INTEGRITY },
	{ "a layer that is no descriptor", BEGIN "\"config\":" DESCRIPTOR ",\"layers\":[1]}", NULL,
	  NULL, ERROR_INTEGRITY },
};

static void test_case(size_t i)
{
	struct manifest manifest = { 0 };
	struct error err = { 0 };
	char *bytes = xstrdup(cases[i].text);

	if (manifest_parse(bytes, strlen(bytes), cases[i].content_type, NULL, "it", &manifest,
			   &err) < 0) {
		ok(!cases[i].media_type && err.kind == cases[i].kind, "manifest: %s is refused: %s",
		   cases[i].what, err.message);
		return;
	}
	is(manifest.media_type, cases[i].media_type, "manifest: %s is taken", cases[i].what);
	manifest_free(&manifest);
}

#define SCHEMA1(id)                                                                                \
	"{\"schemaVersion\":1,\"fsLayers\":[{\"blobSum\":\"" DIGEST                                \
	"\"}],\"history\":[{\"v1Compatibility\":\"" id "\"}]"

/* A manifest of schema 1 without its last brace as one that is signed: the first `kept` bytes and
 * `tail` are what the signature claims to be of. The caller frees it. */
static char *sign_schema1(const char *manifest, size_t kept, const char *tail)
{
	cleanup_free char *tail_text = base64_encode(tail, strlen(tail));
	cleanup_free char *header =
		xasprintf("{\"formatLength\":%zu,\"formatTail\":\"%s\"}", kept, tail_text);
	cleanup_free char *header_text = base64_encode(header, strlen(header));

	return xasprintf("%s,\"signatures\":[{\"protected\":\"%s\"}]}", manifest, header_text);
}

/* As what a registry serves for the digest, with the type of manifests that are signed. */
static bool is_taken(char *bytes, const char *digest)
{
	struct manifest manifest = { 0 };
	struct error err;

	if (manifest_parse(bytes, strlen(bytes), MANIFEST_DOCKER_V1, digest, "it", &manifest,
			   &err) < 0)
		return false;
	is(manifest.digest, digest, "manifest: the digest of what is taken");
	manifest_free(&manifest);
	return true;
}

static void test_signed(void)
{
	static const char good[] = SCHEMA1("good"), evil[] = SCHEMA1("evil"),
			  whole[] = SCHEMA1("good") "}";
	char digest[DIGEST_SIZE];

	digest_of(whole, strlen(whole), "sha256", digest);
	ok(is_taken(sign_schema1(good, strlen(good), "}"), digest),
	   "a signed manifest of schema 1 has the digest of what is signed");
	ok(!is_taken(sign_schema1(evil, 1, whole + 1), digest),
	   "one that only claims to be of these bytes has not");
	ok(!is_taken(sign_schema1(evil, strlen(evil), "}"), digest), "nor has another");
	ok(is_taken(xstrdup(whole), digest), "one that is not signed has that of its bytes");
	ok(!is_taken(xstrdup(SCHEMA1("evil") "}"), digest), "nor has another of these");
}

static void test_large(void)
{
	struct manifest manifest = { 0 };
	struct error err = { 0 };
	char *bytes = xcalloc(1, MANIFEST_MAX + 2);

	memset(bytes, ' ', MANIFEST_MAX + 1);
	ok(manifest_parse(bytes, MANIFEST_MAX + 1, NULL, NULL, "it", &manifest, &err) < 0 &&
		   err.kind == ERROR_LIMIT,
	   "manifest: one that is too large is not looked at");
}

/* Whether it is what an index says, where that has another one of three things. */
static bool is_entry(const struct manifest *manifest, int more, const char *digest,
		     const char *media_type)
{
	const struct blob entry = { digest, (json_int_t)manifest->length + more, media_type, NULL };
	struct error err = { 0 };

	return manifest_check_entry(manifest, &entry, "it", &err) == 0;
}

static void test_entry(void)
{
	struct manifest manifest = { 0 };
	struct error err = { 0 };
	char *bytes = xstrdup(cases[0].text);

	if (manifest_parse(bytes, strlen(bytes), NULL, NULL, "it", &manifest, &err) < 0)
		return;
	ok(is_entry(&manifest, 0, manifest.digest, MANIFEST_OCI), "entry: as it is");
	ok(!is_entry(&manifest, 1, manifest.digest, MANIFEST_OCI), "entry: of another size");
	ok(!is_entry(&manifest, 0, DIGEST, MANIFEST_OCI), "entry: of another digest");
	ok(!is_entry(&manifest, 0, manifest.digest, MANIFEST_DOCKER), "entry: of another type");
	manifest_free(&manifest);
}

int main(void)
{
	struct manifest manifest;
	struct error err = { 0 };
	char *bytes = xstrdup(cases[0].text);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		test_case(i);
	ok(manifest_parse(bytes, strlen(bytes), NULL, DIGEST, "it", &manifest, &err) < 0 &&
		   err.kind == ERROR_INTEGRITY,
	   "manifest: another digest than expected is refused");
	test_signed();
	test_large();
	test_entry();
	return tap_done();
}
