/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/secret.h"

#include "lib/cli.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_MAX = 64 << 10 };

/* One line, without its end. */
static char *read_line(struct error *err)
{
	char *line = xcalloc(SECRET_MAX, 1);
	size_t length = 0;

	while (length + 1 < SECRET_MAX) {
		ssize_t got = read(STDIN_FILENO, line + length, 1);

		if (got < 0 && errno == EINTR && !cli_interrupted())
			continue;
		if (got < 0) {
			secret_wipe(line);
			error_os(err, "standard input");
			return NULL;
		}
		if (got == 0 || line[length] == '\n')
			break;
		length++;
	}
	line[length] = '\0';
	return line;
}

char *secret_ask(const char *prompt, bool is_hidden, struct error *err)
{
	struct termios before, quiet;

	if (tcgetattr(STDIN_FILENO, &before) < 0) {
		error_set(err, ERROR_USAGE, "there is no terminal to ask for \"%s\" on", prompt);
		error_hint(err, "use --username with --password-stdin");
		return NULL;
	}
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	/* first, for who answers at once */
	if (is_hidden)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "%s: ", prompt);
	char *line = read_line(err);
	if (is_hidden) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	return line;
}

char *secret_read(struct error *err)
{
	size_t length;
	char *text = file_read_fd(STDIN_FILENO, SECRET_MAX, &length, "standard input", err);

	if (!text)
		return NULL;
	if (strlen(text) != length) {
		secret_wipe(text);
		error_set(err, ERROR_USAGE, "a password has no NUL byte");
		return NULL;
	}
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	return text;
}

char *secret_read_file(const char *path, struct error *err)
{
	size_t length;
	char *text = file_read_at(AT_FDCWD, path, SECRET_MAX, &length, err);

	if (text)
		OPENSSL_cleanse(text + strcspn(text, "\r\n"), length - strcspn(text, "\r\n"));
	else
		error_missing_is(err, ERROR_USAGE);
	return text;
}

void secret_wipe(char *secret)
{
	if (secret)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}
