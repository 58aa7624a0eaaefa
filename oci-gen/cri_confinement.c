/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp, AppArmor and SELinux as a security context of CRI asks for them. */
#include "lib/apparmor.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"
#include "oci-gen/selinux.h"

#include <string.h>

/* A SecurityProfile as it is meant; text borrowed from the document. */
struct profile {
	enum { PROFILE_NONE, PROFILE_DEFAULT, PROFILE_UNCONFINED, PROFILE_LOCALHOST } type;
	const char *name; /* of PROFILE_LOCALHOST */
};

/* The message at `key`, or where there is none, the text that older kubelets write at `old_key`. */
static int read_profile(const json_t *context, const char *key, const char *old_key,
			struct profile *profile, struct error *err)
{
	static const char localhost[] = "localhost/";
	const json_t *message = json_object_get(context, key);
	const char *type = json_text(message, "profileType", "RuntimeDefault");
	const char *old = json_text(context, old_key, "");
	const char *name = json_text(message, "localhostRef", "");

	*profile = (struct profile){ 0 };
	/* some clients carry the old text's prefix over */
	if (strncmp(name, localhost, strlen(localhost)) == 0)
		name += strlen(localhost);
	if (message && strcmp(type, "Localhost") == 0)
		*profile = (struct profile){ PROFILE_LOCALHOST, name };
	else if (message)
		profile->type =
			strcmp(type, "Unconfined") == 0 ? PROFILE_UNCONFINED : PROFILE_DEFAULT;
	else if (strncmp(old, localhost, strlen(localhost)) == 0)
		*profile = (struct profile){ PROFILE_LOCALHOST, old + strlen(localhost) };
	else if (strcmp(old, "runtime/default") == 0 || strcmp(old, "docker/default") == 0)
		profile->type = PROFILE_DEFAULT;
	else if (strcmp(old, "unconfined") == 0)
		profile->type = PROFILE_UNCONFINED;
	else if (*old)
		return error_set(err, ERROR_INTEGRITY, "the document's %s \"%s\" is not a profile",
				 old_key, old);
	if (profile->type == PROFILE_LOCALHOST && !*profile->name)
		return error_set(err, ERROR_INTEGRITY, "the document's %s names no profile", key);
	return 0;
}

/* Nothing asked for is unconfined, as kubelets mean it; a privileged container is in any case. */
static int apply_seccomp(struct generation *g, const json_t *context, bool privileged,
			 struct error *err)
{
	struct profile profile;

	if (read_profile(context, "seccomp", "seccompProfilePath", &profile, err) < 0)
		return -1;
	if (privileged || profile.type == PROFILE_UNCONFINED || profile.type == PROFILE_NONE)
		g->seccomp = "unconfined";
	else if (profile.type != PROFILE_LOCALHOST)
		g->seccomp = "default";
	else if (profile.name[0] == '/')
		g->seccomp = profile.name;
	else
		return error_set(err, ERROR_INTEGRITY,
				 "the document's seccomp.localhostRef is not an absolute path");
	return 0;
}

/* What nobody has asked for is not missed where none is loaded. */
static int apply_apparmor_default(struct generation *g, bool asked_for, struct error *err)
{
	const char *name = apparmor_default();

	if (name)
		pointer_set(g->config, "/process/apparmorProfile", json_string(name));
	if (name || !asked_for)
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "no default AppArmor profile is loaded");
	return error_hint(err, "load one: oci-gen apparmor | apparmor_parser --replace");
}

static int apply_apparmor_named(struct generation *g, const char *name, struct error *err)
{
	if (!apparmor_enabled())
		return error_set(err, ERROR_UNSUPPORTED,
				 "AppArmor profile \"%s\" is asked for, but this kernel has no "
				 "AppArmor",
				 name);
	if (apparmor_presence(name) == APPARMOR_ABSENT) {
		error_set(err, ERROR_NOT_FOUND, "no AppArmor profile \"%s\" is loaded", name);
		return error_hint(err, "load it: apparmor_parser --replace FILE");
	}
	pointer_set(g->config, "/process/apparmorProfile", json_string(name));
	return 0;
}

/* Without AppArmor in the kernel there is nothing that a default profile could forbid, but one that
 * was named would be missed. A privileged container has only one that was named. */
static int apply_apparmor(struct generation *g, const json_t *context, bool privileged,
			  struct error *err)
{
	struct profile profile;

	if (read_profile(context, "apparmor", "apparmorProfile", &profile, err) < 0)
		return -1;
	if (profile.type == PROFILE_LOCALHOST)
		return apply_apparmor_named(g, profile.name, err);
	if (!apparmor_enabled())
		return 0;
	if (profile.type == PROFILE_UNCONFINED)
		pointer_set(g->config, "/process/apparmorProfile", json_string("unconfined"));
	else if (!privileged)
		return apply_apparmor_default(g, profile.type == PROFILE_DEFAULT, err);
	return 0;
}

/* Labels mean something only where SELinux is on; there every container has some. A privileged one
 * is not confined, and its mounts keep their labels. */
static void apply_selinux(struct generation *g, const json_t *cri, const json_t *context,
			  bool privileged)
{
	const json_t *options = json_object_get(context, "selinuxOptions");
	const json_t *metadata = json_path(cri, "pod", "metadata", NULL);
	cleanup_free char *process = NULL, *file = NULL;

	if (!selinux_enabled()) {
		if (json_object_size(options) > 0)
			log_message(LOG_LEVEL_WARN,
				    "selinuxOptions have no effect: SELinux is off on this host");
		return;
	}
	if (json_object_size(options) == 0)
		options = json_path(cri, "pod", "linux", "securityContext", "selinuxOptions", NULL);
	selinux_labels(options, json_text(metadata, "uid", json_text(metadata, "name", "")),
		       privileged, &process, &file);
	pointer_set(g->config, "/process/selinuxLabel", json_string(process));
	if (!privileged)
		pointer_set(g->config, "/linux/mountLabel", json_string(file));
}

int cri_apply_confinement(struct generation *g, const json_t *cri, const json_t *context,
			  struct error *err)
{
	bool privileged = json_flag(context, "privileged");

	apply_selinux(g, cri, context, privileged);
	if (apply_seccomp(g, context, privileged, err) < 0)
		return -1;
	return apply_apparmor(g, context, privileged, err);
}
