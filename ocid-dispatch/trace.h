/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines as lines that can be pasted into a shell. */
#pragma once

struct pipeline;
struct rpc_context;

/* The variables that the lines after it need, on stderr. */
void trace_environment(const struct rpc_context *context);

void trace_pipeline(const struct pipeline *pipeline);

/* Something that is done without a tool: the words of a command that would do the same; the list
 * ends with NULL. Nothing where context does not ask for it. */
void trace_command(const struct rpc_context *context, const char *word, ...)
	__attribute__((sentinel));
