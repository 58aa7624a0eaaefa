/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/options.h"

#include "lib/cleanup.h"
#include "oci-gen/generation.h"
#include "oci-gen/setters.h"
#include "oci-gen/trace.h"

#include <string.h>

static size_t slot_field(enum cli_option_kind kind)
{
	switch (kind) {
	case OPTION_FLAG:
		return offsetof(struct option_slot, flag);
	case OPTION_LIST:
		return offsetof(struct option_slot, list);
	case OPTION_STRING:
	case OPTION_CHOICE:
	case OPTION_NUMBER:
		break;
	}
	return offsetof(struct option_slot, text);
}

size_t options_fill(struct cli_option *options, size_t offset)
{
	for (size_t i = 0; i < options_rule_count; i++) {
		options[i] = options_rules[i].option;
		options[i].offset =
			offset + i * sizeof(struct option_slot) + slot_field(options[i].kind);
	}
	return options_rule_count;
}

bool options_given(const struct option_slot *slots, const char *pointer)
{
	for (size_t i = 0; i < options_rule_count; i++)
		if (options_rules[i].pointer && strcmp(options_rules[i].pointer, pointer) == 0 &&
		    (slots[i].flag || slots[i].text || slots[i].list.count > 0))
			return true;
	return false;
}

static int apply_value(struct generation *g, const struct option_rule *rule, const char *value,
		       struct error *err)
{
	const struct setting setting = { g, rule, value, err };

	if (generation_check_text(value, "the value", err) < 0 || rule->apply(&setting) < 0)
		return error_prefix(err, "--%s", rule->option.name);

	cleanup_free char *origin = xasprintf("--%s", rule->option.name);
	trace_stage(g, origin);
	return 0;
}

const char *options_text(const struct option_slot *slots, const char *pointer)
{
	const char *text = NULL;

	for (size_t i = 0; i < options_rule_count; i++)
		if (options_rules[i].pointer && strcmp(options_rules[i].pointer, pointer) == 0 &&
		    slots[i].text)
			text = slots[i].text;
	return text;
}

bool options_any(const struct option_slot *slots)
{
	for (size_t i = 0; i < options_rule_count; i++)
		if (slots[i].flag || slots[i].text || slots[i].list.count > 0)
			return true;
	return false;
}

int options_apply(struct generation *g, const struct option_slot *slots, struct error *err)
{
	for (size_t i = 0; i < options_rule_count; i++) {
		const struct option_slot *slot = &slots[i];

		if (slot->flag && apply_value(g, &options_rules[i], "", err) < 0)
			return -1;
		if (slot->text && apply_value(g, &options_rules[i], slot->text, err) < 0)
			return -1;
		for (size_t j = 0; j < slot->list.count; j++)
			if (apply_value(g, &options_rules[i], slot->list.items[j], err) < 0)
				return -1;
	}
	return 0;
}
