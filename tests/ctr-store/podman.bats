# SPDX-License-Identifier: Apache-2.0
# Images in a store of podman's, with podman at work in it.

load ../helpers
load common
load ../podman

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return
	busybox_tar base.tar
	make_tar top.tar dir:www file:www/new:text=new whiteout:www/index.html
	oci_image src v1 '{}' base.tar top.tar >/dev/null
	skopeo-c copy oci:src:v1 docker-archive:app.tar:localhost/app:1 >/dev/null
	podman_start
}

teardown_file() {
	podman_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	podman load -q -i "$BATS_FILE_TMPDIR/app.tar" >/dev/null
	mkdir mnt
}

teardown() {
	clean_store
	podman rmi -fa >/dev/null
}

APP=containers-storage:localhost/app:1

# podman's list of containers, as it is on disk; not there before it has had one
podman_containers() {
	{ cat "$STORE/overlay-containers/containers.json" 2>/dev/null || echo '[]'; } | jq -S "${1:-length}"
}

held() {
	[ "$(podman_containers 'map(select(.names[0] | startswith("ocid-mount-"))) | length')" = "$1" ] &&
		[ "$(find "$OCID_ROOT/holds" -type f | wc -l)" = "$1" ]
}

podman_refuses() {
	run podman rmi localhost/app:1
	[ "$status" -ne 0 ]
	[[ $output == *"in use by a container"* ]]
}

# FILE…: takes their locks as podman does; fails where one is taken
posix_lock() {
	/usr/bin/python3 -c "import fcntl, sys
for name in sys.argv[1:]:
    file = open(name, 'r+'); fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)" "$@"
}

@test "mount: an image in podman's store, read-only, by each of its names" {
	id=$(podman images -q --no-trunc localhost/app:1)
	for name in localhost/app:1 "@${id#sha256:}" "${id:7:12}" "[overlay@$STORE+/run]localhost/app:1" "[$STORE]localhost/app:1"; do
		tool ctr-store mount "containers-storage:$name" mnt
		[ "$(field '.target, .image, .rw' | xargs)" = "$PWD/mnt containers-storage:$name false" ]
		[ "$(ls mnt/www)" = new ]
		cmp mnt/bin/busybox /bin/busybox
		run touch mnt/x
		[ "$status" -ne 0 ]
		[[ $(findmnt -n -o OPTIONS mnt) == ro,nosuid,nodev* ]]
		tool ctr-store umount mnt
		[ -z "$(ls mnt)" ]
		held 0
	done
	# as podman shows it
	shown=$(podman image mount localhost/app:1)
	tool ctr-store mount "$APP"
	target=$(field .target)
	diff -r --no-dereference "$shown" "$target"
	podman image unmount localhost/app:1
	tool ctr-store umount "$APP"
	[ ! -e "$target" ]
}

@test "mount: podman cannot remove an image of its own while it is mounted" {
	tool ctr-store mount "$APP" mnt
	held 1
	tool ctr-store mounts
	[ "$(field '.image, .target' | xargs)" = "$APP $PWD/mnt" ]
	podman_refuses
	podman image prune -af
	podman untag localhost/app:1
	podman image prune -f
	[ "$(podman images -q | wc -l)" = 1 ]
	podman ps -a --external | grep ocid-mount-
	[ "$(cat mnt/www/new)" = new ]
	# a second mount holds it for itself
	id=$(podman images -q)
	mkdir again
	tool ctr-store mount "containers-storage:$id" again
	held 2
	tool ctr-store umount mnt
	held 1
	run podman rmi "$id"
	[ "$status" -ne 0 ]
	tool ctr-store umount again
	podman rmi "$id"
	[ -z "$(podman images -q)" ]
}

@test "mount: a podman that runs as a service sees it come and go" {
	delete() {
		curl -s -o /dev/null -w '%{http_code}' --unix-socket "$BATS_FILE_TMPDIR/podman.sock" -X DELETE http://docker/v4.0.0/libpod/images/localhost/app:1
	}
	curl -fs --unix-socket "$BATS_FILE_TMPDIR/podman.sock" 'http://docker/v4.0.0/libpod/containers/json?all=true'
	tool ctr-store mount "$APP" mnt
	[ "$(delete)" = 409 ]
	[ "$(cat mnt/www/new)" = new ]
	tool ctr-store umount mnt
	[ "$(delete)" = 200 ]
}

@test "mount: podman runs containers of an image that is mounted, and keeps its own" {
	limits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network none --log-driver none)
	podman create --name before "${limits[@]}" localhost/app:1 true
	podman_containers 'map(del(.names))' >before
	tool ctr-store mount "$APP" mnt
	# no lock stays
	posix_lock "$STORE"/*.lock "$STORE"/*/*.lock
	run podman run --rm "${limits[@]}" localhost/app:1 cat /www/new
	[ "$status" -eq 0 ]
	[ "$output" = new ]
	podman tag localhost/app:1 localhost/other:1
	podman rmi localhost/other:1
	tool ctr-store umount mnt
	[ "$(podman ps -a --external --format '{{.Names}}')" = before ]
	podman_containers 'map(del(.names))' | diff before -
	podman rm before
}

@test "mount: waits for podman's lock on its containers, and is not waited for" {
	mkfifo release
	/usr/bin/python3 -c 'import fcntl, sys
file = open(sys.argv[1], "r+"); fcntl.lockf(file, fcntl.LOCK_EX)
open("locked", "w").close(); open("release").read()' "$STORE/overlay-containers/containers.lock" 3>&- &
	locker=$!
	wait_for 10 test -e locked
	ctr-store mount "$APP" mnt >record 3>&- &
	mounter=$!
	inode=$(stat -c %i "$STORE/overlay-containers/containers.lock")
	wait_for 10 grep -E -- "-> OFDLCK.*:$inode " /proc/locks
	# gc takes nobody's hold whose mount is yet to come
	tool ctr-store gc
	[ "$(field .holds)" = 0 ]
	[ ! -s record ]
	echo >release
	wait "$locker" "$mounter"
	held 1
	podman_refuses
}

@test "mount: many at once, while podman works" {
	mkdir m{1..12}
	for i in {1..12}; do
		ctr-store mount "$APP" "m$i" >/dev/null 3>&- &
	done
	podman tag localhost/app:1 localhost/app:2
	podman images >/dev/null
	podman rmi localhost/app:2
	wait
	held 12
	for i in {1..12}; do
		[ "$(cat "m$i/www/new")" = new ]
		ctr-store umount "m$i" 3>&- &
	done
	wait
	held 0
	podman rmi localhost/app:1
}

@test "gc: gives back images of podman's whose mount is gone: killed, unmounted, rebooted" {
	# before Linux 6.8 the layers are mounted by mount(2)
	for how in linkat:1 renameat:1 fsync:2 pwrite64:1 linkat:2 renameat:2 fsync:4 fsmount,mount:1 mkdirat:1 renameat:3 move_mount:1; do
		fault "${how%:*}:signal=KILL:when=${how#*:}"
		run "${FAULTY[@]}" ctr-store mount "$APP" mnt
		[ "$status" -eq 137 ]
		run mountpoint -q mnt
		[ "$status" -ne 0 ]
		tool ctr-store gc
		held 0
		[ "$(count "$OCID_ROOT/holds")" = 0 ]
		[ -z "$(ls "$OCID_RUNROOT/mounts")" ]
	done
	podman images >/dev/null
	# in umount the mount goes first
	for how in pwrite64:1 linkat:1 renameat:1 unlink:1; do
		tool ctr-store mount "$APP" mnt
		fault "${how%:*}:signal=KILL:when=${how#*:}"
		run "${FAULTY[@]}" ctr-store umount mnt
		[ "$status" -eq 137 ]
		[ -z "$(ls mnt)" ]
		tool ctr-store gc
		held 0
	done
	tool ctr-store mount "$APP" mnt
	umount mnt
	held 1
	tool ctr-store gc --dry-run
	[ "$(field .holds)" = 1 ]
	held 1
	tool ctr-store gc
	[ "$(field '.holds, .mounts' | xargs)" = "1 1" ]
	held 0
	tool ctr-store mount "$APP" mnt
	umount mnt
	rm -r "$OCID_RUNROOT"
	podman_refuses
	tool ctr-store gc
	[ "$(field .holds)" = 1 ]
	held 0
	podman rmi localhost/app:1
}

@test "gc: leaves alone what is mounted; wipe --force gives it back" {
	tool ctr-store mount "$APP" mnt
	tool ctr-store gc
	held 1
	tool 5 ctr-store wipe
	error_is in-use "$APP"
	tool ctr-store wipe --force
	held 0
	[ -z "$(ls mnt)" ]
}

@test "umount: what podman has let go of by force is unmounted all the same" {
	tool ctr-store mount "$APP" mnt
	podman rmi -f localhost/app:1
	[ "$(podman_containers)" = 0 ]
	tool ctr-store umount mnt
	held 0
	# or all of its store is gone
	podman load -q -i "$BATS_FILE_TMPDIR/app.tar"
	cp -a "$STORE" copy
	tool ctr-store mount "containers-storage:[$PWD/copy]localhost/app:1" mnt
	rm -rf copy
	tool ctr-store umount mnt
	[ -z "$(ls "$OCID_ROOT/holds")" ]
}

@test "rm: an image of ours with the same id is not in use by it" {
	tool skopeo-c copy "$APP" store:localhost/app:ours
	id=$(ctr-store image localhost/app:ours | jq -r .id)
	[ "$id" = "sha256:$(podman images -q --no-trunc localhost/app:1 | sed s/sha256://)" ]
	tool ctr-store mount "$APP" mnt
	tool ctr-store rm localhost/app:ours
	[ "$(cat mnt/www/new)" = new ]
}

@test "mount: what podman has of an additional image store, held by the store itself" {
	cat >own.conf <<-END
		[storage]
		driver = "overlay"
		graphroot = "$PWD/own"
		runroot = "$PWD/run"
		[storage.options]
		additionalimagestores = ["$STORE"]
	END
	export CONTAINERS_STORAGE_CONF=$PWD/own.conf
	make_tar more.tar file:more:text=more
	oci_image more v1 '{}' "$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/top.tar" more.tar >/dev/null
	skopeo-c copy oci:more:v1 docker-archive:-:localhost/more:1 | podman load -q
	[ "$(jq length own/overlay-layers/layers.json)" = 1 ]
	tool ctr-store mount containers-storage:localhost/more:1 mnt
	[ "$(cat mnt/more mnt/www/new)" = morenew ]
	run podman rmi localhost/more:1
	[ "$status" -ne 0 ]
	tool ctr-store umount mnt
	podman rmi localhost/more:1
	tool ctr-store mount "$APP" mnt
	[ "$(cat mnt/www/new)" = new ]
	[ "$(jq length own/overlay-containers/containers.json)" = 1 ]
	tool ctr-store umount mnt
	[ "$(jq length own/overlay-containers/containers.json)" = 0 ]
}

@test "mount: a store of driver vfs" {
	podman() {
		timeout -k 5 "${TOOL_TIMEOUT:-60}" podman --root "$PWD/vfs" --runroot "$PWD/vfsrun" --storage-driver vfs --tmpdir "$PWD/vfstmp" "$@"
	}
	podman load -q -i "$BATS_FILE_TMPDIR/app.tar"
	tool ctr-store mount "containers-storage:[vfs@$PWD/vfs]localhost/app:1" mnt
	[ "$(ls mnt/www)" = new ]
	run podman rmi localhost/app:1
	[ "$status" -ne 0 ]
	tool ctr-store umount mnt
	podman rmi localhost/app:1
}

@test "mount: what cannot be mounted of podman's is a clear error, and holds nothing" {
	tool 3 ctr-store mount containers-storage:localhost/app:2 mnt
	error_is not-found "localhost/app:2"
	tool 3 ctr-store mount "containers-storage:[$PWD/none]localhost/app:1" mnt
	tool 3 ctr-store mount "$APP" none
	tool 2 ctr-store mount --rw "$APP" mnt
	error_is usage "read-only"
	tool 2 ctr-store mount --upper u "$APP" mnt
	tool 2 ctr-store mount --container "$APP" mnt
	tool 2 ctr-store mount "containers-storage:[$STORE" mnt
	tool 10 ctr-store mount "containers-storage:[btrfs@$STORE]localhost/app:1" mnt
	cp -a "$STORE" copy
	layer=$(jq -r '.[0].layer' copy/overlay-images/images.json)
	copied="containers-storage:[$PWD/copy]localhost/app:1"
	mkdir "copy/overlay/$layer/composefs-data"
	tool 10 ctr-store mount "$copied" mnt
	error_is unsupported composefs
	rm -r "copy/overlay/$layer/composefs-data"
	mv "copy/overlay/$layer/diff" copy/diff
	ln -s / "copy/overlay/$layer/diff"
	tool 7 ctr-store mount "$copied" mnt
	rm "copy/overlay/$layer/diff"
	echo '[]' >copy/overlay-layers/layers.json
	tool 7 ctr-store mount "$copied" mnt
	error_is integrity "does not have layer"
	jq '.[0].layer = "../../x"' copy/overlay-images/images.json >images
	cp images copy/overlay-images/images.json
	tool 7 ctr-store mount "$copied" mnt
	echo '[{"id": "../../x"}]' >copy/overlay-layers/layers.json
	tool 7 ctr-store mount "$copied" mnt
	echo '{}' >copy/overlay-containers/containers.json
	tool 7 ctr-store mount "$copied" mnt
	[ "$(cat copy/overlay-containers/containers.json)" = '{}' ]
	echo '[]' >copy/overlay-containers/containers.json
	tool ctr-store gc
	chown 1000 copy/overlay-containers
	tool 10 ctr-store mount "$copied" mnt
	error_is unsupported "user 1000"
	[ -z "$(find "$OCID_ROOT/holds" -type f)" ]
	printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\ntransient_store = true\n' "$STORE" >transient.conf
	CONTAINERS_STORAGE_CONF=$PWD/transient.conf tool 10 ctr-store mount "$APP" mnt
	error_is unsupported transient_store
	held 0
}
