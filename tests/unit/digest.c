/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/digest.h"

#include "tests/unit/tap.h"

/* FIPS 180-4's examples for "abc". */
#define ABC_256 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_512                                                                                    \
	"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                  \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static const char *const others[] = { "sha384:ab", "md5:90", "multihash+base58:QmRZx=_-" };
static const char *const none[] = { "",	       "sha384",     "sha384:",
				    ":ab",     "SHA384:ab",  "sha256:ab",
				    "sha512:", "sha384:a/b", "../../etc:passwd" };

int main(void)
{
	char digest[DIGEST_SIZE];
	struct hasher hasher = { 0 };
	struct error err;

	ok(digest_is_valid(ABC_256), "a sha256 digest is valid");
	ok(digest_is_valid(ABC_512), "a sha512 digest is valid");
	ok(!digest_is_valid(""), "empty is not");
	ok(!digest_is_valid("sha256:"), "nor without hex");
	ok(!digest_is_valid(
		   "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
	   "nor in capitals");
	ok(!digest_is_valid(ABC_256 "0"), "nor one digit more");
	ok(!digest_is_valid(ABC_256 "/../x"), "nor with a path after it");
	ok(!digest_is_valid(
		   "sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
	   "nor with another algorithm's length");
	ok(!digest_is_valid("../../etc/passwd"), "nor a path");
	ok(!digest_is_valid("md5:900150983cd24fb0d6963f7d28e17f72"), "nor md5");
	ok(digest_require(ABC_512, &err) == 0, "a digest that is wanted");
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		ok(digest_require(others[i], &err) < 0 && err.kind == ERROR_UNSUPPORTED,
		   "%s is one of another algorithm", others[i]);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ok(digest_require(none[i], &err) < 0 && err.kind == ERROR_INTEGRITY,
		   "\"%s\" is none", none[i]);

	digest_of("abc", 3, "sha256", digest);
	is(digest, ABC_256, "sha256 of abc");
	hasher_start(&hasher, ABC_512);
	hasher_update(&hasher, "a", 1);
	hasher_update(&hasher, "bc", 2);
	hasher_finish(&hasher, digest);
	is(digest, ABC_512, "sha512 of abc in two parts");

	ok(digest_check("abc", 3, ABC_256, "x", &err) == 0, "the right digest passes");
	ok(digest_check("abd", 3, ABC_256, "x", &err) < 0 && err.kind == ERROR_INTEGRITY,
	   "the wrong one does not");
	memcpy(digest, ABC_256, sizeof ABC_256);
	digest[sizeof ABC_256 - 2] = '0';
	ok(digest_check("abc", 3, digest, "x", &err) < 0, "nor one whose last digit is another");
	ok(digest_check("abc", 3, "nonsense", "x", &err) < 0 && err.kind == ERROR_INTEGRITY,
	   "nor what is no digest");

	digest_chain(NULL, ABC_256, digest);
	is(digest, ABC_256, "the lowest ChainID is the DiffID");
	char parent[DIGEST_SIZE];
	memcpy(parent, digest, sizeof parent);
	digest_chain(parent, ABC_256, digest);
	/* printf '%s %s' A A | sha256sum */
	char both[2 * DIGEST_SIZE], expected[DIGEST_SIZE];
	int length = snprintf(both, sizeof both, "%s %s", ABC_256, ABC_256);
	digest_of(both, (size_t)length, "sha256", expected);
	is(digest, expected, "the next hashes both");
	return tap_done();
}
