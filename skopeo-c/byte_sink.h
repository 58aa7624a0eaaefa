/* SPDX-License-Identifier: Apache-2.0 */
/* Where bytes go, piece by piece. */
#pragma once
#include "lib/error.h"

#include <stddef.h>

typedef int byte_sink(void *context, const void *data, size_t length, struct error *err);
