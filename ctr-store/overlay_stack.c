/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/overlay_stack.h"

#include "ctr-store/erofs.h"
#include "ctr-store/erofs_shared.h"
#include "ctr-store/layer.h"
#include "ctr-store/lost_store.h"
#include "ctr-store/overlay.h"
#include "lib/cleanup.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

void stack_free(struct stack *stack)
{
	for (size_t i = 0; i < stack->attached.count; i++) {
		umount2(stack->attached.items[i], MNT_DETACH | UMOUNT_NOFOLLOW);
		rmdir(stack->attached.items[i]);
	}
	strings_free(&stack->attached);
	strings_free(&stack->lower);
	free(stack->upper);
	free(stack->work);
	for (size_t i = 0; i < stack->fd_count; i++)
		close(stack->fds[i]);
	free(stack->fds);
}

static const char fd_directory[] = "/proc/self/fd/";

/* A short name for a directory: that of an open descriptor, which is the stack's from here on. */
static char *name_of_fd(struct stack *stack, int fd)
{
	stack->fds = xgrow(stack->fds, stack->fd_count, sizeof *stack->fds);
	stack->fds[stack->fd_count++] = fd;
	return xasprintf("%s%d", fd_directory, fd);
}

static char *name_by_fd(struct stack *stack, const char *path, struct error *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		error_os(err, "%s", path);
		return NULL;
	}
	return name_of_fd(stack, fd);
}

/* In place of a name: the number of a descriptor of it, its name in /proc/self/fd. */
static int take_number(struct stack *stack, char **name, struct error *err)
{
	cleanup_free char *old = *name;
	char *path = strncmp(old, fd_directory, strlen(fd_directory)) == 0
			     ? steal_ptr(&old)
			     : name_by_fd(stack, old, err);

	*name = path;
	if (!path)
		return -1;
	memmove(path, path + strlen(fd_directory), strlen(path) - strlen(fd_directory) + 1);
	return 0;
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

/* A mount of the directory, or of the image, that is ours to change. */
static int open_own(const struct store *store, const struct erofs_user *user, const char *path,
		    bool is_image, struct error *err)
{
	if (is_image)
		return erofs_shared_mount(store, path, user, NULL, err);
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

/* The same, whose owners are mapped. */
static int open_mapped(const struct store *store, const struct stack_settings *settings,
		       const char *path, bool is_image, struct error *err)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP,
					 .userns_fd = (__u64)settings->user_fd };
	cleanup_fd int fd = open_own(store, settings->overlay->user, path, is_image, err);

	if (fd < 0)
		return -1;
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
		return steal_fd(&fd);
	if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
		return error_os(err, "%s", path);
	error_set(err, ERROR_UNSUPPORTED, "the file system of %s cannot map owners", path);
	return error_hint(
		err, "it takes root, and ext4, xfs, btrfs, EROFS or tmpfs of Linux 5.19 and later");
}

static char *name_mount(const struct store *store, const struct stack_settings *settings,
			struct stack *stack, const char *path, bool is_image, struct error *err)
{
	bool attached = false;
	cleanup_fd int fd =
		settings->user_fd >= 0
			? open_mapped(store, settings, path, is_image, err)
			: erofs_shared_mount(store, path, settings->overlay->user, &attached, err);

	if (fd < 0)
		return NULL;
	stack->detached |= !settings->below && !attached;
	if (!settings->below || attached)
		return name_of_fd(stack, steal_fd(&fd));

	cleanup_free char *place = xasprintf("%s/%zu", settings->below, stack->attached.count);
	if (mkdir(place, 0700) < 0) {
		error_os(err, "%s", place);
		return NULL;
	}
	strings_add(&stack->attached, place);
	if (move_mount(fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		error_os(err, "cannot mount on %s", place);
		return NULL;
	}
	return steal_ptr(&place);
}

static int add_layer(const struct store *store, const struct stack_settings *settings,
		     struct stack *stack, const char *layer, struct error *err)
{
	cleanup_free char *path = layer_path(store, layer);
	cleanup_free char *name = NULL;
	bool is_image = erofs_is_image(AT_FDCWD, path);

	if (lost_store_has(layer))
		return lost_store_error(layer, err);
	if (is_image || settings->user_fd >= 0)
		name = name_mount(store, settings, stack, path, is_image, err);
	else if (strlen(path) > FS_STRING_MAX)
		name = name_by_fd(stack, path, err);
	else
		name = steal_ptr(&path);
	if (!name || (settings->by_number && take_number(stack, &name, err) < 0))
		return -1;
	strings_add(&stack->lower, name);
	return 0;
}

/* fsconfig unescapes these two, but not the lower ones. */
static int set_writable(const struct overlay *overlay, struct stack *stack, struct error *err)
{
	bool as_they_are = strlen(overlay->upper) <= FS_STRING_MAX &&
			   strlen(overlay->work) <= FS_STRING_MAX &&
			   !strchr(overlay->upper, '\\') && !strchr(overlay->work, '\\');

	if (as_they_are) {
		stack->upper = xstrdup(overlay->upper);
		stack->work = xstrdup(overlay->work);
		return 0;
	}
	stack->upper = name_by_fd(stack, overlay->upper, err);
	stack->work = stack->upper ? name_by_fd(stack, overlay->work, err) : NULL;
	return stack->work ? 0 : -1;
}

int stack_fill(const struct store *store, const struct stack_settings *settings,
	       struct stack *stack, struct error *err)
{
	const struct overlay *overlay = settings->overlay;
	size_t layers = overlay->layers->count + (overlay->top != NULL);

	/* perhaps this is not the first try */
	if (overlay->user)
		json_array_clear(overlay->user->keys);
	if (add_empty(store, stack, layers, overlay->upper != NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < overlay->layers->count; i++)
		if (add_layer(store, settings, stack, overlay->layers->items[i], err) < 0)
			return -1;
	if (overlay->top) {
		const struct stack_settings as_it_is = { .overlay = overlay,
							 .user_fd = -1,
							 .by_number = settings->by_number };

		if (add_layer(store, &as_it_is, stack, overlay->top, err) < 0)
			return -1;
	}
	return overlay->upper ? set_writable(overlay, stack, err) : 0;
}
