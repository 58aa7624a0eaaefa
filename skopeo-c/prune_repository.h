/* SPDX-License-Identifier: Apache-2.0 */
/* A repository of a registry, of which tags are deleted as a plan says. */
#pragma once
#include "skopeo-c/prune_plan.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/transport.h"

struct prune_repository {
	char *name;		  /* "docker.io/library/nginx" */
	const char *registries_d; /* where signatures are, instead of the usual; or NULL */
	struct registry registry;
	struct transport from; /* the same, for its manifests */
	struct tags tags;      /* whose text the plan borrows */
	struct prune_plan plan;
	bool has_no_tag_deletes; /* the registry has refused one */
	json_t *gone;		 /* the manifests that were deleted: an object's keys */
};

enum prune_outcome {
	PRUNE_FAILED = -1,
	PRUNE_DELETED,	/* the tag and, now or by garbage collection, its manifest */
	PRUNE_UNTAGGED, /* the manifest is needed */
	PRUNE_KEPT	/* it is needed, and the registry deletes no tag alone */
};

/* Like a destination: the registry itself, whatever mirrors there are. */
int prune_repository_open(struct prune_repository *repository, const char *name,
			  const struct transport_settings *settings, struct error *err);
void prune_repository_close(struct prune_repository *repository);
#define cleanup_prune_repository __attribute__((cleanup(prune_repository_close)))

/* Read all that the plan needs, and make it. ERROR_NOT_FOUND where there is no such repository. */
int prune_repository_plan(struct prune_repository *repository, const struct prune_rules *rules,
			  struct error *err);

/* With a manifest go its signatures. */
enum prune_outcome prune_repository_delete(struct prune_repository *repository,
					   const struct prune_tag *tag, struct error *err);
