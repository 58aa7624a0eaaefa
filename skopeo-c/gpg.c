/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/gpg.h"

#include "lib/cleanup.h"
#include "lib/library.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <gpgme.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTIONS(X)                                                                               \
	X(check_version)                                                                           \
	X(ctx_set_engine_info)                                                                     \
	X(data_new)                                                                                \
	X(data_new_from_cbs)                                                                       \
	X(data_new_from_mem)                                                                       \
	X(data_release)                                                                            \
	X(data_release_and_get_mem)                                                                \
	X(free)                                                                                    \
	X(get_key)                                                                                 \
	X(io_writen)                                                                               \
	X(key_unref)                                                                               \
	X(new)                                                                                     \
	X(op_import)                                                                               \
	X(op_import_result)                                                                        \
	X(op_sign)                                                                                 \
	X(op_verify)                                                                               \
	X(op_verify_result)                                                                        \
	X(release)                                                                                 \
	X(set_offline)                                                                             \
	X(set_passphrase_cb)                                                                       \
	X(set_pinentry_mode)                                                                       \
	X(set_protocol)                                                                            \
	X(signers_add)                                                                             \
	X(signers_clear)                                                                           \
	X(strerror)

static struct gpgme_functions {
#define X(name) __typeof__(gpgme_##name) *name;
	FUNCTIONS(X)
#undef X
} gpgme; /* loaded once */

/* the version of the interface that gpgme.h declares */
#if GPGME_VERSION_NUMBER >= 0x020000
#define LIBRARY "libgpgme.so.45"
#else
#define LIBRARY "libgpgme.so.11"
#endif

struct gpg {
	gpgme_ctx_t context;
	char *home;		/* a directory of ours, or NULL */
	struct strings added;	/* fingerprints of the keys in it */
	const char *passphrase; /* while gpg_sign() is at work */
};

static int load(struct error *err)
{
	static const char *const symbols[] = {
#define X(name) "gpgme_" #name,
		FUNCTIONS(X)
#undef X
			NULL
	};
	struct gpgme_functions found;

	if (gpgme.check_version)
		return 0;
	if (library_load(LIBRARY, "GPG signatures need GPGME", symbols, &found, err) < 0)
		return -1;
	if (!found.check_version(GPGME_VERSION))
		return error_set(err, ERROR_UNSUPPORTED, "%s is older than %s", LIBRARY,
				 GPGME_VERSION);
	gpgme = found;
	return 0;
}

static int failed(gpgme_error_t code, enum error_kind kind, const char *what, struct error *err)
{
	if (gpgme_err_code(code) == GPG_ERR_INV_ENGINE) {
		error_set(err, ERROR_UNSUPPORTED, "%s: GnuPG does not run", what);
		return error_hint(err, "install gnupg");
	}
	return error_set(err, kind, "%s: %s", what, gpgme.strerror(code));
}

/* ---- data ---- */

static void release_data(gpgme_data_t *data)
{
	if (*data)
		gpgme.data_release(*data);
}

#define cleanup_data __attribute__((cleanup(release_data)))

/* Borrows the bytes. */
static gpgme_data_t wrap(const void *bytes, size_t length)
{
	gpgme_data_t data = NULL;

	return gpgme_err_code(gpgme.data_new_from_mem(&data, bytes, length, 0)) ? NULL : data;
}

/* A message can be compressed: what comes out of it has a limit. */
struct content {
	char *bytes;
	size_t length;
};

static ssize_t take_content(void *handle, const void *bytes, size_t length)
{
	struct content *content = handle;

	if (length > SIGNATURE_MAX - content->length) {
		errno = EFBIG;
		return -1;
	}
	content->bytes = xreallocarray(content->bytes, content->length + length + 1, 1);
	memcpy(content->bytes + content->length, bytes, length);
	content->length += length;
	content->bytes[content->length] = '\0';
	return (ssize_t)length;
}

/* ---- opening ---- */

static struct gpg *open_context(struct error *err)
{
	struct gpg *gpg;
	gpgme_error_t code;

	if (load(err) < 0)
		return NULL;
	/* GnuPG is a program that can end before it has read what it is given */
	signal(SIGPIPE, SIG_IGN);
	gpg = xcalloc(1, sizeof *gpg);
	code = gpgme.new(&gpg->context);
	if (!code)
		code = gpgme.set_protocol(gpg->context, GPGME_PROTOCOL_OpenPGP);
	if (!code) {
		gpgme.set_offline(gpg->context, 1);
		return gpg;
	}
	failed(code, ERROR_FAILED, "GPGME", err);
	gpg_close(gpg);
	return NULL;
}

struct gpg *gpg_open_own(struct error *err)
{
	return open_context(err);
}

struct gpg *gpg_open_empty(struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	struct gpg *gpg = open_context(err);

	if (!gpg)
		return NULL;
	gpg->home = xasprintf("%s/ocid-gpg.XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
	if (!mkdtemp(gpg->home)) {
		error_os(err, "%s", gpg->home);
		free(gpg->home);
		gpg->home = NULL;
		gpg_close(gpg);
		return NULL;
	}
	gpgme_error_t code =
		gpgme.ctx_set_engine_info(gpg->context, GPGME_PROTOCOL_OpenPGP, NULL, gpg->home);
	if (!code)
		return gpg;
	failed(code, ERROR_FAILED, "GPGME", err);
	gpg_close(gpg);
	return NULL;
}

static void remove_home(const char *home)
{
	struct error ignored;
	const char *name = strrchr(home, '/') + 1;
	cleanup_free char *parent = xstrndup(home, (size_t)(name - home));
	cleanup_fd int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)path_remove_tree(fd, name, &ignored);
}

void gpg_close(struct gpg *gpg)
{
	if (!gpg)
		return;
	if (gpg->context)
		gpgme.release(gpg->context);
	if (gpg->home)
		remove_home(gpg->home);
	free(gpg->home);
	strings_free(&gpg->added);
	free(gpg);
}

int gpg_add_keys(struct gpg *gpg, const void *keys, size_t length, const char *what,
		 struct error *err)
{
	cleanup_data gpgme_data_t data = wrap(keys, length);
	size_t before = gpg->added.count;

	if (!data)
		return error_set(err, ERROR_FAILED, "%s: GPGME does not accept the data", what);
	gpgme_error_t code = gpgme.op_import(gpg->context, data);
	if (code)
		return failed(code, ERROR_INTEGRITY, what, err);
	const struct _gpgme_op_import_result *result = gpgme.op_import_result(gpg->context);
	for (gpgme_import_status_t i = result ? result->imports : NULL; i; i = i->next)
		if (!i->result && i->fpr)
			strings_add(&gpg->added, i->fpr);
	if (gpg->added.count == before)
		return error_set(err, ERROR_INTEGRITY, "%s holds no public key", what);
	return 0;
}

/* ---- verifying ---- */

static int copy_fingerprint(char to[static GPG_FINGERPRINT_SIZE], const char *from,
			    struct error *err)
{
	if (!from || strlen(from) >= GPG_FINGERPRINT_SIZE)
		return error_set(err, ERROR_INTEGRITY, "a signature by a key without fingerprint");
	snprintf(to, GPG_FINGERPRINT_SIZE, "%s", from);
	return 0;
}

static int find_primary(struct gpg *gpg, struct gpg_signer *signer, struct error *err)
{
	gpgme_key_t key = NULL;
	gpgme_error_t code = gpgme.get_key(gpg->context, signer->key, &key, 0);

	if (code)
		return failed(code, ERROR_INTEGRITY, signer->key, err);
	int status = copy_fingerprint(signer->primary, key->fpr, err);
	gpgme.key_unref(key);
	return status;
}

/* Trust in the key, which GnuPG also has an opinion of, is not asked for. */
static int judge(struct gpg *gpg, struct gpg_signer *signer, struct error *err)
{
	const struct _gpgme_op_verify_result *result = gpgme.op_verify_result(gpg->context);
	const struct _gpgme_signature *signature = result ? result->signatures : NULL;

	if (!signature || signature->next)
		return error_set(err, ERROR_INTEGRITY, "not exactly one GPG signature");
	if (signature->status)
		return error_set(err, ERROR_INTEGRITY, "the GPG signature by %s is not good: %s",
				 signature->fpr ? signature->fpr : "nobody known",
				 gpgme.strerror(signature->status));
	if (signature->validity == GPGME_VALIDITY_NEVER || signature->validity_reason ||
	    signature->wrong_key_usage)
		return error_set(err, ERROR_INTEGRITY, "the key %s must not sign",
				 signature->fpr ? signature->fpr : "");
	/* the next operation takes the result away */
	if (copy_fingerprint(signer->key, signature->fpr, err) < 0)
		return -1;
	return find_primary(gpg, signer, err);
}

int gpg_verify(struct gpg *gpg, const void *message, size_t message_length, char **ret,
	       size_t *length, struct gpg_signer *signer, struct error *err)
{
	struct gpgme_data_cbs callbacks = { .write = take_content };
	struct content content = { 0 };
	struct gpg_signer found;
	gpgme_data_t sink = NULL;
	cleanup_data gpgme_data_t data = wrap(message, message_length);
	gpgme_error_t code = gpgme.data_new_from_cbs(&sink, &callbacks, &content);
	int status = 0;

	if (!code && data)
		code = gpgme.op_verify(gpg->context, data, NULL, sink);
	release_data(&sink);
	if (code || !data)
		status = failed(code, ERROR_INTEGRITY, "a GPG signature", err);
	if (status == 0)
		status = judge(gpg, &found, err);
	if (status < 0) {
		free(content.bytes);
		return -1;
	}
	*ret = content.bytes ? content.bytes : xstrdup("");
	*length = content.length;
	*signer = found;
	return 0;
}

bool gpg_has_added(const struct gpg *gpg, const struct gpg_signer *signer)
{
	for (size_t i = 0; i < gpg->added.count; i++)
		if (strcmp(gpg->added.items[i], signer->key) == 0 ||
		    strcmp(gpg->added.items[i], signer->primary) == 0)
			return true;
	return false;
}

bool gpg_is_key(struct gpg *gpg, const char *name, const struct gpg_signer *signer)
{
	gpgme_key_t key = NULL;
	bool is_it = !gpgme.get_key(gpg->context, name, &key, 0) && key->fpr &&
		     strcmp(key->fpr, signer->primary) == 0;

	if (key)
		gpgme.key_unref(key);
	return is_it;
}

/* ---- signing ---- */

static gpgme_error_t give_passphrase(void *hook, const char *uid_hint, const char *info,
				     int was_bad, int fd)
{
	const struct gpg *gpg = hook;

	(void)uid_hint;
	(void)info;
	if (was_bad || gpgme.io_writen(fd, gpg->passphrase, strlen(gpg->passphrase)) != 0 ||
	    gpgme.io_writen(fd, "\n", 1) != 0)
		return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
	return 0;
}

static int choose_key(struct gpg *gpg, const char *name, struct error *err)
{
	gpgme_key_t key = NULL;
	gpgme_error_t code = gpgme.get_key(gpg->context, name, &key, 1);

	if (gpgme_err_code(code) == GPG_ERR_EOF) {
		error_set(err, ERROR_USAGE, "no secret key for \"%s\"", name);
		return error_hint(err, "see gpg --list-secret-keys");
	}
	if (code)
		return failed(code, ERROR_FAILED, name, err);
	gpgme.signers_clear(gpg->context);
	code = gpgme.signers_add(gpg->context, key);
	gpgme.key_unref(key);
	return code ? failed(code, ERROR_FAILED, name, err) : 0;
}

static int sign(struct gpg *gpg, const char *key, gpgme_data_t text, gpgme_data_t out,
		struct error *err)
{
	gpgme_error_t code = 0;

	if (gpg->passphrase) {
		gpgme.set_passphrase_cb(gpg->context, give_passphrase, gpg);
		code = gpgme.set_pinentry_mode(gpg->context, GPGME_PINENTRY_MODE_LOOPBACK);
	}
	if (!code)
		code = gpgme.op_sign(gpg->context, text, out, GPGME_SIG_MODE_NORMAL);
	if (gpgme_err_code(code) == GPG_ERR_BAD_PASSPHRASE)
		return error_set(err, ERROR_DENIED, "the passphrase of the key \"%s\" is wrong",
				 key);
	return code ? failed(code, ERROR_FAILED, "signing", err) : 0;
}

int gpg_sign(struct gpg *gpg, const char *key, const char *passphrase, const char *text,
	     char **message, size_t *length, struct error *err)
{
	cleanup_data gpgme_data_t data = wrap(text, strlen(text)), out = NULL;

	if (!data || gpgme.data_new(&out))
		return error_set(err, ERROR_FAILED, "GPGME does not accept the data");
	gpg->passphrase = passphrase;
	int status = choose_key(gpg, key, err);
	if (status == 0)
		status = sign(gpg, key, data, out, err);
	gpg->passphrase = NULL;
	if (status < 0)
		return -1;
	char *bytes = gpgme.data_release_and_get_mem(out, length);
	out = NULL;
	*message = xcalloc(1, *length + 1);
	memcpy(*message, bytes, *length);
	gpgme.free(bytes);
	return 0;
}
