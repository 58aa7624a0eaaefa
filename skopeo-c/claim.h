/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that copy into the same registry share out what they have in common: who claims a
 * digest moves it, the others wait and find it there. Registries do not like the same blob to come
 * twice at once, and it would be for nothing.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

/* What the processes share: made before they are forked. Returns a descriptor. */
int claims_new(struct error *err);

/* A process's own handle to it. Returns a descriptor; claims go with it. */
int claims_open(int shared, struct error *err);

/* Claim a valid digest: at once, or not at all; or wait until it can be claimed. */
bool claim_try(int claims, const char *digest);
void claim_wait(int claims, const char *digest);
void claim_release(int claims, const char *digest);
