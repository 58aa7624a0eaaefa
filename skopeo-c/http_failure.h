/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

struct http_request;

/* Make an error of a request to `name` that has got no answer, or too large a one. Returns -1. */
int http_failed(const struct http_request *request, const char *name, struct error *err);
