/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/docker_hub.h"

#include <string.h>

bool docker_hub_is(const char *host)
{
	return strcmp(host, "docker.io") == 0 || strcmp(host, "index.docker.io") == 0 ||
	       strcmp(host, "registry-1.docker.io") == 0;
}
