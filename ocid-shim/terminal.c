/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/terminal.h"

#include "lib/cli.h"
#include "lib/json.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SIZE_MAX_CELLS = 0xffff };

void terminal_make_raw(struct terminal *terminal)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &terminal->before) < 0)
		return;
	/* it would leave the terminal as it is then */
	cli_catch_signal(SIGQUIT);
	raw = terminal->before;
	cfmakeraw(&raw);
	terminal->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_restore(struct terminal *terminal)
{
	if (terminal->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
	terminal->raw = false;
}

bool terminal_size(struct monitor_size *size)
{
	struct winsize window;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &window) < 0)
		return false;
	*size = (struct monitor_size){ window.ws_row, window.ws_col };
	return true;
}

size_t terminal_end_of_input(int fd, char bytes[static 2])
{
	struct termios modes;

	if (tcgetattr(fd, &modes) < 0 || !(modes.c_lflag & ICANON))
		return 0;
	/* after a line that has not ended the first one only hands that over */
	bytes[0] = bytes[1] = (char)modes.c_cc[VEOF];
	return 2;
}

bool terminal_parse_size(const char *line, size_t length, struct monitor_size *size)
{
	struct error ignored;
	json_auto_t *json = json_parse(line, length, "size", &ignored);
	json_int_t width = json_integer_value(json_object_get(json, "Width"));
	json_int_t height = json_integer_value(json_object_get(json, "Height"));

	if (width < 1 || width > SIZE_MAX_CELLS || height < 1 || height > SIZE_MAX_CELLS)
		return false;
	*size = (struct monitor_size){ (uint16_t)height, (uint16_t)width };
	return true;
}
