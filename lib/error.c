/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/error.h"

#include "lib/printable.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum error_kind kind;
	const char *name;
} kinds[] = {
	{ ERROR_FAILED, "failed" },	  { ERROR_USAGE, "usage" },
	{ ERROR_NOT_FOUND, "not-found" }, { ERROR_EXISTS, "exists" },
	{ ERROR_IN_USE, "in-use" },	  { ERROR_DENIED, "denied" },
	{ ERROR_INTEGRITY, "integrity" }, { ERROR_TEMPORARY, "temporary" },
	{ ERROR_LIMIT, "limit" },	  { ERROR_UNSUPPORTED, "unsupported" },
};

static enum error_kind kind_from_errno(int os)
{
	switch (os) {
	case ENOENT:
	case ESRCH:
		return ERROR_NOT_FOUND;
	case EEXIST:
		return ERROR_EXISTS;
	case EBUSY:
	case ETXTBSY:
		return ERROR_IN_USE;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERROR_DENIED;
	case EXDEV:
	case ELOOP:
	case ENAMETOOLONG:
		return ERROR_INTEGRITY;
	case EAGAIN:
	case EINTR:
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return ERROR_TEMPORARY;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EMFILE:
	case ENFILE:
		return ERROR_LIMIT;
	case ENOSYS:
	case EOPNOTSUPP:
		return ERROR_UNSUPPORTED;
	default:
		return ERROR_FAILED;
	}
}

/* Cut text that did not fit so that the reader sees it was cut, and not within a character. */
static void mark_cut(char *text, size_t size, int wanted)
{
	static const char mark[] = "...";
	size_t end = size - sizeof mark;

	if (wanted < (int)size)
		return;
	for (int i = 0; i < 3 && (text[end] & 0xc0) == 0x80; i++)
		end--;
	memcpy(text + end, mark, sizeof mark);
}

int error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
	va_list args;

	err->kind = kind;
	err->os = 0;
	err->subject[0] = '\0';
	err->hint[0] = '\0';
	va_start(args, format);
	mark_cut(err->message, sizeof err->message,
		 vsnprintf(err->message, sizeof err->message, format, args));
	va_end(args);
	return -1;
}

int error_os(struct error *err, const char *format, ...)
{
	int os = errno;
	char context[512];
	va_list args;

	va_start(args, format);
	mark_cut(context, sizeof context, vsnprintf(context, sizeof context, format, args));
	va_end(args);
	if (os == EXDEV || os == ELOOP)
		error_set(err, kind_from_errno(os), "%s: leads outside its directory", context);
	else
		error_set(err, kind_from_errno(os), "%s: %s", context, strerror(os));
	err->os = os;
	return -1;
}

int error_missing_is(struct error *err, enum error_kind kind)
{
	if (err->kind == ERROR_NOT_FOUND)
		err->kind = kind;
	return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
	char context[256], message[sizeof err->message];
	va_list args;

	va_start(args, format);
	mark_cut(context, sizeof context, vsnprintf(context, sizeof context, format, args));
	va_end(args);
	memcpy(message, err->message, sizeof message);
	mark_cut(err->message, sizeof err->message,
		 snprintf(err->message, sizeof err->message, "%s: %s", context, message));
	return -1;
}

int error_subject(struct error *err, const char *subject)
{
	mark_cut(err->subject, sizeof err->subject,
		 snprintf(err->subject, sizeof err->subject, "%s", subject));
	return -1;
}

int error_hint(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mark_cut(err->hint, sizeof err->hint, vsnprintf(err->hint, sizeof err->hint, format, args));
	va_end(args);
	return -1;
}

static const char *kind_name(enum error_kind kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "failed";
}

enum error_kind error_kind_from_name(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].kind;
	return ERROR_FAILED;
}

static void put_escaped(FILE *out, const char *text)
{
	while (*text) {
		size_t length = printable_control_length(text);

		if (length == 0)
			putc(*text++, out);
		for (; length > 0; length--)
			fprintf(out, "\\x%02x", (unsigned char)*text++);
	}
}

/* jansson refuses text that is not UTF-8; replace what is not ASCII then. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char ascii[sizeof((struct error *)0)->message];
	size_t n = 0;

	if (json)
		return json;
	for (; n < sizeof ascii - 1 && text[n]; n++)
		ascii[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
	ascii[n] = '\0';
	return json_string(ascii);
}

json_t *error_json(const struct error *err, const char *tool, const char *verb)
{
	return json_pack("{s:s, s:s*, s:s, s:o, s:o, s:o}", "tool", tool, "verb", verb, "code",
			 kind_name(err->kind), "message", text_json(err->message), "subject",
			 text_json(err->subject), "hint", text_json(err->hint));
}

static void print_json(const struct error *err, const char *tool, const char *verb)
{
	json_auto_t *object = error_json(err, tool, verb);
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	fprintf(stderr, "%s\n", text ? text : "{\"code\":\"failed\"}");
	free(text);
}

void error_print(const struct error *err, const char *tool, const char *verb, bool as_json)
{
	/* every character takes up to four; one write, so that the lines of processes that share a
	 * stderr do not mix */
	char line[4 * (sizeof err->message + sizeof err->hint) + 256];

	if (as_json) {
		print_json(err, tool, verb);
		return;
	}
	FILE *out = fmemopen(line, sizeof line, "w");
	if (!out)
		return;
	fprintf(out, "%.64s: ", tool);
	if (verb)
		fprintf(out, "%.64s: ", verb);
	put_escaped(out, err->message);
	if (err->hint[0]) {
		fputs(" (", out);
		put_escaped(out, err->hint);
		putc(')', out);
	}
	putc('\n', out);

	long length = ftell(out);
	fclose(out);
	fwrite(line, 1, (size_t)length, stderr);
}
