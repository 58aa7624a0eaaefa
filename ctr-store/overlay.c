/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/overlay.h"

#include "ctr-store/id_map.h"
#include "ctr-store/overlay_stack.h"
#include "ctr-store/user_namespace.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/log.h"
#include "lib/random.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WORDS_SIZE = 256 + PATH_MAX,
	OPTIONS_MAX = 4095, /* of the string for mount(2): one page */
};

/* Whatever the kernel was built or booted with: no directory or file of a layer may point elsewhere
 * in the stack (redirect, metacopy), and a tree may come back on top of copied layers (index). */
static const struct {
	const char *key, *value;
} fixed_options[] = {
	{ "index", "off" },
	{ "metacopy", "off" },
	{ "redirect_dir", "nofollow" },
};

enum { FIXED_OPTIONS = sizeof fixed_options / sizeof *fixed_options };

/* ---- fsopen(2) and its family ---- */

/* What the kernel has to say about a failure; "" where it is silent. */
static void context_words(int fs_fd, char words[static WORDS_SIZE])
{
	ssize_t got;

	words[0] = '\0';
	while ((got = read(fs_fd, words, WORDS_SIZE - 1)) > 0)
		words[got] = '\0';
	words[strcspn(words, "\n")] = '\0';
}

/* The system call's error with the kernel's words, which look like "e overlay: the reason". */
static int words_error(int os, const char *words, struct error *err)
{
	errno = os;
	error_os(err, "cannot mount the layers");
	if (os == ENOENT)
		error_hint(err, "ctr-store check says which is missing");
	if (strstr(words, "not supported as upperdir")) {
		err->kind = ERROR_UNSUPPORTED;
		error_hint(err, "ctr-store create --backend copy needs no overlayfs");
	}
	return words[0] && words[1] ? error_prefix(err, "%s", words + 2) : -1;
}

static int context_error(int fs_fd, struct error *err)
{
	int os = errno;
	char words[WORDS_SIZE];

	context_words(fs_fd, words);
	return words_error(os, words, err);
}

/* 1 when the mount is made, 0 when this kernel cannot do it so, -1 on failure. */
static int create(int fs_fd, const struct stack *stack, struct error *err)
{
	char words[WORDS_SIZE];

	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		return 1;
	int os = errno;
	context_words(fs_fd, words);
	/* before 6.5 overlayfs takes any option, and refuses unknown ones only now, in silence;
	 * before 6.15 it wants mounts of layers to be attached somewhere */
	return os == EINVAL && (!words[0] || stack->detached) ? 0 : words_error(os, words, err);
}

static int set(int fs_fd, const char *key, const char *value)
{
	return fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0);
}

/* 1 when the kernel has it all, 0 when it lacks something, -1 on failure. */
static int configure(const struct store *store, int fs_fd, const struct overlay *overlay,
		     const struct stack *stack, struct error *err)
{
	for (size_t i = stack->lower.count; i > 0; i--) {
		if (set(fs_fd, "lowerdir+", stack->lower.items[i - 1]) == 0)
			continue;
		/* before 6.8 the option is unknown; before 6.5 that is said when the page is full
		 * to which options are added unseen; before 6.15 it refuses mounts of layers that
		 * are attached nowhere */
		return errno == EINVAL ? 0 : context_error(fs_fd, err);
	}
	for (size_t i = 0; i < FIXED_OPTIONS; i++)
		if (set(fs_fd, fixed_options[i].key, fixed_options[i].value) < 0)
			return context_error(fs_fd, err);
	/* unknown before 5.10, where it is then only slower */
	if (user_namespace_marks(store) &&
	    fsconfig(fs_fd, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return context_error(fs_fd, err);
	if (overlay->lose_writes && fsconfig(fs_fd, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0 &&
	    errno != EINVAL)
		return context_error(fs_fd, err);
	if (set(fs_fd, "source", overlay->source) < 0 ||
	    (stack->upper &&
	     (set(fs_fd, "upperdir", stack->upper) < 0 || set(fs_fd, "workdir", stack->work) < 0)))
		return context_error(fs_fd, err);
	return create(fs_fd, stack, err);
}

/* Sets *mount_fd and returns 1; 0 when this kernel cannot do it so. */
static int open_new(const struct store *store, const struct overlay *overlay, int user_fd,
		    int *mount_fd, struct error *err)
{
	const struct stack_settings settings = { .overlay = overlay, .user_fd = user_fd };
	cleanup_stack struct stack stack = { 0 };
	cleanup_fd int fs_fd = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs_fd < 0 && (errno == ENOSYS || errno == EPERM))
		return 0;
	if (fs_fd < 0 && errno == ENODEV)
		return error_set(err, ERROR_UNSUPPORTED, "this kernel has no overlay file system");
	if (fs_fd < 0)
		return error_os(err, "cannot mount the layers");
	if (stack_fill(store, &settings, &stack, err) < 0)
		return -1;

	int status = configure(store, fs_fd, overlay, &stack, err);
	if (status <= 0)
		return status;
	*mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, overlay->attributes);
	return *mount_fd < 0 ? context_error(fs_fd, err) : 1;
}

/* ---- mount(2) ---- */

struct text {
	char *bytes;
	size_t length;
};

static void append(struct text *text, const char *more, const char *escaped)
{
	text->bytes = xreallocarray(text->bytes, text->length + 2 * strlen(more) + 1, 1);
	for (; *more; more++) {
		if (strchr(escaped, *more))
			text->bytes[text->length++] = '\\';
		text->bytes[text->length++] = *more;
	}
	text->bytes[text->length] = '\0';
}

char *overlay_options(const struct strings *lower, const char *upper, const char *work)
{
	static const char special[] = "\\,:";
	struct text text = { 0 };

	append(&text, "lowerdir=", "");
	for (size_t i = lower->count; i > 0; i--) {
		append(&text, lower->items[i - 1], special);
		append(&text, i > 1 ? ":" : "", "");
	}
	if (upper && work) {
		append(&text, ",upperdir=", "");
		append(&text, upper, special);
		append(&text, ",workdir=", "");
		append(&text, work, special);
	}
	for (size_t i = 0; i < FIXED_OPTIONS; i++) {
		append(&text, ",", "");
		append(&text, fixed_options[i].key, "");
		append(&text, "=", "");
		append(&text, fixed_options[i].value, "");
	}
	return text.bytes;
}

static unsigned long classic_flags(unsigned attributes)
{
	static const struct {
		unsigned attribute;
		unsigned long flag;
	} pairs[] = {
		{ MOUNT_ATTR_RDONLY, MS_RDONLY },   { MOUNT_ATTR_NOSUID, MS_NOSUID },
		{ MOUNT_ATTR_NODEV, MS_NODEV },	    { MOUNT_ATTR_NOEXEC, MS_NOEXEC },
		{ MOUNT_ATTR_NOATIME, MS_NOATIME },
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (attributes & pairs[i].attribute)
			flags |= pairs[i].flag;
	return flags;
}

static int mount_classic(const char *directory, const struct overlay *overlay, const char *options)
{
	unsigned long flags = classic_flags(overlay->attributes);
	cleanup_free char *faster = xasprintf("%s,volatile", options);

	/* unknown before 5.10 */
	if (overlay->lose_writes &&
	    mount(overlay->source, directory, "overlay", flags, faster) == 0)
		return 0;
	return mount(overlay->source, directory, "overlay", flags, options);
}

/* mount(2) can only attach, so this attaches to a directory of our own, takes a detached copy of
 * the mount and lets go of the directory. */
static int detach_copy(const char *directory, const struct overlay *overlay, const char *options,
		       struct error *err)
{
	if (mkdir(directory, 0700) < 0)
		return error_os(err, "%s", directory);
	if (mount_classic(directory, overlay, options) < 0) {
		error_os(err, "cannot mount the layers");
		if (err->kind == ERROR_DENIED)
			user_namespace_hint(err);
		else if (err->os == EINVAL)
			error_hint(err, "the kernel's log says why, see dmesg(1)");
		rmdir(directory);
		return -1;
	}
	int fd = open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		error_os(err, "cannot mount the layers");
	umount2(directory, MNT_DETACH);
	rmdir(directory);
	return fd;
}

/* The options for mount(2), of which the stack keeps what they name. The caller frees them. */
static char *classic_options(const struct store *store, const struct stack_settings *settings,
			     struct stack *stack, struct error *err)
{
	if (stack_fill(store, settings, stack, err) < 0)
		return NULL;
	char *options = overlay_options(&stack->lower, stack->upper, stack->work);
	if (user_namespace_marks(store)) {
		char *longer = xasprintf("%s,userxattr", options);

		free(options);
		options = longer;
	}
	return options;
}

/* With options that name layers by numbers: those of descriptors, where they are names. */
static int detach_copy_by_numbers(const char *directory, const struct overlay *overlay,
				  const char *options, struct error *err)
{
	cleanup_fd int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (here < 0 || chdir("/proc/self/fd") < 0)
		return error_os(err, "cannot mount the layers");
	cleanup_fd int fd = detach_copy(directory, overlay, options, err);
	bool is_back = fchdir(here) == 0;
	return fd < 0 || is_back ? steal_fd(&fd)
				 : error_os(err, "cannot return to the working directory");
}

/* By paths, or by numbers where those of all layers are more than one page. */
static int mount_below(const struct store *store, const struct overlay *overlay, int user_fd,
		       const char *scratch, struct error *err)
{
	struct stack_settings settings = { .overlay = overlay,
					   .user_fd = user_fd,
					   .below = scratch };
	cleanup_stack struct stack stack = { 0 };
	cleanup_free char *root = xasprintf("%s/root", scratch);
	cleanup_free char *options = classic_options(store, &settings, &stack, err);

	if (options && strlen(options) <= OPTIONS_MAX)
		return detach_copy(root, overlay, options, err);
	if (options) {
		stack_free(&stack);
		stack = (struct stack){ 0 };
		free(options);
		settings.by_number = true;
		options = classic_options(store, &settings, &stack, err);
	}
	if (!options)
		return -1;
	if (strlen(options) > OPTIONS_MAX) {
		error_set(err, ERROR_LIMIT, "%zu layers are too many for this kernel",
			  overlay->layers->count);
		return error_hint(err, "Linux 6.8 and later stack 500, whatever their names are");
	}
	return detach_copy_by_numbers(root, overlay, options, err);
}

/* The name of a directory in the runroot, for what has to be attached for a moment. */
static const char scratch_prefix[] = ".mount-";

static int open_classic(const struct store *store, const struct overlay *overlay, int user_fd,
			struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	cleanup_free char *scratch = xasprintf("%s/%s%s", store->runroot, scratch_prefix, unique);
	if (mkdir(scratch, 0700) < 0)
		return error_os(err, "%s", scratch);
	int fd = mount_below(store, overlay, user_fd, scratch, err);
	rmdir(scratch);
	return fd;
}

int overlay_open(const struct store *store, const struct overlay *overlay, struct error *err)
{
	int mount_fd = -1;
	cleanup_fd int user_fd = -1;

	if (overlay->maps && id_maps_open(overlay->maps, &user_fd, err) < 0)
		return -1;
	int status = open_new(store, overlay, user_fd, &mount_fd, err);
	if (status < 0)
		return -1;
	if (status == 1)
		return mount_fd;
	log_message(LOG_LEVEL_DEBUG,
		    "the mount API of this kernel lacks something: mount(2) instead");
	return open_classic(store, overlay, user_fd, err);
}

int overlay_attach(int mount_fd, int target_fd, const char *target, struct error *err)
{
	if (move_mount(mount_fd, "", target_fd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_os(err, "cannot mount on %s", target);
	return 0;
}

static void collect_scratch(const char *scratch)
{
	cleanup_strings struct strings names = { 0 };

	directory_names(AT_FDCWD, scratch, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", scratch, names.items[i]);

		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
		rmdir(path);
	}
	rmdir(scratch);
}

void overlay_collect(const struct store *store)
{
	cleanup_strings struct strings names = { 0 };

	directory_names(AT_FDCWD, store->runroot, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", store->runroot, names.items[i]);

		if (strncmp(names.items[i], scratch_prefix, strlen(scratch_prefix)) == 0)
			collect_scratch(path);
	}
}
