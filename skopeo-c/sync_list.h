/* SPDX-License-Identifier: Apache-2.0 */
/* What sync has to do: a list of images, each from one place to another. */
#pragma once
#include "lib/digest.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/tag_filter.h"

#include <jansson.h>
#include <stdbool.h>

struct cli;
struct http;

enum sync_type { SYNC_DOCKER, SYNC_DIR, SYNC_YAML };

/* How names become names at the destination; borrowed. */
struct sync_target {
	enum sync_type type; /* SYNC_DOCKER or SYNC_DIR */
	const char *place;   /* "registry.example/path", "/media/stick" */
	const char *suffix;  /* behind each name, or NULL */
	bool scoped;	     /* keep the source's whole name, not only its last part */
};

/* A source repository, or a directory, with what is wanted of it. */
struct sync_repository {
	char *name; /* "docker.io/library/busybox" */
	struct access access;
	bool is_whole;	   /* its tags were listed: what else is at the destination is extraneous */
	char *destination; /* "docker://HOST/REPOSITORY" or "dir:PATH", without a tag */
	struct error *failure; /* why its tags could not be listed, or NULL */
};

struct sync_item {
	size_t repository;	    /* its number */
	char *source, *destination; /* "docker://…", "dir:…" */
	enum { SYNC_WAITING, SYNC_UNCHANGED, SYNC_CHANGED, SYNC_COPIED, SYNC_FAILED } state;
	char digest[DIGEST_SIZE]; /* of the source once it is known, else "" */
	json_t *failure;	  /* the error object; owned; or NULL */
	enum error_kind kind;
};

struct sync_list {
	struct sync_repository *repositories;
	size_t repository_count;
	struct sync_item *items;
	size_t count;
	json_t *configuration; /* the YAML file, whose strings are borrowed; or NULL */
	bool keep_going;       /* a repository whose tags cannot be listed is noted */
};

/* How many failed, of which kind (1 where they are of several), and what the first one says. */
struct sync_failures {
	size_t count;
	enum error_kind kind;
	char first[256];
};

void sync_note_failure(struct sync_failures *failures, enum error_kind kind, const char *message);

void sync_list_free(struct sync_list *list);
#define cleanup_sync_list __attribute__((cleanup(sync_list_free)))

/* Add "NAME[:TAG][@DIGEST]" of a registry; without either all tags that the filter wants. */
int sync_list_add(struct sync_list *list, const char *reference, const struct tag_filter *filter,
		  const struct access *access, const struct sync_target *target, struct http *http,
		  struct error *err);

/* Take the items from number `first` on out again whose tags the filter does not want. */
void sync_list_reduce(struct sync_list *list, size_t first, const struct tag_filter *filter);

/* Drop the items from number `count` on. */
void sync_list_cut(struct sync_list *list, size_t count);

/* Each image once; two that would become one are ERROR_USAGE. */
int sync_list_unify(struct sync_list *list, struct error *err);

/* Add the dir: images at and below a directory. */
int sync_list_add_dir(struct sync_list *list, const char *path, const struct tag_filter *filter,
		      const struct sync_target *target, struct error *err);

/* Add what a YAML file (skopeo-sync(1)) says. The filter counts for all of its repositories. */
int sync_list_add_yaml(struct sync_list *list, const char *path, const struct tag_filter *filter,
		       const struct access *access, const struct sync_target *target,
		       struct http *http, struct error *err);
