/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of the options that several verbs take. */
#pragma once
#include "ctr-net/cni_files.h"
#include "lib/cli.h"
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>

enum { TIMEOUT_DEFAULT_S = 60 };

/* Rows of the option tables, for a settings struct that has the field of that name. */
#define OPTION_CONF_DIRS(settings)                                                                 \
	{                                                                                          \
		"conf-dir", 0, "DIR", OPTION_LIST, offsetof(struct settings, conf_dirs),           \
			"directory of network configurations (default " CNI_CONF_DIR_DEFAULT ")"   \
	}
#define OPTION_PLUGIN_DIRS(settings, otherwise)                                                    \
	{                                                                                          \
		"plugin-dir", 0, "DIR", OPTION_LIST, offsetof(struct settings, plugin_dirs),       \
			"directory of plugins (default $CNI_PATH, else " otherwise ")"             \
	}
#define PLUGINS_USUAL  "the usual directories"
#define PLUGINS_OF_ADD "where they were for add"
#define OPTION_TIMEOUT(settings)                                                                   \
	{                                                                                          \
		"timeout", 0, "SECONDS", OPTION_NUMBER, offsetof(struct settings, timeout_s),      \
			"time limit for each plugin (default 60)"                                  \
	}
/* Which attachment a verb is about. */
#define OPTION_ID(settings, all)                                                                   \
	{                                                                                          \
		"id", 0, "ID", OPTION_STRING, offsetof(struct settings, id),                       \
			"container id; alone: " all                                                \
	}
#define OPTION_IFNAME(settings)                                                                    \
	{                                                                                          \
		"ifname", 0, "NAME", OPTION_STRING, offsetof(struct settings, ifname),             \
			"interface name in the container (default eth0)"                           \
	}

/* The directories with network configurations; the default where none was named. */
void options_conf_dirs(const struct strings *named, struct strings *dirs);

/* CNI_PATH: the directories named, else $CNI_PATH, else where plugins are usually installed. The
 * caller frees it. */
char *options_plugin_path(const struct strings *named);

/* $CNI_PATH or the directories named, or NULL where neither says anything. The caller frees it. */
char *options_plugin_path_if_any(const struct strings *named);

/* CNI_ARGS "K=V;K=V" from words K=V, NULL where there are none; ERROR_USAGE. */
int options_args(const struct strings *words, char **args, struct error *err);

/* The capability arguments from --cap NAME=JSON or NAME=@FILE and --publish; an object, maybe
 * empty. The caller owns it. */
json_t *options_capabilities(const struct strings *words, const struct strings *published,
			     struct error *err);

/* Move those arguments that the network declares out of `all`. The caller owns the result. */
json_t *options_take_capabilities(json_t *all, const json_t *config);

/* Seconds of --timeout as milliseconds, or -1 with ERROR_USAGE. */
int options_timeout(long long seconds, struct error *err);

/* ERROR_USAGE unless the kernel would take it as the name of an interface. */
int options_check_ifname(const char *ifname, struct error *err);

/* ERROR_USAGE unless it is a container id that CNI allows. */
int options_check_id(const char *id, struct error *err);

/* The id under which a namespace is connected: the one given or, where that is NULL, the name of a
 * pinned one, also where `netns` is its path, else one derived from that. `path` is its ns_path().
 * The caller frees it. */
char *options_id(const char *id, const char *netns, const char *path, const char *runroot);
