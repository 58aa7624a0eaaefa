# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
	mkdir -p "$ROOTFS/data/sub"
	echo seed >"$ROOTFS/data/file"
	ln -s /data/sub "$ROOTFS/link"
	ln -s ../../../../../../../../etc "$ROOTFS/outside"
}

setup() {
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	DOCUMENT=$BATS_TEST_TMPDIR/document.json
	mkdir "$BUNDLE"
}

# volumes DESTINATIONS ARG…: $output is what is mounted there and was not without the image
volumes() {
	jq -n --argjson volumes "$1" --arg bundle "$BUNDLE" --arg path "$ROOTFS" '{
		image: {name: "x:latest", config: {os: "linux", config: {Cmd: ["sh"], Volumes: ($volumes | map({(.): {}}) | add)}}},
		rootfs: {id: "0123456789abcdef0123", path: $path, bundle: $bundle, layers: []}}' >"$DOCUMENT"
	shift
	tool oci-gen generate --document "$DOCUMENT" "$@"
	fits_schema <"$BUNDLE/config.json"
	output=$(jq -c --arg root "$ROOTFS" '[.mounts[] | select(.destination | test("^/(proc|dev|sys)(/|$)") | not)
		| [.destination, .type, (.source | sub($root; "ROOT")), (.options | join(","))]]' "$BUNDLE/config.json")
}

@test "generate: volumes of an image are mounts of their own" {
	volumes '["/data"]'
	[ "$output" = '[["/data","bind","ROOT/data","rbind,rprivate,rw"]]' ]
	volumes '["/data/"]' --image-volumes tmpfs
	[ "$output" = '[["/data/","tmpfs","tmpfs","nosuid,nodev,mode=755,tmpcopyup"]]' ]
	volumes '["/data"]' --image-volumes ignore
	[ "$output" = '[]' ]
	volumes '["/not/there"]'
	[ "$output" = "[[\"/not/there\",\"bind\",\"$BUNDLE/volumes/0\",\"rbind,rprivate,rw\"]]" ]
	[ "$(stat -c '%a %u %F' "$BUNDLE/volumes/0")" = '755 0 directory' ]
	volumes '["/not/there"]' --image-volumes tmpfs
	[ "$output" = '[["/not/there","tmpfs","tmpfs","nosuid,nodev,mode=755,tmpcopyup"]]' ]
	volumes '["/data"]' --tmpfs /data
	[ "$output" = '[["/data","tmpfs","tmpfs","nosuid,nodev,noexec"]]' ]
	tool 2 oci-gen generate --document "$DOCUMENT" --image-volumes copy
	# without a document, only when asked for
	jq .image.config "$DOCUMENT" >"$BATS_TEST_TMPDIR/image.json"
	tool oci-gen generate --image "$BATS_TEST_TMPDIR/image.json" --rootfs "$ROOTFS"
	is '.mounts | any(.destination == "/data")' false
	tool oci-gen generate --image "$BATS_TEST_TMPDIR/image.json" --rootfs "$ROOTFS" --image-volumes bind
	is '.mounts | any(.destination == "/data")' true
}

@test "generate: a volume cannot be what it must not be, nor lead out of the root" {
	volumes '["/link"]'
	[ "$output" = '[["/link","bind","ROOT/data/sub","rbind,rprivate,rw"]]' ]
	volumes '["/outside"]'
	[ "$output" = '[["/outside","bind","ROOT/etc","rbind,rprivate,rw"]]' ]
	for place in / // relative /proc /proc/x /sys/fs /dev /dev/x /data/../proc //proc /./proc /data/.. /. /data/./sub; do
		volumes "[\"$place\"]"
		[ "$output" = '[]' ]
		[[ $stderr == *"left out"* ]]
	done
	printf '{"config": {"Cmd": ["x"], "Volumes": []}}' >"$BATS_TEST_TMPDIR/image.json"
	tool 7 oci-gen generate --image "$BATS_TEST_TMPDIR/image.json"
}

@test "generate: a volume has what the image has there, and can be written to where the root cannot" {
	for mode in bind tmpfs; do
		volumes '["/data"]' --image-volumes $mode --rootfs-readonly --linux-namespace-remove network --linux-cgroups-path /ocid-test-volumes \
			sh -c 'cat /data/file; echo x >/data/new && echo wrote; echo x >/new'
		run_bundle runc "ocid-test-volumes-$RANDOM" "$BUNDLE" || true
		[ "$output" = $'seed\nwrote' ]
		[[ $stderr == *"Read-only file system"* ]]
		[ $mode = tmpfs ] || rm "$ROOTFS/data/new"
	done
	[ ! -e "$ROOTFS/data/new" ]
}

@test "generate: a volume that the image does not have is on the disk, and the root's of the user namespace" {
	volumes '["/new", "/other"]' --rootfs-readonly --linux-namespace-remove network --linux-cgroups-path /ocid-test-volumes \
		sh -c 'echo x >/new/file && stat -f -c %T /new && stat -c %U /new /other'
	run_bundle runc "ocid-test-volumes-$RANDOM" "$BUNDLE"
	[ "$output" = "$(stat -f -c %T "$BUNDLE")"$'\nroot\nroot' ]
	[ "$(cat "$BUNDLE/volumes/0/file")" = x ]
	volumes '["/third"]' --linux-namespace-add user --linux-uidmappings 100000:0:65536 --linux-gidmappings 200000:0:65536
	[ "$(stat -c '%u:%g' "$BUNDLE/volumes/0")" = 100000:200000 ]
	# nothing is made by those that only look
	rm -r "$BUNDLE/volumes"
	tool oci-gen explain --document "$DOCUMENT" /mounts
	[ ! -e "$BUNDLE/volumes" ]
}

@test "generate: an image with more volumes than anybody has is refused at once" {
	jq -n '{image: {name: "x", config: {os: "linux", config: {Cmd: ["sh"],
		Volumes: [range(100000) | {key: "/v\(.)", value: {}}] | from_entries}}}, rootfs: {id: "x", path: "/"}}' >"$DOCUMENT"
	tool 9 oci-gen generate --document "$DOCUMENT"
	error_is limit "the image has 100000 volumes, more than 4096"
}

@test "generate: as many volumes as an image can have, all deep, take no time" {
	jq -n '("/a" * 450) as $deep | {image: {name: "x", config: {os: "linux", config: {Cmd: ["sh"],
		Volumes: [range(4096) | {key: "\($deep)/\(.)", value: {}}] | from_entries}}}, rootfs: {id: "x", path: "/"}}' >"$DOCUMENT"
	tool oci-gen generate --document "$DOCUMENT"
	[ "$(jq '.config.mounts | map(select(.destination | startswith("/a"))) | length' <<<"$output")" -eq 4096 ]
}
