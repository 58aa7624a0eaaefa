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

# the image leaves the index as if by another tool
forget_images() {
	jq '.manifests = []' "$OCID_ROOT/images/index.json" >new
	mv new "$OCID_ROOT/images/index.json"
}

@test "gc: what an image needs stays" {
	ctr-store unpack t:1 >/dev/null
	tool ctr-store gc
	[ "$(field '.blobs + .layers + .staging + .bytes')" -eq 0 ]
	tool ctr-store mount t:1 mnt
	[ "$(cat mnt/top)" = top ]
}

@test "gc: what nothing refers to goes, and --dry-run only tells" {
	ctr-store unpack t:1 >/dev/null
	forget_images
	bytes=$(($(cat "$OCID_ROOT"/images/blobs/sha256/* | wc -c) + 6))
	tool ctr-store gc --dry-run
	[ "$(jq -c . <<<"$output")" = "{\"blobs\":4,\"bytes\":$bytes,\"containers\":0,\"holds\":0,\"layers\":2,\"mounts\":0,\"staging\":0}" ]
	[ "$(layers | wc -l)" -eq 2 ]
	dry=$output
	tool ctr-store gc
	[ "$output" = "$dry" ]
	[ -z "$(ls "$OCID_ROOT/images/blobs/sha256")$(layers)" ]
	nothing_unfinished
}

@test "gc: the layers of a container and of a mount stay" {
	ctr-store create --image t:1 --name web >/dev/null
	forget_images
	tool ctr-store gc
	[ "$(field '.blobs, .layers' | xargs)" = "4 0" ]
	ctr-store rm web >/dev/null
	store_image docker.io/library/t:1 base.tar top.tar
	ctr-store mount t:1 mnt >/dev/null
	forget_images
	tool ctr-store gc
	[ "$(field '.blobs, .layers' | xargs)" = "4 0" ]
	[ "$(cat mnt/etc/one)" = one ]
	ctr-store umount mnt
	tool ctr-store gc
	[ "$(field .layers)" = 2 ]
}

@test "gc: the children of an index and the blobs of an artifact stay" {
	digest=$(ctr-store image t:1 | jq -r .digest)
	cd "$OCID_ROOT/images"
	artifact='{"schemaVersion":2,"config":{"digest":"sha256:'$(printf x | sha256sum | cut -c1-64)'","size":1,"mediaType":"application/x"},"layers":[]}'
	printf x >"blobs/sha256/$(printf x | sha256sum | cut -c1-64)"
	printf %s "$artifact" >"blobs/sha256/$(printf %s "$artifact" | sha256sum | cut -c1-64)"
	index='{"schemaVersion":2,"manifests":[{"digest":"'$digest'","size":1},{"digest":"sha256:'$(printf %s "$artifact" | sha256sum | cut -c1-64)'","size":1},{"digest":"sha256:'$(printf absent | sha256sum | cut -c1-64)'","size":1}]}'
	hex=$(printf %s "$index" | sha256sum | cut -c1-64)
	printf %s "$index" >"blobs/sha256/$hex"
	jq --arg digest "sha256:$hex" '.manifests = [{digest: $digest, size: 1,
		mediaType: "application/vnd.oci.image.index.v1+json"}]' index.json >../new
	mv ../new index.json
	tool ctr-store gc
	[ "$(field .blobs)" -eq 0 ]
}

@test "gc: what a live process works on stays, what a dead one left goes" {
	hold=$(mktemp -d "$BATS_TEST_TMPDIR/XXXX")
	forget_images
	mkfifo events
	ctr-store unpack <events >/dev/null 2>&1 3>&- &
	pid=$!
	exec 9>events
	store_image docker.io/library/t:1 base.tar top.tar
	ctr-store image t:1 | jq -c '{event: "image", image}' >&9
	forget_images
	wait_for 5 grep -q sha256 "$OCID_ROOT"/tmp/*/refs.json
	# one that cannot be looked at, for want of descriptors, may be alive
	for file in lock refs.json; do
		fault openat:error=EMFILE:when=1
		tool 9 "${FAULTY[@]}" -P $file ctr-store gc
		error_is limit "$OCID_ROOT/tmp/"
	done
	mkdir "$OCID_ROOT/tmp/dead"
	touch "$OCID_ROOT/tmp/dead/lock" "$OCID_ROOT/tmp/stray"
	tool ctr-store gc
	[ "$(field '.blobs, .staging' | xargs)" = "0 2" ]
	[ "$(count "$OCID_ROOT/tmp")" -eq 1 ]
	exec 9>&-
	wait "$pid" || true
	tool ctr-store gc
	[ "$(field .blobs)" -eq 4 ]
	rmdir "$hold"
}

@test "gc: what something is mounted in stays where it is until that is unmounted" {
	local mounted=$OCID_ROOT/tmp/0123456789abcdef/container-x/mnt

	ctr-store images >/dev/null
	mkdir -p "$mounted" mine
	echo mine >mine/file
	# the second is of the same file system
	for options in "-t tmpfs none" "--bind mine"; do
		# shellcheck disable=SC2086
		mount $options "$mounted"
		tool ctr-store gc
		tool ctr-store gc
		find "$OCID_ROOT/tmp" -name mnt -exec umount {} \;
		[ -d "$mounted" ]
	done
	[ "$(cat mine/file)" = mine ]
	tool ctr-store gc
	nothing_unfinished
}

@test "gc: what is in tmp of a directory that is no store is not ours" {
	mkdir -p home/tmp home/images
	echo mine | tee home/tmp/file home/images/file
	tool 2 ctr-store --root home gc
	error_is usage "$PWD/home is no store, and has a directory tmp of its own (--root names another directory)"
	[ "$(cat home/tmp/file home/images/file)" = $'mine\nmine' ]
	[ "$(ls home)" = $'images\ntmp' ]
}

@test "gc: damaged manifests refer to nothing and stop nothing" {
	ctr-store unpack t:1 >/dev/null
	digest=$(ctr-store image t:1 | jq -r .digest)
	echo '{' >"$OCID_ROOT/images/blobs/sha256/${digest#sha256:}"
	tool ctr-store gc
	[ "$(field '.blobs, .layers' | xargs)" = "3 2" ]
	[[ $stderr == *"${digest}"* ]]
}

@test "gc: a manifest that cannot be read for another reason stops it before anything goes" {
	ctr-store unpack t:1 >/dev/null
	manifest=$(ctr-store image t:1 | jq -r '.digest | ltrimstr("sha256:")')
	for call in read fstat,newfstatat; do
		fault $call:error=EIO
		tool 1 "${FAULTY[@]}" -P "$OCID_ROOT/images/blobs/sha256/$manifest" ctr-store gc
		error_is failed
	done
	[ "$(layers | wc -l)" -eq 2 ]
	[ "$(count "$OCID_ROOT/images/blobs/sha256")" -eq 4 ]
}

@test "gc: a container that cannot be looked at keeps its layers" {
	ctr-store create --image t:1 --id abc >/dev/null
	ctr-store umount abc
	forget_images
	fault openat:error=EMFILE
	tool 9 "${FAULTY[@]}" -P abc/rootfs.json ctr-store gc
	error_is limit "container abc"
	for directory in "$OCID_ROOT/containers" "$OCID_ROOT/tmp" "$OCID_RUNROOT/mounts"; do
		fault getdents64:error=EIO
		tool 1 "${FAULTY[@]}" -P "$directory" ctr-store gc
		error_is failed "$directory"
	done
	[ "$(layers | wc -l)" -eq 2 ]
	tool ctr-store mount abc
}

@test "gc: what a killed replacement left of a blob goes when nobody works, else when it is old" {
	local index=$OCID_ROOT/images/.index.json.0123 blob=$OCID_ROOT/images/blobs/sha256/.new pid
	touch "$index" "$blob"
	mkfifo events
	ctr-store unpack <events >/dev/null 2>&1 3>&- &
	pid=$!
	exec 9>events
	wait_for 5 something_unfinished
	tool ctr-store gc
	[ "$(field .staging)" -eq 0 ]
	exec 9>&-
	wait "$pid" || true
	tool ctr-store gc
	[ "$(field .staging)" -eq 1 ]
	[ ! -e "$blob" ]
	touch -d '2 hours ago' "$index"
	tool ctr-store gc
	[ "$(field .staging)" -eq 1 ]
	[ -z "$(find "$OCID_ROOT/images" -name '.?*')" ]
}

targets() { # COUNT
	[ "$(find "$OCID_RUNROOT/mnt" -mindepth 1 -maxdepth 1 | wc -l)" -eq "$1" ]
}

gc_leaves_targets() { # COUNT
	ctr-store gc >/dev/null && targets "$1"
}

@test "gc: the directory of a mount that never came goes; those of mounts stay, of another namespace's too" {
	ctr-store unpack t:1 >/dev/null
	# before its record is there
	fault renameat:signal=KILL:when=1
	"${FAULTY[@]}" ctr-store mount t:1 >/dev/null 2>&1 || true
	targets 1
	here=$(ctr-store mount t:1 | jq -r .target)
	unshare -m sh -c 'ctr-store mount t:1 >there.new && mv there.new there; exec sleep 60' 3>&- &
	pid=$!
	wait_for 10 test -e there
	tool ctr-store gc
	[ -f "$here/etc/one" ]
	nsenter -m -t "$pid" test -f "$(jq -r .target there)/etc/one"
	targets 2
	kill "$pid"
	wait "$pid" || true
	wait_for 10 gc_leaves_targets 1
	[ -f "$here/etc/one" ]
}

looks() { # COUNT
	[ "$(find "$OCID_RUNROOT/empty" -name 'look-*' | wc -l)" -eq "$1" ]
}

@test "gc: the root directories of mounts and exports go when these are gone, and not before" {
	make_tar root.tar dir:./:mode=1750
	make_tar big.tar file:big:size=1000000
	store_image docker.io/library/root:1 root.tar base.tar
	store_image docker.io/library/big:1 root.tar big.tar
	for look in 1700 700; do
		make_tar "root$look.tar" "dir:./:mode=$look"
		store_image "docker.io/library/root:$look" "root$look.tar" base.tar
		ctr-store umount "$(ctr-store mount "root:$look" | jq -r .target)"
	done
	mkdir "$OCID_RUNROOT/empty/.left-by-a-killed-one" again
	ctr-store mount root:1 mnt >/dev/null
	ctr-store mount root:1 again >/dev/null
	looks 3
	ctr-store gc --dry-run >/dev/null
	looks 3
	ctr-store gc >/dev/null
	looks 1
	[ "$(find "$OCID_RUNROOT/empty" -name '.?*' | wc -l)" -eq 0 ]
	[ "$(stat -c %a mnt) $(ls mnt)" = "1750 $(ls again)" ]
	ctr-store umount mnt
	ctr-store gc >/dev/null
	looks 1
	[ -n "$(ls again)" ]
	ctr-store umount again

	mkfifo out
	ctr-store export big:1 >out 3>&- &
	exec 7<out
	head -c 1000 <&7 >first
	ctr-store gc >/dev/null
	looks 1
	cat first - <&7 >out.tar
	exec 7<&-
	wait
	tar -tf out.tar big
	ctr-store gc >/dev/null
	looks 0
}

@test "gc: lock files that nobody holds go" {
	ctr-store unpack t:1 >/dev/null
	touch "$OCID_RUNROOT/locks/container-old" "$OCID_RUNROOT/locks/name-old"
	tool ctr-store gc
	[ -z "$(find "$OCID_RUNROOT/locks" -name '*old')" ]
}

@test "gc: a lock file that another has taken the place of stays" {
	path=$OCID_RUNROOT/locks/container-web
	ctr-store images >/dev/null
	touch "$path"
	env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -o calls -e trace=openat,fcntl -P container-web -P "$path" -e inject=fcntl:delay_enter=2s ctr-store gc >/dev/null 3>&- &
	gc=$!
	wait_for 10 grep -q openat calls
	# its holder removes it, and somebody makes and holds the next one
	rm "$path"
	/usr/bin/python3 -c 'import fcntl, sys, time
file = open(sys.argv[1], "w"); fcntl.lockf(file, fcntl.LOCK_EX); open("held", "w"); time.sleep(60)' "$path" 3>&- &
	holder=$!
	wait_for 10 test -e held
	wait "$gc"
	[ -e "$path" ]
	kill "$holder"
	wait "$holder" || true
	tool ctr-store gc
	[ ! -e "$path" ]
}

@test "gc: with unpacking and removing at the same time nothing needed goes" {
	for i in 1 2 3 4 5 6; do
		make_tar "l$i.tar" "file:f$i:size=100000"
		store_image "docker.io/library/i$i:1" base.tar "l$i.tar"
	done
	for round in 1 2 3; do
		for i in 1 2 3 4 5 6; do
			ctr-store unpack "i$i:1" >/dev/null 2>>errors 3>&- &
			ctr-store gc >/dev/null 2>>errors 3>&- &
		done
		wait
		for i in 1 2 3 4 5 6; do
			id=$(ctr-store create --image "i$i:1" --name "c$i-$round" | jq -r .rootfs.id)
			[ -e "$OCID_ROOT/containers/$id/rootfs/f$i" ]
			ctr-store rm "$id" >/dev/null
		done
	done
	[ ! -s errors ]
	nothing_unfinished
}

@test "gc: what an image needs stays also where an index that is too deep names it first" {
	make_tar deep.tar file:deep:text=deep
	store_image docker.io/library/d:1 deep.tar
	/usr/bin/python3 - "$OCID_ROOT/images" <<-'END'
		import hashlib, json, sys

		INDEX = "application/vnd.oci.image.index.v1+json"

		def put(children):
		    data = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).encode()
		    digest = hashlib.sha256(data).hexdigest()
		    with open(f"{sys.argv[1]}/blobs/sha256/{digest}", "wb") as file:
		        file.write(data)
		    return {"mediaType": INDEX, "digest": "sha256:" + digest, "size": len(data)}

		def named(entry, name):
		    return entry | {"annotations": {"org.opencontainers.image.ref.name": name}}

		with open(f"{sys.argv[1]}/index.json", encoding="utf-8") as file:
		    index = json.load(file)
		image = next(e for e in index["manifests"] if e["annotations"]["org.opencontainers.image.ref.name"].endswith("d:1"))
		near = deep = put([{key: image[key] for key in ("mediaType", "digest", "size")}])
		for _ in range(8):
		    deep = put([deep])
		index["manifests"].remove(image)
		index["manifests"] = [named(deep, "docker.io/library/deep:1"), *index["manifests"],
		                      named(near, "docker.io/library/near:1")]
		with open(f"{sys.argv[1]}/index.json", "w", encoding="utf-8") as file:
		    json.dump(index, file)
	END
	tool ctr-store gc
	[ "$(field .blobs)" -eq 0 ]
	ctr-store create --image near:1 --name near >/dev/null
	ctr-store mount near mnt >/dev/null
	[ "$(cat mnt/deep)" = deep ]
}
