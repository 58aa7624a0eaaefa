/* SPDX-License-Identifier: Apache-2.0 */
/* Names and passwords from standard input, passphrases from files; and the end of all that is
 * secret. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

/* Ask on the terminal that standard input is; ERROR_USAGE where it is none. The caller frees the
 * line, of a secret with secret_wipe(). */
char *secret_ask(const char *prompt, bool is_hidden, struct error *err);

/* Everything on standard input, without the end of its last line; to be freed with
 * secret_wipe(). */
char *secret_read(struct error *err);

/* The first line of a file; likewise. */
char *secret_read_file(const char *path, struct error *err);

/* Overwrite and free a secret; NULL is fine. */
void secret_wipe(char *secret);
