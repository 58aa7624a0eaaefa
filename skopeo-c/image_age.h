/* SPDX-License-Identifier: Apache-2.0 */
/* When images were made. */
#pragma once
#include "lib/error.h"

#include <stdint.h>

struct transport;

/* Seconds since the epoch, by the configuration (of an index that of the first image that has one)
 * or else an annotation; -1 where neither says so, or there is no such image. digest NULL: the
 * image that the transport's name stands for. */
int image_age(struct transport *from, const char *digest, int64_t *made, struct error *err);
