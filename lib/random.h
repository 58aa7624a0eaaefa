/* SPDX-License-Identifier: Apache-2.0 */
/* Unguessable names from the kernel's random numbers. */
#pragma once
#include <stddef.h>

enum { RANDOM_NAME_SIZE = 17, RANDOM_ID_SIZE = 65 };

/* 16 lower-case hex digits, for temporary names. */
void random_name(char name[static RANDOM_NAME_SIZE]);

/* 64 lower-case hex digits, for the ids of containers and pods. */
void random_id(char id[static RANDOM_ID_SIZE]);
