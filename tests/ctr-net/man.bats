#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "man: the examples of ctr-net(1) do what they say, one after the other" {
	local page=$TESTS/../man/ctr-net.1 script=$BATS_TEST_TMPDIR/examples

	# the literal blocks below EXAMPLES
	awk '/^\.Sh/ { examples = $2 == "EXAMPLES" } !examples { next }
		/^\.Bd -literal/ { inside = 1; next } /^\.Ed/ { inside = 0 }
		inside { gsub(/\\e/, "\\"); print }' "$page" >"$script"
	[ "$(grep -c ctr-net "$script")" -ge 20 ]
	# on a machine of their own, as far as they would change this one
	cat >"$BATS_TEST_TMPDIR/run" <<-END
		set -eu
		trap 'kill \$(jobs -p) 2>/dev/null || true' EXIT # also of what fails in the middle
		mount -t tmpfs none /srv
		mount -t tmpfs none /etc/cni
		mount -t tmpfs none /var/lib/cni
		unset CNI_PATH
		. $script
		[ -z "\$(find /var/lib/cni -name '10.*')" ]
	END
	mkdir -p /etc/cni /var/lib/cni
	tool nsenter --net="$HOST" unshare --mount bash "$BATS_TEST_TMPDIR/run"
	[[ $output == *hello* ]]
	[[ $output == *10.90.0.2/16* ]]
	[[ $output == *fd88::2/64* ]]
	[[ $output == *'{"address":"10.89.0.2/24","ifname":"eth1"}'* ]]
	[[ $output == *'"name":"eth1"'* ]]
	[[ $output != *broken* ]]
	nothing_left
}
