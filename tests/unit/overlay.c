/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/overlay.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

static const char fixed[] = "index=off,metacopy=off,redirect_dir=nofollow";

static void check(const struct strings *lower, const char *upper, const char *work,
		  const char *expected, const char *name)
{
	cleanup_free char *options = overlay_options(lower, upper, work);
	cleanup_free char *wanted = xasprintf("%s,%s", expected, fixed);

	is(options, wanted, "%s", name);
}

int main(void)
{
	cleanup_strings struct strings plain = { 0 }, odd = { 0 };

	strings_add(&plain, "/low");
	check(&plain, NULL, NULL, "lowerdir=/low", "one lower directory");
	strings_add(&plain, "/high");
	check(&plain, NULL, NULL, "lowerdir=/high:/low", "the highest stands first");
	check(&plain, "/u", "/w", "lowerdir=/high:/low,upperdir=/u,workdir=/w", "an upper one");
	strings_add(&odd, "/a:b,c\\d");
	check(&odd, "/u,:", "/w\\", "lowerdir=/a\\:b\\,c\\\\d,upperdir=/u\\,\\:,workdir=/w\\\\",
	      "what overlayfs takes apart is escaped");
	return tap_done();
}
