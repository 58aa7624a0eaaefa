/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that every other source starts from. */
#pragma once
#include <jansson.h>
#include <stdint.h>

/* Capabilities of a container that asks for nothing, as a bit mask. */
uint64_t template_capabilities(void);

/* A container with namespaces, mounts, masked paths and device rules of its own, without args,
 * capabilities and seccomp. The caller owns it. */
json_t *template_config(void);

/* A shell on another operating system. NULL where there is none for it. The caller owns it. */
json_t *template_of(const char *os);

/* Give a privileged container what template_config() keeps from it: every path, every device, and
 * a writable /sys. */
void template_privileged(json_t *config);
