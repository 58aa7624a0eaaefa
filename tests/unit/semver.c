/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/semver.h"
#include "tests/unit/tap.h"

static bool meets(const char *text, const char *constraint)
{
	struct semver version;
	struct error err;

	return semver_parse(text, &version) && semver_check_constraint(constraint, &err) == 0 &&
	       semver_meets(&version, constraint);
}

static bool is_constraint(const char *text)
{
	struct error err;

	return semver_check_constraint(text, &err) == 0;
}

static bool are_in_order(const char *const *texts)
{
	struct semver one, other;

	for (; texts[1]; texts++)
		if (!semver_parse(texts[0], &one) || !semver_parse(texts[1], &other) ||
		    semver_compare(&one, &other) >= 0 || semver_compare(&other, &one) <= 0)
			return false;
	return true;
}

int main(void)
{
	static const char *const order[] = { "1.0.0-alpha",
					     "1.0.0-alpha.1",
					     "1.0.0-alpha.beta",
					     "1.0.0-beta",
					     "1.0.0-beta.2",
					     "1.0.0-beta.11",
					     "1.0.0-rc.1",
					     "1.0.0",
					     "v1.0.1",
					     "1.1",
					     "2",
					     NULL };
	static const struct {
		const char *version, *constraint;
		bool met;
	} rows[] = {
		{ "3.12.0", ">= 3.12.0", true },
		{ "3.11.9", ">=3.12.0", false },
		{ "3.12", ">= 3.12, < 4", true },
		{ "4.0.0", ">= 3.12 < 4", false },
		{ "1.2.9", "~1.2.3", true },
		{ "1.3.0", "~1.2.3", false },
		{ "1.9.0", "~1", true },
		{ "1.9.0", "^1.2.3", true },
		{ "2.0.0", "^1.2.3", false },
		{ "0.2.9", "^0.2.3", true },
		{ "0.3.0", "^0.2.3", false },
		{ "0.0.4", "^0.0.3", false },
		{ "1.2.7", "1.2.x", true },
		{ "1.3.0", "1.2.*", false },
		{ "9.9.9", "*", true },
		{ "1.4.5", "1.2 - 1.4", true },
		{ "1.5.0", "1.2 - 1.4", false },
		{ "1.2.0", ">1.2", false },
		{ "1.3.0", ">1.2", true },
		{ "1.2.9", "<=1.2", true },
		{ "1.2.9", "!=1.2.9", false },
		{ "2.1.0", "1.x || >= 2.1", true },
		{ "2.0.0", "1.x || >= 2.1", false },
		{ "1.3.0-rc.1", ">= 1.2", false },
		{ "1.3.0-rc.1", ">= 1.2-0", true },
		{ "1.3.0-rc.1", "~1.2.3-0", false },
		{ "1.2.9-rc.1", "~1.2.3-0", true },
		{ "2.0.0-alpha", "^1.2.3-0", false },
		{ "1.3.0-rc.1", "^1.2.3-0", true },
		{ "1.2.3-rc.2", ">=1.2.3-rc.1 <2", true },
		{ "1.3.0-rc.1", "<2, >=1.2.3-rc.1", true },
		{ "1.2.2-rc.1", ">=1.2.3-rc.1 <2", false },
		{ "1.3.0-rc.1", "1.2 - 2-rc.1", true },
		{ "1.3.0-rc.1", "^1.2 || ^2-0", false },
		{ "v1.2.3", "=1.2.3", true },
		{ "1.2.3+build.7", "1.2.3", true },
		{ "1.2.9", "1.x.3", true },
		{ "1.3.0", "1.x.3", true },
		{ "2.0.0", "1.x.3", false },
		{ "2.0.0-rc.1", ">=1-0, !=2", false },
		{ "1.2.0-rc.1", ">=1-0, !=1.2", true },
		{ "1.2.0", ">=1-0, !=1.2", false },
		{ "1.0.0", "!=x", true },
		{ "0.0.0", "!=x", false },
		{ "1.0.0", ">x", true },
		{ "1.0.0", "<=x", false },
		{ "0.0.4", "^x", false },
		{ "7.0.0", "~0.0.0", true },
	};
	static const char *const bad[] = {
		"", "latest", ">=", "1.2.3.4", "1 ||", "a - b", ">= x1"
	};
	struct semver version;

	ok(are_in_order(order), "semver: precedence");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(meets(rows[i].version, rows[i].constraint) == rows[i].met, "semver: %s %s %s",
		   rows[i].version, rows[i].met ? "meets" : "does not meet", rows[i].constraint);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!is_constraint(bad[i]), "semver: \"%s\" is no constraint", bad[i]);
	ok(!semver_parse("latest", &version) && !semver_parse("1.2.3.4", &version) &&
		   !semver_parse("1.2-", &version) && !semver_parse("", &version) &&
		   !semver_parse("1.2-01", &version) && !semver_parse("1.2-a..b", &version) &&
		   !semver_parse("1.2-a.", &version) &&
		   !semver_parse("18446744073709551616", &version),
	   "semver: what is no version");
	ok(semver_parse("1.2-0", &version) && semver_parse("1.2-0a.10", &version) &&
		   semver_parse("20240101.1", &version),
	   "semver: what is one");
	return tap_done();
}
