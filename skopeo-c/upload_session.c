/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/upload_session.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/unfinished.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOTE_MAX = 16 << 10 /* bytes */ };

static int open_directory(const char *runroot)
{
	cleanup_free char *path = xasprintf("%s/uploads", runroot);
	struct error ignored; /* without notes uploads begin at the beginning */

	if (path_make_dirs(runroot, 0755, &ignored) < 0 || path_make_dirs(path, 0700, &ignored) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void read_note(struct upload_session *session)
{
	struct error ignored; /* one that is no good is none */
	size_t length = 0;
	cleanup_free char *text =
		file_read_fd(session->fd, NOTE_MAX, &length, session->name, &ignored);
	json_auto_t *note =
		text && length > 0 ? json_parse(text, length, session->name, &ignored) : NULL;
	const char *url = json_text(note, "url", NULL);

	if (!url)
		return;
	session->url = xstrdup(url);
	session->part_size = json_integer_value(json_object_get(note, "partSize"));
}

struct upload_session *upload_session_open(const char *runroot, const char *repository,
					   const char *digest)
{
	cleanup_free char *what = xasprintf("%s@%s", repository, digest);
	cleanup_fd int dir_fd = open_directory(runroot);
	struct upload_session found = { 0 };
	char key[DIGEST_SIZE];

	if (dir_fd < 0)
		return NULL;
	unfinished_sweep(dir_fd);
	digest_of(what, strlen(what), "sha256", key);
	found.fd = partial_open(dir_fd, key, found.name);
	if (found.fd < 0)
		return NULL;
	found.dir_fd = steal_fd(&dir_fd);
	read_note(&found);
	struct upload_session *session = xcalloc(1, sizeof *session);
	*session = found;
	return session;
}

void upload_session_note(struct upload_session *session, const char *url, json_int_t part_size)
{
	struct error ignored;

	if (!session)
		return;
	json_auto_t *note = json_pack("{s:s, s:I}", "url", url, "partSize", part_size);
	cleanup_free char *text = json_compact(note);
	free(session->url);
	session->url = xstrdup(url);
	session->part_size = part_size;
	/* a kill in between leaves an empty note, which is none */
	if (ftruncate(session->fd, 0) == 0 && lseek(session->fd, 0, SEEK_SET) == 0)
		(void)file_write_fd(session->fd, text, strlen(text), session->name, &ignored);
}

void upload_session_forget(struct upload_session *session)
{
	if (!session)
		return;
	free(session->url);
	session->url = NULL;
	(void)!ftruncate(session->fd, 0);
}

void upload_session_free(struct upload_session *session)
{
	if (!session)
		return;
	/* before its lock goes with the descriptor */
	if (!session->url)
		unlinkat(session->dir_fd, session->name, 0);
	close(session->fd);
	close(session->dir_fd);
	free(session->url);
	free(session);
}
