/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/signature.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

#define DIGEST	    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define IMAGE	    "\"image\":{\"docker-manifest-digest\":\"" DIGEST "\"}"
#define NAME	    "\"identity\":{\"docker-reference\":\"a.b/c:v1\"}"
#define TYPE	    "\"type\":\"" PAYLOAD_SIMPLE "\""
#define OPTIONAL    "\"optional\":{\"creator\":\"x\",\"timestamp\":1,\"more\":[]}"
#define CRITICAL    "\"critical\":{" TYPE "," IMAGE "," NAME "}"
#define BYTES(text) text, sizeof text - 1

static const struct {
	const char *what, *text;
	bool good;
} payloads[] = {
	{ "a payload", "{" CRITICAL "," OPTIONAL "}", true },
	{ "cosign's null", "{" CRITICAL ",\"optional\":null}", true },
	{ "no optional", "{" CRITICAL "}", false },
	{ "no critical", "{" OPTIONAL "}", false },
	{ "more", "{" CRITICAL "," OPTIONAL ",\"x\":1}", false },
	{ "another type", "{\"critical\":{\"type\":\"x\"," IMAGE "," NAME "}," OPTIONAL "}",
	  false },
	{ "more that is critical",
	  "{\"critical\":{" TYPE "," IMAGE "," NAME ",\"x\":1}," OPTIONAL "}", false },
	{ "a second digest", "{\"critical\":{" TYPE "," IMAGE "," IMAGE "," NAME "}," OPTIONAL "}",
	  false },
	{ "no digest",
	  "{\"critical\":{" TYPE ",\"image\":{\"docker-manifest-digest\":\"x\"}," NAME "}," OPTIONAL
	  "}",
	  false },
	{ "more of the image",
	  "{\"critical\":{" TYPE ",\"image\":{\"docker-manifest-digest\":\"" DIGEST
	  "\",\"x\":1}," NAME "}," OPTIONAL "}",
	  false },
	{ "no name", "{\"critical\":{" TYPE "," IMAGE ",\"identity\":{}}," OPTIONAL "}", false },
	{ "a timestamp that is no number", "{" CRITICAL ",\"optional\":{\"timestamp\":\"1\"}}",
	  false },
	{ "a timestamp with a fraction", "{" CRITICAL ",\"optional\":{\"timestamp\":1.5}}", false },
	{ "a creator that is no text", "{" CRITICAL ",\"optional\":{\"creator\":1}}", false },
	{ "a list", "[]", false },
	{ "nothing", "", false },
};

static void test_payloads(void)
{
	for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
		cleanup_signature_payload struct signature_payload payload = { 0 };
		struct error err = { 0 };
		int status = signature_payload_parse(payloads[i].text, strlen(payloads[i].text),
						     PAYLOAD_SIMPLE, &payload, &err);

		ok((status == 0) == payloads[i].good, "payload: %s: %s", payloads[i].what,
		   err.message);
	}

	cleanup_free char *made = signature_payload_make(PAYLOAD_SIGSTORE, DIGEST, "a.b/c:v1");
	cleanup_signature_payload struct signature_payload payload = { 0 };
	struct error err;
	ok(signature_payload_parse(made, strlen(made), PAYLOAD_SIGSTORE, &payload, &err) == 0 &&
		   strcmp(payload.reference, "a.b/c:v1") == 0,
	   "payload: ours can be read");
	is(payload.digest, DIGEST, "payload: its digest");
	ok(signature_payload_parse(made, strlen(made), PAYLOAD_SIMPLE, &payload, &err) < 0,
	   "payload: but not as one of another type");
}

static const struct {
	const char *what, *bytes;
	size_t length;
	enum signature_kind kind;
	bool good;
} files[] = {
	{ "a signature packet", BYTES("\x89\x01"), SIGNATURE_SIMPLE, true },
	{ "a one-pass signature", BYTES("\x90\x0d"), SIGNATURE_SIMPLE, true },
	{ "compressed data, new format", BYTES("\xc8\x0d"), SIGNATURE_SIMPLE, true },
	{ "an OpenPGP message with its mark", BYTES("\0simple-signing\n\x90\x0d"), SIGNATURE_SIMPLE,
	  true },
	{ "an attachment",
	  BYTES("\0sigstore-json\n{\"mimeType\":\"m\",\"payload\":\"aGk=\",\"annotations\":{}}"),
	  SIGNATURE_ATTACHMENT, true },
	{ "an attachment without annotations",
	  BYTES("\0sigstore-json\n{\"mimeType\":\"m\",\"payload\":\"aGk=\","
		"\"annotations\":null}"),
	  SIGNATURE_ATTACHMENT, true },
	{ "nothing", BYTES(""), SIGNATURE_SIMPLE, false },
	{ "text", BYTES("-----BEGIN PGP MESSAGE-----"), SIGNATURE_SIMPLE, false },
	{ "a public key", BYTES("\x99\x01"), SIGNATURE_SIMPLE, false },
	{ "literal data", BYTES("\xcb\x01"), SIGNATURE_SIMPLE, false },
	{ "an unknown mark", BYTES("\0other\nx"), SIGNATURE_SIMPLE, false },
	{ "a mark without end", BYTES("\0sigstore-json"), SIGNATURE_SIMPLE, false },
	{ "an attachment that is no JSON", BYTES("\0sigstore-json\nx"), SIGNATURE_SIMPLE, false },
	{ "a payload that is not base64",
	  BYTES("\0sigstore-json\n{\"mimeType\":\"m\",\"payload\":\"!\"}"), SIGNATURE_SIMPLE,
	  false },
	{ "annotations that are no texts",
	  BYTES("\0sigstore-json\n{\"mimeType\":\"m\",\"payload\":\"\",\"annotations\":{\"a\":1}}"),
	  SIGNATURE_SIMPLE, false },
	{ "annotations that are a list",
	  BYTES("\0sigstore-json\n{\"mimeType\":\"m\",\"payload\":\"\",\"annotations\":[]}"),
	  SIGNATURE_SIMPLE, false },
};

/* What was read is written as it was, or as something that is read as the same. */
static void test_again(const struct signature *signature, const char *what)
{
	cleanup_signature struct signature again = { 0 };
	struct error err = { 0 };
	size_t length;
	cleanup_free char *bytes = signature_to_file(signature, &length);

	ok(signature_from_file(bytes, length, "f", &again, &err) == 0 &&
		   again.kind == signature->kind && again.length == signature->length &&
		   memcmp(again.data, signature->data, again.length) == 0,
	   "file: %s, written and read", what);
}

static void test_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		cleanup_signature struct signature signature = { 0 };
		struct error err = { 0 };
		int status =
			signature_from_file(files[i].bytes, files[i].length, "f", &signature, &err);

		ok((status == 0) == files[i].good &&
			   (status < 0 || signature.kind == files[i].kind),
		   "file: %s", files[i].what);
		if (status == 0)
			test_again(&signature, files[i].what);
	}
}

static void test_limits(void)
{
	cleanup_signatures struct signatures list = { 0 };
	struct error err = { 0 };
	struct signature large = { .length = SIGNATURES_BYTES_MAX + 1 };
	const size_t half = SIGNATURES_BYTES_MAX / 2;
	cleanup_signatures struct signatures halves = { 0 };
	int added = 0;

	ok(signatures_add(&list, &large, &err) < 0 && err.kind == ERROR_LIMIT, "too many bytes");
	for (int i = 0; i < 3; i++)
		added += signatures_add(&halves, &(struct signature){ .length = half }, &err) == 0;
	ok(added == 2, "too many bytes together");
	added = 0;
	for (int i = 0; i < SIGNATURES_MAX; i++)
		added += signatures_add(&list, &(struct signature){ .length = 1 }, &err) == 0;
	ok(added == SIGNATURES_MAX, "as many as may be");
	ok(signatures_add(&list, &(struct signature){ .length = 1 }, &err) < 0, "too many");
}

int main(void)
{
	test_payloads();
	test_files();
	test_limits();
	return tap_done();
}
