/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pod_bandwidth.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS	 "0123456789"
#define RATE_MIN 1e3
#define RATE_MAX 1e15

/* The longest burst at a rate: the reference plugin reckons it in 1/15625000 s and 32 bits. */
enum { BURST_MAX_S = 240 };

static const struct {
	const char *text;
	double factor;
} suffixes[] = {
	{ "", 1 },     { "k", 1e3 },	 { "M", 1e6 },	   { "G", 1e9 },     { "T", 1e12 },
	{ "P", 1e15 }, { "Ki", 0x1p10 }, { "Mi", 0x1p20 }, { "Gi", 0x1p30 }, { "Ti", 0x1p40 },
};

/* "e3" or "E3", the other way to write a factor. */
static bool is_exponent(const char *text)
{
	size_t digits = strspn(*text ? text + 1 : text, DIGITS);

	return (*text == 'e' || *text == 'E') && digits > 0 && digits < 3 && !text[digits + 1];
}

/* A Kubernetes quantity as far as it can be a rate; 0 when it is none. */
static double parse_quantity(const char *text)
{
	size_t whole = strspn(text, DIGITS);
	size_t length = whole + (text[whole] == '.' ? 1 + strspn(text + whole + 1, DIGITS) : 0);
	const char *suffix = text + length;

	if (whole == 0)
		return 0;
	if (is_exponent(suffix))
		return strtod(text, NULL);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		cleanup_free char *number = xstrndup(text, length);

		if (strcmp(suffix, suffixes[i].text) == 0)
			return strtod(number, NULL) * suffixes[i].factor;
	}
	return 0;
}

/* Any burst is let through that the plugin can be told, as other runtimes do: what is limited is
 * the rate. */
static json_int_t burst_of(json_int_t rate)
{
	return rate > UINT32_MAX / BURST_MAX_S ? UINT32_MAX : rate * BURST_MAX_S;
}

static int add_direction(json_t *bandwidth, const json_t *annotations, const char *direction,
			 struct error *err)
{
	cleanup_free char *name = xasprintf("kubernetes.io/%s-bandwidth", direction);
	cleanup_free char *rate_key = xasprintf("%sRate", direction);
	cleanup_free char *burst_key = xasprintf("%sBurst", direction);
	const char *text = json_text(annotations, name, NULL);
	double bits = text ? ceil(parse_quantity(text)) : 0;

	if (!text)
		return 0;
	if (bits < RATE_MIN || bits > RATE_MAX)
		return error_set(err, ERROR_USAGE,
				 "annotation %s: \"%s\" is no rate of 1k to 1P bits a second", name,
				 text);
	json_object_set_new(bandwidth, rate_key, json_integer((json_int_t)bits));
	json_object_set_new(bandwidth, burst_key, json_integer(burst_of((json_int_t)bits)));
	return 0;
}

json_t *pod_bandwidth(const json_t *annotations, struct error *err)
{
	json_auto_t *bandwidth = json_object();

	if (add_direction(bandwidth, annotations, "ingress", err) < 0 ||
	    add_direction(bandwidth, annotations, "egress", err) < 0)
		return NULL;
	return json_incref(bandwidth);
}
