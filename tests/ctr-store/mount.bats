#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:etc/two:text=two
	make_tar top.tar dir:etc whiteout:etc/two file:etc/three:text=three
	store_image docker.io/library/t:1 base.tar top.tar
	mkdir mnt
}

teardown() { clean_store; }

options_of() {
	findmnt -n -o OPTIONS "$1"
}

@test "mount: an image on a directory, read-only, nosuid and nodev" {
	tool ctr-store mount t:1 mnt
	[ "$(field .target)" = "$BATS_TEST_TMPDIR/mnt" ]
	[ "$(field '.image, .rw' | xargs)" = "docker.io/library/t:1 false" ]
	[ "$(ls mnt/etc)" = $'one\nthree' ]
	[[ ",$(options_of mnt)," == *,ro,* ]]
	[[ $(options_of mnt) == *nosuid*nodev* ]]
	run touch mnt/x
	[ "$status" -ne 0 ]
	tool ctr-store umount mnt
	[ -z "$(ls mnt)" ]
}

@test "mount: without a directory one is made, and goes with the mount" {
	tool ctr-store mount t:1
	target=$(field .target)
	[[ $target == "$OCID_RUNROOT"/mnt/* ]]
	[ "$(cat "$target/etc/one")" = one ]
	tool ctr-store umount t:1
	[ ! -e "$target" ]
}

@test "mount: the short name, the digest, and the id mean the image" {
	digest=$(ctr-store image t:1 | jq -r .digest)
	id=$(ctr-store image t:1 | jq -r .id)
	for name in t:1 library/t:1 docker.io/library/t:1 "$digest" "${id#sha256:}" "t@$digest"; do
		tool ctr-store mount "$name" mnt
		[ "$(field .imageId)" = "$id" ]
		tool ctr-store umount mnt
	done
}

@test "mount: --rw is writable, and what was written goes with umount" {
	tool ctr-store mount --rw t:1 mnt
	echo new >mnt/etc/new
	rm mnt/etc/one
	[[ ",$(options_of mnt)," == *,rw,*volatile* ]]
	[ "$(count "$OCID_ROOT/containers")" -eq 1 ]
	tool ctr-store umount mnt
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	tool ctr-store mount --rw t:1 mnt
	[ "$(ls mnt/etc)" = $'one\nthree' ]
}

@test "mount: --rw without a directory" {
	tool ctr-store mount --rw t:1
	echo new >"$(field .target)/new"
	tool ctr-store umount "$(field .container)"
	[ -z "$(ls "$OCID_ROOT/containers")" ]
}

@test "mount: --upper keeps what was written under a name" {
	tool ctr-store mount --upper mine t:1 mnt
	echo new >mnt/etc/new
	tool ctr-store umount mnt
	tool ctr-store mount --upper mine t:1 mnt
	[ "$(cat mnt/etc/new)" = new ]
	tool ctr-store umount mine
	tool ctr-store mount mine mnt
	[ "$(cat mnt/etc/new)" = new ]
	tool ctr-store umount mnt
	store_image docker.io/library/other:1 base.tar
	tool 4 ctr-store mount --upper mine other:1 mnt
	error_is exists "is not of image"
	# a name that another container's id begins with is still a new one's
	id=$(ctr-store containers mine | jq -r .id)
	tool ctr-store mount --upper "${id:0:4}" t:1 mnt
	[ "$(field .container)" != "$id" ]
	tool ctr-store umount "$PWD/mnt"
	tool ctr-store rm "${id:0:4}"
	tool 2 ctr-store mount --upper ../x t:1 mnt
	error_is usage '"../x" cannot be a container'
	tool ctr-store rm mine
}

@test "mount: a container again at its place, as after a reboot" {
	tool ctr-store create --image t:1 --name web
	path=$(field .rootfs.path)
	echo kept >"$path/kept"
	umount "$path"
	tool ctr-store mount web
	[ "$(field .target)" = "$path" ]
	[ "$(cat "$path/kept")" = kept ]
	tool 4 ctr-store mount web
	error_is exists "mounted already"
}

@test "mount: a container that is mounted elsewhere, at its own place" {
	path=$(ctr-store create --image t:1 --name web | jq -r .rootfs.path)
	tool ctr-store umount web
	tool ctr-store mount web mnt
	tool ctr-store mount web
	[ "$(field .target)" = "$path" ]
	echo new >mnt/new
	[ "$(cat "$path/new")" = new ]
	tool 4 ctr-store mount web
	error_is exists "container web is mounted already, at $path"
	tool ctr-store umount mnt
	[ "$(cat "$path/new")" = new ]
	tool ctr-store rm web
	[ -z "$(ctr-store mounts)" ]
}

@test "mount: a mounted container on one more directory shows the same files" {
	tool ctr-store create --image t:1 --name web
	path=$(field .rootfs.path)
	tool ctr-store mount web mnt
	echo new >mnt/new
	[ "$(cat "$path/new")" = new ]
	[ "$(ctr-store mounts | wc -l)" -eq 2 ]
	tool ctr-store umount mnt
	[ "$(cat "$path/new")" = new ]
	tool ctr-store umount web
}

@test "mount: whiteouts, opaque directories, links, devices, xattrs and owners are as in the image" {
	make_tar a.tar dir:d:mode=700:uid=5:gid=6 file:d/below:text=below dir:gone file:gone/x \
		file:h1:text=linked:uid=1000:gid=50:mode=4755 link:h2:to=h1 symlink:s:to=../../etc/passwd \
		char:null:dev=1,3:mode=666 block:blk:dev=7,9 fifo:pipe:mode=600 \
		file:attr:xattr.user.colour=blue:xattr.security.one=1
	make_tar b.tar dir:d:mode=751:uid=7:gid=8 opaque:d file:d/above:text=above whiteout:gone
	store_image docker.io/library/all:1 a.tar b.tar
	tool ctr-store mount all:1 mnt
	[ "$(ls mnt/d)" = above ]
	[ ! -e mnt/gone ]
	[ "$(stat -c '%a %u %g' mnt/d)" = "751 7 8" ]
	[ "$(stat -c '%a %u %g %h' mnt/h2)" = "4755 1000 50 2" ]
	[ "$(stat -c %i mnt/h1)" = "$(stat -c %i mnt/h2)" ]
	[ "$(readlink mnt/s)" = ../../etc/passwd ]
	[ "$(stat -c '%F %t %T %a' mnt/null)" = "character special file 1 3 666" ]
	[ "$(stat -c '%F %t %T' mnt/blk)" = "block special file 7 9" ]
	[ "$(stat -c '%F %a' mnt/pipe)" = "fifo 600" ]
	[ "$(xattr mnt/attr user.colour)" = blue ]
	[ "$(stat -c %Y mnt/h1)" = 0 ]
}

@test "mount: a whiteout of what is not there is not seen, whatever the layers are" {
	make_tar a.tar dir:d whiteout:d/nothing file:d/f whiteout:parent/nothing dir:was file:was/x
	make_tar b.tar file:was
	make_tar c.tar dir:was whiteout:was/x
	for backend in overlay erofs; do
		clean_store
		OCID_TESTS_BACKEND=$backend store_image docker.io/library/none:1 a.tar b.tar c.tar
		tool ctr-store mount none:1 mnt
		[ "$(ls -A mnt/d mnt/parent mnt/was)" = $'mnt/d:\nf\n\nmnt/parent:\n\nmnt/was:' ]
		tool ctr-store check --deep
		tool ctr-store umount mnt
		tool ctr-store create --image none:1 --uidmap 0:100000:65536
		[ "$(ls -A "$(field .rootfs.path)/was")" = "" ]
	done
}

@test "mount: the image's / looks as its layers say, read-only too" {
	make_tar root.tar dir:./:mode=1750:uid=7:gid=8
	store_image docker.io/library/root:1 root.tar base.tar
	tool ctr-store mount root:1 mnt
	[ "$(stat -c '%a %u %g' mnt)" = "1750 7 8" ]
	[ "$(cat mnt/etc/one)" = one ]
}

@test "mount: the image's / has the time and the attributes of the layer that declares it" {
	for at in 1 2; do
		make_tar "root$at.tar" "dir:./:mtime=$at:xattr.user.colour=blue$at"
		store_image "docker.io/library/root:$at" "root$at.tar" base.tar
		tool ctr-store mount "root:$at" mnt
		[ "$(stat -c '%a %Y' mnt) $(xattr mnt user.colour)" = "755 $at blue$at" ]
		tool ctr-store umount mnt
	done
}

@test "mount: names of directories that need escaping" {
	export OCID_ROOT="$BATS_TEST_TMPDIR/a b,c:d\\e"
	store_image docker.io/library/t:1 base.tar top.tar
	mkdir $'m n\to'
	tool ctr-store mount --rw t:1 $'m n\to'
	echo x >$'m n\to/x'
	tool ctr-store mounts
	[ "$(field .target)" = "$BATS_TEST_TMPDIR/"$'m n\to' ]
	tool ctr-store umount $'m n\to'
	# where images cannot be mounted at all
	rm -r "$OCID_ROOT/layers"
	as_directories
	fault fsopen:error=ENOSYS
	tool "${FAULTY[@]}" ctr-store mount --rw t:1 mnt
	echo x >mnt/x
	tool ctr-store umount mnt
}

@test "mount: on a kernel without lowerdir+, or without fsopen" {
	as_directories
	for fault in fsopen:error=ENOSYS fsconfig:error=EINVAL:when=1; do
		fault "$fault"
		tool "${FAULTY[@]}" ctr-store mount t:1 mnt
		[ "$(ls mnt/etc)" = $'one\nthree' ]
		[[ $(options_of mnt) == ro,nosuid,nodev* ]]
		tool ctr-store umount mnt
		fault "$fault"
		tool "${FAULTY[@]}" ctr-store mount --rw t:1 mnt
		touch mnt/x
		tool ctr-store umount mnt
	done
	[ -z "$(find "$OCID_RUNROOT" -name '.mount-*')" ]
}

@test "mount: killed on such a kernel leaves nothing that gc does not take" {
	ctr-store unpack t:1 >/dev/null
	fault fsopen:error=ENOSYS
	"${FAULTY[@]}" -e inject=open_tree:signal=KILL ctr-store mount t:1 mnt >/dev/null 2>&1 || true
	[ "$(find "$OCID_RUNROOT" -maxdepth 1 -name '.mount-*' | wc -l)" -eq 1 ]
	tool ctr-store gc
	[ -z "$(find "$OCID_RUNROOT" -maxdepth 1 -name '.mount-*')" ]
	[ -z "$(mounts_left)" ]
}

@test "mount: a store of unpacked layers on a read-only file system" {
	ctr-store unpack t:1 >/dev/null
	mount --bind "$OCID_ROOT" "$OCID_ROOT"
	mount -o remount,bind,ro "$OCID_ROOT"
	tool ctr-store mount t:1 mnt
	[ "$(cat mnt/etc/one)" = one ]
	tool 6 ctr-store mount --rw t:1 mnt
	error_is denied "Read-only"
	tool ctr-store umount mnt
	umount "$OCID_ROOT"
}

@test "mount: no such image, no such directory, a file instead of one" {
	tool 3 ctr-store mount nope mnt
	error_is not-found 'no container or image "nope"'
	tool 3 ctr-store export --output out nope
	error_is not-found 'no container or image "nope"'
	for what in --image --rw; do
		tool 3 ctr-store mount "$what" nope mnt
		error_is not-found 'no image "nope" (see ctr-store images)'
	done
	tool 3 ctr-store mount t:1 missing
	error_is not-found "missing"
	touch file
	tool 1 ctr-store mount t:1 file
	error_is failed "Not a directory"
	tool 3 ctr-store mount --container t mnt
	error_is not-found 'no container "t"'
	[ -z "$(ctr-store mounts)" ]
}

@test "mount: not over the store itself" {
	ctr-store create --image t:1 --name web >/dev/null
	mkdir -p "$OCID_RUNROOT"
	for directory in / "$OCID_ROOT" "$OCID_RUNROOT" "$(dirname "$OCID_ROOT")"; do
		for arguments in t:1 "--rw t:1" "--upper new t:1" web; do
			# shellcheck disable=SC2086
			tool 2 unshare --mount ctr-store mount $arguments "$directory"
			error_is usage "the store could not be reached any more with $directory mounted over"
		done
	done
	[ "$(ctr-store mounts | wc -l)" -eq 1 ]
	mkdir "${OCID_ROOT}2" "$OCID_ROOT/inside"
	tool ctr-store mount t:1 "${OCID_ROOT}2"
	tool ctr-store mount t:1 "$OCID_ROOT/inside"
	tool ctr-store umount "${OCID_ROOT}2" "$OCID_ROOT/inside"
	rmdir "${OCID_ROOT}2"
}

@test "mount: what cannot be printed is undone" {
	ctr-store create --image t:1 --name web >/dev/null
	mkfifo pipe
	exec 7<>pipe 8>pipe 7>&-
	for arguments in "t:1 mnt" "t:1" "--rw t:1 mnt" "web mnt"; do
		tool 9 bash -c "ctr-store mount $arguments >/dev/full"
		error_is limit "standard output: No space left"
		tool 141 bash -c "ctr-store mount $arguments >&8"
		[ -z "$stderr" ]
	done
	exec 8>&-
	[ "$(ctr-store mounts | wc -l)" -eq 1 ]
	[ "$(count "$OCID_ROOT/containers")" -eq 1 ]
	[ -z "$(ls "$OCID_RUNROOT/mnt")" ]
	run ! mountpoint -q mnt
	nothing_unfinished
}

@test "mount: a name that means a container and an image" {
	ctr-store create --image t:1 --name t >/dev/null
	ctr-store tag t:1 t:latest >/dev/null
	tool 2 ctr-store mount t mnt
	error_is usage "say which with --container or --image"
	tool ctr-store mount --image t mnt
	[ "$(field .container)" = null ]
	tool ctr-store umount mnt
	tool ctr-store mount --container t mnt
	[ "$(field .container)" != null ]
}

@test "mount: a container is not made writable twice" {
	ctr-store create --image t:1 --name web >/dev/null
	tool 3 ctr-store mount --rw web mnt
	tool 2 ctr-store mount --container --rw web mnt
	error_is usage
}

@test "mount: many at once, and as many removals of the image: mounted is never removed" {
	ctr-store unpack t:1 >/dev/null
	for i in 1 2 3 4 5 6 7 8; do
		mkdir "m$i"
		{ ctr-store mount t:1 "m$i" >/dev/null 2>&1 || echo "mount $?" >>codes; } 3>&- &
		{ ctr-store rm t:1 >/dev/null 2>&1 || echo "rm $?" >>codes; } 3>&- &
		{ ctr-store gc >/dev/null 2>&1 || echo "gc $?" >>codes; } 3>&- &
	done
	wait
	# not found by whoever came after a removal, in use by whoever came after a mount
	run ! grep -vxE 'mount 3|rm 3|rm 5' codes
	ctr-store mounts | jq -r .target | while read -r target; do
		[ "$(cat "$target/etc/three")" = three ]
	done
}

@test "mount: killed at any moment leaves nothing that counts as mounted" {
	ctr-store unpack t:1 >/dev/null
	for call in fsopen:when=1 fsmount:when=1 renameat:when=1 move_mount:when=1; do
		fault "${call%%:*}:signal=KILL:${call#*:}"
		"${FAULTY[@]}" ctr-store mount t:1 mnt >/dev/null 2>&1 || true
		ctr-store umount --force mnt
	done
	[ -z "$(ctr-store mounts)" ]
	tool ctr-store gc
	[ -z "$(ls -A "$OCID_RUNROOT/mounts")" ]
	tool ctr-store mount t:1 mnt
}

@test "mount: oci-gen and runc run what is mounted, as the project's founding text has it" {
	command -v oci-gen >/dev/null || skip "oci-gen is not built"
	busybox_tar busybox.tar
	make_tar data.tar dir:data1
	store_image docker.io/library/busybox:1 busybox.tar data.tar
	mkdir data bundle
	echo mine >data/file
	tool ctr-store mount busybox:1 mnt
	oci-gen generate --bind "$PWD/data:/data1" --tmpfs /run --rootfs "$PWD/mnt" /bin/cat /data1/file \
		>bundle/config.json
	run runc --root "$BATS_TEST_TMPDIR/runc" run --bundle bundle store-mount
	[ "$output" = mine ]
}
