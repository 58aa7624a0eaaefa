# SPDX-License-Identifier: Apache-2.0

load ../helpers

@test "transcode: as Python's protobuf does, for random messages of every type" {
	protoc -I "$TESTS/../ocid-dispatch" -I "$TESTS/ocid-dispatch" \
		--python_out="$BATS_TEST_TMPDIR" cri.proto kinds.proto
	tool /usr/bin/python3 "$BATS_TEST_DIRNAME/transcode.py" "$OCID_BIN/unit/transcode" "$BATS_TEST_TMPDIR"
	[[ $output == *" 0 differences" ]]
}
