#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images of layers are mounted once for all who use them; and where layers become images unasked.
# shellcheck disable=SC2030,SC2031 # each test is a subshell
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:.:mode=750:uid=3 file:etc/one:text=one file:big:size=1000000:uid=5
	make_tar top.tar file:top:text=top
	store_image docker.io/library/t:1 base.tar top.tar
	mkdir one two
}

teardown() {
	for directory in small one two; do
		! mountpoint -q "$directory" || umount "$directory"
	done
	clean_store
}

# EROFS mounts of this store that are to be seen
shared() {
	grep -c " $OCID_RUNROOT/erofs/mnt/.* erofs " /proc/self/mountinfo || true
}

nothing_shared() {
	[ "$(shared)" -eq 0 ] && [ -z "$(find "$OCID_RUNROOT/erofs" -mindepth 2)" ]
}

# Newer fincore(1) asks by cachestat(2), which knows nothing of what overlay reads through to.
pages() { # of FILE in the page cache
	/usr/bin/python3 - "$1" <<-'END'
		import ctypes, mmap, sys
		with open(sys.argv[1], "rb") as file:
		    memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
		present = (ctypes.c_ubyte * -(-len(memory) // mmap.PAGESIZE))()
		start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
		assert ctypes.CDLL(None).mincore(ctypes.c_void_p(start), ctypes.c_size_t(len(memory)), present) == 0
		print(sum(page & 1 for page in present))
	END
}

# Where files can be mounted, and so layers become images by themselves
images_here() {
	[ "$(stat -c %F "$(layer_tree base.tar)")" = "regular file" ]
}

@test "mount: what is read through one mount is not read again through another" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	# as a process that was killed leaves it
	install -d -m 700 "$OCID_RUNROOT/erofs"
	ctr-store mount t:1 one >/dev/null
	ctr-store mount t:1 two >/dev/null
	path=$(ctr-store create --image t:1 --uidmap 0:100000:65536 | jq -r .rootfs.path)
	[ "$(shared)" -eq 2 ]
	[ "$(pages two/big)" -eq 0 ]
	cat one/big >/dev/null
	[ "$(pages two/big)" -eq 245 ]
	[ "$(pages "$path/big")" -eq 245 ]
	[ "$(stat -c %u "$path/big")" -eq 100005 ]
	# also what comes later
	ctr-store umount one
	ctr-store mount t:1 one >/dev/null
	[ "$(pages one/big)" -eq 245 ]
}

@test "umount: the last user takes the shared mounts away" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	ctr-store mount t:1 one >/dev/null
	ctr-store create --image t:1 --name c >/dev/null
	ctr-store mount c two >/dev/null
	[ "$(stat -c %a "$OCID_RUNROOT/erofs")" -eq 700 ]
	tool ctr-store umount one
	[ "$(shared)" -eq 2 ]
	tool ctr-store umount two
	[ "$(shared)" -eq 2 ]
	tool ctr-store rm c
	nothing_shared
	ctr-store create --image t:1 --name c >/dev/null
	tool ctr-store wipe --force
	nothing_shared
}

@test "umount: a mount outlives the shared ones, and the store" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	ctr-store mount t:1 one >/dev/null
	umount "$OCID_RUNROOT"/erofs/mnt/*
	[ "$(cat one/etc/one)" = one ]
	ctr-store mount t:1 two >/dev/null
	[ "$(shared)" -eq 2 ]
	rm -r "$OCID_ROOT"
	[ "$(cat one/top two/top)" = toptop ]
	tool ctr-store umount one two
	nothing_shared
}

@test "gc: shared mounts that nobody uses go" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	ctr-store mount t:1 one >/dev/null
	umount one
	[ "$(shared)" -eq 2 ]
	tool ctr-store gc --dry-run
	[ "$(shared)" -eq 2 ]
	tool ctr-store gc
	nothing_shared
	ctr-store mount t:1 one >/dev/null
	ctr-store mount t:1 two >/dev/null
	umount one
	tool ctr-store gc
	[ "$(shared)" -eq 2 ]
	umount two
	tool ctr-store rm --image t:1
	nothing_shared
}

@test "mount: another mount namespace has shared mounts of its own" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	ctr-store mount t:1 one >/dev/null
	unshare -m sleep 60 3>&- &
	pid=$!
	inside=(nsenter -m -t "$pid")
	wait_for 10 "${inside[@]}" mountpoint -q "$PWD/one"
	tool ctr-store umount one
	nothing_shared
	# what the namespace had copied is gone with the directories
	tool "${inside[@]}" sh -c "! grep $OCID_RUNROOT/erofs /proc/self/mountinfo"
	tool "${inside[@]}" env "PATH=$PATH" ctr-store mount t:1 "$PWD/two"
	[ "$(shared)" -eq 0 ]
	tool ctr-store mount t:1 one
	[ "$(shared)" -eq 2 ]
	tool ctr-store umount one
	[ "$("${inside[@]}" cat "$PWD/two/top")" = top ]
	tool "${inside[@]}" env "PATH=$PATH" ctr-store umount "$PWD/two"
	nothing_shared
	kill "$pid"
	wait "$pid" || true
}

@test "mount: many at once share what they use, and leave nothing" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	for i in {1..12}; do
		mkdir "m$i"
		ctr-store mount t:1 "m$i" >/dev/null 3>&- &
	done
	wait
	[ "$(shared)" -eq 2 ]
	[ "$(cat m*/top | wc -c)" -eq 36 ]
	cat m1/big >/dev/null
	[ "$(pages m12/big)" -eq 245 ]
	for i in {1..12}; do
		{ ctr-store umount "m$i" && ctr-store mount t:1 "m$i" && ctr-store umount "m$i"; } >/dev/null 3>&- &
	done
	wait
	nothing_shared
}

@test "mount: a layer that was mended is not taken for the one that is still mounted" {
	ctr-store unpack --backend erofs t:1 >/dev/null
	ctr-store mount t:1 one >/dev/null
	cp "$(layer_tree base.tar)" other
	mv other "$(layer_tree base.tar)"
	ctr-store mount t:1 two >/dev/null
	[ "$(shared)" -eq 3 ]
	tool ctr-store umount one
	[ "$(shared)" -eq 2 ]
	[ "$(cat two/etc/one)" = one ]
}

@test "unpack: layers become images unasked where images can be mounted from files" {
	ctr-store unpack t:1 >/dev/null
	# Linux 6.12
	if [ "$(printf '%s\n' 6.12 "$(uname -r)" | sort -V | head -n 1)" = 6.12 ]; then
		images_here
	else
		[ -d "$(layer_tree base.tar)" ]
	fi
	nothing_unfinished
	clean_store
	store_image docker.io/library/t:1 base.tar top.tar
	as_directories
	tool ctr-store mount t:1 one
	[ -d "$(layer_tree base.tar)" ]
}

@test "unpack: layers become directories where images cannot be mounted so" {
	for call in fsopen:error=ENODEV:when=1 fsopen:error=ENODEV:when=3 fsconfig:error=ENOTBLK:when=3; do
		fault "$call"
		tool "${FAULTY[@]}" ctr-store unpack t:1
		[ -d "$(layer_tree base.tar)" ]
		nothing_unfinished
		rm -r "$OCID_ROOT/layers"
	done
	# it would take a loop device
	mkdir small
	mount -t tmpfs small small
	export OCID_ROOT=$PWD/small/root
	store_image docker.io/library/t:1 base.tar top.tar
	tool ctr-store unpack t:1
	[ -d "$(layer_tree base.tar)" ]
	[ "$(losetup --list --noheadings --output BACK-FILE | grep -c "$BATS_TEST_TMPDIR")" -eq 0 ]
}
