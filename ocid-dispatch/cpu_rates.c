/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/cpu_rates.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/records.h"

#include <fcntl.h>
#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)

/* Within the first a rate would say little, and another client's is as new; after the second
 * nobody asks any more, or that was long ago. */
#define INTERVAL_MIN_NS NS_PER_S
#define INTERVAL_MAX_NS (300 * NS_PER_S)

static char *path_of(const struct records *records)
{
	return xasprintf("%s/cpu.json", records->store.runroot);
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

json_t *cpu_rates_read(const struct records *records)
{
	cleanup_free char *path = path_of(records);
	struct error ignored;
	json_t *rates = json_read_at(AT_FDCWD, path, JSON_DOCUMENT_MAX, &ignored);

	return rates ? rates : json_object();
}

/* What is to be known from now on; NULL where it is too early for that. */
static json_t *next_sample(const json_t *before, json_int_t at, json_int_t usage)
{
	json_int_t elapsed = at - number(before, "at"), used = usage - number(before, "usage");
	json_t *sample;

	if (before && elapsed >= 0 && elapsed < INTERVAL_MIN_NS)
		return NULL;
	sample = json_pack("{s:I, s:I}", "at", at, "usage", usage);
	/* a clock can be set back, and a cgroup made anew */
	if (before && elapsed > 0 && elapsed <= INTERVAL_MAX_NS && used >= 0)
		json_object_set_new(
			sample, "rate",
			json_integer((json_int_t)((double)used / (double)elapsed * NS_PER_S)));
	return sample;
}

void cpu_rates_note(json_t *rates, const char *id, json_t *cpu)
{
	const json_t *usage = json_object_get(cpu, "usageCoreNanoSeconds");

	if (!usage)
		return;
	json_t *sample = next_sample(json_object_get(rates, id), number(cpu, "timestamp"),
				     number(usage, "value"));
	if (sample)
		json_object_set_new(rates, id, sample);
	json_t *rate = json_object_get(json_object_get(rates, id), "rate");
	if (rate)
		json_object_set_new(cpu, "usageNanoCores", json_pack("{s:O}", "value", rate));
}

void cpu_rates_write(const struct records *records, json_t *rates)
{
	cleanup_free char *path = path_of(records);
	json_int_t oldest = clock_wall_ns() - INTERVAL_MAX_NS;
	struct error ignored;
	const char *id;
	json_t *sample;
	void *next;

	json_object_foreach_safe (rates, next, id, sample) {
		if (number(sample, "at") < oldest)
			json_object_del(rates, id);
	}
	records_write(AT_FDCWD, path, rates, RECORD_VOLATILE, &ignored);
}
