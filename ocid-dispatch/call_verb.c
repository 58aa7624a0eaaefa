/* SPDX-License-Identifier: Apache-2.0 */
/* ocid-dispatch call: a handler without a socket, by the very path that a served call takes. */
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/output.h"
#include "ocid-dispatch/commands.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/rpc.h"
#include "ocid-dispatch/trace.h"
#include "ocid-dispatch/transcode.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct settings {
	bool defaults, trace;
	const char *configuration;
};

static const struct settings defaults = { .configuration = CONFIGURATION_PATH };

static const struct cli_option options[] = {
	{ "defaults", 0, NULL, OPTION_FLAG, offsetof(struct settings, defaults),
	  "also print fields that have their default value" },
	{ "trace", 0, NULL, OPTION_FLAG, offsetof(struct settings, trace),
	  "print the commands to stderr, ready to paste" },
	{ "config", 'c', "FILE", OPTION_STRING, offsetof(struct settings, configuration),
	  "configuration file (default " CONFIGURATION_PATH ")" },
	{ 0 },
};

/* The request on stdin; {} for a terminal or an empty input. */
static json_t *read_request(struct error *err)
{
	cleanup_free char *text = NULL;
	size_t length = 0;

	if (isatty(STDIN_FILENO))
		return json_object();
	text = file_read_fd(STDIN_FILENO, JSON_DOCUMENT_MAX, &length, "the request", err);
	if (!text)
		return NULL;
	if (text[strspn(text, " \t\r\n")] == '\0')
		return json_object();
	return json_parse(text, length, "the request", err);
}

/* A message of the answer, on stdout. */
static int print(const struct rpc_context *context, const struct buffer *message, struct error *err)
{
	const struct settings *settings = context->cli->settings;
	json_auto_t *json = transcode_decode(context->rpc->method->output, buffer_data(message),
					     buffer_length(message), settings->defaults, err);

	return json ? output_object(context->cli, json, err) : -1;
}

static int run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_configuration struct configuration configuration = { 0 };
	cleanup_buffer struct buffer question = { 0 };
	struct rpc rpc;
	bool decoded;

	if (rpc_find_name(cli->operands[0], &rpc, err) < 0 ||
	    configuration_load(settings->configuration, &configuration, err) < 0)
		return -1;
	const struct rpc_context context = { .api_version = rpc.api_version,
					     .root = cli->root,
					     .runroot = cli->runroot,
					     .configuration = &configuration,
					     .trace = settings->trace,
					     .send = print,
					     .cli = cli };

	json_auto_t *request = read_request(err);
	if (!request)
		return -1;
	if (transcode_encode(rpc.method->input, request, &question, err) < 0)
		return error_prefix(err, "the request");
	if (context.trace)
		trace_environment(&context);
	return rpc_run(&rpc, &context, buffer_data(&question), buffer_length(&question), &decoded,
		       err);
}

const struct cli_command command_call = {
	.name = "call",
	.operands = "RPC",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "answer one call in JSON, without a server",
	.details = "Reads the request from stdin and prints the response, both in protobuf's JSON\n"
		   "mapping; no input is an empty request. RPC is the name of a method, such as\n"
		   "\"PullImage\", \"ImageService/PullImage\" or\n"
		   "\"runtime.v1alpha2.RuntimeService/Version\".",
	.options = options,
	.settings_size = sizeof(struct settings),
	.defaults = &defaults,
	.run = run,
};
