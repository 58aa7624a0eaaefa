/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/transport.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/registries.h"

#include <stdlib.h>
#include <string.h>

static const struct transport_class *const classes[] = {
	&transport_docker,
	&transport_oci,
	&transport_dir,
	&transport_tarball,
	&transport_store,
	&transport_oci_archive,
	&transport_docker_archive,
	&transport_docker_daemon,
	&transport_containers_storage,
	NULL,
};

const struct transport_class *transport_class_of(const char *name)
{
	for (size_t i = 0; classes[i]; i++)
		if (strncmp(name, classes[i]->prefix, strlen(classes[i]->prefix)) == 0)
			return classes[i];
	return NULL;
}

static bool can_be(const struct transport_class *class, const char *called)
{
	if (strcmp(called, "DESTINATION") == 0)
		return class->put_manifest;
	if (strcmp(called, "PLACE") == 0)
		return class->list || class == &transport_docker;
	return true;
}

bool transport_offer(const struct cli *cli, const char *called, const char *word)
{
	const struct transport_class *begun = transport_class_of(word);

	for (size_t i = 0; !begun && classes[i]; i++)
		if (can_be(classes[i], called))
			cli_offer_beginning(classes[i]->prefix);
	if (begun == &transport_store)
		cli_offer_names(cli, "ctr-store", "images", begun->prefix);
	else if (begun && begun->identity != IDENTITY_REFERENCE)
		cli_offer_files();
	return true;
}

bool transport_names_registry(const char *name)
{
	const struct transport_class *class = transport_class_of(name);

	return !class || class == &transport_docker;
}

static int no_transport(const char *name, struct error *err)
{
	error_set(err, ERROR_USAGE, "\"%s\" does not begin with a transport", name);
	error_subject(err, name);
	return error_hint(err, "docker://NAME, oci:PATH[:REF], dir:PATH, docker-archive:PATH, "
			       "oci-archive:PATH, store:NAME, ...; see skopeo-c(1)");
}

static int open_class(struct transport *t, const struct transport_class *class, const char *rest,
		      const struct transport_settings *settings, struct error *err)
{
	t->class = class;
	t->registries_d = settings->registries_d;
	return class->open(t, rest, settings, err);
}

/* Of several names the first that there is an image of. */
static int open_first(struct transport *t, const struct strings *names,
		      const struct transport_settings *settings, struct error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		cleanup_manifest struct manifest manifest = { 0 };

		log_message(LOG_LEVEL_INFO, "trying %s", names->items[i]);
		if (open_class(t, &transport_docker, names->items[i], settings, err) == 0 &&
		    (names->count == 1 || t->class->get_manifest(t, NULL, &manifest, err) == 0))
			return 0;
		if (i + 1 == names->count || cli_interrupted())
			break;
		log_message(LOG_LEVEL_INFO, "%s", err->message);
		transport_close(t);
	}
	return -1;
}

/* What is no short name with a tag: a slip, or the transport of another program. */
static int refuse_prefix(const char *name, struct error *err)
{
	static const char *const foreign[] = { "atomic:", "ostree:", "sif:" };

	if (strncmp(name, "docker:", strlen("docker:")) == 0) {
		error_set(err, ERROR_USAGE, "\"%s\" lacks the // of docker://", name);
		return error_subject(err, name);
	}
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		if (strncmp(name, foreign[i], strlen(foreign[i])) == 0) {
			error_set(err, ERROR_UNSUPPORTED, "the transport %s is not supported",
				  foreign[i]);
			return error_subject(err, name);
		}
	}
	return 0;
}

static int open_bare(struct transport *t, const char *name,
		     const struct transport_settings *settings, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_strings struct strings names = { 0 };
	struct error ignored;

	if (refuse_prefix(name, err) < 0)
		return -1;
	/* a path, or a mistake */
	if (reference_parse(name, &reference, &ignored) < 0)
		return no_transport(name, err);
	if (registries_expand(name, &names, err) < 0)
		return -1;
	return open_first(t, &names, settings, err);
}

int transport_check_destination(const char *name, struct error *err)
{
	const struct transport_class *class = transport_class_of(name);

	if (!class)
		return refuse_prefix(name, err) < 0 ? -1 : no_transport(name, err);
	if (!class->put_manifest)
		return error_set(err, ERROR_USAGE, "%s can only be a source", class->prefix);
	return 0;
}

int transport_open(struct transport *t, const char *name, const struct transport_settings *settings,
		   struct error *err)
{
	const struct transport_class *class = transport_class_of(name);

	if (settings->is_destination && transport_check_destination(name, err) < 0)
		return -1;
	if (!class)
		return open_bare(t, name, settings, err);
	return open_class(t, class, name + strlen(class->prefix), settings, err);
}

int transport_list(const char *name, const struct transport_settings *settings, json_t *names,
		   struct error *err)
{
	const struct transport_class *class = transport_class_of(name);

	if (!class)
		return no_transport(name, err);
	if (!class->list)
		return error_set(err, ERROR_UNSUPPORTED, "there are no tags at %s", class->prefix);
	return class->list(name + strlen(class->prefix), settings, names, err);
}

void transport_close(struct transport *t)
{
	if (t->class && t->state)
		t->class->close(t);
	free(t->name);
	free(t->reference);
	free(t->path);
	*t = (struct transport){ 0 };
}
