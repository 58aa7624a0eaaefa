#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A kill, an I/O error or a full disk at a random instant of every verb that changes the store: what is
# there is whole, the same command then does what it is for, and nothing is left in the end. The instant
# is one system call of a first run; it is printed, so that a failure can be repeated.
load ../helpers
load common

changes=mkdirat,openat,renameat,renameat2,unlinkat,symlinkat,fsync,syncfs,write,fchown,fchmod,mkdir
changes+=,fsmount,move_mount,umount2,mount_setattr,rename,rmdir,ftruncate

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:etc/two:text=two
	make_tar top.tar file:etc/new:text=new whiteout:etc/two
	OCID_ROOT=$PWD/pulled store_image docker.io/library/t:1 base.tar top.tar
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp "$BATS_FILE_TMPDIR/base.tar" .
	mkdir -p mnt
}

teardown() { clean_store; }

# the store that a verb finds
prepare() { # VERB
	clean_store
	cp -r "$BATS_FILE_TMPDIR/pulled" "$OCID_ROOT"
	case $1 in
	unpack | create | mount | import) ;;
	rm-image | tag | untag | gc) ctr-store unpack t:1 >/dev/null ;;
	*)
		ctr-store create --image t:1 --name web --id web >/dev/null
		echo 1 >"$OCID_ROOT/containers/web/rootfs/etc/one"
		;;
	esac
	case $1 in
	mount-container) ctr-store umount web ;;
	untag) ctr-store tag t:1 t:2 >/dev/null ;;
	gc) echo '{"schemaVersion":2,"manifests":[]}' >"$OCID_ROOT/images/index.json" ;;
	esac
}

command_of() { # VERB
	case $1 in
	unpack) echo unpack t:1 ;;
	create) echo create --image t:1 --name new ;;
	mount) echo mount t:1 mnt ;;
	mount-container) echo mount web ;;
	umount) echo umount web ;;
	rm-image) echo rm t:1 ;;
	rm) echo rm web ;;
	tag) echo tag t:1 t:2 ;;
	untag) echo untag t:2 ;;
	commit) echo commit web made:1 ;;
	import) echo import base.tar made:1 ;;
	gc) echo gc ;;
	wipe) echo wipe --force ;;
	esac
}

# Choose a system call of a run that was traced: $chosen is its name, $ordinal which of its kind it is
# in its process.
choose() { # LOG
	local line pid

	line=$(grep -E '^[0-9]+ +[a-z0-9_]+\(' "$1" | grep -vE 'openat\(.*(O_RDONLY|O_PATH)' | shuf -n 1)
	pid=${line%% *}
	chosen=$(sed -E 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/' <<<"$line")
	ordinal=$(grep -E "^$pid +$chosen\\(" "$1" | grep -nF -- "$line" | head -n 1 | cut -d: -f1)
}

# Whatever the verb has left, its second run succeeds: it may find that the first one did all.
again() { # VERB
	local verb=$1 command

	command=$(command_of "$verb")
	# shellcheck disable=SC2086 # a verb and its operands
	run --separate-stderr ctr-store $command
	echo "again: $status $stderr"
	case $verb in
	create | mount-container) [[ $status == [04] ]] ;;
	umount | rm | rm-image | untag) [[ $status == [03] ]] ;;
	*) [ "$status" -eq 0 ] ;;
	esac
}

everything_goes() {
	ctr-store wipe --force >/dev/null
	ctr-store gc >/dev/null
	[ -z "$(find "$OCID_ROOT"/{layers,containers,tmp,images/blobs/sha256} -mindepth 1)" ] &&
		[ -z "$(ls -A "$OCID_RUNROOT/mounts")" ] && [ -z "$(ctr-store mounts)" ]
}

# What the verb does unharmed, as a log: once for all tests.
trace() { # VERB
	log=$BATS_FILE_TMPDIR/$1.log
	[ ! -s "$log" ] || return 0
	prepare "$1"
	# shellcheck disable=SC2046 # a verb and its operands
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -f -qq -o "$log" -e trace="$changes" \
		ctr-store $(command_of "$1") >/dev/null
}

strike() { # HOW VERB
	local command log

	command=$(command_of "$2")
	trace "$2"
	choose "$log"
	echo "$2: $1 at $chosen $ordinal"
	prepare "$2"
	fault "$chosen:$1:when=$ordinal"
	# shellcheck disable=SC2086 # a verb and its operands
	"${FAULTY[@]}" ctr-store $command >/dev/null 2>struck || true
	tail -n 1 struck
	tool ctr-store check
	again "$2"
	tool ctr-store check
	everything_goes
}

verbs=(import unpack create mount mount-container umount rm rm-image tag untag commit gc wipe)

@test "crash: killed at any instant, every verb leaves what is whole and can be done again" {
	for verb in "${verbs[@]}" unpack create commit; do
		strike signal=KILL "$verb"
	done
}

@test "crash: an I/O error at any instant is told, and leaves what is whole" {
	for verb in "${verbs[@]}"; do
		strike error=EIO "$verb"
	done
}

@test "crash: no space at any instant likewise" {
	for verb in unpack create mount tag commit; do
		strike error=ENOSPC "$verb"
	done
}

# ---- a disk that is really full ----

teardown_file() {
	if mountpoint -q "$BATS_FILE_TMPDIR/disk"; then
		umount "$BATS_FILE_TMPDIR/disk"
	fi
	file_teardown
}

free_blocks() {
	sync -f "$1"
	stat -f -c '%f %d' "$1"
}

# but for a few blocks by which directories and journal may have grown
is_free_again() { # BLOCKS INODES
	local blocks inodes

	read -r blocks inodes < <(free_blocks "$OCID_ROOT")
	[ "$blocks" -ge $(($1 - 16)) ] && [ "$inodes" -ge "$2" ]
}

@test "crash: a full disk: unpack, create and commit leave nothing, and succeed when there is room" {
	truncate -s 48M "$BATS_FILE_TMPDIR/disk.img"
	mkfs.ext4 -q -m 0 "$BATS_FILE_TMPDIR/disk.img"
	mkdir "$BATS_FILE_TMPDIR/disk"
	mount -o loop "$BATS_FILE_TMPDIR/disk.img" "$BATS_FILE_TMPDIR/disk"
	OCID_ROOT=$BATS_FILE_TMPDIR/disk/root
	head -c 5000000 /dev/urandom >random
	tar -cf big.tar random
	ctr-store images
	for verb in "unpack big:1" "create --image big:1 --id web" "commit web made:1"; do
		if [[ $verb != commit* ]]; then
			store_image docker.io/library/big:1 big.tar
		else
			cp random "$OCID_ROOT/containers/web/rootfs/more"
		fi
		before=$(free_blocks "$OCID_ROOT")
		fallocate -l "$(($(stat -f -c '%f * %S' "$OCID_ROOT") - 1500000))" "$OCID_ROOT/../ballast"
		# shellcheck disable=SC2086 # a verb and its operands
		tool 9 ctr-store $verb
		error_is limit "No space left"
		rm "$OCID_ROOT/../ballast"
		tool ctr-store gc
		# the kernel lets go of the mounts of a dead process a little later
		# shellcheck disable=SC2086 # two numbers
		wait_for 10 is_free_again $before
		# shellcheck disable=SC2086 # a verb and its operands
		tool ctr-store $verb
		tool ctr-store check --deep
		[[ $verb != unpack* ]] || everything_goes
	done
	everything_goes
	umount "$BATS_FILE_TMPDIR/disk"
}

@test "crash: a store that was being made when the power was cut is made anew" {
	mkdir -p "$OCID_ROOT/images"
	: >"$OCID_ROOT/images/index.json"
	: >"$OCID_ROOT/images/oci-layout"
	tool ctr-store images
	[ -z "$output" ]
	tool skopeo-c copy --quiet "oci:$BATS_FILE_TMPDIR/pulled/images:docker.io/library/t:1" store:t:1
	tool ctr-store check --deep
	tool ctr-store mount t:1 mnt
	[ "$(cat mnt/etc/new)" = new ]
}

@test "crash: a store whose files cannot be looked at is not made anew" {
	cp -r "$BATS_FILE_TMPDIR/pulled" "$OCID_ROOT"
	fault fstat,newfstatat:error=EIO
	tool 1 "${FAULTY[@]}" -P oci-layout -P index.json ctr-store images
	error_is failed oci-layout
	tool ctr-store images
	[ "$(field '.names[0]')" = docker.io/library/t:1 ]
}
