/* SPDX-License-Identifier: Apache-2.0 */
/* Running one CNI plugin (CNI SPEC 1.1, section 2). Plugins are not trusted: their output is
 * bounded and checked, their time is limited, and they see nothing of our environment but PATH. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* What every plugin of a chain is told (SPEC section 3, "Attachment Parameters"). Borrowed. */
struct attachment {
	const char *container_id; /* NULL, as ifname: the command is not about a container */
	const char *netns;	  /* path; NULL when it is gone, which only DEL allows */
	const char *stand_in;	  /* for DEL without netns: path of a stand_in_make(), or NULL */
	const char *ifname;
	const char *args;	    /* "K=V;K=V", or NULL */
	const json_t *capabilities; /* object of all capability arguments, or NULL */
	const char *plugin_path;    /* directories with ":" between them */
	int timeout_ms;		    /* for each plugin */
};

/* Where the executable of a plugin type is; ERROR_NOT_FOUND. The caller frees it. */
char *cni_plugin_find(const char *plugin_path, const char *type, struct error *err);

/* Run the plugin for ADD with that request; it ends with us, however we end, but what it has
 * started may not, and keeps hold_fd. The result that it prints, checked in its shape; the caller
 * owns it. The plugin's own error becomes ours, in its words. */
json_t *cni_plugin_add(const struct attachment *attachment, const json_t *request, int hold_fd,
		       struct error *err);

/* Run the plugin for CHECK; what it finds wrong becomes our error, in its words. */
int cni_plugin_check(const struct attachment *attachment, const json_t *request, struct error *err);

/* What the plugin answers to VERSION: {cniVersion, supportedVersions: ["0.4.0", …]}, checked. The
 * caller owns it. */
json_t *cni_plugin_versions(const struct attachment *attachment, const char *type,
			    struct error *err);

/* Run the plugin for STATUS, about no container: whether it could serve an ADD now. */
int cni_plugin_status(const struct attachment *attachment, const json_t *request,
		      struct error *err);

/* Run the plugin for GC, about no container. Should we be killed, it goes on, and holds lock_fd. */
int cni_plugin_gc(const struct attachment *attachment, const json_t *request, int lock_fd,
		  struct error *err);

/* Run a plugin of that type for DEL, which is the request's own or the one for its addresses.
 * Should we be killed, it goes on, and holds lock_fd until it ends. */
int cni_plugin_del(const struct attachment *attachment, const char *type, const json_t *request,
		   int lock_fd, struct error *err);
