#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:etc/two:text=two
	make_tar top.tar dir:etc whiteout:etc/two file:etc/three:text=three
	store_image docker.io/library/t:1 base.tar top.tar
}

teardown() { clean_store; }

@test "create: the document gets rootfs, and its path is the mounted image" {
	tool ctr-store create --image t:1
	id=$(field .rootfs.id)
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	[ "$(field .rootfs.bundle)" = "$OCID_ROOT/containers/$id" ]
	[ "$(field .rootfs.path)" = "$OCID_ROOT/containers/$id/rootfs" ]
	[ "$(field '.rootfs | has("name")')" = false ]
	[ "$(field '.rootfs.layers[0]')" = "$(sha256sum base.tar | cut -d' ' -f1)" ]
	[ "$(field .image.name)" = docker.io/library/t:1 ]
	path=$(field .rootfs.path)
	[ "$(ls "$path/etc")" = $'one\nthree' ]
	[ "$(findmnt -n -o FSTYPE "$path")" = overlay ]
}

@test "create: the document fits its schema" {
	tool ctr-store create --image t:1 --name web
	printf '%s' "$output" >document
	/usr/bin/python3 -c 'import json, jsonschema, sys
jsonschema.validate(json.load(open("document")), json.load(open(sys.argv[1])))' \
		"$TESTS/../man/document.schema.json"
}

@test "create: of a document whose image went to a registry it says so" {
	echo '{"image": {"name": "t", "descriptor": {"digest": "sha256:'"$(printf '0%.0s' {1..64})"'"}}}' >document
	tool 2 ctr-store create <document
	error_is usage "copied to a registry"
}

@test "create: the printed document is kept in the bundle" {
	tool ctr-store create --image t:1
	[ "$(jq -cS . <<<"$output")" = "$(jq -cS . "$(field .rootfs.bundle)/document.json")" ]
}

@test "create: a document from stdin keeps its other fields" {
	ctr-store unpack t:1 | jq '. + {cri: {pod: {x: 1}}, more: [1, 2]}' >document
	tool ctr-store create --name web --id abc <document
	[ "$(field .rootfs.name)" = web ]
	[ "$(field .rootfs.id)" = abc ]
	[ "$(field '.cri.pod.x, .more[1]' | xargs)" = "1 2" ]
}

@test "create: what is not unpacked yet is unpacked" {
	tool ctr-store image t:1
	tool ctr-store create <<<"$(field '{image} | tojson')"
	[ "$(layers | wc -l)" -eq 2 ]
}

@test "create: what a container writes stays its own" {
	as_directories
	tool ctr-store create --image t:1 --name a
	a=$(field .rootfs.path)
	tool ctr-store create --image t:1 --name b
	b=$(field .rootfs.path)
	echo changed >"$a/etc/one"
	rm "$a/etc/three"
	mkdir "$a/new"
	[ "$(cat "$b/etc/one")" = one ]
	[ -e "$b/etc/three" ]
	[ ! -e "$b/new" ]
	[ "$(cat "$(layer_tree base.tar)/etc/one")" = one ]
}

@test "create: the image's / has the owner, mode and time that its layers say" {
	make_tar root.tar dir:./:mode=1750:uid=7:gid=8:mtime=1000:xattr.user.of=root
	store_image docker.io/library/root:1 root.tar base.tar
	tool ctr-store create --image root:1
	path=$(field .rootfs.path)
	[ "$(stat -c '%a %u %g %Y' "$path")" = "1750 7 8 1000" ]
	[ "$(xattr "$path" user.of)" = root ]
	tool ctr-store create --image t:1
	[ "$(stat -c '%a %u %g' "$(field .rootfs.path)")" = "755 0 0" ]
}

@test "create: an image without layers is an empty writable directory" {
	store_image docker.io/library/scratch:1
	tool ctr-store create --image scratch:1
	path=$(field .rootfs.path)
	[ -z "$(ls -A "$path")" ]
	mkdir "$path/proc"
	tool ctr-store mount scratch:1
	[ -z "$(ls -A "$(field .target)")" ]
}

@test "create: an id or a name that is taken" {
	tool ctr-store create --image t:1 --name web --id one
	tool 4 ctr-store create --image t:1 --id one
	error_is exists 'container "one" exists already'
	tool 4 ctr-store create --image t:1 --id web
	error_is exists 'container "web" exists already (one)'
	tool 4 ctr-store create --image t:1 --name web
	error_is exists 'container "web" exists already'
	tool 4 ctr-store create --image t:1 --name one
	error_is exists
	nothing_unfinished
	[ "$(ctr-store mounts | wc -l)" -eq 1 ]
}

@test "create: ids and names that could lead elsewhere are refused" {
	for name in ../x . .. a/b '' -x $'a\nb'; do
		tool 2 ctr-store create --image t:1 "--id=$name"
		tool 2 ctr-store create --image t:1 "--name=$name"
	done
	[ -z "$(ls "$OCID_ROOT/containers")" ]
}

@test "create: an image as operand, as podman and buildah take it" {
	tool ctr-store create t:1
	[ "$(field .image.name)" = docker.io/library/t:1 ]
	tool ctr-store create scratch --name new
	[ -z "$(ls "$(field .rootfs.path)")" ]
	for option in --image --from; do
		tool 2 ctr-store create t:1 "$option" t:1
		error_is usage "exclude each other"
	done
	tool 2 ctr-store create --image t:1 --from t:1
	error_is usage "exclude each other"
}

@test "create: no image of that name, no document, no image in it, a rootfs in it" {
	tool 3 ctr-store create --image nope
	error_is not-found 'no image "nope" (see ctr-store images)'
	tool 1 ctr-store create </dev/null
	tool 2 ctr-store create <<<'{}'
	error_is usage "the document has no image"
	ctr-store create --image t:1 >document
	tool 2 ctr-store create <document
	error_is usage "has a rootfs already"
}

@test "create: an image that the document only names is put into it" {
	tool ctr-store create <<<'{"image": "t:1", "mine": [1]}'
	printf '%s' "$output" >document
	[ "$(field '[.mine, .image.name, .image.names] | tojson')" = '[[1],"docker.io/library/t:1",["docker.io/library/t:1"]]' ]
	[ "$(field .image.repoDigests)" = "$(ctr-store image t:1 | jq .repoDigests)" ]
	[ "$(field '.image | [.descriptor, .manifest, .config]')" = \
		"$(ctr-store image t:1 | jq '.image | [.descriptor, .manifest, .config]')" ]
	[ "$(ls "$(field .rootfs.path)/etc")" = $'one\nthree' ]
	/usr/bin/python3 -c 'import json, jsonschema, sys
jsonschema.validate(json.load(open("document")), json.load(open(sys.argv[1])))' \
		"$TESTS/../man/document.schema.json"
	tool 3 ctr-store create <<<'{"image": "nope"}'
	error_is not-found 'no image "nope" (see ctr-store images)'
}

@test "create: many at once with one name make one container" {
	ctr-store unpack t:1 >/dev/null
	for _ in 1 2 3 4 5 6 7 8; do
		ctr-store create --image t:1 --name web >>made 2>>errors 3>&- &
	done
	wait
	[ "$(wc -l <made)" -eq 1 ]
	[ "$(grep -c 'exists already' errors)" -eq 7 ]
	[ "$(count "$OCID_ROOT/containers")" -eq 1 ]
	nothing_unfinished
}

@test "create: of two at once an id and a name that are the same make one container" {
	ctr-store create --image t:1 --name other >/dev/null
	fault renameat2:delay_enter=2000000
	for options in '--id --name' '--name --id'; do
		read -r first second <<<"$options"
		"${FAULTY[@]}" ctr-store create --image t:1 "$first" web >made 3>&- &
		wait_for 10 sh -c "test -s $OCID_ROOT/tmp/*/rootfs.json"
		tool 4 ctr-store create --image t:1 "$second" web
		error_is exists 'container "web" exists already'
		wait "$!"
		[ "$(jq -r .rootfs.path made)" = "$(ctr-store containers web | jq -r .path)" ]
		tool ctr-store rm web
	done
	tool ctr-store create --image t:1 --id web --name web
	nothing_unfinished
}

@test "create: 500 layers" {
	tars=()
	for ((i = 0; i < 500; i++)); do
		tars+=("l$i.tar")
	done
	/usr/bin/python3 - "${tars[@]}" <<-'END'
		import io, sys, tarfile
		for name in sys.argv[1:]:
		    with tarfile.open(name, "w") as tar:
		        info = tarfile.TarInfo(name)
		        info.size = 1
		        tar.addfile(info, io.BytesIO(b"x"))
	END
	for backend in erofs overlay; do
		clean_store
		store_image docker.io/library/many:1 "${tars[@]}"
		ctr-store unpack --backend $backend many:1 >/dev/null
		tool ctr-store create --image many:1
		[ "$(count "$(field .rootfs.path)")" -eq 500 ]
		# mount(2), which older kernels need, has room for a page of names
		fault fsopen:error=ENOSYS
		tool "${FAULTY[@]}" ctr-store create --image many:1
		[ "$(count "$(field .rootfs.path)")" -eq 500 ]
	done
	store_image docker.io/library/more:1 "${tars[@]}" base.tar
	tool 9 ctr-store create --image more:1
	error_is limit "501 layers"
}

@test "create: a mount that fails leaves no container" {
	ctr-store unpack t:1 >/dev/null
	fault move_mount:error=EINVAL
	tool 1 "${FAULTY[@]}" ctr-store create --image t:1
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	[ -z "$(ls "$OCID_RUNROOT/mounts")" ]
}

@test "create: a document that cannot be written leaves no container" {
	ctr-store unpack t:1 >/dev/null
	tool 9 bash -c 'ctr-store create --image t:1 >/dev/full'
	error_is limit "standard output: No space left"
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	[ -z "$(find "$OCID_RUNROOT/mounts" "$OCID_RUNROOT/locks" -name '*container*')" ]
	# nor does one whose reader is gone
	mkfifo pipe
	exec 7<>pipe 8>pipe 7>&-
	tool 141 bash -c 'ctr-store create --image t:1 >&8'
	exec 8>&-
	[ -z "$stderr" ]
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	[ -z "$(ctr-store mounts)" ]
	nothing_unfinished
}

@test "create: who reads the document slowly keeps nobody else waiting" {
	full_pipe
	for options in "" "--backend copy"; do
		# shellcheck disable=SC2086
		ctr-store create --image t:1 --id abc $options >full 3>&- 8>&- &
		wait_for 10 ls "$OCID_ROOT/containers/abc"
		export TOOL_TIMEOUT=30
		tool ctr-store gc
		tool ctr-store rm abc
		unset TOOL_TIMEOUT
		[ "$(read_pipe | jq -r .rootfs.id)" = abc ]
		wait $!
		/usr/bin/python3 -c 'import os; os.write(8, bytes(4096))' 8<>full
	done
	exec 8>&-
}

@test "create: a document that cannot be written leaves another container of that id alone" {
	full_pipe
	ctr-store create --image t:1 --id abc >full 3>&- 8>&- &
	pid=$!
	wait_for 10 ls "$OCID_ROOT/containers/abc"
	TOOL_TIMEOUT=30 tool ctr-store rm abc
	tool ctr-store create --image t:1 --id abc
	exec 8>&-
	wait "$pid" || [ $? -eq 141 ]
	tool ctr-store containers abc
	[ "$(ls "$OCID_ROOT/containers")" = abc ]
	[ "$(ctr-store mounts | wc -l)" -eq 1 ]
}

@test "create: one that cannot be brought to the disk is none" {
	fault fsync:error=EIO
	tool 1 "${FAULTY[@]}" -P "$OCID_ROOT/containers" ctr-store create --image t:1 --id abc --name web
	error_is failed containers
	[ -z "$(ctr-store containers)" ]
	[ -z "$(ls "$OCID_ROOT/names")" ]
	tool ctr-store create --image t:1 --id abc --name web
}

@test "create: killed at any moment, the next one works and gc removes what was left" {
	export OCID_KEEPS_UNFINISHED=1
	ctr-store unpack t:1 >/dev/null
	for call in mkdirat:when=1 mkdirat:when=3 fsync:when=1 renameat2:when=1 fsmount:when=1 \
		renameat:when=1 move_mount:when=1; do
		fault "${call%%:*}:signal=KILL:${call#*:}"
		"${FAULTY[@]}" ctr-store create --image t:1 >/dev/null 2>&1 || true
		tool ctr-store create --image t:1
		tool ctr-store rm "$(field .rootfs.id)"
	done
	tool ctr-store gc
	nothing_unfinished
	# what was renamed into its place is a container like any other
	for bundle in "$OCID_ROOT"/containers/*; do
		[ ! -e "$bundle" ] || tool ctr-store rm "$(basename "$bundle")"
	done
}

@test "create: a full disk is told as such and leaves no container" {
	export OCID_ROOT=$BATS_TEST_TMPDIR/disk
	small_disk "$OCID_ROOT" 1m
	store_image docker.io/library/t:1 base.tar top.tar
	ctr-store unpack t:1 >/dev/null
	dd if=/dev/zero of="$OCID_ROOT/filler" bs=4k status=none || true
	tool 9 ctr-store create --image t:1
	error_is limit "No space left"
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	rm "$OCID_ROOT/filler"
	tool ctr-store create --image t:1
	tool ctr-store rm "$(field .rootfs.id)"
	nothing_unfinished
	umount "$OCID_ROOT"
}

@test "create: a read-only store is told as such" {
	ctr-store unpack t:1 >/dev/null
	: >"$OCID_ROOT/images/blobs/sha256/$(printf gone | sha256sum | cut -c1-64)"
	mount --bind "$OCID_ROOT" "$OCID_ROOT"
	mount -o remount,bind,ro "$OCID_ROOT"
	for verb in "create --image t:1" "tag t:1 u:1" "rm t:1" gc; do
		# shellcheck disable=SC2086
		tool 6 ctr-store $verb
		error_is denied "Read-only"
	done
	tool ctr-store images
	umount "$OCID_ROOT"
}

@test "create: on a file system that cannot be an upper directory, the kernel says why" {
	mkdir low up work store
	mount -t overlay -o lowerdir=low,upperdir=up,workdir=work overlay store
	export OCID_ROOT=$PWD/store
	store_image docker.io/library/t:1 base.tar
	# before Linux 6.5 it says so in its log alone
	if [ "$(printf '%s\n' 6.5 "$(uname -r)" | sort -V | head -n 1)" = 6.5 ]; then
		tool 10 ctr-store create --image t:1
		error_is unsupported "/upper not supported as upperdir: cannot mount the layers: Invalid argument"
	else
		tool 1 ctr-store create --image t:1
		error_is failed 'dmesg(1)'
	fi
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	umount store
}

@test "create: what the store's directory passes on to new files comes into no container" {
	for backend in overlay erofs copy; do
		rm -rf "$OCID_ROOT"
		# user::rwx user:1000:rwx group::r-x mask::rwx other::---
		/usr/bin/python3 -c 'import os, struct, sys
os.mkdir(sys.argv[1], 0o2777)
acl = [(1, 7, -1), (2, 7, 1000), (4, 5, -1), (16, 7, -1), (32, 0, -1)]
os.setxattr(sys.argv[1], "system.posix_acl_default",
	struct.pack("<i", 2) + b"".join(struct.pack("<HHi", *entry) for entry in acl))' "$OCID_ROOT"
		store_image docker.io/library/t:1 base.tar top.tar
		[ $backend = copy ] || echo "{\"backend\": \"$backend\"}" >"$OCID_ROOT/store.json"
		tool ctr-store create --image t:1 --backend "$backend" --id abc
		path=$(field .rootfs.path)
		touch "$path/new"
		mkdir "$path/etc/new"
		/usr/bin/python3 -c 'import os, sys
assert not [name for top, dirs, files in os.walk(sys.argv[1]) for file in [".", *files]
	for name in os.listxattr(os.path.join(top, file)) if "acl" in name]' "$path"
		[ "$(stat -c '%a %g' "$path/new" "$path/etc/new" | xargs)" = "644 0 755 0" ]
		tool ctr-store rm abc
		tool ctr-store mount t:1
		/usr/bin/python3 -c 'import os, sys
assert not [name for name in os.listxattr(sys.argv[1]) if "acl" in name]' "$(field .target)"
		tool ctr-store umount t:1
	done
}

@test "create: the rootfs is reached by root alone" {
	tool ctr-store create --image t:1
	[ "$(stat -c %a "$(field .rootfs.bundle)")" = 700 ]
	run setpriv --reuid 1000 --clear-groups ls "$(field .rootfs.path)"
	[ "$status" -ne 0 ]
}

@test "create: runc runs the container" {
	busybox_tar busybox.tar
	store_image docker.io/library/busybox:1 busybox.tar
	tool ctr-store create --image busybox:1
	bundle=$(field .rootfs.bundle)
	(cd "$bundle" && runc spec && jq '.process.args = ["cat", "/www/index.html"] |
		.process.terminal = false | del(.linux.resources)' config.json >new && mv new config.json)
	run runc --root "$BATS_TEST_TMPDIR/runc" run --bundle "$bundle" store-test
	[ "$output" = hello ]
}
