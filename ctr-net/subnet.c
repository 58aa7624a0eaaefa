/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/subnet.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int address_parse(const char *text, struct address *address, struct error *err)
{
	struct address parsed = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	parsed.size = parsed.family == AF_INET6 ? 16 : 4;
	if (inet_pton(parsed.family, text, parsed.bytes) != 1)
		return error_set(err, ERROR_USAGE, "\"%s\" is not an IP address", text);
	*address = parsed;
	return 0;
}

/* One to three digits, or -1. */
static int parse_prefix(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 3 && !text[digits] ? (int)strtol(text, NULL, 10) : -1;
}

static bool bit_at(const struct address *address, int index)
{
	return address->bytes[index / 8] >> (7 - index % 8) & 1;
}

/* Whether all bits from the prefix on have that value. */
static bool host_bits_are(const struct subnet *subnet, const struct address *address, bool value)
{
	for (int i = subnet->prefix; i < (int)address->size * 8; i++)
		if (bit_at(address, i) != value)
			return false;
	return true;
}

int subnet_parse_address(const char *text, struct subnet *subnet, struct error *err)
{
	const char *slash = strchr(text, '/');
	cleanup_free char *address = slash ? xstrndup(text, (size_t)(slash - text)) : NULL;
	struct subnet parsed = { .prefix = slash ? parse_prefix(slash + 1) : -1 };

	if (!address)
		return error_set(err, ERROR_USAGE, "\"%s\" is not ADDRESS/PREFIX", text);
	if (address_parse(address, &parsed.network, err) < 0)
		return -1;

	int bits = (int)parsed.network.size * 8;
	if (parsed.prefix < 0 || parsed.prefix > bits)
		return error_set(err, ERROR_USAGE, "the prefix is 1 to %d", bits - 2);
	*subnet = parsed;
	return 0;
}

int subnet_parse(const char *text, struct subnet *subnet, struct error *err)
{
	struct subnet parsed = { 0 };

	if (subnet_parse_address(text, &parsed, err) < 0)
		return error_prefix(err, "subnet %s", text);

	int bits = (int)parsed.network.size * 8;
	if (parsed.prefix == 0)
		return error_set(err, ERROR_USAGE, "subnet %s: the prefix is 1 to %d", text,
				 bits - 2);
	if (parsed.prefix > bits - 2)
		return error_set(err, ERROR_USAGE, "subnet %s has no room for a container", text);
	if (!host_bits_are(&parsed, &parsed.network, false))
		return error_set(err, ERROR_USAGE, "subnet %s: there are bits set after the prefix",
				 text);
	*subnet = parsed;
	return 0;
}

/* Whether the first bits of both are the same. */
static bool begin_alike(const struct address *one, const struct address *other, int bits)
{
	if (one->family != other->family)
		return false;
	for (int i = 0; i < bits; i++)
		if (bit_at(one, i) != bit_at(other, i))
			return false;
	return true;
}

bool subnets_overlap(const struct subnet *one, const struct subnet *other)
{
	return begin_alike(&one->network, &other->network,
			   one->prefix < other->prefix ? one->prefix : other->prefix);
}

bool subnet_holds(const struct subnet *subnet, const struct address *address)
{
	return begin_alike(address, &subnet->network, subnet->prefix) &&
	       !host_bits_are(subnet, address, false) &&
	       (address->family == AF_INET6 || !host_bits_are(subnet, address, true));
}
