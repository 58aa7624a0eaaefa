/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/overlay.h"

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/random.h"
#include "lib/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FS_STRING_MAX = 255, /* of a value for fsconfig(2) */
	WORDS_SIZE = 256,
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

/* ---- directories ---- */

/* Paths for the kernel, and the descriptors that some of them stand for. */
struct stack {
	struct strings lower; /* lowest first */
	char *upper, *work;
	int *fds;
	size_t fd_count;
};

static void stack_free(struct stack *stack)
{
	strings_free(&stack->lower);
	free(stack->upper);
	free(stack->work);
	for (size_t i = 0; i < stack->fd_count; i++)
		close(stack->fds[i]);
	free(stack->fds);
}

/* A short name for a directory: that of an open descriptor. */
static char *name_by_fd(struct stack *stack, const char *path, struct error *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		error_os(err, "%s", path);
		return NULL;
	}
	stack->fds = xreallocarray(stack->fds, stack->fd_count + 1, sizeof *stack->fds);
	stack->fds[stack->fd_count++] = fd;
	return xasprintf("/proc/self/fd/%d", fd);
}

/* overlayfs wants two lower directories where there is no upper one; an image of one layer, or of
 * none, gets empty ones beneath. */
static int add_empty(const struct store *store, struct stack *stack, size_t layers, bool writable,
		     struct error *err)
{
	cleanup_free char *top = xasprintf("%s/empty", store->runroot);
	size_t wanted = writable ? 1 : 2;

	if (layers >= wanted)
		return 0;
	if (mkdir(top, 0700) < 0 && errno != EEXIST)
		return error_os(err, "%s", top);
	for (size_t i = 0; i < wanted - layers; i++) {
		cleanup_free char *path = xasprintf("%s/%zu", top, i);

		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return error_os(err, "%s", path);
		strings_add(&stack->lower, path);
	}
	return 0;
}

/* The directories of the mount; `short_names` where a whole path may be too long. */
static int fill_stack(const struct store *store, const struct overlay *overlay, bool short_names,
		      struct stack *stack, struct error *err)
{
	if (add_empty(store, stack, overlay->layers->count, overlay->upper != NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < overlay->layers->count; i++) {
		const char *layer = overlay->layers->items[i];
		cleanup_free char *path =
			layer[0] == '/' ? xstrdup(layer)
					: xasprintf("%s/layers/%s/diff", store->root, layer);
		cleanup_free char *name = short_names || strlen(path) > FS_STRING_MAX
						  ? name_by_fd(stack, path, err)
						  : xstrdup(path);

		if (!name)
			return -1;
		strings_add(&stack->lower, name);
	}
	if (!overlay->upper)
		return 0;
	/* fsconfig unescapes these two, but not the lower ones */
	bool as_they_are = strlen(overlay->upper) <= FS_STRING_MAX &&
			   strlen(overlay->work) <= FS_STRING_MAX &&
			   !strchr(overlay->upper, '\\') && !strchr(overlay->work, '\\');
	stack->upper =
		as_they_are ? xstrdup(overlay->upper) : name_by_fd(stack, overlay->upper, err);
	stack->work = !stack->upper ? NULL
		      : as_they_are ? xstrdup(overlay->work)
				    : name_by_fd(stack, overlay->work, err);
	return stack->work ? 0 : -1;
}

/* ---- fsopen(2) and its family ---- */

/* What the kernel has to say about a failure; "" where it is silent. */
static void context_words(int fs_fd, char words[static WORDS_SIZE])
{
	ssize_t got;

	words[0] = '\0';
	while ((got = read(fs_fd, words, WORDS_SIZE - 1)) > 0)
		words[got] = '\0';
}

/* The system call's error with the kernel's words, which look like "e overlay: the reason". */
static int words_error(int os, const char *words, struct error *err)
{
	errno = os;
	error_os(err, "cannot mount the layers");
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
static int create(int fs_fd, struct error *err)
{
	char words[WORDS_SIZE];

	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		return 1;
	int os = errno;
	context_words(fs_fd, words);
	/* before 6.5 overlayfs takes any option, and refuses unknown ones only now, in silence */
	return os == EINVAL && !words[0] ? 0 : words_error(os, words, err);
}

static int set(int fs_fd, const char *key, const char *value)
{
	return fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0);
}

/* 1 when the kernel has it all, 0 when it lacks something, -1 on failure. */
static int configure(int fs_fd, const struct overlay *overlay, const struct stack *stack,
		     struct error *err)
{
	for (size_t i = stack->lower.count; i > 0; i--) {
		if (set(fs_fd, "lowerdir+", stack->lower.items[i - 1]) == 0)
			continue;
		/* before 6.8 the option is unknown */
		return i == stack->lower.count && errno == EINVAL ? 0 : context_error(fs_fd, err);
	}
	for (size_t i = 0; i < FIXED_OPTIONS; i++)
		if (set(fs_fd, fixed_options[i].key, fixed_options[i].value) < 0)
			return context_error(fs_fd, err);
	/* unknown before 5.10, where it is then only slower */
	if (overlay->lose_writes && fsconfig(fs_fd, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0 &&
	    errno != EINVAL)
		return context_error(fs_fd, err);
	if (set(fs_fd, "source", overlay->source) < 0 ||
	    (stack->upper &&
	     (set(fs_fd, "upperdir", stack->upper) < 0 || set(fs_fd, "workdir", stack->work) < 0)))
		return context_error(fs_fd, err);
	return create(fs_fd, err);
}

/* Sets *mount_fd and returns 1; 0 when this kernel cannot do it so. */
static int open_new(const struct store *store, const struct overlay *overlay, int *mount_fd,
		    struct error *err)
{
	__attribute__((cleanup(stack_free))) struct stack stack = { 0 };
	cleanup_fd int fs_fd = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs_fd < 0 && (errno == ENOSYS || errno == EPERM))
		return 0;
	if (fs_fd < 0 && errno == ENODEV)
		return error_set(err, ERROR_UNSUPPORTED, "this kernel has no overlay file system");
	if (fs_fd < 0)
		return error_os(err, "cannot mount the layers");
	if (fill_stack(store, overlay, false, &stack, err) < 0)
		return -1;

	int status = configure(fs_fd, overlay, &stack, err);
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
	if (mount_classic(directory, overlay, options) < 0)
		return error_os(err, "cannot mount the layers");

	int fd = open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		error_os(err, "cannot mount the layers");
	umount2(directory, MNT_DETACH);
	return fd;
}

/* The name of such a directory in the runroot. */
static const char scratch_prefix[] = ".mount-";

static int open_classic(const struct store *store, const struct overlay *overlay, struct error *err)
{
	__attribute__((cleanup(stack_free))) struct stack stack = { 0 }, brief = { 0 };
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	cleanup_free char *directory = xasprintf("%s/%s%s", store->runroot, scratch_prefix, unique);
	if (fill_stack(store, overlay, false, &stack, err) < 0)
		return -1;

	cleanup_free char *options = overlay_options(&stack.lower, stack.upper, stack.work);
	if (strlen(options) > OPTIONS_MAX) {
		if (fill_stack(store, overlay, true, &brief, err) < 0)
			return -1;
		free(options);
		options = overlay_options(&brief.lower, brief.upper, brief.work);
	}
	if (strlen(options) > OPTIONS_MAX) {
		error_set(err, ERROR_LIMIT, "%zu layers are too many for this kernel",
			  overlay->layers->count);
		return error_hint(err, "Linux 6.8 and later stack 500");
	}
	if (mkdir(directory, 0700) < 0)
		return error_os(err, "%s", directory);
	int fd = detach_copy(directory, overlay, options, err);
	rmdir(directory);
	return fd;
}

int overlay_open(const struct store *store, const struct overlay *overlay, struct error *err)
{
	int mount_fd = -1;
	int status = open_new(store, overlay, &mount_fd, err);

	if (status < 0)
		return -1;
	if (status == 1)
		return mount_fd;
	log_message(LOG_LEVEL_DEBUG, "no lowerdir+ here: mount(2) instead");
	return open_classic(store, overlay, err);
}

int overlay_attach(int mount_fd, int target_fd, const char *target, struct error *err)
{
	if (move_mount(mount_fd, "", target_fd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_os(err, "cannot mount on %s", target);
	return 0;
}

void overlay_collect(const struct store *store)
{
	cleanup_dir DIR *dir = opendir(store->runroot);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, scratch_prefix, strlen(scratch_prefix)) != 0)
			continue;
		cleanup_free char *path = xasprintf("%s/%s", store->runroot, entry->d_name);
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
		rmdir(path);
	}
}
