/* SPDX-License-Identifier: Apache-2.0 */
/* OpenPGP messages, by GnuPG through GPGME, which is loaded when it is needed. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct gpg;

enum { GPG_FINGERPRINT_SIZE = 65 }; /* with its NUL */

/* Work with the user's own keys ($GNUPGHOME, ~/.gnupg). Free with gpg_close(). */
struct gpg *gpg_open_own(struct error *err);

/* Work with public keys that are added one file's content after another, and with no others:
 * they are in a directory of their own until gpg_close(). */
struct gpg *gpg_open_empty(struct error *err);
/* ERROR_INTEGRITY, naming `what`, where there is no key in it. */
int gpg_add_keys(struct gpg *gpg, const void *keys, size_t length, const char *what,
		 struct error *err);

void gpg_close(struct gpg *gpg);
static inline void gpg_close_p(struct gpg **gpg)
{
	gpg_close(*gpg);
}
#define cleanup_gpg __attribute__((cleanup(gpg_close_p)))

/* Who signed: upper-case hex. */
struct gpg_signer {
	char key[GPG_FINGERPRINT_SIZE];	    /* the key or subkey that signed */
	char primary[GPG_FINGERPRINT_SIZE]; /* the key it belongs to */
};

/* Check a message with exactly one signature, which must be good. Its content is the caller's to
 * free. ERROR_INTEGRITY where it is not. Whether the signer may be trusted is not said. */
int gpg_verify(struct gpg *gpg, const void *message, size_t message_length, char **content,
	       size_t *length, struct gpg_signer *signer, struct error *err);

/* True for a signer whose key was given to gpg_add_keys(). */
bool gpg_has_added(const struct gpg *gpg, const struct gpg_signer *signer);

/* True for a signer whose key the user calls `name`. */
bool gpg_is_key(struct gpg *gpg, const char *name, const struct gpg_signer *signer);

/* Sign as `key` (a fingerprint, a key id or a user id). passphrase NULL: GnuPG asks where it must.
 * The message is the caller's to free. */
int gpg_sign(struct gpg *gpg, const char *key, const char *passphrase, const char *text,
	     char **message, size_t *length, struct error *err);
