/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/output.h"
#include "oci-gen/assembly.h"
#include "oci-gen/commands.h"
#include "oci-gen/generation.h"
#include "oci-gen/leaves.h"
#include "oci-gen/meanings.h"
#include "oci-gen/pointer.h"
#include "oci-gen/trace.h"
#include "oci-gen/versions.h"

#include <string.h>

static const struct output_column columns[] = {
	{ "POINTER", "pointer", COLUMN_TEXT }, { "VALUE", "value", COLUMN_TEXT },
	{ "ORIGIN", "origin", COLUMN_TEXT },   { "MEANING", "meaning", COLUMN_TEXT },
	{ "SPEC", "spec", COLUMN_TEXT },       { NULL, NULL, COLUMN_TEXT },
};

/* What the path is: a pointer, which may lack its slash. "/" is the whole. The caller frees it. */
static char *as_pointer(const char *path)
{
	size_t length = strlen(path);
	char *pointer = *path == '/' || !*path ? xstrdup(path) : xasprintf("/%s", path);

	length = strlen(pointer);
	while (length > 0 && pointer[length - 1] == '/')
		pointer[--length] = '\0';
	return pointer;
}

static json_t *new_row(const char *pointer, const json_t *value, const char *origin)
{
	const char *spec;
	cleanup_free char *pattern = leaves_pattern(pointer);
	const char *meaning = meaning_of(pattern, &spec);
	const char *since = version_of(pattern);
	json_t *row = json_pack("{s:s, s:O*, s:s, s:s, s:s}", "pointer", pointer, "value", value,
				"origin", origin, "meaning",
				meaning ? meaning : "not in the specification", "spec",
				meaning ? spec : "config.md#extensibility");

	if (since)
		json_object_set_new(row, "since", json_string(since));
	return row;
}

static bool lies_in(const char *pointer, const char *wanted)
{
	size_t length = strlen(wanted);

	return strncmp(pointer, wanted, length) == 0 &&
	       (!pointer[length] || pointer[length] == '/');
}

/* A row for each leaf that is there or, where none is, for the member itself. */
static json_t *make_rows(const struct trace *trace, const char *wanted)
{
	json_t *rows = json_array(), *leaf;
	const char *path;

	json_object_foreach (trace->leaves, path, leaf) {
		const char *pointer = json_text(leaf, "pointer", "");

		/* what is finer than the leaf is in it */
		if (lies_in(pointer, wanted) || (*pointer && lies_in(wanted, pointer)))
			json_array_append_new(rows, new_row(pointer, json_object_get(leaf, "value"),
							    json_text(leaf, "origin", "")));
	}
	if (json_array_size(rows) == 0)
		json_array_append_new(rows, new_row(wanted, NULL, "not set"));
	return rows;
}

/* What a document has from when it was generated, where nothing says now what was said then. */
static void trace_recorded(const struct cli *cli, const json_t *document, struct trace *trace)
{
	const struct assembly *assembly = cli->settings;
	const json_t *recorded = json_object_get(document, "config");

	if (json_is_object(recorded) && !options_any(assembly->slots) &&
	    assembly->patches.count == 0 && cli->operand_count == 1)
		trace_config(trace, recorded, "recorded in the document");
}

static int trace_all(const struct cli *cli, struct trace *trace, struct error *err)
{
	const struct assembly *assembly = cli->settings;
	json_auto_t *document = NULL;
	cleanup_generation struct generation g;

	generation_start(&g);
	g.trace = trace;
	if (assembly_read_document(cli, assembly, &document, err) < 0)
		return -1;
	trace->root = options_text(assembly->slots, "/root/path");
	if (json_path(document, "rootfs", "path", NULL))
		trace->root = json_text(json_object_get(document, "rootfs"), "path", NULL);
	if (assembly_make(cli, assembly, document, cli->operands + 1, &g, err) < 0)
		return -1;
	trace_recorded(cli, document, trace);
	return 0;
}

static int explain_run(const struct cli *cli, struct error *err)
{
	json_auto_t *leaves = json_object();
	struct trace trace = { json_incref(leaves), NULL };
	cleanup_free char *pointer = as_pointer(cli->operands[0]);
	cleanup_free char *pattern = leaves_pattern(pointer);
	const char *spec;

	if (!meaning_of(pattern, &spec)) {
		cleanup_free char *above = pointer_above(pointer);

		json_decref(trace.leaves);
		error_set(err, ERROR_NOT_FOUND, "the specification has no member %s", pointer);
		return error_hint(err, "see oci-gen explain %s", *above ? above : "/");
	}
	int result = trace_all(cli, &trace, err);
	json_auto_t *rows = result == 0 ? make_rows(&trace, pointer) : NULL;
	json_decref(trace.leaves);
	return rows ? output_list(cli, rows, columns, err) : -1;
}

struct cli_command explain_command(void)
{
	static struct cli_option options[ASSEMBLY_OPTIONS_MAX + 1];

	options[assembly_fill(options, 0)] = (struct cli_option){ 0 };
	return (struct cli_command){
		.name = "explain",
		.operands = "POINTER [COMMAND [ARG]...]",
		.operands_min = 1,
		.operands_max = -1,
		.summary = "explain a member and where its value comes from",
		.details = "Takes the options and the document of generate. Sources of a value are "
			   "the\n"
			   "default, the image, the document's rootfs, network or cri, an option, "
			   "a patch.\n"
			   "POINTER is a JSON pointer such as /process/cwd; / is everything.",
		.options = options,
		.settings_size = sizeof(struct assembly),
		.stop_at_operand = true,
		.run = explain_run,
	};
}
