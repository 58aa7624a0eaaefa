/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, linked from its archive (curl_linked.c), or loaded when a registry is first talked to
 * (curl_loaded.c): as a shared library it brings thirty others along, which take longer to start
 * than the rest of a verb takes. For http.c and http_url.c only.
 */
#pragma once
#include "lib/error.h"

#include <curl/curl.h>

/* Its functions without "curl_" before their names. */
#define CURL_FUNCTIONS(X)                                                                          \
	X(easy_cleanup)                                                                            \
	X(easy_getinfo)                                                                            \
	X(easy_init)                                                                               \
	X(easy_pause)                                                                              \
	X(easy_setopt)                                                                             \
	X(easy_strerror)                                                                           \
	X(free)                                                                                    \
	X(getdate)                                                                                 \
	X(global_cleanup)                                                                          \
	X(global_init)                                                                             \
	X(multi_add_handle)                                                                        \
	X(multi_cleanup)                                                                           \
	X(multi_info_read)                                                                         \
	X(multi_init)                                                                              \
	X(multi_perform)                                                                           \
	X(multi_poll)                                                                              \
	X(multi_remove_handle)                                                                     \
	X(multi_wakeup)                                                                            \
	X(slist_append)                                                                            \
	X(slist_free_all)                                                                          \
	X(url)                                                                                     \
	X(url_cleanup)                                                                             \
	X(url_get)                                                                                 \
	X(url_set)

struct curl_functions {
#define X(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(X)
#undef X
};

extern struct curl_functions curl; /* from curl_load() on */

/* Load it, where that has not been done. The functions stay until the end of the process. */
int curl_load(struct error *err);
