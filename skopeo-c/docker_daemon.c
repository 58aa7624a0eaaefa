/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker-daemon:NAME[:TAG], or ALGORITHM:HEX for an image by its id: Docker's API on a Unix socket
 * (also podman's, `podman system service`), which speaks in archives of docker save. HTTP/1.0 is
 * enough, and more than it would need no library: one request, one answer, one connection.
 */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/docker_archive.h"
#include "skopeo-c/tar.h"
#include "skopeo-c/transport.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_DAEMON "unix:///var/run/docker.sock"

enum { HEADERS_MAX = 64 << 10, ANSWER_MAX = 1 << 20, LIST_MAX = 16 << 20 /* bytes */ };

struct docker_daemon {
	struct docker_archive archive; /* first: docker_archive.c's functions use it */
	char *socket_path;
	int fd; /* destination: the connection, until the writer has it */
};

static void docker_daemon_close(struct transport *t)
{
	struct docker_daemon *state = t->state;

	free(state->socket_path);
	cleanup_fd_p(&state->fd);
	docker_archive_free(&state->archive);
}

/* ---- the connection ---- */

static int connect_to(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof address.sun_path)
		return error_set(err, ERROR_USAGE, "%s is too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0)
		return error_os(err, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
		bool is_down = errno == ENOENT || errno == ECONNREFUSED;

		error_os(err, "cannot reach the daemon at %s", path);
		if (!is_down)
			return -1;
		err->kind = ERROR_TEMPORARY;
		return error_hint(err,
				  "is it running? DOCKER_HOST and --src- or --dest-daemon-host "
				  "say where it is");
	}
	return steal_fd(&fd);
}

/* The headers of the answer, up to the empty line; what follows stays in the socket. The caller
 * frees them. */
static char *read_headers(int fd, struct error *err)
{
	cleanup_free char *text = xcalloc(1, HEADERS_MAX);

	for (size_t used = 0; used + 1 < HEADERS_MAX; used++) {
		ssize_t got;

		do
			got = read(fd, text + used, 1);
		while (got < 0 && errno == EINTR && !cli_interrupted());
		if (got < 0) {
			error_os(err, "the daemon does not answer");
			return NULL;
		}
		if (got == 0)
			break;
		if (used >= 3 && memcmp(text + used - 3, "\r\n\r\n", 4) == 0)
			return steal_ptr(&text);
	}
	error_set(err, ERROR_TEMPORARY, "the daemon broke off its answer");
	return NULL;
}

static bool has_header(const char *headers, const char *name)
{
	for (const char *line = headers; (line = strstr(line, "\r\n")); line += 2)
		if (strncasecmp(line + 2, name, strlen(name)) == 0)
			return true;
	return false;
}

static enum error_kind kind_of_status(long status)
{
	if (status == 404)
		return ERROR_NOT_FOUND;
	if (status == 401 || status == 403)
		return ERROR_DENIED;
	return status >= 500 ? ERROR_FAILED : ERROR_UNSUPPORTED;
}

/* What the daemon says is wrong, {"message":…}, or nothing. */
static char *told_reason(int fd)
{
	struct error ignored;
	size_t length;
	cleanup_free char *text = file_read_fd(fd, ANSWER_MAX, &length, "answer", &ignored);
	json_auto_t *json = text ? json_parse(text, length, "answer", &ignored) : NULL;
	const char *message = json_text(json, "message", "");

	return xasprintf("%s%s", message[0] ? ": " : "", message);
}

/* Read the beginning of the answer: the content may follow. */
static int check_answer(int fd, const char *what, struct error *err)
{
	cleanup_free char *headers = read_headers(fd, err);
	long status = 0;

	if (!headers)
		return -1;
	if (strncmp(headers, "HTTP/1.", 7) == 0 && isdigit((unsigned char)headers[7]))
		status = strtol(headers + 8, NULL, 10);
	if (status == 200 && !has_header(headers, "transfer-encoding:"))
		return 0;
	if (status < 300)
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: the daemon's answer is not understood", what);
	cleanup_free char *reason = told_reason(fd);
	error_set(err, kind_of_status(status), "%s: the daemon answered %ld%s", what, status,
		  reason);
	return error_subject(err, what);
}

/* ---- source ---- */

static int open_source(struct transport *t, const char *name,
		       const struct transport_settings *settings, struct error *err)
{
	struct docker_daemon *state = t->state;
	cleanup_fd int fd = connect_to(state->socket_path, err);
	cleanup_free char *question =
		xasprintf("GET /images/%s/get HTTP/1.0\r\nHost: docker\r\n\r\n", name);

	if (fd < 0 || file_write_fd(fd, question, strlen(question), "the daemon", err) < 0 ||
	    check_answer(fd, t->name, err) < 0)
		return -1;
	state->archive.archive =
		archive_open_fd(steal_fd(&fd), t->name, settings->spool_directory, err);
	return state->archive.archive
		       ? docker_archive_load(&state->archive, NULL, t->name, &t->reference, err)
		       : -1;
}

/* ---- destination ---- */

static int64_t member_size(const char *name, int64_t size)
{
	unsigned char header[TAR_HEADER_MAX];

	return (int64_t)tar_header(name, size, header) + tar_padded(size);
}

/* How long the archive is going to be. */
static int64_t archive_size(const struct docker_archive *archive, const struct manifest *manifest)
{
	json_auto_t *seen = json_object();
	cleanup_free char *index = docker_archive_index(archive, manifest);
	int64_t total = member_size("manifest.json", (int64_t)strlen(index)) + 2 * TAR_BLOCK;
	const json_t *layers = json_object_get(manifest->json, "layers");
	struct error ignored; /* manifest_parse() has checked them */
	struct blob blob;

	for (size_t i = 0; i <= json_array_size(layers); i++) {
		blob_from_json(i < json_array_size(layers)
				       ? json_array_get(layers, i)
				       : json_object_get(manifest->json, "config"),
			       "", &blob, &ignored);
		cleanup_free char *name = docker_archive_blob_name(&blob);
		if (!json_object_get(seen, name))
			total += member_size(name, blob.size);
		json_object_set_new(seen, name, json_true());
	}
	return total;
}

static int docker_daemon_prepare(struct transport *t, const json_t *digests,
				 const struct plan *plan, struct error *err)
{
	struct docker_daemon *state = t->state;

	(void)digests;
	if (docker_archive_check(plan, t->name, err) < 0)
		return -1;
	cleanup_free char *question =
		xasprintf("POST /images/load?quiet=1 HTTP/1.0\r\nHost: docker\r\n"
			  "Content-Type: application/x-tar\r\nContent-Length: %lld\r\n\r\n",
			  (long long)archive_size(&state->archive, plan_top(plan)));
	int fd = steal_fd(&state->fd);
	archive_writer_open_stream(fd, t->name, &state->archive.writer);
	return file_write_fd(fd, question, strlen(question), "the daemon", err);
}

/* The answer is a list of JSON objects; one with "error" is the end of it. */
static int check_loaded(struct transport *t, int fd, struct error *err)
{
	size_t length;
	cleanup_free char *text = NULL;

	if (check_answer(fd, t->name, err) < 0)
		return -1;
	text = file_read_fd(fd, ANSWER_MAX, &length, t->name, err);
	if (!text)
		return -1;
	for (char *line = text; *line; line += strspn(line, "\r\n")) {
		size_t size = strcspn(line, "\r\n");
		struct error ignored;
		json_auto_t *json = json_parse(line, size, "answer", &ignored);
		const char *problem = json_text(json, "error", NULL);

		if (problem)
			return error_set(err, ERROR_FAILED, "%s: the daemon says: %s", t->name,
					 problem);
		line += size;
	}
	return 0;
}

static int docker_daemon_put_manifest(struct transport *t, const struct manifest *manifest,
				      bool is_top, struct error *err)
{
	struct docker_daemon *state = t->state;

	if (docker_archive_put_manifest(t, manifest, is_top, err) < 0)
		return -1;
	return check_loaded(t, state->archive.writer.fd, err);
}

/* ---- both ---- */

/* The path of the socket; the caller frees it. NULL with an error. */
static char *find_socket(const char *daemon, struct error *err)
{
	const char *host = daemon ? daemon : getenv("DOCKER_HOST");

	if (!host || !host[0])
		host = DEFAULT_DAEMON;
	if (strncmp(host, "unix://", 7) == 0)
		return xstrdup(host + 7);
	error_set(err, ERROR_UNSUPPORTED, "the daemon at %s: only unix:// sockets are supported",
		  host);
	return NULL;
}

static int docker_daemon_open(struct transport *t, const char *rest,
			      const struct transport_settings *settings, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	struct docker_daemon *state = xcalloc(1, sizeof *state);

	docker_archive_init(&state->archive);
	state->fd = -1;
	t->state = state;
	t->name = xasprintf("docker-daemon:%s", rest);
	state->socket_path = find_socket(settings->daemon, err);
	if (!state->socket_path)
		return -1;
	if (digest_is_valid(rest) && !settings->is_destination)
		return open_source(t, rest, settings, err);
	if (reference_parse(rest, &reference, err) < 0)
		return -1;
	reference_default_tag(&reference);
	cleanup_free char *name = reference_text(&reference);
	t->is_named = !settings->is_destination;
	if (!settings->is_destination)
		return open_source(t, name, settings, err);
	t->is_sequential = true;
	t->reference = xstrdup(name);
	state->fd = connect_to(state->socket_path, err);
	return state->fd < 0 ? -1 : docker_archive_name(&state->archive, name, NULL, err);
}

static int docker_daemon_list(const char *rest, const struct transport_settings *settings,
			      json_t *names, struct error *err)
{
	static const char question[] = "GET /images/json HTTP/1.0\r\nHost: docker\r\n\r\n";
	cleanup_free char *path = find_socket(settings->daemon, err);
	const json_t *image;
	size_t i;

	(void)rest; /* there is only one */
	if (!path)
		return -1;
	cleanup_fd int fd = connect_to(path, err);
	if (fd < 0 || file_write_fd(fd, question, strlen(question), "the daemon", err) < 0 ||
	    check_answer(fd, "docker-daemon:", err) < 0)
		return -1;
	json_auto_t *images = json_read_fd(fd, LIST_MAX, "the daemon's list", err);
	json_array_foreach (images, i, image) {
		json_t *tags = json_object_get(image, "RepoTags");

		if (json_is_array(tags))
			json_array_extend(names, tags);
	}
	return images ? 0 : -1;
}

const struct transport_class transport_docker_daemon = {
	.prefix = "docker-daemon:",
	.makes_manifest = true,
	.identity = IDENTITY_REFERENCE,
	.list = docker_daemon_list,
	.open = docker_daemon_open,
	.close = docker_daemon_close,
	.get_manifest = docker_archive_get_manifest,
	.open_blob = docker_archive_open_blob,
	.prepare = docker_daemon_prepare,
	.offer_blob = docker_archive_offer_blob,
	.commit_blob = docker_archive_commit_blob,
	.put_manifest = docker_daemon_put_manifest,
};
