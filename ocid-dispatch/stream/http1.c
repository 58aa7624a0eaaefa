/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/http1.h"

#include "lib/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_token(const char *text)
{
	static const char characters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *text && text[strspn(text, characters)] == '\0';
}

/* No control characters but tabs. */
static bool is_value(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

static bool is_target(const char *text)
{
	if (*text != '/')
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && strchr(" \t", text[length - 1]))
		text[--length] = '\0';
	return text;
}

static int malformed(struct error *err, const char *what)
{
	return error_set(err, ERROR_INTEGRITY, "malformed %s", what);
}

static int parse_request_line(char *line, struct http1_request *request, struct error *err)
{
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version)
		return malformed(err, "request line");
	*target++ = '\0';
	*version++ = '\0';
	if (!is_token(line) || !is_target(target) || strcmp(version, "HTTP/1.1") != 0)
		return malformed(err, "request line");
	request->method = line;
	request->target = target;
	return 0;
}

static int parse_field(char *line, struct http1_request *request, struct error *err)
{
	char *colon = strchr(line, ':');

	if (request->count == HTTP1_FIELDS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d header fields", HTTP1_FIELDS_MAX);
	if (!colon)
		return malformed(err, "header field");
	*colon = '\0';
	char *value = trim(colon + 1);
	if (!is_token(line) || !is_value(value))
		return malformed(err, "header field");
	request->fields[request->count++] = (struct http1_field){ line, value };
	return 0;
}

/* What the fields say together. */
static int check_fields(const struct http1_request *request, struct error *err)
{
	const char *length = http1_field(request, "Content-Length");
	size_t hosts = 0;

	for (size_t i = 0; i < request->count; i++)
		hosts += strcasecmp(request->fields[i].name, "Host") == 0;
	if (hosts != 1)
		return error_set(err, ERROR_INTEGRITY, "not exactly one Host field");
	if (http1_field(request, "Transfer-Encoding") || (length && strcmp(length, "0") != 0))
		return error_set(err, ERROR_INTEGRITY, "the request has a body");
	return 0;
}

static int parse_lines(struct http1_request *request, struct error *err)
{
	char *line = request->text, *end;

	for (bool first = true; (end = strstr(line, "\r\n")) && end != line; first = false) {
		*end = '\0';
		if (first ? parse_request_line(line, request, err) < 0
			  : parse_field(line, request, err) < 0)
			return -1;
		line = end + 2;
	}
	return request->method ? check_fields(request, err) : malformed(err, "request line");
}

ssize_t http1_parse(const void *data, size_t length, struct http1_request *request,
		    struct error *err)
{
	static const char end_of_head[] = "\r\n\r\n";
	struct http1_request parsed = { 0 };
	const char *end = memmem(data, length < HTTP1_HEAD_MAX ? length : HTTP1_HEAD_MAX,
				 end_of_head, sizeof end_of_head - 1);

	if (!end && length >= HTTP1_HEAD_MAX)
		return error_set(err, ERROR_LIMIT, "the request's head has more than %d bytes",
				 HTTP1_HEAD_MAX);
	if (!end)
		return 0;

	size_t head = (size_t)(end - (const char *)data) + sizeof end_of_head - 1;
	if (memchr(data, '\0', head))
		return malformed(err, "request");
	parsed.text = xstrndup(data, head);
	if (parse_lines(&parsed, err) < 0) {
		http1_free(&parsed);
		return -1;
	}
	http1_free(request);
	*request = parsed;
	return (ssize_t)head;
}

void http1_free(struct http1_request *request)
{
	free(request->text);
	*request = (struct http1_request){ 0 };
}

const char *http1_field(const struct http1_request *request, const char *name)
{
	for (size_t i = 0; i < request->count; i++)
		if (strcasecmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	return NULL;
}

static void add_members(const char *value, struct strings *members)
{
	cleanup_free char *copy = xstrdup(value);
	char *rest = copy;

	for (char *member; (member = strsep(&rest, ","));)
		if (*(member = trim(member)))
			strings_add(members, member);
}

void http1_list(const struct http1_request *request, const char *name, struct strings *members)
{
	for (size_t i = 0; i < request->count; i++)
		if (strcasecmp(request->fields[i].name, name) == 0)
			add_members(request->fields[i].value, members);
}

bool http1_list_has(const struct http1_request *request, const char *name, const char *member)
{
	cleanup_strings struct strings members = { 0 };

	http1_list(request, name, &members);
	for (size_t i = 0; i < members.count; i++)
		if (strcasecmp(members.items[i], member) == 0)
			return true;
	return false;
}
