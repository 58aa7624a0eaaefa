# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests of ctr-store, after ../helpers.
#
#   make_tar TAR ENTRY…      a tar archive exactly as told (make-tar.py)
#   store_image REF TAR…     an image in the store itself, made without our tools; with
#                            OCID_TESTS_BACKEND its layers become what that says
#   layer_tree TAR           the diff/ directory of the stand-alone layer with that archive
#   as_directories           layers become directories, whatever is best here
#   field JQ                 what jq -r finds in $output
#   xattr PATH NAME          the value of an extended attribute
#   small_disk DIR SIZE      a file system of its own that is soon full
#   full_pipe                ./full, a pipe that takes nothing until it is read from descriptor 8
#   read_pipe                what was written into it then
#
# The tools are ended where they hang. To be killed they need a process id of their own: `command`
# before them.

ctr-store() {
	timeout -k 5 "${TOOL_TIMEOUT:-60}" ctr-store "$@"
}

skopeo-c() {
	timeout -k 5 "${TOOL_TIMEOUT:-60}" skopeo-c "$@"
}

make_tar() {
	/usr/bin/python3 "$TESTS/ctr-store/make-tar.py" "$@"
}

store_image() {
	mkdir -p "$OCID_ROOT/images"
	if [ -n "${OCID_TESTS_BACKEND-}" ] && [ ! -e "$OCID_ROOT/store.json" ]; then
		echo "{\"backend\":\"$OCID_TESTS_BACKEND\"}" >"$OCID_ROOT/store.json"
	fi
	oci_image "$OCID_ROOT/images" "$1" '{}' "${@:2}" >/dev/null
}

layer_tree() {
	echo "$OCID_ROOT/layers/$(sha256sum "$1" | cut -d' ' -f1)/diff"
}

field() {
	jq -r "$1" <<<"$output"
}

small_disk() {
	mkdir -p "$1"
	mount -t tmpfs -o "size=$2" small "$1"
}

full_pipe() {
	mkfifo full
	exec 8<>full
	# F_SETPIPE_SZ
	/usr/bin/python3 -c 'import fcntl, os
fcntl.fcntl(8, 1031, 4096)
os.write(8, bytes(4096))' 8<>full
}

read_pipe() {
	timeout -k 5 "${TOOL_TIMEOUT:-60}" head -c 4096 <&8 >/dev/null
	timeout -k 5 "${TOOL_TIMEOUT:-60}" head -n "${1:-1}" <&8
}

as_directories() {
	mkdir -p "$OCID_ROOT"
	echo '{"backend":"overlay"}' >"$OCID_ROOT/store.json"
}

# Everything that a test mounted or made goes, so that the next one starts with an empty store.
clean_store() {
	local target

	ctr-store mounts | jq -r .target | while read -r target; do
		ctr-store umount --lazy "$target"
	done
	# killed processes may have left some
	find "$OCID_RUNROOT/erofs/mnt" -mindepth 1 -maxdepth 1 -exec umount -q -l {} \; 2>/dev/null || true
	rm -rf "${OCID_ROOT:?}" "${OCID_RUNROOT:?}"
}

# ids of layer directories, one a line
layers() {
	ls "$OCID_ROOT/layers"
}

count() { # files in DIR
	find "$1" -mindepth 1 -maxdepth 1 | wc -l
}

nothing_unfinished() {
	[ -z "$(unfinished_left)" ]
}

something_unfinished() {
	! nothing_unfinished
}

xattr() { # PATH NAME
	/usr/bin/python3 -c 'import os, sys
print(os.getxattr(sys.argv[1], sys.argv[2], follow_symlinks=False).decode())' "$@"
}
