#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	make_tar top.tar file:top:text=top
	store_image docker.io/library/t:1 base.tar top.tar
	mkdir mnt
}

teardown() { clean_store; }

blobs() {
	ls "$OCID_ROOT/images/blobs/sha256"
}

has_own_mounts() {
	[ "$(readlink /proc/self/ns/mnt)" != "$(readlink "/proc/$1/ns/mnt")" ]
}

@test "rm: a container goes with its mounts and files" {
	tool ctr-store create --image t:1 --name web
	id=$(field .rootfs.id)
	ctr-store mount web mnt >/dev/null
	tool ctr-store rm web
	[ "$(field .container)" = "$id" ]
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	[ -z "$(ctr-store mounts)" ]
	[ -z "$(ls mnt)" ]
	nothing_unfinished
	tool 3 ctr-store rm web
	error_is not-found 'no container or image "web"'
	tool ctr-store rm --force web
}

@test "rm: a mount without a record goes with its container, one of somebody else's does not" {
	ctr-store create --image t:1 --name web >/dev/null
	rm -r "$OCID_RUNROOT/mounts"
	tool ctr-store rm web
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store umount web
	path=$(echo "$OCID_ROOT"/containers/*/rootfs)
	echo mine >mnt/file
	mount --bind mnt "$path"
	for options in "" --force; do
		# shellcheck disable=SC2086
		tool 5 ctr-store rm $options web
		error_is in-use "container web: something is mounted at $path"
	done
	[ "$(cat "$path/file")" = mine ]
	umount "$path"
	tool ctr-store rm web
	nothing_unfinished
}

@test "rm: an image of several platforms goes with the blobs and layers of all, but for what others have" {
	make_tar other.tar file:other:text=other
	make_tar third.tar file:third:text=third
	store_image docker.io/library/other:1 base.tar other.tar
	store_image docker.io/library/third:1 third.tar
	ctr-store unpack t:1 other:1 third:1 >/dev/null
	cd "$OCID_ROOT/images"
	# one index of the three, of which only the third has a name of its own, too
	index=$(jq -c '{schemaVersion: 2, manifests: [.manifests[] | del(.annotations)]} |
		.manifests[0].platform = {os: "linux", architecture: "amd64"} |
		.manifests[1].platform = {os: "linux", architecture: "s390x"} |
		.manifests[2].platform = {os: "linux", architecture: "riscv64"}' index.json)
	hex=$(printf %s "$index" | sha256sum | cut -c1-64)
	printf %s "$index" >"blobs/sha256/$hex"
	jq --arg digest "sha256:$hex" '.manifests = [{digest: $digest, size: 1,
		mediaType: "application/vnd.oci.image.index.v1+json",
		annotations: {"org.opencontainers.image.ref.name": "docker.io/library/all:1"}},
		.manifests[2]]' index.json >../new
	mv ../new index.json
	cd "$BATS_TEST_TMPDIR"
	tool ctr-store rm all:1
	[ "$(layers)" = "$(sha256sum third.tar | cut -d' ' -f1)" ]
	[ "$(blobs | wc -l)" -eq 3 ]
	tool ctr-store gc
	[ "$(field '.blobs + .layers')" -eq 0 ]
	tool ctr-store check
}

@test "rm: umount, rm and gc make room on a full disk" {
	truncate -s 16M disk.img
	mkfs.ext4 -q -m 0 disk.img
	mkdir disk
	mount -o loop disk.img disk
	export OCID_ROOT=$PWD/disk/root
	store_image docker.io/library/t:1 base.tar top.tar
	store_image docker.io/library/gone:1 base.tar
	ctr-store unpack gone:1 >/dev/null
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store mount --rw t:1 mnt >/dev/null
	jq -c '.manifests |= map(select(.annotations[] | endswith("/t:1")))' \
		"$OCID_ROOT/images/index.json" >index.json
	cp index.json "$OCID_ROOT/images/index.json"
	for size in 64k 4k 1k; do
		dd if=/dev/zero of="disk/ballast$size" bs="$size" status=none || true
	done
	run mkdir disk/more
	[ "$status" -ne 0 ]
	tool ctr-store umount mnt
	tool ctr-store rm web
	rm disk/ballast1k
	for size in 4k 1k; do
		dd if=/dev/zero of="disk/again$size" bs="$size" status=none || true
	done
	tool ctr-store gc
	[ "$(field .blobs)" -eq 2 ]
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	nothing_unfinished
	tool ctr-store check
	umount disk
}

@test "rm: images go from a disk that is full to its last block, where no container ever was" {
	local system

	for system in ext4 xfs; do
		rm -f disk.img
		truncate -s 320M disk.img
		"mkfs.$system" -q disk.img
		mkdir -p disk
		mount -o loop disk.img disk
		export OCID_ROOT=$PWD/disk/root
		store_image docker.io/library/t:1 base.tar top.tar
		store_image docker.io/library/other:1 base.tar
		ctr-store tag t:1 kept:1 >/dev/null
		[ -s "$OCID_ROOT/images/reserve" ]
		# also what is kept for root
		for size in 1M 4k 1k; do
			dd if=/dev/zero of="disk/ballast$size" bs="$size" status=none || true
		done
		run cp base.tar disk/more
		[ "$status" -ne 0 ]
		tool 9 ctr-store tag t:1 again:1
		tool ctr-store untag kept:1
		tool ctr-store rm t:1
		tool ctr-store rm other:1
		[ -z "$(ls "$OCID_ROOT/images/blobs/sha256")" ]
		tool ctr-store check
		umount disk
	done
}

@test "rm: a container by its id and by the beginning of it" {
	id=$(ctr-store create --image t:1 | jq -r .rootfs.id)
	tool ctr-store rm "${id:0:12}"
	id=$(ctr-store create --image t:1 | jq -r .rootfs.id)
	tool ctr-store rm "$id"
	ctr-store create --image t:1 --id abcd1 >/dev/null
	ctr-store create --image t:1 --id abcd2 >/dev/null
	tool 2 ctr-store rm --container abcd
	error_is usage "several containers"
	tool ctr-store rm abcd1 abcd2
}

@test "rm: a running container is not removed, by --force neither" {
	ctr-store create --image t:1 --name web --id abc >/dev/null
	run=$OCID_RUNROOT/containers/abc
	mkdir -p "$run"
	echo $$ >"$run/shim.pid"
	# as the monitor does
	/usr/bin/python3 -c 'import fcntl, struct, sys, time
file = open(sys.argv[1], "r+")
fcntl.fcntl(file, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 1, 0))
print(flush=True)
time.sleep(60)' "$run/shim.pid" >locked 3>&- &
	pid=$!
	wait_for 5 test -s locked
	tool 5 ctr-store rm web
	error_is in-use "container web is running (ocid-shim stop abc)"
	tool 5 ctr-store rm --force web
	# nor one of which that cannot be told, for want of descriptors
	fault openat:error=EMFILE
	tool 5 "${FAULTY[@]}" -P shim.pid ctr-store rm --force web
	error_is in-use "container web is running"
	kill "$pid"
	wait "$pid" || true
	tool ctr-store rm web
}

@test "rm: a container whose monitor was killed still runs" {
	ctr-store create --image t:1 --name web --id abc >/dev/null
	run=$OCID_RUNROOT/containers/abc
	mkdir -p "$run"
	unshare --mount sleep 60 3>&- &
	pid=$!
	wait_for 5 has_own_mounts "$pid"
	echo "$pid" >"$run/pid"
	tool 5 ctr-store rm --force web
	error_is in-use "container web is running"
	tool 5 ctr-store umount --lazy web
	error_is in-use "container web is running"
	fault openat:error=EMFILE
	tool 9 "${FAULTY[@]}" -P abc/rootfs.json ctr-store umount --lazy "$OCID_ROOT/containers/abc/rootfs"
	mountpoint -q "$OCID_ROOT/containers/abc/rootfs"
	kill "$pid"
	wait "$pid" || true
	echo $$ >"$run/pid" # the number is somebody else's now
	tool ctr-store rm web
}

@test "rm: a container that is damaged goes with --force, by its id or its name" {
	local id facts

	for damage in "echo {" true rm mkdir; do
		for by in id name; do
			id=$(ctr-store create --image t:1 --name web | jq -r .rootfs.id)
			facts=$OCID_ROOT/containers/$id/rootfs.json
			case $damage in
			rm) rm "$facts" ;;
			mkdir) rm "$facts" && mkdir "$facts" ;;
			*) $damage >"$facts" ;;
			esac
			[ "$by" = id ] || id=web
			run ctr-store rm "$id"
			[ "$status" -ne 0 ]
			[ "$damage" != "echo {" ] || [[ $output == *"(--force removes it all the same)" ]]
			tool ctr-store rm --force "$id"
			[ -z "$(find "$OCID_ROOT"/{containers,names} -mindepth 1)$(ctr-store mounts)" ]
		done
	done
	# nor is it taken for what was meant where an image has its name, too
	id=$(ctr-store create --image t:1 --name t | jq -r .rootfs.id)
	echo "{" >"$OCID_ROOT/containers/$id/rootfs.json"
	ctr-store tag t:1 t:latest >/dev/null
	tool 2 ctr-store rm --force t
	error_is usage "means a container and an image"
	ctr-store create --image t:1 --name other --id other >/dev/null
	tool ctr-store rm --force --container t
	[ "$(ls "$OCID_ROOT/containers")$(ls "$OCID_ROOT/names")" = otherother ]
	tool ctr-store image t
	tool ctr-store check
}

@test "rm: a container with the rootfs.json of another is damaged, and takes nothing of that one along" {
	local id other

	id=$(ctr-store create --image t:1 --name web | jq -r .rootfs.id)
	other=$(ctr-store create --image t:1 --name db | jq -r .rootfs.id)
	echo keep >"$OCID_ROOT/containers/$other/upper/file"
	mkdir "$OCID_ROOT/mine"
	for facts in "$(<"$OCID_ROOT/containers/$other/rootfs.json")" '{}' '{"id":"../mine","layers":[]}' \
		"{\"id\":\"$id\",\"layers\":{}}" "{\"id\":\"$id\",\"layers\":[1]}"; do
		echo "$facts" >"$OCID_ROOT/containers/$id/rootfs.json"
		tool 7 ctr-store check
		[ "$(field '.object, .id' | xargs)" = "container $id" ]
		tool 7 ctr-store mount "$id"
		tool 7 ctr-store rm "$id"
		error_is integrity "--force removes it all the same"
	done
	echo '{"id":"../mine","layers":[]}' >"$OCID_ROOT/containers/$id/rootfs.json"
	tool ctr-store rm --force "$id"
	[ "$(field .container)" = "$id" ]
	[ "$(ls "$OCID_ROOT/containers")" = "$other" ]
	[ -d "$OCID_ROOT/mine" ]
	[ "$(cat "$(ctr-store containers | jq -r .path)/file")" = keep ]
	tool ctr-store check
}

@test "rm: a container in use is busy, and goes with --force" {
	path=$(ctr-store create --image t:1 --name web | jq -r .rootfs.path)
	exec 9>"$path/open"
	tool 5 ctr-store rm web
	error_is in-use "busy"
	[ -e "$path/open" ]
	tool ctr-store rm --force web
	[ -z "$(ls "$OCID_ROOT/containers")" ]
	exec 9>&-
}

@test "rm: a container goes though something else unmounts it at the same moment" {
	ctr-store create --image t:1 --name web >/dev/null
	fault umount2:error=EINVAL:when=1
	tool "${FAULTY[@]}" ctr-store rm --force web
	[ "$(field .container | wc -l)" -eq 1 ]
	[ -z "$(ls "$OCID_ROOT/containers")" ]
}

@test "rm: an image by its last name goes with its blobs and layers" {
	ctr-store unpack t:1 >/dev/null
	id=$(ctr-store image t:1 | jq -r .id)
	tool ctr-store rm t:1
	[ "$(field .removed)" = "$id" ]
	[ "$(field '.untagged[]')" = docker.io/library/t:1 ]
	[ -z "$(blobs)" ]
	[ -z "$(layers)" ]
	nothing_unfinished
	tool 3 ctr-store rm t:1
	error_is not-found 'no image "t:1" (see ctr-store images)'
}

@test "rm: by one of several names only that name goes" {
	ctr-store tag t:1 other:2 >/dev/null
	ctr-store mount t:1 mnt >/dev/null
	tool ctr-store rm t:1
	[ "$(field '.removed, .untagged[0]' | xargs)" = "null docker.io/library/t:1" ]
	tool ctr-store images
	[ "$(field '.names[]')" = docker.io/library/other:2 ]
	tool 5 ctr-store rm other:2
	ctr-store umount mnt
	tool ctr-store rm other:2
	[ -z "$(blobs)" ]
}

@test "rm: by id, by digest or with --all every name goes" {
	for how in id digest all; do
		store_image docker.io/library/t:1 base.tar top.tar
		ctr-store tag t:1 quay.io/x/t:2 >/dev/null
		case $how in
		all) tool ctr-store rm --all t:1 ;;
		*) tool ctr-store rm "$(ctr-store image t:1 | jq -r ".$how")" ;;
		esac
		[ "$(field '.untagged | length')" -eq 2 ]
		[ -z "$(ctr-store images)" ]
		[ -z "$(blobs)" ]
	done
}

@test "rm: what another image needs stays" {
	store_image docker.io/library/u:1 base.tar
	ctr-store unpack t:1 u:1 >/dev/null
	tool ctr-store rm t:1
	[ "$(layers)" = "$(sha256sum base.tar | cut -d' ' -f1)" ]
	tool ctr-store mount u:1 mnt
	[ "$(cat mnt/etc/one)" = one ]
}

@test "rm: an image that is mounted says where, and a container's says whose it is" {
	ctr-store mount t:1 mnt >/dev/null
	tool 5 ctr-store rm t:1
	error_is in-use "in use, mounted at $PWD/mnt"
	tool 5 ctr-store rm "$(ctr-store image t:1 | jq -r .id)"
	ctr-store umount mnt
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store umount web
	tool 5 ctr-store rm t:1
	error_is in-use "in use, by container web"
	OCID_ERRORS=json tool 5 ctr-store rm t:1
	[ "$(jq -r '.code, .subject' <<<"$stderr" | xargs)" = "in-use t:1" ]
}

@test "rm: --force takes a used image from the list, and leaves its users what they need" {
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store mount t:1 mnt >/dev/null
	tool ctr-store rm --force t:1
	[ -z "$(ctr-store images)" ]
	[ "$(cat mnt/etc/one)" = one ]
	[ "$(layers | wc -l)" -eq 2 ]
	ctr-store umount mnt
	ctr-store umount web
	tool ctr-store mount web
	[ "$(cat "$(field .target)/top")" = top ]
	ctr-store rm web
	tool ctr-store gc
	[ -z "$(layers)" ]
}

@test "rm: several names at once; a name that means both is refused" {
	store_image docker.io/library/u:latest base.tar
	ctr-store create --image t:1 --name u >/dev/null
	tool 2 ctr-store rm u
	error_is usage "say which"
	tool ctr-store rm --container u
	tool ctr-store rm t:1 u
	[ "$(wc -l <<<"$output")" -eq 2 ]
}

@test "rm, untag, umount: what fails keeps no other name from its turn, and all failures are told" {
	store_image docker.io/library/u:1 base.tar
	store_image docker.io/library/v:1 base.tar
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store create --image t:1 --name other >/dev/null
	tool 3 ctr-store rm nope u:1 none web missing v:1
	[ "$(field '.untagged // .container | length > 0' | xargs)" = "true true true" ]
	[ "${stderr%%$'\n'*}" = 'ctr-store: rm: no container or image "nope"' ]
	[ "$(wc -l <<<"$stderr")" -eq 3 ]
	error_is not-found 'no container or image "missing"'
	tool 3 ctr-store --errors json rm nope none
	[ "$(jq -r .message <<<"$stderr" | xargs)" = "no container or image nope no container or image none" ]
	# of different kinds
	tool 1 ctr-store rm nope t:1 other
	error_is failed "image t:1 is in use, "
	[ "$(field .container)" != null ]
	ctr-store tag t:1 x:1 >/dev/null
	tool 3 ctr-store untag nope x:1 none
	[ "$(field '.untagged[0]')" = docker.io/library/x:1 ]
	[ "$(wc -l <<<"$stderr")" -eq 2 ]
	mkdir one two
	ctr-store mount t:1 one >/dev/null
	ctr-store mount t:1 two >/dev/null
	tool 3 ctr-store umount nope one none two
	[ -z "$(ctr-store mounts)" ]
	[ "$(wc -l <<<"$stderr")" -eq 2 ]
	tool ctr-store rm --force gone t:1
}

@test "rm, untag, umount: what is interrupted before it is done does not say that it is" {
	ctr-store tag t:1 other:1 >/dev/null
	ctr-store mount t:1 mnt >/dev/null
	for verb in "umount mnt" "untag other:1" "rm other:1"; do
		# shellcheck disable=SC2086 # a verb and its operand
		ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 tool 143 strace -qq -o trace -e trace=mkdir \
			-e inject=mkdir:signal=TERM:when=1 ctr-store $verb
		grep -q SIGTERM trace
	done
	[ "$(ctr-store images | jq -r '.names | length')" -eq 2 ]
	[ "$(ctr-store mounts | wc -l)" -eq 1 ]
}

@test "rm: a name may follow an image that may be a container's, where no container ever had one" {
	[ ! -e "$OCID_ROOT/names" ]
	tool 3 ctr-store rm t:1 deadbeef
	error_is not-found 'no container or image "deadbeef"'
	[ "$(field '.untagged[0]')" = docker.io/library/t:1 ]
}

@test "rm: an image of which it cannot be told whether it is used stays" {
	ctr-store create --image t:1 --name web >/dev/null
	manifest=$(ctr-store image t:1 | jq -r '.digest | ltrimstr("sha256:")')
	fault read:error=EIO
	tool 1 "${FAULTY[@]}" -P "$OCID_ROOT/images/blobs/sha256/$manifest" ctr-store rm t:1
	tool ctr-store image t:1
	tool 5 ctr-store rm t:1
}

@test "rm: five at once of one image: it is gone when each returns" {
	ctr-store unpack t:1 >/dev/null
	for _ in 1 2 3 4 5; do
		(
			ctr-store rm --force t:1 >/dev/null 2>>errors
			ctr-store images >>seen
		) 3>&- &
	done
	wait
	[ ! -s errors ]
	[ ! -s seen ]
	[ -z "$(blobs)" ]
}

@test "rm: a name that another container gets at that moment stays with it" {
	ctr-store create --image t:1 --name web --id one >/dev/null
	# it goes on a while after it has seen where the name leads
	fault readlinkat:delay_exit=1000000:when=2
	"${FAULTY[@]}" -P "$OCID_ROOT/names" ctr-store rm web >/dev/null 3>&- &
	wait_for 10 test ! -e "$OCID_ROOT/containers/one"
	tool ctr-store create --image t:1 --name web --id two
	wait $!
	[ "$(readlink "$OCID_ROOT/names/web")" = two ]
	tool ctr-store rm web
	[ -z "$(ls -A "$OCID_ROOT/names")" ]
}

@test "rm: killed at any moment, the next command works" {
	export OCID_KEEPS_UNFINISHED=1
	for call in renameat:when=1 renameat:when=2 unlinkat:when=1 unlinkat:when=4; do
		store_image docker.io/library/t:1 base.tar top.tar
		ctr-store unpack t:1 >/dev/null
		fault "${call%%:*}:signal=KILL:${call#*:}"
		"${FAULTY[@]}" ctr-store rm t:1 >/dev/null 2>&1 || true
		tool ctr-store images
		tool ctr-store rm --force t:1
		tool ctr-store gc
		[ -z "$(blobs)$(layers)" ]
		nothing_unfinished
	done
}

@test "rm: what is remembered of manifests can be lost or spoiled, and what they share stays" {
	make_tar own.tar file:own:text=own
	for name in a b c d; do
		make_tar "$name.tar" "file:$name:text=$name"
		store_image "docker.io/library/$name:1" own.tar "$name.tar"
		ctr-store unpack "$name:1"
	done
	tool ctr-store rm a:1
	[ -s "$OCID_RUNROOT/manifests" ]
	tool ctr-store rm b:1
	sed -i 's/ [bl][0-9a-f]*//g; 1s/^/x/' "$OCID_RUNROOT/manifests" # of another boot
	tool ctr-store rm c:1
	[ -e "$(layer_tree own.tar)" ]
	head -c 100 /dev/urandom >"$OCID_RUNROOT/manifests"
	tool ctr-store check --deep
	tool ctr-store rm d:1 t:1
	[ -z "$(layers)" ]
	[ -z "$(ls "$OCID_ROOT/images/blobs/sha256")" ]
}

@test "rm: --untagged takes the images that have no tag and no user" {
	make_tar new.tar file:new:text=new
	ctr-store create --image t:1 --name old >/dev/null
	store_image docker.io/library/t:2 base.tar new.tar
	store_image docker.io/library/u:1 base.tar
	store_image docker.io/library/v:1 new.tar
	ctr-store tag t:2 t:1 >/dev/null
	ctr-store untag t:2 >/dev/null
	ctr-store tag u:1 t:1 >/dev/null
	ctr-store untag v:1 >/dev/null
	[ "$(ctr-store images | jq -s 'map(select(.names == [])) | length')" -eq 3 ]
	used=$(ctr-store containers | jq -r .imageId)
	tool ctr-store rm --untagged
	[ "$(jq -s 'length' <<<"$output")" -eq 2 ]
	jq -se --arg used "$used" 'all(.removed != null and .removed != $used)' <<<"$output"
	[ "$(ctr-store images | jq -r 'select(.names == []) | .id')" = "$used" ]
	[ "$(ctr-store images | jq -r '.names[]' | sort | xargs)" = "docker.io/library/t:1 docker.io/library/u:1" ]
	tool ctr-store rm --untagged
	[ -z "$output" ]
	ctr-store rm old >/dev/null
	tool ctr-store rm --untagged
	[ "$(field .removed)" = "$used" ]
	tool ctr-store check --deep
	for wrong in "t:1 --untagged" "--untagged --force" "--untagged --container" ""; do
		# shellcheck disable=SC2086
		tool 2 ctr-store rm $wrong
		error_is usage
	done
	[ "$(ctr-store images | jq -s length)" -eq 1 ]
}
