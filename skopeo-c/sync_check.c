/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync_check.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/tag_survey.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCKER_PREFIX = sizeof "docker://" - 1, DIR_PREFIX = sizeof "dir:" - 1 };

/* The part of a reference behind the repository: its digest, or its tag. The caller frees it. */
static char *wanted_of(const char *text)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if (reference_parse(text, &reference, &ignored) < 0)
		return xstrdup("latest");
	reference_default_tag(&reference);
	return xstrdup(reference.digest ? reference.digest : reference.tag);
}

/* ---- one question ---- */

/* A registry that was asked before, for one repository and one side. */
struct place {
	char *name; /* of the repository; NULL where it cannot be asked */
	bool is_destination, is_open;
	struct registry registry;
};

struct places {
	struct place **items; /* calls borrow the registries */
	size_t count;
};

struct question {
	struct registry_call call;
	bool is_destination, is_asked;
	const char *expected;	  /* a digest, or NULL */
	char digest[DIGEST_SIZE]; /* the answer, or "" */
};

struct probe {
	struct sync_item *item; /* NULL: idle */
	bool compares;		/* the source has answered, and the destination is asked */
	struct question source, destination;
};

struct check {
	struct sync_list *list;
	const struct access *destination;
	struct http *http;
	struct places places;
	size_t next, end;
};

static struct place *find_place(struct check *check, const struct sync_item *item,
				bool is_destination)
{
	struct places *places = &check->places;
	const struct sync_repository *repository = &check->list->repositories[item->repository];
	cleanup_reference struct reference reference = { 0 };
	const char *text = (is_destination ? item->destination : item->source) + DOCKER_PREFIX;
	struct error ignored;

	if (reference_parse(text, &reference, &ignored) < 0)
		return NULL;
	cleanup_free char *name = reference_name(&reference);
	for (size_t i = 0; i < places->count; i++)
		if (places->items[i]->is_destination == is_destination &&
		    strcmp(places->items[i]->name, name) == 0)
			return places->items[i];
	struct place *place = xcalloc(1, sizeof *place);
	place->name = xstrdup(name);
	place->is_destination = is_destination;
	place->is_open =
		registry_open_named(check->http,
				    is_destination ? check->destination : &repository->access, text,
				    is_destination, is_destination ? "pull,push" : "pull",
				    &place->registry, &ignored) == 0;
	places->items = xgrow(places->items, places->count, sizeof(void *));
	places->items[places->count++] = place;
	return place;
}

static void free_places(struct places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		if (places->items[i]->is_open)
			registry_close(&places->items[i]->registry);
		free(places->items[i]->name);
		free(places->items[i]);
	}
	free(places->items);
}

/* The digest of the manifest that a dir: image has, "" where there is none. */
static void look_at_dir(const char *path, char digest[static DIGEST_SIZE])
{
	cleanup_free char *manifest = xasprintf("%s/manifest.json", path);
	cleanup_fd int fd = open(manifest, O_RDONLY | O_CLOEXEC);
	struct error ignored;
	size_t length;
	cleanup_free char *bytes =
		fd < 0 ? NULL : file_read_fd(fd, MANIFEST_MAX, &length, path, &ignored);

	if (bytes)
		digest_of(bytes, length, "sha256", digest);
}

static void ask(struct check *check, const struct sync_item *item, struct question *question)
{
	const char *name = question->is_destination ? item->destination : item->source;

	if (strncmp(name, "dir:", DIR_PREFIX) == 0) {
		look_at_dir(name + DIR_PREFIX, question->digest);
		return;
	}
	struct place *place = find_place(check, item, question->is_destination);
	if (!place || !place->is_open)
		return;
	cleanup_free char *wanted = wanted_of(name + DOCKER_PREFIX);
	tag_survey_call(&question->call, &place->registry, "HEAD", wanted);
	/* RFC 9110 13.1.2: a registry need not even read the manifest to say that it is that one */
	if (question->expected)
		strings_addf(&question->call.request.headers, "If-None-Match: \"%s\"",
			     question->expected);
	registry_call_start(&question->call);
	question->is_asked = true;
}

/* True when there is nothing more to wait for. */
static bool is_answered(struct question *question)
{
	struct error ignored;

	if (!question->is_asked)
		return true;
	int status = registry_call_poll(&question->call, &ignored);
	if (status == 0)
		return false;
	const struct http_request *answer = &question->call.request;
	const char *digest = NULL;
	if (status > 0 && answer->status == 200)
		digest = http_header(answer, "docker-content-digest", 0);
	else if (status > 0 && answer->status == 304)
		digest = question->expected;
	if (digest && digest_is_valid(digest))
		snprintf(question->digest, sizeof question->digest, "%s", digest);
	registry_call_free(&question->call);
	question->is_asked = false;
	return true;
}

/* ---- all of them ---- */

static void begin(struct check *check, struct probe *probe)
{
	*probe = (struct probe){ .destination.is_destination = true };
	if (check->next == check->end)
		return;
	probe->item = &check->list->items[check->next++];
	ask(check, probe->item, &probe->source);
}

/* True where the item is judged. */
static bool judge(struct check *check, struct probe *probe)
{
	struct sync_item *item = probe->item;

	if (!is_answered(&probe->source))
		return false;
	if (!probe->compares && probe->source.digest[0]) {
		probe->destination.expected = probe->source.digest;
		ask(check, item, &probe->destination);
	}
	probe->compares = true;
	if (!is_answered(&probe->destination))
		return false;
	memcpy(item->digest, probe->source.digest, sizeof item->digest);
	item->state = item->digest[0] && strcmp(item->digest, probe->destination.digest) == 0
			      ? SYNC_UNCHANGED
			      : SYNC_CHANGED;
	return true;
}

static int run(struct check *check, struct probe *probes, size_t parallel, struct error *err)
{
	for (;;) {
		bool waits = false;

		for (size_t i = 0; i < parallel; i++) {
			/* what is answered at once, in directories, needs no pumping */
			while (probes[i].item && judge(check, &probes[i]))
				begin(check, &probes[i]);
			waits = waits || probes[i].item;
		}
		if (!waits)
			return 0;
		if (check->http && http_pump(check->http, HTTP_POLL_MS, err) < 0)
			return -1;
	}
}

int sync_check(struct sync_list *list, const struct access *destination, struct http *http,
	       size_t parallel, struct error *err)
{
	struct check check = { .list = list, .destination = destination, .http = http };
	struct probe *probes = xcalloc(parallel, sizeof *probes);

	/* the first alone: how to speak to the registries, and who we are, is found out once */
	check.end = list->count > 0;
	begin(&check, &probes[0]);
	int status = run(&check, probes, 1, err);
	check.end = list->count;
	for (size_t i = 0; i < parallel && status == 0; i++)
		begin(&check, &probes[i]);
	if (status == 0)
		status = run(&check, probes, parallel, err);
	for (size_t i = 0; i < parallel; i++) {
		registry_call_free(&probes[i].source.call);
		registry_call_free(&probes[i].destination.call);
	}
	free(probes);
	free_places(&check.places);
	return status;
}
