/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests for streams that wait for a client: each is a file RUNROOT/streams/TOKEN with the
 * request as JSON, mode 0600, whose name nobody can guess. It is taken once, within a minute.
 */
#pragma once
#include "lib/error.h"
#include "ocid-dispatch/stream_control.h"

#include <jansson.h>

enum { STREAM_TOKENS_MAX = 1000, STREAM_TOKEN_SECONDS = 60 };

/* "exec", "attach", "portforward" */
const char *stream_kind_name(enum stream_kind kind);

/* Note a request. ERROR_LIMIT when too many wait. */
int stream_token_make(const char *runroot, enum stream_kind kind, const json_t *request,
		      char token[static STREAM_TOKEN_SIZE], struct error *err);

/* Take the request away. NULL with ERROR_NOT_FOUND when there is none of that kind, it is taken,
 * or it is too old. The caller owns it. */
json_t *stream_token_take(const char *runroot, enum stream_kind kind, const char *token,
			  struct error *err);

/* Remove those that are too old. */
void stream_tokens_sweep(const char *runroot);
