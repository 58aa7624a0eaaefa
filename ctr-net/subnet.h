/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets and the addresses in them, as people write them. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

/* In the order of the network. */
struct address {
	int family; /* AF_INET or AF_INET6 */
	unsigned char bytes[16];
	size_t size; /* 4 or 16 */
};

struct subnet {
	struct address network;
	int prefix; /* bits */
};

/* Parse an address; ERROR_USAGE. */
int address_parse(const char *text, struct address *address, struct error *err);

/* Parse ADDRESS/PREFIX, an address in its subnet; ERROR_USAGE. */
int subnet_parse_address(const char *text, struct subnet *subnet, struct error *err);

/* Parse ADDRESS/PREFIX without host bits and with room for a gateway and a container; ERROR_USAGE.
 */
int subnet_parse(const char *text, struct subnet *subnet, struct error *err);

/* Whether the address can be a host's in the subnet: of IPv4, not the first and not the last. */
bool subnet_holds(const struct subnet *subnet, const struct address *address);

/* Whether they have an address in common. */
bool subnets_overlap(const struct subnet *one, const struct subnet *other);
