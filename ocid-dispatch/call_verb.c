/* SPDX-License-Identifier: Apache-2.0 */
/* ocid-dispatch call: a handler without a socket, by the very path that a served call takes. */
#include "ocid-dispatch/commands.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/buffer.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/rpc.h"
#include "ocid-dispatch/transcode.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct settings {
	bool defaults;
};

static const struct cli_option options[] = {
	{ "defaults", 0, NULL, OPTION_FLAG, offsetof(struct settings, defaults),
	  "show also fields that have their default value" },
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

static int run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	struct rpc_context context = { .root = cli->root, .runroot = cli->runroot };
	cleanup_buffer struct buffer question = { 0 }, answer = { 0 };
	struct rpc rpc;
	bool decoded;

	if (rpc_find_name(cli->operands[0], &rpc, err) < 0)
		return -1;
	context.api_version = rpc.api_version;

	json_auto_t *request = read_request(err);
	if (!request)
		return -1;
	if (transcode_encode(rpc.method->input, request, &question, err) < 0)
		return error_prefix(err, "the request");
	if (rpc_run(&rpc, &context, buffer_data(&question), buffer_length(&question), &answer,
		    &decoded, err) < 0)
		return -1;

	json_auto_t *response = transcode_decode(rpc.method->output, buffer_data(&answer),
						 buffer_length(&answer), settings->defaults, err);
	return response ? output_object(cli, response, err) : -1;
}

const struct cli_command command_call = {
	.name = "call",
	.operands = "RPC",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "answer one call, in JSON, without a server",
	.details = "The request is on stdin, the response on stdout.\n"
		   "RPC is a method's name, as \"PullImage\" or \"ImageService/PullImage\" or\n"
		   "\"runtime.v1alpha2.RuntimeService/Version\". The JSON is protobuf's JSON "
		   "mapping;\n"
		   "no input is an empty request.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};
