/* SPDX-License-Identifier: Apache-2.0 */
/* A user's text, an /etc/passwd and an /etc/group, with NUL bytes between. */
#include "lib/account.h"
#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *input = xcalloc(size + 3, 1);
	struct error err;
	cleanup_account struct account account = { 0 };

	if (size > 0)
		memcpy(input, data, size);
	char *passwd = input + strlen(input) + 1;
	char *group = passwd <= input + size ? passwd + strlen(passwd) + 1 : passwd;
	if (account_parse(&account, input, &err) == 0 &&
	    account_find_user(&account, passwd, &err) == 0 &&
	    (account.group_is_number || account_find_groups(&account, group, &err) == 0))
		json_decref(account_json(&account));
	free(input);
	return 0;
}
