/* SPDX-License-Identifier: Apache-2.0 */
/* Several blobs at once through one thread have the digests that they have one by one. */
#include "skopeo-c/hashing.h"
#include "tests/unit/tap.h"

#include <string.h>

enum { BLOBS = 3, PIECES = 50 };

static size_t piece_length(size_t blob, size_t number)
{
	return (blob * 7919 + number * 104729) % HASHING_SLOT + 1;
}

static void fill(unsigned char *data, size_t length, size_t blob, size_t number)
{
	memset(data, (int)(blob * 31 + number), length);
}

/* In the order in which pieces of several downloads come; two slots are held all the time. */
static void hash_all(struct hashing *hashing, struct hashed *hashed)
{
	unsigned char *held[] = { hashing_slot(hashing), hashing_slot(hashing) };

	for (size_t i = 0; i < BLOBS; i++)
		hasher_start(&hashed[i].hasher, i == 1 ? "sha512" : "sha256");
	for (size_t number = 0; number < PIECES; number++)
		for (size_t i = 0; i < BLOBS; i++) {
			unsigned char *slot = hashing_slot(hashing);

			fill(slot, piece_length(i, number), i, number);
			hashing_pass(hashing, slot, piece_length(i, number), &hashed[i]);
		}
	hashing_drop(hashing, held[0]);
	hashing_drop(hashing, held[1]);
}

static void expect(size_t blob, char digest[static DIGEST_SIZE])
{
	static unsigned char data[HASHING_SLOT];
	cleanup_hasher struct hasher hasher = { 0 };

	hasher_start(&hasher, blob == 1 ? "sha512" : "sha256");
	for (size_t number = 0; number < PIECES; number++) {
		fill(data, piece_length(blob, number), blob, number);
		hasher_update(&hasher, data, piece_length(blob, number));
	}
	hasher_finish(&hasher, digest);
}

int main(void)
{
	struct hashing *hashing = hashing_new(3);
	struct hashed hashed[BLOBS] = { 0 };

	hash_all(hashing, hashed);
	for (size_t i = 0; i < BLOBS; i++) {
		char actual[DIGEST_SIZE], expected[DIGEST_SIZE];

		hashing_wait(hashing, &hashed[i]);
		hasher_finish(&hashed[i].hasher, actual);
		expect(i, expected);
		is(actual, expected, "blob %zu", i);
	}
	hashing_free(hashing);
	hashing_free(NULL);
	return tap_done();
}
