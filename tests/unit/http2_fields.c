/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/fields.h"

#include "tests/unit/tap.h"

#include <string.h>

enum { FIELDS_MAX = 8 };

static const struct {
	const char *what;
	bool good;
	const char *fields[FIELDS_MAX][2];
} requests[] = {
	{ "what gRPC sends",
	  true,
	  { { ":method", "POST" },
	    { ":scheme", "http" },
	    { ":path", "/a/b" },
	    { ":authority", "localhost" },
	    { "content-type", "application/grpc" },
	    { "te", "trailers" },
	    { "te", "trailers" } } },
	{ "a path as authority",
	  true,
	  { { ":method", "POST" },
	    { ":scheme", "http" },
	    { ":path", "/a/b" },
	    { ":authority", "/run/ocid/ocid.sock" } } },
	{ "no authority",
	  true,
	  { { ":method", "POST" }, { ":scheme", "http" }, { ":path", "/" } } },
	{ "no path", false, { { ":method", "POST" }, { ":scheme", "http" } } },
	{ "no method", false, { { ":path", "/" }, { ":scheme", "http" } } },
	{ "no scheme", false, { { ":method", "POST" }, { ":path", "/" } } },
	{ "nothing", false, { { NULL } } },
	{ "a method twice",
	  false,
	  { { ":method", "POST" },
	    { ":method", "POST" },
	    { ":scheme", "http" },
	    { ":path", "/" } } },
	{ "an unknown pseudo-header field",
	  false,
	  { { ":method", "POST" },
	    { ":scheme", "http" },
	    { ":path", "/" },
	    { ":status", "200" } } },
	{ "a pseudo-header field behind another",
	  false,
	  { { ":method", "POST" }, { ":scheme", "http" }, { "a", "b" }, { ":path", "/" } } },
	{ "a name in upper case",
	  false,
	  { { ":method", "POST" },
	    { ":scheme", "http" },
	    { ":path", "/" },
	    { "Te", "trailers" } } },
	{ "a name without a letter",
	  false,
	  { { ":method", "POST" }, { ":scheme", "http" }, { ":path", "/" }, { "", "x" } } },
	{ "a line break in a value",
	  false,
	  { { ":method", "POST" }, { ":scheme", "http" }, { ":path", "/" }, { "a", "b\nc" } } },
	{ "a field of one connection",
	  false,
	  { { ":method", "POST" },
	    { ":scheme", "http" },
	    { ":path", "/" },
	    { "transfer-encoding", "chunked" } } },
	{ "another te",
	  false,
	  { { ":method", "POST" }, { ":scheme", "http" }, { ":path", "/" }, { "te", "gzip" } } },
};

static bool is_good(const char *const fields[FIELDS_MAX][2])
{
	struct fields state = { 0 };

	for (size_t i = 0; i < FIELDS_MAX && fields[i][0]; i++)
		if (!fields_take(&state, (const uint8_t *)fields[i][0], strlen(fields[i][0]),
				 (const uint8_t *)fields[i][1], strlen(fields[i][1])))
			return false;
	return fields_are_complete(&state);
}

int main(void)
{
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		ok(is_good(requests[i].fields) == requests[i].good, "%s is %s", requests[i].what,
		   requests[i].good ? "well-formed" : "malformed");
	return tap_done();
}
