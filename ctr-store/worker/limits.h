/* SPDX-License-Identifier: Apache-2.0 */
/* How much a layer may hold. What is made here keeps to it, too: nothing could unpack it. */
#pragma once

enum {
	LAYER_ENTRIES_MAX = 2000000,
	LAYER_ATTRIBUTES_MAX = 128 /* of one file */
};

#define LAYER_SIZE_MAX (1LL << 36) /* bytes of the archive, uncompressed */
