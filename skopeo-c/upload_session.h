/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an upload of a blob stands at a registry, noted in RUNROOT/uploads so that a later process
 * can go on with it: the URL that the registry has given for it, which only the user may read, for
 * a day. As files the notes are partial ones (lib/partial.h), each of which a process holds.
 */
#pragma once
#include "lib/partial.h"

#include <jansson.h>

struct upload_session {
	int dir_fd, fd;
	char name[PARTIAL_NAME_SIZE];
	char *url;	      /* NULL where there is none */
	json_int_t part_size; /* bytes, the least that the registry takes at once */
};

/* The note of a blob's upload to "REGISTRY/REPOSITORY", with the URL of an earlier process where
 * there is one. NULL where another process works on it or nothing can be noted. */
struct upload_session *upload_session_open(const char *runroot, const char *repository,
					   const char *digest);

/* Note where the upload goes on. These three accept NULL. */
void upload_session_note(struct upload_session *session, const char *url, json_int_t part_size);
/* The upload is at its end, or cannot be gone on with. */
void upload_session_forget(struct upload_session *session);
/* Leave it to a later process, but for one that was forgotten. */
void upload_session_free(struct upload_session *session);
