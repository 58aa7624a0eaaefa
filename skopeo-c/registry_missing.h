/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what answers that something is not there is a registry at all. */
#pragma once
#include "lib/error.h"

struct registry_call;

/* Of a call that was answered 404: 0 where a registry has said so, else ERROR_FAILED. It costs a
 * request only where the answer itself leaves that open. */
int registry_missing(const struct registry_call *call, struct error *err);
