# SPDX-License-Identifier: Apache-2.0
# How much memory a copy takes does not depend on how much there is to copy.

load ../helpers

setup_file() {
	file_setup
	registry_start
	cd "$BATS_FILE_TMPDIR" || return
	for i in 1 2 3 4 5 6; do
		head -c 6000000 /dev/urandom | base64 >"$i"
		tar -cf "$i.tar" "$i"
	done
	tool skopeo-c copy --dest-tls-verify=false tarball:1.tar:2.tar:3.tar:4.tar:5.tar:6.tar "docker://$REGISTRY/big:gzip"
	tool skopeo-c copy --dest-compress-format zstd --src-tls-verify=false --dest-tls-verify=false \
		"docker://$REGISTRY/big:gzip" "docker://$REGISTRY/big:zstd"
}

teardown_file() {
	registry_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# peak_is MOST ARGS…: a copy, on one processor, whose largest resident set has MOST KiB
peak_is() {
	local processor

	processor=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')
	# the kernel counts what the parent was before, so that has to be small
	tool taskset -c "$processor" busybox time -o peak -f %M skopeo-c copy --src-tls-verify=false "${@:2}"
	# busybox takes KiB for pages; a sanitizer needs much memory of its own
	nm -D "$OCID_BIN/skopeo-c" | grep -q __asan || [ "$(($(tail -n 1 peak) / ($(getconf PAGESIZE) / 1024)))" -le "$1" ]
}

@test "copy: a pull takes little memory" {
	peak_is 12800 "docker://$REGISTRY/big:gzip" oci:oci:x
	peak_is 12800 "docker://$REGISTRY/big:gzip" docker-archive:archive
}

@test "copy: layers of a registry are decompressed in little memory" {
	peak_is 12800 --dest-decompress "docker://$REGISTRY/big:gzip" dir:dir
	peak_is 12800 --dest-decompress "docker://$REGISTRY/big:gzip" docker-archive:archive
}

@test "copy: no more layers are recoded at a time than there are processors for" {
	peak_is 16500 --dest-compress-format zstd "docker://$REGISTRY/big:gzip" oci:zstd:x
	peak_is 16500 --dest-compress-format gzip "docker://$REGISTRY/big:zstd" oci:gzip:x
	peak_is 16500 --dest-decompress "docker://$REGISTRY/big:zstd" dir:dir
}
