/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/monitor/journal.h"

#include "ocid-shim/monitor/text.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { NOTICE_SIZE = 128 };

int journal_open(struct journal *journal, const char *path, const char *fields)
{
	*journal = (struct journal){ .path = path, .fields = fields };
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return journal->fd < 0 ? -1 : 0;
}

static bool send_record(const struct journal *journal, bool is_error, const char *content,
			size_t length, bool full)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *priority = is_error ? "PRIORITY=3\n" : "PRIORITY=6\n";
	const char *before = full ? "MESSAGE=" : "CONTAINER_PARTIAL_MESSAGE=true\nMESSAGE=";
	struct iovec pieces[] = { { (void *)priority, strlen(priority) },
				  { (void *)journal->fields, strlen(journal->fields) },
				  { (void *)before, strlen(before) },
				  { (void *)content, length },
				  { (void *)"\n", 1 } };
	/* by name each time, since a journal that was restarted has another socket */
	struct msghdr message = { .msg_name = &address,
				  .msg_namelen = sizeof address,
				  .msg_iov = pieces,
				  .msg_iovlen = sizeof pieces / sizeof *pieces };
	struct text path = { address.sun_path, sizeof address.sun_path, 0 };

	text_add(&path, journal->path);
	return sendmsg(journal->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static bool send_notice(const struct journal *journal)
{
	char notice[NOTICE_SIZE];
	struct text text = { notice, sizeof notice, 0 };

	text_add(&text, "ocid-shim: ");
	text_add_number(&text, (long long)journal->lost);
	text_add(&text, " log records were lost: the journal did not take them");
	return send_record(journal, true, notice, text.length, true);
}

void journal_send(struct journal *journal, bool is_error, const char *content, size_t length,
		  bool full)
{
	if ((journal->lost == 0 || send_notice(journal)) &&
	    send_record(journal, is_error, content, length, full)) {
		journal->lost = 0;
		return;
	}
	journal->lost++;
	journal->lost_total++;
}
