/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/trace.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%"

static void put_word(FILE *out, const char *word)
{
	if (*word && word[strspn(word, PLAIN)] == '\0') {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	}
	putc('\'', out);
}

void trace_environment(const struct rpc_context *context)
{
	fputs("export OCID_ROOT=", stderr);
	put_word(stderr, context->root);
	fputs(" OCID_RUNROOT=", stderr);
	put_word(stderr, context->runroot);
	putc('\n', stderr);
}

/* Composed first: lines of several handlers must not mix. */
void trace_pipeline(const struct pipeline *pipeline)
{
	cleanup_free char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return;
	if (pipeline->input) {
		cleanup_free char *input = json_compact(pipeline->input);

		fputs("printf %s ", out);
		put_word(out, input);
		fputs(" | ", out);
	}
	for (size_t i = 0; i < pipeline->count; i++) {
		const struct strings *words = &pipeline->stages[i];

		for (size_t w = 0; w < words->count; w++) {
			fputs(w ? " " : i ? " | " : "", out);
			put_word(out, words->items[w]);
		}
	}
	if (pipeline->passed)
		fprintf(out, " %d%s", pipeline->pass_fd, pipeline->passed);
	if (pipeline->output) {
		fputs(" >", out);
		put_word(out, pipeline->output);
	}
	putc('\n', out);
	fclose(out);
	fwrite(text, 1, length, stderr);
}

void trace_command(const struct rpc_context *context, const char *word, ...)
{
	va_list words;

	if (!context->trace)
		return;
	va_start(words, word);
	for (const char *at = word; at; at = va_arg(words, const char *)) {
		if (at != word)
			putc(' ', stderr);
		put_word(stderr, at);
	}
	va_end(words);
	putc('\n', stderr);
}
