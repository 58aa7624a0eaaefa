/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of an overlay mount, by names that the kernel takes. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>
#include <stddef.h>

struct overlay;
struct store;

enum { FS_STRING_MAX = 255 /* of a value for fsconfig(2) */ };

struct stack {
	struct strings lower; /* lowest first */
	char *upper, *work;   /* NULL for a read-only mount */
	int *fds;	      /* what some of the names stand for */
	size_t fd_count;
	struct strings attached; /* mounts of our own */
	bool detached;		 /* some of the fds are mounts that are attached nowhere */
};

struct stack_settings {
	const struct overlay *overlay;
	int user_fd;	   /* user namespace to map the layers by, or -1 */
	const char *below; /* a directory to attach mounts of layers in, where they are mapped or
			    * images; NULL: they stay detached */
	bool by_number;	   /* layers are named by the numbers of descriptors */
};

int stack_fill(const struct store *store, const struct stack_settings *settings,
	       struct stack *stack, struct error *err);

/* Also detaches what was attached: a mount that was made of it keeps what it needs. */
void stack_free(struct stack *stack);
#define cleanup_stack __attribute__((cleanup(stack_free)))
