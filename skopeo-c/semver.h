/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions (semver.org 2.0.0) and constraints on them as skopeo's sync has them: conditions that a
 * comma or a space joins must all hold, of alternatives between "||" one. A condition is =, !=, <,
 * <=, >, >=, ~ (the last number that is given may change), ^ (the first that is not 0 stays), a
 * version with x or * for numbers, or a range "1.2 - 1.4". Pure.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct semver {
	unsigned long long numbers[3];
	int count; /* of the numbers that were given */
	char prerelease[128];
};

/* "1.2.3-rc.1+build", also "v1.2" and "1", whose missing numbers are 0. False for what is none. */
bool semver_parse(const char *text, struct semver *version);

/* <0, 0, >0: precedence. */
int semver_compare(const struct semver *one, const struct semver *other);

/* ERROR_USAGE for a constraint that is none. */
int semver_check_constraint(const char *constraint, struct error *err);

/* Whether the version meets a constraint that was checked. A prerelease meets only conditions of
 * which, up to "||", one names one. */
bool semver_meets(const struct semver *version, const char *constraint);
