/* SPDX-License-Identifier: Apache-2.0 */
/* Running the plugins of a network configuration in their order (CNI SPEC 1.1, section 3). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct attachment;

/* Told after each plugin: the result so far, which a later DEL will need. */
struct cni_progress {
	int (*note)(void *context, json_t *result, struct error *err);
	void *context;
};

/* Every plugin must exist before the first one changes anything. */
int cni_chain_find(const json_t *config, const struct attachment *attachment, struct error *err);

/* ADD from the first plugin to the last; stops at an error, and undoes nothing. Plugins, and what
 * they start, keep hold_fd. */
int cni_chain_add(const json_t *config, const struct attachment *attachment,
		  const struct cni_progress *progress, int hold_fd, struct error *err);

/* CHECK from the first plugin to the last, with what ADD gave last; stops at an error. */
int cni_chain_check(const json_t *config, const struct attachment *attachment, const json_t *result,
		    struct error *err);

/* What DEL does where a plugin fails: stop, as SPEC asks; go on, and report the first failure; or
 * also run the plugin for addresses, which the one that failed may not have run. */
enum cni_del_mode { CNI_DEL_STOP, CNI_DEL_GO_ON, CNI_DEL_FORCE };

/* DEL from the last plugin to the first, under the container's lock. `result` is what ADD gave
 * last, or NULL. */
int cni_chain_del(const json_t *config, const struct attachment *attachment, const json_t *result,
		  enum cni_del_mode mode, int lock_fd, struct error *err);

/* STATUS, for a network of 1.1.0 or later; stops at an error. */
int cni_chain_status(const json_t *config, const struct attachment *attachment, struct error *err);

/* GC, for a network of 1.1.0 or later: plugins remove what belongs to none of the attachments in
 * `valid` ([{containerID, ifname}]). Goes on where a plugin fails, and reports the first failure.
 */
int cni_chain_gc(const json_t *config, const struct attachment *attachment, json_t *valid,
		 int lock_fd, struct error *err);
