/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tools connected by pipes, as a person types them: tool | tool | tool. Only for processes that
 * serve one call: it sets environment variables. When the process is asked to end (SIGTERM), the
 * tools are, and are waited for, so that they can undo what is half done; when it dies, they are
 * told.
 */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stddef.h>

struct rpc_context;

enum { PIPELINE_MAX = 6 };

/* Zero-initialise; free with pipeline_free() or cleanup_pipeline. */
struct pipeline {
	struct strings stages[PIPELINE_MAX]; /* the words of each tool's command line */
	size_t count;
	int pass_fd;	     /* when > 0: the first tool inherits it under this number. Borrowed */
	const char *passed;  /* what a trace has behind that number, such as ">&2". Borrowed */
	const json_t *input; /* the document on the first tool's stdin; NULL: nothing. Borrowed */
	int output_fd;	     /* when > 0: the last tool's stdout. Borrowed */
	const char *output;  /* what that is called in a trace. Borrowed */
	const char **failed; /* when not NULL: there, which tool has failed. Borrowed from stages */
};

/* Add a tool with its words; the list ends with NULL. More words: strings_add() to what is
 * returned. */
struct strings *pipeline_add(struct pipeline *pipeline, const char *tool, ...)
	__attribute__((sentinel));

/* Run it. The failure of a tool becomes ours: kind, message, subject and hint (in the words of
 * ocid-dispatch/hints.h) are what it said; of several, those of the first in the line that did not
 * only lose its reader.
 * The result: the last line of the last tool's stdout as JSON, or each line as an element of an
 * array. The caller owns it. */
int pipeline_document(const struct pipeline *pipeline, const struct rpc_context *context,
		      json_t **document, struct error *err);
int pipeline_rows(const struct pipeline *pipeline, const struct rpc_context *context, json_t **rows,
		  struct error *err);

/* The same where the tools' output does not matter. */
int pipeline_run(const struct pipeline *pipeline, const struct rpc_context *context,
		 struct error *err);

/* What a tool said, and how it ended. Zero-initialise; free with cleanup_pipeline_result. */
struct pipeline_result {
	struct buffer output, errors;
	int status; /* exit status, or 128 + signal */
};

/* Run one tool whose failure is none of ours. All that it says is read, so that it never waits; of
 * both streams together max bytes are kept. */
int pipeline_capture(const struct pipeline *pipeline, const struct rpc_context *context, size_t max,
		     struct pipeline_result *result, struct error *err);
void pipeline_result_free(struct pipeline_result *result);
#define cleanup_pipeline_result __attribute__((cleanup(pipeline_result_free)))

void pipeline_free(struct pipeline *pipeline);
#define cleanup_pipeline __attribute__((cleanup(pipeline_free)))
