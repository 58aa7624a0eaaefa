/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/document.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/path.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_document(struct error *err)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) == 0 && S_ISFIFO(status.st_mode)) {
		/* and has said why */
		error_set(err, ERROR_FAILED, "no container document comes through the pipe");
		return error_hint(err, "the tool in front has failed, or prints none");
	}
	error_set(err, ERROR_FAILED, "standard input holds no container document");
	return error_hint(err, "put the tool that makes it in front, see man 7 ocid");
}

json_t *document_read(struct error *err)
{
	if (isatty(STDIN_FILENO)) {
		error_set(err, ERROR_USAGE, "a container document is expected on standard input");
		error_hint(err, "see man 7 ocid");
		return NULL;
	}

	static const char what[] = "the container document";
	size_t length;
	cleanup_free char *text = file_read_fd(STDIN_FILENO, JSON_DOCUMENT_MAX, &length, what, err);
	if (!text)
		return NULL;
	if (length == 0) {
		no_document(err);
		return NULL;
	}
	json_auto_t *document = json_parse(text, length, what, err);
	if (document && !json_is_object(document)) {
		error_set(err, ERROR_INTEGRITY, "the container document is not a JSON object");
		return NULL;
	}
	return json_incref(document);
}

static const char *rootfs_text(const json_t *document, const char *key, struct error *err)
{
	const char *text = json_text(json_object_get(document, "rootfs"), key, NULL);

	if (text)
		return text;
	error_set(err, ERROR_USAGE, "the document has no rootfs.%s", key);
	error_hint(err, "put ctr-store create before this tool");
	return NULL;
}

const char *document_id(const json_t *document, struct error *err)
{
	const char *id = rootfs_text(document, "id", err);

	if (!id || path_is_id(id))
		return id;
	error_set(err, ERROR_USAGE, "the document's rootfs.id \"%s\" is not an id", id);
	return NULL;
}

const char *document_bundle(const json_t *document, struct error *err)
{
	return rootfs_text(document, "bundle", err);
}

int document_open_bundle(const json_t *document, struct error *err)
{
	const char *bundle = document_bundle(document, err);
	int fd = bundle ? open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return bundle && fd < 0 ? error_os(err, "bundle %s", bundle) : fd;
}

/* Save the document, whose text that is. */
static int save(const json_t *document, const char *text, struct error *err)
{
	static const char name[] = "document.json";
	cleanup_fd int fd = document_open_bundle(document, err);

	if (fd < 0)
		return -1;
	/* a container that a power cut takes needs no document that survives it */
	int status = json_is_true(json_path(document, "rootfs", "volatile", NULL))
			     ? file_replace_volatile_at(fd, name, text, strlen(text), 0600, err)
			     : file_replace_at(fd, name, text, strlen(text), 0600, err);
	return status < 0 ? error_prefix(err, "bundle %s", document_bundle(document, err)) : 0;
}

int document_save(const json_t *document, struct error *err)
{
	cleanup_free char *text = json_compact(document);

	return save(document, text, err);
}

/* Save and print the document, whose text that is. */
static int finish(const struct cli *cli, const json_t *document, const char *text,
		  struct error *err)
{
	if (json_path(document, "rootfs", "bundle", NULL) && save(document, text, err) < 0)
		return -1;
	return output_is_for_people(cli) ? output_object(cli, document, err)
					 : output_text(text, err);
}

int document_finish(const struct cli *cli, json_t *document, const char *field, json_t *value,
		    struct error *err)
{
	json_object_set(document, field, value);

	cleanup_free char *text = json_compact(document);
	return finish(cli, document, text, err);
}

int document_finish_text(const struct cli *cli, json_t *document, const char *field,
			 const char *value, struct error *err)
{
	cleanup_free char *text = json_compact_with(document, field, value);

	if (output_is_for_people(cli))
		json_object_set_new(document, field, json_loads(value, JSON_DECODE_ANY, NULL));
	return finish(cli, document, text, err);
}
