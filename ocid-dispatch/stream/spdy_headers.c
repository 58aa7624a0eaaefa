/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/spdy_headers.h"

#include "lib/cleanup.h"

#include <ctype.h>
#include <string.h>

enum {
	LENGTH_SIZE = 4,
	DEFLATE_WINDOW_BITS = 11, /* the dictionary fits; every bit doubles the memory */
	DEFLATE_MEMORY = 1,
	CHUNK = 4096,
};

/* The dictionary: each of these words after its length in four bytes, then the tail. */
static const char *const words[] = {
	"options",
	"head",
	"post",
	"put",
	"delete",
	"trace",
	"accept",
	"accept-charset",
	"accept-encoding",
	"accept-language",
	"accept-ranges",
	"age",
	"allow",
	"authorization",
	"cache-control",
	"connection",
	"content-base",
	"content-encoding",
	"content-language",
	"content-length",
	"content-location",
	"content-md5",
	"content-range",
	"content-type",
	"date",
	"etag",
	"expect",
	"expires",
	"from",
	"host",
	"if-match",
	"if-modified-since",
	"if-none-match",
	"if-range",
	"if-unmodified-since",
	"last-modified",
	"location",
	"max-forwards",
	"pragma",
	"proxy-authenticate",
	"proxy-authorization",
	"range",
	"referer",
	"retry-after",
	"server",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"user-agent",
	"vary",
	"via",
	"warning",
	"www-authenticate",
	"method",
	"get",
	"status",
	"200 OK",
	"version",
	"HTTP/1.1",
	"url",
	"public",
	"set-cookie",
	"keep-alive",
	"origin",
};

static const char tail[] =
	"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504"
	"505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 "
	"Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 "
	"Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, "
	"Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
	"application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
	"gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

static void make_dictionary(struct buffer *dictionary)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t length = strlen(words[i]);
		const unsigned char prefix[LENGTH_SIZE] = { 0, 0, 0, (unsigned char)length };

		buffer_append(dictionary, prefix, sizeof prefix);
		buffer_append(dictionary, words[i], length);
	}
	buffer_append(dictionary, tail, sizeof tail - 1);
}

int spdy_headers_init(struct spdy_headers *headers, struct error *err)
{
	cleanup_buffer struct buffer dictionary = { 0 };

	*headers = (struct spdy_headers){ 0 };
	make_dictionary(&dictionary);
	if (inflateInit(&headers->inflater) != Z_OK)
		return error_set(err, ERROR_FAILED, "zlib: cannot start to inflate");
	if (deflateInit2(&headers->deflater, Z_BEST_SPEED, Z_DEFLATED, DEFLATE_WINDOW_BITS,
			 DEFLATE_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflateSetDictionary(&headers->deflater, buffer_data(&dictionary),
				 (uInt)buffer_length(&dictionary)) != Z_OK) {
		spdy_headers_free(headers);
		return error_set(err, ERROR_FAILED, "zlib: cannot start to deflate");
	}
	return 0;
}

void spdy_headers_free(struct spdy_headers *headers)
{
	inflateEnd(&headers->inflater);
	deflateEnd(&headers->deflater);
}

/* Inflate once more, with the dictionary where the stream asks for it. */
static int inflate_some(z_stream *stream)
{
	int status = inflate(stream, Z_SYNC_FLUSH);

	if (status == Z_NEED_DICT) {
		cleanup_buffer struct buffer dictionary = { 0 };

		make_dictionary(&dictionary);
		if (inflateSetDictionary(stream, buffer_data(&dictionary),
					 (uInt)buffer_length(&dictionary)) != Z_OK)
			return Z_DATA_ERROR;
		status = inflate(stream, Z_SYNC_FLUSH);
	}
	return status;
}

static int inflate_block(z_stream *stream, const void *block, size_t length, struct buffer *plain,
			 struct error *err)
{
	unsigned char chunk[CHUNK];

	stream->next_in = (unsigned char *)block;
	stream->avail_in = (uInt)length;
	do {
		stream->next_out = chunk;
		stream->avail_out = sizeof chunk;
		int status = inflate_some(stream);
		/* no progress is possible: all of the block has been read */
		if (status != Z_OK && status != Z_BUF_ERROR)
			return error_set(err, ERROR_INTEGRITY, "malformed compressed headers");
		buffer_append(plain, chunk, sizeof chunk - stream->avail_out);
		if (buffer_length(plain) > SPDY_BLOCK_MAX)
			return error_set(err, ERROR_LIMIT, "headers of more than %d bytes",
					 SPDY_BLOCK_MAX);
	} while (stream->avail_out == 0 || stream->avail_in > 0);
	return 0;
}

/* Take a number of four bytes. False when there is none. */
static bool take_number(struct buffer *plain, size_t *number)
{
	const unsigned char *at = buffer_data(plain);

	if (buffer_length(plain) < LENGTH_SIZE)
		return false;
	*number = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	buffer_consume(plain, LENGTH_SIZE);
	return true;
}

/* Take a text with its length before it; up to a NUL, where it has one. */
static char *take_text(struct buffer *plain)
{
	size_t length;
	char *text;

	if (!take_number(plain, &length) || length > buffer_length(plain))
		return NULL;
	text = xstrndup((const char *)buffer_data(plain), length);
	buffer_consume(plain, length);
	return text;
}

static bool take_pair(struct buffer *plain, struct strings *fields)
{
	cleanup_free char *name = take_text(plain);
	cleanup_free char *value = name ? take_text(plain) : NULL;

	if (!value || !*name)
		return false;
	for (char *at = name; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	strings_add(fields, name);
	strings_add(fields, value);
	return true;
}

int spdy_headers_read(struct spdy_headers *headers, const void *block, size_t length,
		      struct strings *fields, struct error *err)
{
	cleanup_buffer struct buffer plain = { 0 };
	size_t count;

	if (inflate_block(&headers->inflater, block, length, &plain, err) < 0)
		return -1;
	if (!take_number(&plain, &count) || count > SPDY_FIELDS_MAX)
		return error_set(err, ERROR_INTEGRITY, "malformed headers");
	for (size_t i = 0; i < count; i++)
		if (!take_pair(&plain, fields))
			return error_set(err, ERROR_INTEGRITY, "malformed headers");
	return 0;
}

void spdy_headers_write_reply(struct spdy_headers *headers, struct buffer *out)
{
	static const char block[] = "\0\0\0\2"
				    "\0\0\0\7:status\0\0\0\003200"
				    "\0\0\0\10:version\0\0\0\10HTTP/1.1";
	unsigned char chunk[CHUNK];
	z_stream *stream = &headers->deflater;

	stream->next_in = (unsigned char *)block;
	stream->avail_in = sizeof block - 1;
	stream->next_out = chunk;
	stream->avail_out = sizeof chunk;
	deflate(stream, Z_SYNC_FLUSH);
	buffer_append(out, chunk, sizeof chunk - stream->avail_out);
}

const char *spdy_field(const struct strings *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->count; i += 2)
		if (strcmp(fields->items[i], name) == 0)
			return fields->items[i + 1];
	return NULL;
}
