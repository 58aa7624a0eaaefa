# SPDX-License-Identifier: Apache-2.0
# The README's first command, as it stands there.

load helpers

@test "demo: the line runs from a registry to a served page and leaves nothing" {
	TOOL_TIMEOUT=120 tool "$TESTS/demo"
	[[ $(tail -n 1 <<<"$output") == "demo: ok: "*"its page came through port"* ]]
	[ "$(grep -c "Served by a container of ocid" <<<"$output")" -eq 2 ] # the container's page and the pod's
	[[ $output == *"I am "*" among /proc/1 "* ]]
	[[ $output == *'"state":"CONTAINER_EXITED","exitCode":137'* ]]
	[[ $stderr == *"in use"* ]]
	run ! ls -d /var/tmp/ocid-demo.*
	run ! ip link show ocid-demo0
}

# the pod's container has been started by the server
pod_started() {
	grep -qs '^ocid-shim start' /var/tmp/ocid-demo.*/trace || process_gone "$1"
}

@test "demo: interrupted in the middle it leaves nothing either" {
	"$TESTS/demo" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	wait_for 60 pod_started $!
	kill $! 2>/dev/null || true
	wait_for 60 process_gone $!
	run ! ls -d /var/tmp/ocid-demo.*
	run ! ip link show ocid-demo0
	run ! grep ocid-demo /proc/self/mountinfo
	run ! pgrep -f /var/tmp/ocid-demo
}
