/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a container may write: a project quota on its directories. It takes a
 * file system that is mounted with them (ext4 and xfs: prjquota) and Linux 5.14.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct store;

/* "10485760", "10M": bytes, with K, M, G or T for powers of 1024. */
int quota_parse(const char *text, long long *bytes, struct error *err);

/* Limit what is written below upper/, work/ and rootfs/ of the container's directory. `facts` gets
 * "project" and "sizeLimit". ERROR_UNSUPPORTED where the file system has no such quotas. */
int quota_set(const struct store *store, int container_fd, long long bytes, json_t *facts,
	      struct error *err);

/* Let go of the project of a container that is being removed. */
void quota_release(const struct store *store, const json_t *container);
