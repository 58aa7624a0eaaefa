/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubelets list all containers every second. So that this costs little, beside a container's record
 * stands ID.pb: the same as a Container message, without its state, which is only to be copied. It
 * is made from the record and may be missing: there is one only of a container that is made and has
 * not failed.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* Write the message of a container that is made into `directory_fd`, its pod's containers/. */
int container_message_note(int directory_fd, const json_t *record, struct error *err);

/* Remove it, if it is there. */
int container_message_drop(int directory_fd, const json_t *record, struct error *err);
