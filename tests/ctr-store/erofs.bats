#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Layers that are EROFS images, and images of images.
# shellcheck disable=SC2030,SC2031 # each test is a subshell
load ../helpers
load common

HERE=$TESTS/ctr-store

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:.:mode=750:uid=3 dir:etc:mtime=5 file:etc/one:text=one:uid=7:xattr.user.a=b \
		file:etc/two:text=two:mtime=1000000000.25 link:etc/three:to=etc/two \
		symlink:etc/four:to=one dir:old file:old/x fifo:pipe char:null:dev=1,3 block:sda:dev=259,70000
	make_tar top.tar whiteout:old file:top:text=top dir:etc opaque:etc file:etc/new:gid=70000
	make_tar lean.tar link:again:to=top file:deep/er:text=x file:etc/implied:text=y
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
	mkdir mnt image
}

teardown() {
	for directory in image tree ro small; do
		unmount "$directory"
	done
	clean_store
}

unmount() {
	! mountpoint -q "$1" || umount "$1"
}

list() {
	/usr/bin/python3 "$HERE/list-tree.py" "$@"
}

layer_files() {
	ls "$OCID_ROOT"/layers/*/diff
}

loop_devices() { # of deleted files or those here
	losetup --list --noheadings --output BACK-FILE | grep -c "$BATS_TEST_TMPDIR"
}

# Linux 6.12: images are mounted from files, and holes can be looked for
kernel_is_new() {
	[ "$(printf '%s\n' 6.12 "$(uname -r)" | sort -V | head -n 1)" = 6.12 ]
}

no_loop_devices() {
	[ "$(loop_devices)" -eq 0 ]
}

# worker STATUS TAR ARG…: in `tree`, or in the file `file` where that is told
worker() {
	tool "$1" ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --lower-fd 9 "${@:3}" \
		--diff-id "sha256:$(sha256sum <"$2" | cut -d' ' -f1)" 7<"$2" 8<tree 9<lower 6<>file
}

new_tree() {
	unmount tree
	rm -rf tree file
	mkdir -m 700 tree
	: >file
}

# both TAR: a directory and an image of it are the same
both() {
	new_tree
	worker 0 "$1"
	image_too "$1" list
}

# image_too TAR HOW: an image of it is what is in tree now
image_too() {
	local show=$2

	"$show" tree >directory.list
	new_tree
	worker 0 "$1" --image-fd 6
	[ -z "$(ls -A tree)" ]
	# it follows directories by recursion
	(ulimit -s unlimited && fsck.erofs file)
	wait_for 10 mount -t erofs -o loop file tree
	"$show" tree >image.list
	diff directory.list image.list
}

# what costs no time
glance() {
	(cd "$1" && find . -type d -printf '%P %m %U:%G %T@\n' -o -printf '%P %y %m %U:%G %T@ %s %l\n' | sort)
}

@test "unpack: --backend erofs makes each layer one file, that fsck.erofs likes" {
	tool ctr-store unpack --backend erofs t:1
	[ "$(layer_files | wc -l)" -eq 3 ]
	for file in $(layer_files); do
		[ "$(stat -c '%F %a %u' "$file")" = "regular file 600 0" ]
		fsck.erofs "$file"
	done
	nothing_unfinished
	# what is unpacked stays as it is
	tool ctr-store unpack --backend overlay t:1
	[ "$(layer_files | wc -l)" -eq 3 ]
	tool 2 ctr-store unpack --backend copy t:1
	tool 2 ctr-store unpack --backend zfs t:1
}

@test "unpack: store.json says that layers become images" {
	mkdir -p "$OCID_ROOT"
	echo '{"backend":"erofs"}' >"$OCID_ROOT/store.json"
	tool ctr-store mount t:1 mnt
	[ -f "$(layer_tree top.tar)" ]
	[ "$(cat mnt/etc/implied)" = y ]
}

@test "mount: the same files from images as from directories" {
	ctr-store unpack --backend overlay t:1 >/dev/null
	ctr-store mount t:1 mnt >/dev/null
	list mnt no-times >directories
	ctr-store umount mnt
	clean_store
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
	ctr-store unpack --backend erofs t:1 >/dev/null
	tool ctr-store mount t:1 mnt
	list mnt no-times >images
	diff directories images
	[ "$(jq -r 'select(.path == ".").mode' images)" = 0o40750 ]
	tool ctr-store umount mnt
	# nothing is mounted anywhere
	run grep -e " $OCID_ROOT" -e " $OCID_RUNROOT" /proc/self/mountinfo
	[ "$status" -eq 1 ]
	no_loop_devices
}

@test "mount: layers that are images and layers that are directories in one" {
	store_image docker.io/library/u:1 base.tar
	ctr-store unpack --backend erofs u:1 >/dev/null
	ctr-store unpack --backend overlay t:1 >/dev/null
	[ -f "$(layer_tree base.tar)" ]
	[ -d "$(layer_tree top.tar)" ]
	tool ctr-store mount t:1 mnt
	[ "$(ls mnt)" = $'again\ndeep\netc\nnull\npipe\nsda\ntop' ]
	[ "$(ls mnt/etc)" = $'implied\nnew' ]
}

@test "mount: from a file system that needs a loop device, which goes with the mount" {
	mkdir small
	mount -t tmpfs small small
	export OCID_ROOT=$BATS_TEST_TMPDIR/small/root
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
	tool ctr-store unpack --backend erofs t:1
	tool ctr-store mount t:1 mnt
	[ "$(loop_devices)" -eq 3 ]
	[ "$(cat mnt/again)" = top ]
	[ "$(cat mnt/etc/implied)" = y ]
	tool ctr-store umount mnt
	wait_for 5 no_loop_devices
}

@test "create: containers on images, with changes, commit, and mapped owners" {
	tool ctr-store create --backend erofs --image t:1 --name c
	path=$(field .rootfs.path)
	echo new >"$path/etc/new"
	rm "$path/top"
	[ "$(ctr-store changes c | jq -r '.path + " " + .kind' | xargs)" = \
		"/etc/new changed /top removed" ]
	tool ctr-store commit c docker.io/library/c:1
	tool ctr-store create --backend erofs --image c:1 --name d --uidmap 0:100000:65536
	path=$(field .rootfs.path)
	[ "$(cat "$path/etc/new")" = new ]
	[ ! -e "$path/top" ]
	[ "$(stat -c %u:%g "$path" "$path/etc/implied" | xargs)" = "100003:100000 100000:100000" ]
	tool ctr-store diff d
	tool ctr-store create --backend copy --image t:1 --name e
	[ "$(cat "$(field .rootfs.path)/again")" = top ]
	tool ctr-store rm c d e
	tool ctr-store rm --image t:1 c:1
	[ -z "$(layers)" ]
}

@test "check: a damaged image is found, and mended from its blob" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	tool ctr-store check --deep
	[ -z "$output" ]
	file=$(layer_tree base.tar)
	cp "$file" good
	# a superblock that is none
	dd if=/dev/zero of="$file" bs=1 seek=1024 count=4 conv=notrunc status=none
	tool 7 ctr-store check
	[ "$(field .problem)" = "its image is damaged" ]
	mkdir -p "$OCID_ROOT"
	echo '{"backend":"erofs"}' >"$OCID_ROOT/store.json"
	tool ctr-store check --repair
	cmp "$file" good
	# an end that is missing, which the kernel sees when it is read
	truncate -s -4096 "$file"
	tool 7 ctr-store create --image t:1
	error_is integrity "is no EROFS image, or a damaged one"
	tool 7 ctr-store check
	[ "$(field .problem)" = "its image is damaged" ]
	tool ctr-store check --repair
	cmp "$file" good
	# the content of a file
	offset=$(grep -abo two "$file" | head -n 1 | cut -d: -f1)
	printf x | dd of="$file" bs=1 seek="$offset" conv=notrunc status=none
	tool ctr-store check
	tool 7 ctr-store check --deep
	[ "$(field .problem)" = "etc/three is not as in its blob" ]
	tool ctr-store check --deep --repair
	cmp "$file" good
	# a directory's block
	head -c 1200 good >"$file"
	truncate -r good "$file"
	tool 7 ctr-store check --deep
	tool ctr-store check --deep --repair
	cmp "$file" good
	tool ctr-store check --deep
	[ -z "$output" ]
}

@test "rm: an image that is mounted stays, one that is not goes file by file" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	ctr-store mount t:1 mnt >/dev/null
	tool 5 ctr-store rm --image t:1
	tool ctr-store df
	[ "$(field .layers.count)" -eq 3 ]
	[ "$(field .layers.inodesUsed)" -eq 9 ]
	ctr-store umount mnt
	tool ctr-store rm --image t:1
	[ -z "$(layers)" ]
	nothing_unfinished
}

@test "unpack: what is not as its digest says, or does not fit, leaves no image" {
	digest=$(ctr-store image t:1 | jq -r '.image.manifest.layers[1].digest')
	blob=$OCID_ROOT/images/blobs/${digest/://}
	cp "$blob" good
	printf x >>"$blob"
	tool 7 ctr-store unpack --backend erofs t:1
	[ ! -e "$(layer_tree top.tar)" ]
	cp good "$blob"
	mkdir small
	mount -t tmpfs -o size=300k small small
	head -c 400000 /dev/urandom >random
	tar -cf random.tar random
	new_tree
	mkdir lower
	rm file
	ln -s small/file file
	worker 9 random.tar --image-fd 6
	error_is limit "No space left"
	nothing_unfinished
}

@test "unpack: --backend erofs killed at any moment, the next one works" {
	export OCID_KEEPS_UNFINISHED=1
	make_tar big.tar file:big:size=8000000 file:small:text=x
	store_image docker.io/library/b:1 base.tar big.tar
	for delay in 0.005 0.01 0.02 0.03 0.05; do
		command ctr-store unpack --backend erofs b:1 >/dev/null 2>&1 3>&- &
		sleep "$delay"
		kill -9 $! || true
		wait $! || true
	done
	tool ctr-store unpack --backend erofs b:1
	tool ctr-store check --deep
	[ -z "$output" ]
	tool ctr-store gc
	nothing_unfinished
	fsck.erofs "$(layer_tree big.tar)"
}

@test "mount: killed while layers are mounted leaves nothing" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	for call in fsmount:signal=KILL:when={1..4} move_mount:signal=KILL:when={1..4}; do
		ctr-store gc >/dev/null
		fault "$call"
		run "${FAULTY[@]}" ctr-store mount t:1 mnt
		# older kernels have less to do
		[ "$status" -ne 0 ] || ctr-store umount mnt
	done
	[ -z "$(ls mnt)" ]
	tool ctr-store gc
	[ "$(grep -c "$OCID_RUNROOT" /proc/self/mountinfo)" -eq 0 ]
	# and on kernels that want them attached; newer ones are made to refuse the first lowerdir+
	older=(-e inject=fsconfig:error=EINVAL:when=10)
	kernel_is_new || older=()
	fault mount:signal=KILL:when=1
	run "${FAULTY[@]}" "${older[@]}" ctr-store mount t:1 mnt
	[ "$(find "$OCID_RUNROOT" -maxdepth 1 -name '.mount-*' | wc -l)" -eq 1 ]
	tool ctr-store gc
	[ -z "$(find "$OCID_RUNROOT" -maxdepth 1 -name '.mount-*')" ]
	[ "$(grep -c "$OCID_RUNROOT" /proc/self/mountinfo)" -eq 0 ]
	tool env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -f -o /dev/null -e trace=none "${older[@]}" \
		ctr-store mount t:1 mnt
	[ "$(cat mnt/again)" = top ]
}

@test "unpack: an image is mounted once for all layers above it that lean" {
	tars=()
	for ((i = 0; i < 24; i++)); do
		tars+=("lean$i.tar")
	done
	/usr/bin/python3 - "${tars[@]}" <<-'END'
		import io, sys, tarfile
		for name in sys.argv[1:]:
		    with tarfile.open(name, "w") as tar:
		        info = tarfile.TarInfo("implied/" + name)
		        info.size = 1
		        tar.addfile(info, io.BytesIO(b"x"))
	END
	store_image docker.io/library/lean:1 "${tars[@]}"
	tool env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -f -o mounts -e trace=fsmount \
		ctr-store unpack --backend erofs lean:1
	# each by itself, and what is beneath each of them merged
	if kernel_is_new; then
		[ "$(grep -c fsmount mounts)" -lt 60 ]
	fi
	[ "$(layers | wc -l)" -eq 24 ]
	tool ctr-store mount lean:1 mnt
	[ "$(count mnt/implied)" -eq 24 ]
	tool ctr-store umount mnt
	clean_store
	# where overlays cannot be made of mounts that are attached nowhere
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
	tool env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -o /dev/null -e trace=fsconfig,mount \
		-e inject=fsconfig:error=EINVAL:when=7 -e inject=mount:error=EINVAL:when=1 \
		ctr-store --log-level debug unpack --backend erofs t:1
	if kernel_is_new; then
		[[ $stderr == *"each layer mounts those beneath it"* ]]
	fi
	tool ctr-store mount t:1 mnt
	[ "$(cat mnt/again mnt/deep/er mnt/etc/implied)" = "topxy" ]
	no_loop_devices
}

@test "unpack: --backend erofs is for root of the host alone" {
	OCID_ROOT=own store_image docker.io/library/t:1 base.tar
	tool 6 unshare -Ur ctr-store --root "$BATS_TEST_TMPDIR/own" --runroot "$BATS_TEST_TMPDIR/own.run" \
		unpack --backend erofs t:1
	error_is denied "only root of the host mounts EROFS images"
}

@test "mount: images of an additional store on a read-only file system" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	mv "$OCID_ROOT" other
	mkdir ro
	mount --bind other ro
	mount -o remount,bind,ro ro
	OCID_ADDITIONAL_STORES=$PWD/ro tool ctr-store mount t:1 mnt
	[ "$(cat mnt/again)" = top ]
	[ -z "$(layers)" ]
	tool ctr-store umount mnt
}

@test "export: --erofs is one image of all layers that any host mounts" {
	ctr-store mount t:1 mnt >/dev/null
	list mnt no-times >expected
	tool ctr-store export --erofs -o out t:1
	fsck.erofs out
	wait_for 10 mount -t erofs -o loop out image
	list image no-times >got
	diff expected got
	# the same again are the same bytes, over what is there
	cp out copy
	tool ctr-store export --erofs --output "$PWD/out" t:1
	cmp out copy
	[ -z "$(find . -maxdepth 1 -name '.*out*')" ]
	nothing_unfinished
}

@test "export: --erofs gives the same bytes later, where the topmost layer does not declare the /" {
	make_tar root.tar dir:./:mode=711:uid=5:gid=6:mtime=5
	make_tar file.tar file:f
	store_image docker.io/library/r:1 root.tar file.tar
	ctr-store export --erofs -o first r:1
	rm -r "$OCID_RUNROOT"
	tool ctr-store export --erofs -o second r:1
	cmp first second
	ctr-store export r:1 | tar -tvf - --full-time --utc | grep -q '1970-01-01 00:00:05 \./$'
}

@test "export: --erofs of a container with what it has changed" {
	path=$(ctr-store create --image t:1 --name c --uidmap 0:100000:65536 | jq -r .rootfs.path)
	echo new >"$path/etc/added"
	rm "$path/top"
	tool ctr-store export --erofs -o out c
	wait_for 10 mount -t erofs -o loop out image
	[ "$(cat image/etc/added)" = new ]
	[ ! -e image/top ]
	[ "$(stat -c %u image image/etc/implied | xargs)" = "3 0" ]
	tool ctr-store export -o out.tar c
	ctr-store export c | cmp - out.tar
}

@test "export: --erofs without a file, or to one that cannot be, is an error" {
	tool 2 ctr-store export --erofs t:1
	tool 2 ctr-store export --erofs -o mnt t:1
	tool 3 ctr-store export --erofs -o none/out t:1
	tool 2 ctr-store export --erofs -o /dev/null t:1
	mkdir small
	mount -t tmpfs -o size=4k small small
	tool 9 ctr-store export --erofs -o small/out t:1
	[ -z "$(ls -A small)" ]
}

@test "layer: an image has what a directory has, for every kind of entry" {
	mkdir -p lower/usr/lib lower/was
	ln -s usr/lib lower/lib
	echo below >lower/was/here
	ln lower/was/here lower/was/twice
	truncate -s 3M lower/was/sparse
	printf end >>lower/was/sparse
	{
		cat <<-'END'
			dir . mode=0751 uid=3 gid=4 mtime=1000000000.5 xattr.user.top=1
			file bin/tool mode=04755 uid=100000 data=@5000 mtime=1500000000.123456789
			file bin/capable data=x xattr.security.capability=%0100000200200000000000000000000000000000
			file bin/capable2 data=x xattr.security.capability=%0100000200200000000000000000000000000000
			file bin/named data=x xattr.user.large=@3000 xattr.user.a=b xattr.user.empty=
			link bin/hard target=bin/tool
			link bin/hard2 target=bin/hard
			symlink bin/sym target=../lib/x mtime=7
			fifo run/fifo mode=0600
			char dev/null dev=1:3 mode=0666
			block dev/disk dev=259:70000
			dir tmp mode=01777
			dir sgid mode=02775 gid=9
			file empty data=
			file exact data=@4096
			file almost data=@4095
			file more data=@8191
			file lib/x data=moved
			file was/.wh.gone data=
			file hidden/.wh..wh..opq data=
			file hidden/.wh.nothing data=
			file hidden/x data=x
			link was/again target=was/here
			link was/more target=was/twice
			link was/holes target=was/sparse
			file replaced data=1
			dir replaced mode=0700
			file replaced/x data=1
			dir file
			file file/x data=2
			file file data=3
			file .wh..wh.plnk/1.2 data=5
			link of-aufs target=.wh..wh.plnk/1.2
			link early target=late
			file late data=4
		END
		# a directory of several blocks, and names around "." and ".."
		for i in {1..300}; do
			echo "file many/a-name-that-takes-some-place-$i data=$i"
		done
		echo 'file many/!first data=!'
		echo 'file many/...three data=.'
	} | /usr/bin/python3 "$HERE/layer.py" >l.tar
	both l.tar
	# larger than ext4 has them, and than any has them
	echo 'file a xattr.user.large=@60000 xattr.user.larger=@65000' | /usr/bin/python3 "$HERE/layer.py" >x.tar
	new_tree
	worker 0 x.tar --image-fd 6
	fsck.erofs file
	wait_for 10 mount -t erofs -o loop file tree
	[ "$(xattr tree/a user.larger | wc -c)" -eq 65001 ]
	echo 'file a xattr.user.large=@65536' | /usr/bin/python3 "$HERE/layer.py" >x.tar
	new_tree
	worker 9 x.tar --image-fd 6
	error_is limit "too large for an EROFS image"
	truncate -s 20M sparse
	printf middle | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none
	truncate -s 5M hole
	truncate -s 3G large
	printf start | dd of=large bs=1 conv=notrunc status=none
	printf far | dd of=large bs=1 seek=3000000000 conv=notrunc status=none
	truncate -s 200k small-holes
	printf x | dd of=small-holes bs=1 seek=100000 conv=notrunc status=none
	tar -Scf s.tar sparse hole small-holes
	both s.tar
	# zeros, which become some
	tar -cf s.tar sparse hole small-holes
	both s.tar
	[ "$(du -k file | cut -f1)" -lt 2000 ]
	tar -Scf s.tar large
	new_tree
	worker 0 s.tar --image-fd 6
	fsck.erofs file
	wait_for 10 mount -t erofs -o loop file tree
	[ "$(stat -c %s tree/large)" -eq 3221225472 ]
	[ "$(tail -c +3000000001 tree/large | head -c 4 | tr '\0' .)" = far. ]
	[ "$(du -k file | cut -f1)" -lt 2000 ]
	kernel_is_new || return 0
	run /usr/bin/python3 -c 'import os
f = os.open("tree/large", os.O_RDONLY)
print(os.lseek(f, 0, os.SEEK_HOLE) < 2 << 20, os.lseek(f, 1 << 30, os.SEEK_DATA) > 2 << 30)'
	[ "$output" = "True True" ]
}

@test "layer: what goes twice through a symbolic link of a lower layer is not lost" {
	mkdir -p lower/a
	ln -s . lower/a/b
	make_tar l.tar file:a/b/b/f:text=f file:a/b/b/b/g:text=g
	both l.tar
	[ "$(cat tree/a/f tree/a/g)" = fg ]
}

@test "layer: attributes that are made to share one bucket are not lost" {
	mkdir lower
	/usr/bin/python3 -c '
import sys
def bucket(text):
    value = 2166136261
    for byte in text:
        value = (value ^ byte) * 16777619 & 0xffffffff
    return value % 1024
number, names = 0, []
while len(names) < 200:
    name = b"%x" % number
    number += 1
    entry = bytes([len(name), 1, 1, 0]) + name + b"x"
    if bucket(entry + bytes(-len(entry) % 4)) == 0:
        names.append("xattr.user." + name.decode() + "=x")
for file in range(60):
    print("file", file, *(names[(10 * file + i) % len(names)] for i in range(10)))
' | /usr/bin/python3 "$HERE/layer.py" >l.tar
	both l.tar
}

@test "layer: hostile layers fare alike as an image and as a directory" {
	mkdir lower cases
	/usr/bin/python3 "$HERE/hostile-layer.py" --all cases
	[ "$(count cases)" -gt 40 ]
	for case in cases/*; do
		echo "# $case"
		new_tree
		run ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --lower-fd 9 \
			--diff-id "sha256:$(sha256sum <"$case" | cut -d' ' -f1)" 7<"$case" 8<tree 9<lower
		if [ "$status" -eq 0 ]; then
			image_too "$case" glance
		else
			new_tree
			worker "$status" "$case" --image-fd 6
		fi
	done
}

@test "layer: the process that makes an image can write nothing else, and has one privilege" {
	local pid
	mkdir tree
	: >file
	mkfifo pipe
	exec 6<>pipe
	ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --image-fd 9 7<pipe 8<tree 9<>file 3>&- 6>&- \
		>/dev/null 2>&1 &
	pid=$!
	wait_for 10 grep -q 'NoNewPrivs:.1' "/proc/$pid/status"
	# dac_read_search
	[ "$(awk '/^Cap(Eff|Prm|Bnd)/ { print $2 }' "/proc/$pid/status" | sort -u)" = 0000000000000004 ]
	[ "$(stat -c %d:%i "/proc/$pid/root/")" = "$(stat -c %d:%i tree)" ]
	# no other process marks anything
	[ -z "$(pgrep -P "$pid")" ]
	exec 6>&-
	wait "$pid" || true
}
