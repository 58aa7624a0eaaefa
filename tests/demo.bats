# SPDX-License-Identifier: Apache-2.0
# The README's first command, as it stands there.

load helpers

@test "demo: the line runs from a registry to a served page and leaves nothing" {
	TOOL_TIMEOUT=120 tool "$TESTS/demo"
	[[ $(tail -n 1 <<<"$output") == "demo: ok: "*"its page came through port"* ]]
	[[ $output == *"Served by a container of ocid"* ]]
	[[ $stderr == *"in use"* ]]
	run ! ls -d /var/tmp/ocid-demo.*
	run ! ip link show ocid-demo0
}
