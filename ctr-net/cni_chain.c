/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_chain.h"

#include "ctr-net/cni_config.h"
#include "ctr-net/cni_plugin.h"
#include "lib/cleanup.h"
#include "lib/json.h"

int cni_chain_find(const json_t *config, const struct attachment *attachment, struct error *err)
{
	for (size_t i = 0; i < cni_config_plugin_count(config); i++) {
		cleanup_free char *path = cni_plugin_find(attachment->plugin_path,
							  cni_config_plugin_type(config, i), err);

		if (!path)
			return -1;
	}
	return 0;
}

int cni_chain_add(const json_t *config, const struct attachment *attachment,
		  const struct cni_progress *progress, int hold_fd, struct error *err)
{
	json_auto_t *result = NULL;

	for (size_t i = 0; i < cni_config_plugin_count(config); i++) {
		json_auto_t *request =
			cni_config_request(config, i, attachment->capabilities, result);
		json_t *next = cni_plugin_add(attachment, request, hold_fd, err);

		if (!next)
			return -1;
		json_decref(result);
		result = next;
		if (progress->note(progress->context, result, err) < 0)
			return -1;
	}
	return 0;
}

int cni_chain_check(const json_t *config, const struct attachment *attachment, const json_t *result,
		    struct error *err)
{
	for (size_t i = 0; i < cni_config_plugin_count(config); i++) {
		json_auto_t *request =
			cni_config_request(config, i, attachment->capabilities, result);

		if (cni_plugin_check(attachment, request, err) < 0)
			return -1;
	}
	return 0;
}

/* DEL may be repeated. A plugin that fails once may well have done its work: the reference bridge
 * 1.1.1 removes the interface, then stumbles over firewall rules that a failed ADD never made, and
 * succeeds the second time. Or it may want a namespace though that is gone, as the reference sbr
 * 1.1.1 does. Not so where time has run out. */
static int del_plugin(const struct attachment *attachment, const json_t *request, int lock_fd,
		      struct error *err)
{
	const char *type = json_text(request, "type", "");
	struct attachment again = *attachment;

	if (cni_plugin_del(attachment, type, request, lock_fd, err) == 0)
		return 0;
	if (err->kind != ERROR_FAILED)
		return -1;
	if (!again.netns)
		again.netns = again.stand_in;
	return cni_plugin_del(&again, type, request, lock_fd, err);
}

/* Release the addresses of a plugin that has failed. */
static void del_ipam(const struct attachment *attachment, const char *type, const json_t *request,
		     int lock_fd)
{
	struct error ignored;

	if (type)
		cni_plugin_del(attachment, type, request, lock_fd, &ignored);
}

int cni_chain_del(const json_t *config, const struct attachment *attachment, const json_t *result,
		  enum cni_del_mode mode, int lock_fd, struct error *err)
{
	/* DEL has a prevResult since 0.4.0 */
	const json_t *previous = cni_config_speaks(config, "0.4.0") ? result : NULL;
	int status = 0;

	for (size_t i = cni_config_plugin_count(config); i > 0; i--) {
		json_auto_t *request =
			cni_config_request(config, i - 1, attachment->capabilities, previous);
		struct attachment of_plugin = *attachment;
		struct error failure;

		if (!attachment->netns && cni_config_masquerades(config, i - 1))
			of_plugin.netns = attachment->stand_in;
		if (del_plugin(&of_plugin, request, lock_fd, &failure) == 0)
			continue;
		if (status == 0)
			*err = failure;
		status = -1;
		if (mode == CNI_DEL_STOP)
			break;
		if (mode == CNI_DEL_FORCE)
			del_ipam(&of_plugin, cni_config_ipam_type(config, i - 1), request, lock_fd);
	}
	return status;
}

int cni_chain_status(const json_t *config, const struct attachment *attachment, struct error *err)
{
	for (size_t i = 0; i < cni_config_plugin_count(config); i++) {
		json_auto_t *request = cni_config_request(config, i, NULL, NULL);

		if (cni_plugin_status(attachment, request, err) < 0)
			return -1;
	}
	return 0;
}

int cni_chain_gc(const json_t *config, const struct attachment *attachment, json_t *valid,
		 int lock_fd, struct error *err)
{
	int status = 0;

	for (size_t i = 0; i < cni_config_plugin_count(config); i++) {
		json_auto_t *request = cni_config_request(config, i, NULL, NULL);
		struct error failure;

		json_object_set(request, "cni.dev/valid-attachments", valid);
		/* as early plugins of 1.1.0 know it, by an earlier text of the specification */
		json_object_set(request, "cni.dev/attachments", valid);
		if (cni_plugin_gc(attachment, request, lock_fd, &failure) == 0)
			continue;
		if (status == 0)
			*err = failure;
		status = -1;
	}
	return status;
}
