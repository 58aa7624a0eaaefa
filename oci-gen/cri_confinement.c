/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp, AppArmor and SELinux as a security context of CRI asks for them. */
#include "oci-gen/cri.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"
#include "oci-gen/selinux.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PROFILES_MAX = 1 << 20 }; /* bytes of the list of loaded AppArmor profiles */

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

	*profile = (struct profile){ 0 };
	if (message && strcmp(type, "Localhost") == 0)
		*profile = (struct profile){ PROFILE_LOCALHOST,
					     json_text(message, "localhostRef", "") };
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

/* Nothing asked for is unconfined, as kubelets mean it; a privileged container is in any case, and
 * a pause container has no need to be. */
static int apply_seccomp(struct generation *g, const json_t *context, bool pause, bool privileged,
			 struct error *err)
{
	struct profile profile;

	if (read_profile(context, "seccomp", "seccompProfilePath", &profile, err) < 0)
		return -1;
	if (privileged || profile.type == PROFILE_UNCONFINED ||
	    (profile.type == PROFILE_NONE && !pause))
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

static bool apparmor_enabled(void)
{
	char state = 'N';
	cleanup_fd int fd =
		open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd >= 0 && read(fd, &state, 1) == 1 && state == 'Y';
}

/* True when the kernel has the profile, or does not let us see which it has: `profiles` has lines
 * of NAME (MODE). */
static bool apparmor_loaded(const char *profiles, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = profiles; line && *line; line += *line == '\n') {
		if (strncmp(line, name, length) == 0 && strncmp(line + length, " (", 2) == 0)
			return true;
		line += strcspn(line, "\n");
	}
	return !profiles;
}

/* Which profile is the default one: our own, or that of another engine on this host. NULL where
 * none is loaded. */
static const char *apparmor_default(const char *profiles)
{
	static const char *const names[] = { "ocid-default", "cri-containerd.apparmor.d",
					     "docker-default", "containers-default" };

	for (size_t i = 0; profiles && i < sizeof names / sizeof *names; i++)
		if (apparmor_loaded(profiles, names[i]))
			return names[i];
	return NULL;
}

static int apply_loaded(struct generation *g, const struct profile *profile, struct error *err)
{
	size_t length;
	struct error unused;
	cleanup_free char *profiles = file_read_at(
		AT_FDCWD, "/sys/kernel/security/apparmor/profiles", PROFILES_MAX, &length, &unused);
	const char *name =
		profile->type == PROFILE_DEFAULT ? apparmor_default(profiles) : profile->name;

	if (!name) {
		error_set(err, ERROR_UNSUPPORTED, "no default AppArmor profile is loaded");
		return error_hint(err, "load one as ocid-default, or name one as Localhost");
	}
	if (!apparmor_loaded(profiles, name))
		return error_set(err, ERROR_NOT_FOUND, "no AppArmor profile \"%s\" is loaded",
				 name);
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
	if (profile.type == PROFILE_NONE || (privileged && profile.type == PROFILE_DEFAULT))
		return 0;
	if (!apparmor_enabled()) {
		if (profile.type != PROFILE_LOCALHOST)
			return 0;
		return error_set(err, ERROR_UNSUPPORTED,
				 "AppArmor profile \"%s\" is asked for, but this kernel has no "
				 "AppArmor",
				 profile.name);
	}
	if (profile.type != PROFILE_UNCONFINED)
		return apply_loaded(g, &profile, err);
	pointer_set(g->config, "/process/apparmorProfile", json_string("unconfined"));
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
	bool pause = cri_is_pause(cri);
	bool privileged = !pause && cri_flag(context, "privileged");

	apply_selinux(g, cri, context, privileged);
	if (apply_seccomp(g, context, pause, privileged, err) < 0)
		return -1;
	return apply_apparmor(g, context, privileged, err);
}
