/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces that a bind mount keeps alive without a process: RUNROOT/netns/NAME and, for pods,
 * RUNROOT/{ipcns,utsns,userns,pidns}/NAME. Every process of the mount namespace finds them there.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

enum pin_kind { PIN_USER, PIN_NET, PIN_IPC, PIN_UTS, PIN_PID, PIN_KINDS };

/* The CLONE_NEW… flag of a kind, its name below /proc/PID/ns ("net"), and that of its directory,
 * which is also its key in results ("netns"). */
int pin_flag(enum pin_kind kind);
const char *pin_proc_name(enum pin_kind kind);
const char *pin_key(enum pin_kind kind);

/* Whether the open file is a namespace of that kind. */
bool pin_is_namespace(int fd, enum pin_kind kind);

/* Where the pin of that name is or would be; the caller frees it. */
char *pin_path(const char *runroot, enum pin_kind kind, const char *name);

/* 1 where a namespace of that kind is at the path, 0 where none is, -1 where that cannot be told:
 * who would take away what it has takes it to be there. */
int pin_look(const char *path, enum pin_kind kind, struct error *err);

/* The same for the pin of that name. */
int pin_exists(const char *runroot, enum pin_kind kind, const char *name, struct error *err);

/* ERROR_EXISTS where one is pinned already; what a killed process left half made is no hindrance.
 */
int pin_check_free(const char *runroot, enum pin_kind kind, const char *name, struct error *err);

/* Pin an open namespace under `name` (a path_is_id()). */
int pin_make(const char *runroot, enum pin_kind kind, const char *name, int ns_fd,
	     struct error *err);

/* Let go of the pin: the namespace ends with its last process. ERROR_NOT_FOUND without one. */
int pin_remove(const char *runroot, enum pin_kind kind, const char *name, struct error *err);

/* All pins by name: [{name, netns: path, ipcns: path, …}] with what there is. The caller owns it.
 */
json_t *pin_list(const char *runroot, struct error *err);
