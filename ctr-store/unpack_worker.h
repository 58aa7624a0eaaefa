/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process of ctr-store-unpack, which writes one layer's files. It alone parses archives, and
 * is confined; what it says is checked here. The protocol stands at the head of worker/main.c.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { WORKER_SAYS_MAX = 64 << 10 };

/* What it has said on one of its outputs. */
struct worker_output {
	int fd; /* -1 after its end */
	char *text;
	size_t length;
};

struct unpack_worker {
	pid_t pid;  /* 0: none */
	int socket; /* its stdin */
	struct worker_output out, err;
	json_t *report; /* counts when it has ended well */
};

#define UNPACK_WORKER_NONE                                                                         \
	(struct unpack_worker)                                                                     \
	{                                                                                          \
		.socket = -1, .out = { .fd = -1 }, .err = {.fd = -1 }                              \
	}

struct unpack_task {
	int blob_fd, diff_fd;
	json_int_t blob_size; /* the bytes that the blob's file is going to have; 0: it has them */
	int image_fd; /* an empty file for an EROFS image, then diff_fd stays empty; <= 0: none */
	const char *blob_digest, *diff_id; /* NULL: not asked for; diff_id only with an image */
	bool user_namespace, one_user;	   /* see user_namespace.h */
	bool lose_writes;		   /* what becomes of it need not outlive a crash */
	bool only_check;		   /* diff_id may be NULL: the report tells it */
};

int unpack_worker_start(const struct unpack_task *task, struct unpack_worker *worker,
			struct error *err);

enum worker_news { WORKER_NOTHING, WORKER_NEEDS_LOWER, WORKER_DONE };

/* Read what it has said, when poll() tells that there is something; never blocks. With WORKER_DONE,
 * *result is its report {"entries","size","leans","root"}, which the caller owns. Its own failure
 * is our error. */
int unpack_worker_read(struct unpack_worker *worker, enum worker_news *news, json_t **result,
		       struct error *err);

/* Answer WORKER_NEEDS_LOWER with a directory that shows the layers beneath; -1 for the lowest. */
int unpack_worker_give_lower(struct unpack_worker *worker, int lower_fd, struct error *err);

/* Wait until it has ended, and return its report, which the caller owns. It must need no lower
 * layers. */
json_t *unpack_worker_wait(struct unpack_worker *worker, struct error *err);

/* Start, wait until it has ended, and return its report, which the caller owns. For a task that
 * needs no lower layers. */
json_t *unpack_worker_run(const struct unpack_task *task, struct error *err);

/* Kill it if it lives, and reap it. */
void unpack_worker_end(struct unpack_worker *worker);
