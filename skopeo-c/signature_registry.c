/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/signature_registry.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "lib/reference.h"
#include "skopeo-c/docker.h"
#include "skopeo-c/lookaside.h"
#include "skopeo-c/signature.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

/* What the image is called where it is read: signatures are kept beside a mirror as beside any
 * other registry. Whether they are good for the name that was asked for is the policy's question.
 */
static int reference_there(const struct transport *t, struct reference *reference,
			   struct error *err)
{
	const struct registry *registry = docker_registry(t);

	if (!registry)
		return error_set(err, ERROR_FAILED,
				 "%s: it is not known yet which mirror has the image", t->name);
	if (reference_parse(t->reference, reference, err) < 0)
		return -1;
	free(reference->registry);
	free(reference->repository);
	reference->registry = xstrdup(registry->name);
	reference->repository = xstrdup(registry->repository);
	return 0;
}

/* What registries.d says, and the name by which it says that. */
static int look_up(const struct transport *t, struct reference *reference,
		   struct lookaside *lookaside, struct error *err)
{
	return reference_there(t, reference, err) < 0
		       ? -1
		       : lookaside_find(t->registries_d, reference, lookaside, err);
}

int signature_registry_rules(const struct transport *t, struct signature_rules *rules,
			     struct error *err)
{
	cleanup_lookaside struct lookaside lookaside = { 0 };
	cleanup_reference struct reference reference = { 0 };

	if (look_up(t, &reference, &lookaside, err) < 0)
		return -1;
	rules->attachments = lookaside.attachments;
	rules->accept_unnamed = lookaside.accept_unnamed;
	return 0;
}

/* ---- OpenShift's extension ---- */

enum { EXTENSION_VERSION = 2 };

static char *extension_path(const struct registry *registry, const char *digest)
{
	return xasprintf("/extensions/v2/%s/signatures/%s", registry->repository, digest);
}

static int add_extension(const json_t *item, struct signatures *signatures, struct error *err)
{
	const char *text = json_text(item, "content", "");
	size_t length = strlen(text);

	if (strcmp(json_text(item, "type", ""), "atomic") != 0 ||
	    json_integer_value(json_object_get(item, "schemaVersion")) != EXTENSION_VERSION)
		return 0;
	cleanup_signature struct signature signature = { .kind = SIGNATURE_SIMPLE };
	signature.data = xcalloc(1, length / 4 * 3 + 4);
	ssize_t got = base64_decode(text, length, (unsigned char *)signature.data);
	if (got < 0)
		return error_set(err, ERROR_INTEGRITY, "a signature is not base64");
	signature.length = (size_t)got;
	return signatures_add(signatures, &signature, err);
}

static int get_extension(struct transport *t, const char *digest, struct signatures *signatures,
			 struct error *err)
{
	struct registry *registry = docker_registry(t);
	cleanup_registry_call struct registry_call call = { 0 };
	const json_t *item;
	size_t i;

	registry_call_init(&call, registry, "GET", extension_path(registry, digest));
	if (registry_call_run(&call, err) < 0)
		return -1;
	/* the image is not there yet */
	if (call.request.status == 404)
		return 0;
	if (call.request.status != 200)
		return registry_refused(&call, "signatures", err);
	json_auto_t *answer = json_parse(call.request.answer ? call.request.answer : "",
					 call.request.answer_length, "signatures", err);
	if (!answer)
		return -1;
	json_array_foreach (json_object_get(answer, "signatures"), i, item) {
		if (add_extension(item, signatures, err) < 0)
			return -1;
	}
	return 0;
}

static int put_extension_one(struct registry *registry, const char *digest,
			     const struct signature *signature, struct error *err)
{
	char unique[RANDOM_NAME_SIZE], more[RANDOM_NAME_SIZE];
	cleanup_registry_call struct registry_call call = { 0 };
	cleanup_free char *content = base64_encode(signature->data, signature->length);

	random_name(unique);
	random_name(more);
	cleanup_free char *name = xasprintf("%s@%s%s", digest, unique, more);
	json_auto_t *body = json_pack("{s:i, s:s, s:s, s:s}", "schemaVersion", EXTENSION_VERSION,
				      "name", name, "type", "atomic", "content", content);
	registry_call_init(&call, registry, "PUT", extension_path(registry, digest));
	strings_add(&call.request.headers, "Content-Type: application/json");
	call.request.body = json_compact(body);
	call.request.body_length = strlen(call.request.body);
	if (registry_call_run(&call, err) < 0)
		return -1;
	return call.request.status == 201 ? 0 : registry_refused(&call, "a signature", err);
}

/* The registry keeps signatures with the image, so the image must be there before them: under its
 * digest, which nobody asks for yet. */
static int put_extension(struct transport *t, const struct manifest *manifest,
			 const struct signatures *signatures, struct error *err)
{
	cleanup_signatures struct signatures present = { 0 };

	if (t->class->put_manifest(t, manifest, false, err) < 0 ||
	    get_extension(t, manifest->digest, &present, err) < 0)
		return -1;
	for (size_t i = 0; i < signatures->count; i++) {
		const struct signature *signature = &signatures->items[i];

		if (signature->kind == SIGNATURE_SIMPLE && !signatures_have(&present, signature) &&
		    put_extension_one(docker_registry(t), manifest->digest, signature, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- all places ---- */

int signature_registry_get(struct transport *t, const struct manifest *manifest, bool bundles,
			   struct signatures *signatures, struct error *err)
{
	cleanup_lookaside struct lookaside lookaside = { 0 };
	cleanup_reference struct reference reference = { 0 };
	const char *digest = manifest->digest;

	if (look_up(t, &reference, &lookaside, err) < 0)
		return -1;
	if (docker_registry(t)->keeps_signatures) {
		if (get_extension(t, digest, signatures, err) < 0)
			return error_prefix(err, "%s", t->name);
	} else if (lookaside_read(&lookaside, &reference, digest, docker_registry(t), signatures,
				  err) < 0) {
		return error_prefix(err, "%s", t->name);
	}
	if (!lookaside.attachments)
		return 0;
	if (sigstore_attachment_get(t, digest, signatures, err) < 0)
		return -1;
	return bundles ? sigstore_referrers_get(t, digest, signatures, err) : 0;
}

int signature_registry_get_staged(const struct transport *t, const char *digest,
				  struct signatures *signatures, struct error *err)
{
	cleanup_lookaside struct lookaside lookaside = { 0 };
	cleanup_reference struct reference reference = { 0 };

	if (look_up(t, &reference, &lookaside, err) < 0)
		return -1;
	if (docker_registry(t)->keeps_signatures ||
	    lookaside_read_staged(&lookaside, &reference, digest, signatures, err) == 0)
		return 0;
	return error_prefix(err, "%s", t->name);
}

static int check_attachments(const struct transport *t, const struct lookaside *lookaside,
			     struct error *err)
{
	if (lookaside->attachments)
		return 0;
	error_set(err, ERROR_DENIED, "%s: sigstore signatures are not allowed in this registry",
		  t->name);
	return error_hint(err, "use-sigstore-attachments: true in registries.d allows them");
}

int signature_registry_check(const struct transport *t, const char *digest,
			     struct signature_kinds kinds, struct error *err)
{
	cleanup_lookaside struct lookaside lookaside = { 0 };
	cleanup_reference struct reference reference = { 0 };
	const struct registry *registry = docker_registry(t);

	if (!kinds.simple && !kinds.attachments)
		return 0;
	if (look_up(t, &reference, &lookaside, err) < 0 ||
	    (kinds.attachments && check_attachments(t, &lookaside, err) < 0))
		return -1;
	/* it may turn out to keep them itself */
	if (!kinds.simple || !registry->has_answered || registry->keeps_signatures ||
	    lookaside_check_write(&lookaside, &reference, digest, err) == 0)
		return 0;
	return error_prefix(err, "%s", t->name);
}

int signature_registry_put(struct transport *t, const struct manifest *manifest, bool is_top,
			   const struct signatures *signatures, struct error *err)
{
	cleanup_lookaside struct lookaside lookaside = { 0 };
	cleanup_reference struct reference reference = { 0 };

	(void)is_top;
	if (look_up(t, &reference, &lookaside, err) < 0)
		return -1;
	if (signatures_have_kind(signatures, SIGNATURE_ATTACHMENT) &&
	    (check_attachments(t, &lookaside, err) < 0 ||
	     sigstore_attachment_put(t, manifest->digest, signatures, err) < 0))
		return -1;
	if (!signatures_have_kind(signatures, SIGNATURE_SIMPLE))
		return 0;
	int status = docker_registry(t)->keeps_signatures
			     ? put_extension(t, manifest, signatures, err)
			     : lookaside_write(&lookaside, &reference, manifest->digest, signatures,
					       err);
	return status < 0 ? error_prefix(err, "%s", t->name) : 0;
}

void signature_registry_forget(const struct registry *registry, const char *registries_d,
			       const char *name, const char *digest)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_lookaside struct lookaside lookaside = { 0 };
	struct error problem = { 0 };

	/* with the manifest go those that the registry keeps itself */
	if (registry->keeps_signatures)
		return;
	if (reference_parse(name, &reference, &problem) < 0 ||
	    lookaside_find(registries_d, &reference, &lookaside, &problem) < 0 ||
	    lookaside_delete(&lookaside, &reference, digest, &problem) < 0)
		log_message(LOG_LEVEL_WARN, "%s: its signatures are not deleted: %s", name,
			    problem.message);
}
