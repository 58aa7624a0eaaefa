/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a log in the Kubernetes CRI format: `TIME stdout|stderr TAG[:TAG]… CONTENT`, a line
 * each. The first tag is F where the record ends a line of output, P where that goes on.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct cri_record {
	const char *time; /* RFC 3339; borrowed from the line, as content is */
	size_t time_length;
	bool is_stderr, is_full;
	const char *content;
	size_t length;
};

/* Parse one line without its newline. False where it is no record. */
bool cri_record_parse(const char *line, size_t length, struct cri_record *record);

/* Nanoseconds since 1970 of an RFC 3339 time. False where it is none. */
bool cri_time_parse(const char *text, size_t length, long long *nanoseconds);
