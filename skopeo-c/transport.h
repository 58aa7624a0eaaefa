/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places that hold images: docker://, oci:, dir:, tarball:, store:. One table of functions each;
 * copy and inspect know nothing else of them. Small things (manifests, configs) block; blobs move
 * in transfer.c's event loop between a source and a sink.
 */
#pragma once
#include "lib/error.h"
#include "skopeo-c/blob_sink.h"
#include "skopeo-c/blob_source.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/registry.h"

#include <stdbool.h>

struct cli;
struct http;
struct plan;
struct registry_pool;
struct signature_rules;
struct signatures;
struct transport;

struct transport_settings {
	const struct cli *cli;
	struct http *http;
	struct access access;
	bool is_destination;
	const char *tarball_config;
	const struct strings *additional_tags; /* further names of the image, or NULL */
	const char *blob_dir; /* where an oci: layout's blobs are instead, or NULL */
	const char *daemon;   /* where docker-daemon: is: "unix:///run/docker.sock"; or NULL */
	const char *spool_directory; /* where blobs are kept that have to be; or NULL */
	const char *registries_d;    /* where it says where signatures are; or NULL: the usual */
	const char *reference;	     /* of the image to come, for a destination that needs a name */
	struct registry_pool *pool;  /* of the command, for sources with the same access; or NULL */
};

struct transport_class {
	const char *prefix; /* "docker://" */
	/* A source that has none of its own: nobody knows its bytes. As a destination it keeps
	 * none. */
	bool makes_manifest;
	bool wants_compressed; /* a destination for such images that they are compressed for */
	/* By what policies name the images: nothing, t->path or t->reference, which is then what
	 * the user has asked for. */
	enum { IDENTITY_NONE, IDENTITY_PATH, IDENTITY_REFERENCE } identity;
	/* Add the scopes of policies that fit, the narrowest first, where these are not enough;
	 * else NULL. */
	void (*add_scopes)(const struct transport *t, struct strings *scopes);
	bool drops_signatures; /* a destination where nobody misses them */
	/* Open what `rest`, the text after the prefix, names; fills name, reference and state. */
	int (*open)(struct transport *t, const char *rest,
		    const struct transport_settings *settings, struct error *err);
	void (*close)(struct transport *t);

	/* Add the names of all images there, for list-tags: those by which REF chooses one. NULL
	 * where there is nothing to choose. */
	int (*list)(const char *rest, const struct transport_settings *settings, json_t *names,
		    struct error *err);

	/* As a source. digest NULL: what the transport's name stands for. */
	int (*get_manifest)(struct transport *t, const char *digest, struct manifest *manifest,
			    struct error *err);
	/* The manifest that the image came with, which its signatures are for, where get_manifest()
	 * may make another one: see is_remade. NULL where there is no such thing. */
	int (*kept_manifest)(struct transport *t, struct manifest *manifest, struct error *err);
	/* Ask already for what get_manifest() will read next; false where it will not come by
	 * waiting. Once is_answered() get_manifest() takes no time. NULL where it never does. */
	bool (*expect_manifest)(struct transport *t, const char *digest);
	bool (*is_answered)(struct transport *t);
	int (*open_blob)(struct transport *t, const struct blob *blob, struct blob_source *source,
			 struct error *err);

	/* As both: begin to find out what the name stands for, which costs less than to read it.
	 * False where there is no such question. NULL where there never is. */
	bool (*ask_manifest)(struct transport *t);
	/* The answer, waited for: a descriptor, whose mediaType and size may be missing. The caller
	 * owns it; NULL where the name stands for nothing, or that is not told. */
	json_t *(*told_manifest)(struct transport *t);

	/* Add the signatures of a manifest that was read; bundles: those of cosign 3 also, which
	 * cost more requests. NULL where there are never any. */
	int (*get_signatures)(struct transport *t, const struct manifest *manifest, bool bundles,
			      struct signatures *signatures, struct error *err);
	/* What registries.d says of them; NULL: nothing. */
	int (*signature_rules)(const struct transport *t, struct signature_rules *rules,
			       struct error *err);

	/* As a destination; NULL for what is a source only. */
	/* Hear which digests are about to come, and which manifests. NULL where that makes no
	 * difference. */
	int (*prepare)(struct transport *t, const json_t *digests, const struct plan *plan,
		       struct error *err);
	/* Ask whether the blob is wanted. While the sink is SINK_ASKING, poll after each pump. */
	int (*offer_blob)(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			  struct error *err);
	int (*poll_sink)(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			 struct error *err);
	/* Of a sink that is a call: 1 when the upload is answered, 0 while it goes on. */
	int (*poll_upload)(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			   struct error *err);
	/* All bytes are in the sink and verified: put the blob in place under its name. */
	int (*commit_blob)(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			   struct error *err);
	/* Lend a place, before any blob is offered, for one whose digest is not known before all of
	 * its bytes are there: a descriptor at its beginning, which is the caller's; -1 in *fd for
	 * none. One at a time; the same again gets the same place. NULL where there never is one.
	 */
	int (*lend_place)(struct transport *t, int *fd, struct error *err);
	/* Its bytes are there, and it is this blob; later it will be offered. */
	int (*take_place)(struct transport *t, const struct blob *blob, struct error *err);
	/* is_top: the one that the transport's name will stand for; it comes last. */
	int (*put_manifest)(struct transport *t, const struct manifest *manifest, bool is_top,
			    struct error *err);
	/* Keep the signatures, at least one, of a manifest that is put next; those of it that a
	 * registry has already stay. NULL where none can be kept. */
	int (*put_signatures)(struct transport *t, const struct manifest *manifest, bool is_top,
			      const struct signatures *signatures, struct error *err);

	/* What refers to images there (referrers.h); NULL where nothing is kept that does. */
	const struct companions *companions;
};

struct transport {
	const struct transport_class *class;
	char *name;	 /* as errors call it: "docker.io/library/nginx:latest", "oci:/tmp/x:y" */
	char *reference; /* the full image reference where there is one, else NULL */
	bool is_named;	 /* a source that was chosen by this reference */
	bool is_remade;	 /* a source whose get_manifest() gives another than kept_manifest() */
	char *path;	 /* of the directory or archive where it is one, else NULL */
	void *state;	 /* of the class */
	const char *registries_d;  /* borrowed from the settings */
	struct transport *beneath; /* whose blobs it gives, changed; borrowed; or NULL */
	bool is_sequential;	   /* a destination that takes one blob after the other */
	bool is_stdout;		   /* a destination: nothing else may be printed */
};

extern const struct transport_class transport_docker, transport_oci, transport_dir,
	transport_tarball, transport_store, transport_oci_archive, transport_docker_archive,
	transport_docker_daemon, transport_containers_storage;

/* The transport of "PREFIX…", or NULL. */
const struct transport_class *transport_class_of(const char *name);

/* For cli_command.offer: of an operand that is called DESTINATION, PLACE (of list-tags) or anything
 * else (a source). */
bool transport_offer(const struct cli *cli, const char *called, const char *word);

/* True where opening the name needs HTTP to a registry: "docker://…", or a name without a prefix.
 */
bool transport_names_registry(const char *name);

/* ERROR_USAGE unless the name begins with the prefix of what can be written: before anything else
 * is asked for. */
int transport_check_destination(const char *name, struct error *err);
/* Open "PREFIX…", of a source also the name of an image in a registry, which may be a short one;
 * ERROR_USAGE lists the prefixes. Close it whatever the result was. */
int transport_open(struct transport *t, const char *name, const struct transport_settings *settings,
		   struct error *err);
void transport_close(struct transport *t);

/* The names of all images at "PREFIX…"; ERROR_UNSUPPORTED where there are none. */
int transport_list(const char *name, const struct transport_settings *settings, json_t *names,
		   struct error *err);
#define cleanup_transport __attribute__((cleanup(transport_close)))
