/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to a registry (distribution-spec 1.1). A call is one question: it authenticates when
 * challenged, follows redirects without ever taking credentials to another host, and is repeated
 * after 429, 5xx and broken connections. Calls run together in one event loop: start them, then
 * pump http and poll each, or run one to its end.
 *
 * Plain http is spoken only when the user said --tls-verify=false or registries.conf calls the
 * place insecure, and then only where https does not answer; on this machine itself it comes first.
 */
#pragma once
#include "skopeo-c/credentials.h"
#include "skopeo-c/http.h"
#include "skopeo-c/registries.h"

#include <stdbool.h>
#include <stdint.h>

struct registry {
	struct http *http; /* borrowed */
	char *name;	   /* as in references: "docker.io", "localhost:5000" */
	char *repository;
	char *base;		/* "https://registry-1.docker.io" */
	bool may_change_scheme; /* the user allows plain http, and nothing was answered yet */
	struct http_tls tls;
	struct http_tls tls_elsewhere; /* the same without our own certificate; borrows from tls */
	struct credentials credentials;
	struct strings scopes;	     /* "repository:library/nginx:pull" */
	char *authorization;	     /* the header's value once we were asked for it */
	unsigned generation;	     /* counts the changes of authorization */
	int retries, retry_delay_ms; /* delay 0: longer each time */
	bool retry_unreachable;	     /* the user asked for retries by number */
	bool has_answered;	     /* to anything */
	bool keeps_signatures;	     /* it has said X-Registry-Supports-Signatures */
	int retry_after_ms;	     /* what the last failure asked us to wait, 0 for nothing */
};

/* Get ready for calls to an endpoint of the registry `named`. Of `access`, a mirror gets neither
 * credentials nor certificates nor leave to be insecure: those were given for the registry. And
 * --creds go to no other host than the one that was named. actions: "pull,push" on the repository;
 * NULL for calls that are about none. */
int registry_open(struct http *http, const struct access *access, const struct endpoint *endpoint,
		  const char *named, const char *actions, struct registry *registry,
		  struct error *err);
/* The same for a reference: the registry itself rather than a mirror. A source with mirrors is
 * ERROR_UNSUPPORTED: only a copy goes through them. */
int registry_open_named(struct http *http, const struct access *access, const char *reference,
			bool is_destination, const char *actions, struct registry *registry,
			struct error *err);
void registry_close(struct registry *registry);

struct registry_call {
	struct http_request request;
	struct registry *registry;
	char *target; /* owned: a path below the base ("/v2/…") or an absolute URL */
	bool once;    /* its body goes elsewhere: what breaks is not repeated here */
	bool waiting;
	unsigned generation, redirects, challenges;
	int attempts;
	int64_t not_before_ms;
};

/* Prepare a call; takes over `target`. Free it with registry_call_free() whatever its state. */
void registry_call_init(struct registry_call *call, struct registry *registry, const char *method,
			char *target);
void registry_call_start(struct registry_call *call);

/* 0: not finished. 1: answered with a status of 2xx or 4xx other than 401, 403 and 429. -1: failed.
 * To be called after each http_pump(). */
int registry_call_poll(struct registry_call *call, struct error *err);

/* Pump until a call that was started is finished. Other transfers move on meanwhile. */
int registry_call_wait(struct registry_call *call, struct error *err);
/* Start it and wait. */
int registry_call_run(struct registry_call *call, struct error *err);

/* Leave the loop and free what it holds. A zeroed call is fine. */
void registry_call_free(struct registry_call *call);
#define cleanup_registry_call __attribute__((cleanup(registry_call_free)))

/* Make an error of an answer that is not a success: what the registry says, and the kind that fits
 * its status. Returns -1. */
int registry_refused(const struct registry_call *call, const char *what, struct error *err);

/* How to speak to the host of `url`: only the registry itself learns who we are. */
static inline const struct http_tls *registry_tls(const struct registry *registry, const char *url)
{
	return http_same_host(url, registry->base) ? &registry->tls : &registry->tls_elsewhere;
}

/* Obtain (or renew) the authorization that the answer to `request`, a 401, asks for. auth.c. */
int registry_authenticate(struct registry *registry, const struct http_request *request,
			  struct error *err);

/* The time to wait before attempt number `attempt` (from 1), unless the server said otherwise. */
int registry_backoff_ms(const struct registry *registry, int attempt);
