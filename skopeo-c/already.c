/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/already.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/memory.h"
#include "skopeo-c/copy_image.h"
#include "skopeo-c/trust.h"

#include <string.h>

void already_free(struct already *already)
{
	transport_close(&already->transport);
	json_decref(already->at_source);
	json_decref(already->at_destination);
	json_decref(already->descriptor);
	*already = (struct already){ 0 };
}

static json_t *told(struct transport *t)
{
	return t->class->told_manifest ? t->class->told_manifest(t) : NULL;
}

static bool asks(struct transport *t)
{
	return t->class->ask_manifest && t->class->ask_manifest(t);
}

/* ---- two registries ---- */

/* Whether it matters only which image it is, not what is in it. */
static bool is_opaque(const struct copy_request *request, const struct transport *from)
{
	return !request->is_new && !request->with_referrers && !request->conversion.format &&
	       request->conversion.layers == LAYERS_KEPT && request->progress->events_fd < 0 &&
	       (request->choice.which == PLAN_SYSTEM || request->choice.which == PLAN_ALL) &&
	       trust_is_indifferent(request->trust, from);
}

/* Of other manifests, schema 1, it is not known what becomes of them. */
static bool is_copied_as_it_is(const char *type)
{
	return strcmp(type, MANIFEST_OCI) == 0 || strcmp(type, MANIFEST_DOCKER) == 0 ||
	       layout_is_index_type(type);
}

static int take_descriptor(struct already *already, const struct copy_request *request,
			   struct transport *from, json_t *descriptor, struct error *err)
{
	int found = trust_finds_signatures(request->trust, from,
					   json_text(descriptor, "digest", ""), err);

	if (found == 0)
		already->descriptor = json_incref(descriptor);
	return found < 0 ? -1 : 0;
}

const char *already_digest(struct already *already, struct transport *to)
{
	if (!already->destination_is_told)
		already->at_destination = told(to);
	already->destination_is_told = true;
	return json_text(already->at_destination, "digest", "");
}

int already_ask(struct already *already, const struct copy_request *request, struct transport *from,
		struct transport *to, struct error *err)
{
	if (!asks(to) || !is_opaque(request, from) || !asks(from))
		return 0;
	/* where nothing is there, the other answer is not waited for */
	const char *there = already_digest(already, to);
	json_auto_t *wanted = there[0] ? told(from) : NULL;
	const char *type = json_text(wanted, "mediaType", "");

	if (layout_is_index_type(type) && request->choice.which == PLAN_SYSTEM) {
		already->chooses = true;
		return 0;
	}
	if (!is_copied_as_it_is(type) || !json_object_get(wanted, "size") ||
	    strcmp(json_text(wanted, "digest", ""), there) != 0)
		return 0;
	return take_descriptor(already, request, from, wanted, err);
}

int already_chosen(struct already *already, const struct copy_request *request,
		   struct transport *from, json_t *descriptor, struct error *err)
{
	if (take_descriptor(already, request, from, descriptor, err) < 0)
		return -1;
	already->chooses = false;
	return 0;
}

struct plan_known already_known(struct already *already)
{
	return (struct plan_known){
		.transport = already->transport.class ? &already->transport : NULL,
		.top = json_text(already->at_source, "digest", NULL),
		.image = already->chooses ? json_text(already->at_destination, "digest", NULL)
					  : NULL,
	};
}

/* ---- a destination on this machine ---- */

static bool can_be_read(const struct transport_class *class)
{
	return class == &transport_oci || class == &transport_store || class == &transport_dir;
}

void already_look(struct already *already, const struct copy_request *request,
		  struct transport *from)
{
	const char *name = request->destination;
	bool takes_name = strcmp(name, transport_store.prefix) == 0 && from->reference;
	cleanup_free char *full = takes_name ? xasprintf("%s%s", name, from->reference) : NULL;
	const struct transport_settings settings = { .cli = request->cli,
						     .blob_dir = request->destination_blob_dir };
	struct transport *known = &already->transport;
	cleanup_manifest struct manifest manifest = { 0 };
	struct error ignored;

	if (!from->class->ask_manifest || request->is_new || !can_be_read(transport_class_of(name)))
		return;
	if (transport_open(known, full ? full : name, &settings, &ignored) < 0 ||
	    known->class->get_manifest(known, NULL, &manifest, &ignored) < 0)
		transport_close(known);
	else if (asks(from))
		already->at_source = told(from);
}
