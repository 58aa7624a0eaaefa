#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# create --backend copy: root file systems as plain files.
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:./:mode=0751:uid=3:gid=4:mtime=1000 dir:etc:mtime=2000 \
		file:etc/one:text=one:mtime=3000.5:uid=5:gid=6:mode=04755 file:etc/two:text=two \
		link:etc/three:to=etc/two dir:opt file:opt/old:text=old symlink:etc/link:to=one \
		fifo:etc/pipe dir:gone file:gone/x:text=x file:was-file:text=f
	make_tar top.tar dir:opt opaque:opt file:opt/new:text=new whiteout:gone whiteout:etc/link \
		dir:was-file file:was-file/in:text=in file:etc/cap:text=cap:xattr.user.of=cap
	store_image docker.io/library/t:1 base.tar top.tar
	mkdir -p mnt
}

teardown() {
	clean_store
	for directory in store disk; do
		if mountpoint -q "$BATS_TEST_TMPDIR/$directory"; then
			umount "$BATS_TEST_TMPDIR/$directory"
		fi
	done
}

# names, kinds, owners, modes, sizes, times, links
look() {
	(cd "$1" && find . -printf '%p %y %U:%G %m %s %T@ %l %n\n' | sed -E '/ d /s/ [0-9]+ ([0-9.]+)  [0-9]+$/ \1/' | sort)
}

@test "copy: the files are those that an overlay mount shows" {
	as_directories
	tool ctr-store create --image t:1 --backend copy --name web
	path=$(field .rootfs.path)
	[ -z "$(ctr-store mounts)" ]
	overlay=$(ctr-store create --image t:1 --name other | jq -r .rootfs.path)
	diff <(look "$overlay") <(look "$path")
	diff -r --no-dereference --exclude pipe "$overlay" "$path"
	[ "$(xattr "$path/etc/cap" user.of)" = cap ]
	[ "$(stat -c '%i' "$path/etc/two")" = "$(stat -c '%i' "$path/etc/three")" ]
	[ "$(cat "$path/opt/new") $(ls "$path/opt")" = "new new" ]
	ctr-store rm other >/dev/null
	echo changed >"$path/etc/one"
	[ "$(cat "$(layer_tree base.tar)/etc/one")" = one ]
	tool ctr-store check --deep
	tool ctr-store rm web
	[ "$(count "$OCID_ROOT/containers")" -eq 0 ]
}

@test "copy: changes, diff and commit are those of an overlay" {
	ctr-store create --image t:1 --backend copy --id one >/dev/null
	ctr-store create --image t:1 --id two >/dev/null
	for id in one two; do
		path=$OCID_ROOT/containers/$id/rootfs
		tool ctr-store changes "$id"
		[ -z "$output" ]
		echo more >>"$path/etc/cap"
		rm "$path/etc/one"
		rm -r "$path/opt"
		mkdir "$path/made"
		echo x >"$path/made/x"
		chown 7:8 "$path/etc/cap"
		rm -r "$path/was-file"
		echo f >"$path/was-file"
		ctr-store changes "$id" | jq -r '"\(.kind) \(.path)"' | sort >"changes.$id"
		ctr-store commit "$id" "made:$id" >/dev/null
		mkdir "image.$id"
		ctr-store mount "made:$id" "image.$id" >/dev/null
	done
	diff changes.one changes.two
	diff -r --no-dereference --exclude pipe image.one image.two
	[ "$(stat -c %u:%g image.one/etc/cap)" = 7:8 ]
	[ -f image.one/was-file ]
	ctr-store export one | tar -t | sed 's|^\./||' >listed
	grep -qx made/x listed
}

@test "copy: a file of which only attributes were changed is in the layer" {
	tool ctr-store create --image t:1 --backend copy --uidmap 0:100000:1000 --name web
	path=$(field .rootfs.path)
	setcap cap_net_raw+ep "$path/etc/two"
	touch -d @7 "$path/etc/two"
	ctr-store commit web with:1 >/dev/null
	ctr-store rm web >/dev/null
	tool ctr-store create --image with:1 --backend copy --uidmap 0:100000:1000 --name web
	path=$(field .rootfs.path)
	tool ctr-store changes web
	[ -z "$output" ]
	setcap cap_kill+ep "$path/etc/two"
	/usr/bin/python3 -c 'import os, sys; os.removexattr(sys.argv[1], "user.of")' "$path/etc/cap"
	tool ctr-store changes web
	[ "$(field .path | xargs)" = "/etc/cap /etc/three /etc/two" ]
	ctr-store commit web changed:1 >/dev/null
	ctr-store mount changed:1 mnt >/dev/null
	[ "$(getcap -n mnt/etc/two)" = "mnt/etc/two cap_kill=ep" ]
	[ -z "$(/usr/bin/python3 -c 'import os; print(*os.listxattr("mnt/etc/cap"))')" ]
}

@test "copy: attributes of directories and times of links are in the layer" {
	make_tar lower.tar dir:opt:xattr.user.a=b symlink:link:to=opt
	make_tar upper.tar dir:opt:xattr.user.c=d dir:plain
	store_image docker.io/library/d:1 lower.tar upper.tar
	tool ctr-store create --image d:1 --backend copy --name web
	path=$(field .rootfs.path)
	[ "$(/usr/bin/python3 -c 'import os, sys; print(*os.listxattr(sys.argv[1]))' "$path/opt")" = user.c ]
	tool ctr-store changes web
	[ -z "$output" ]
	touch -h -d @7 "$path/link"
	/usr/bin/python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.e", b"f")' "$path/plain"
	tool ctr-store changes web
	[ "$(field '.kind, .path' | xargs)" = "changed /link changed /plain" ]
	ctr-store commit web changed:1 >/dev/null
	ctr-store mount changed:1 mnt >/dev/null
	[ "$(stat -c %Y mnt/link)" -eq 7 ]
	[ "$(xattr mnt/plain user.e)" = f ]
	[ "$(xattr mnt/opt user.c)" = d ]
}

@test "copy: owners are mapped by copying them" {
	tool ctr-store create --image t:1 --backend copy --uidmap 0:100000:1000 --name web
	path=$(field .rootfs.path)
	[ "$(stat -c %u:%g "$path")" = 100003:100004 ]
	[ "$(stat -c '%u:%g %a' "$path/etc/one")" = "100005:100006 4755" ]
	tool ctr-store changes web
	[ -z "$output" ]
}

@test "copy: such a container is not mounted" {
	ctr-store create --image t:1 --backend copy --name web >/dev/null
	tool 4 ctr-store mount web
	error_is exists "needs no mount"
	tool 10 ctr-store mount web mnt
	error_is unsupported "rootfs"
	tool 3 ctr-store umount web
	[ "$(ctr-store containers | jq -r '.backend, (.mounts | length)' | xargs)" = "copy 0" ]
}

@test "copy: the store's own setting counts where --backend does not" {
	ctr-store images >/dev/null
	echo '{"backend": "copy"}' >"$OCID_ROOT/store.json"
	tool ctr-store create --image t:1
	[ -z "$(ctr-store mounts)" ]
	tool ctr-store create --image t:1 --backend overlay
	[ -n "$(ctr-store mounts)" ]
	echo '{"backend": "zfs"}' >"$OCID_ROOT/store.json"
	tool 2 ctr-store create --image t:1
	error_is usage 'store.json: there is no backend "zfs"'
	tool 2 ctr-store create --image t:1 --backend x
}

@test "copy: files share their blocks where the file system can" {
	truncate -s 320M disk.img
	mkfs.xfs -q -m reflink=1 disk.img
	mkdir disk
	mount -o loop disk.img disk 2>/dev/null || skip "this kernel has no xfs"
	OCID_ROOT=$PWD/disk/root
	head -c 20000000 /dev/urandom >random
	tar -cf big.tar random
	store_image docker.io/library/big:1 big.tar
	ctr-store unpack --backend overlay big:1 >/dev/null
	sync -f disk
	before=$(stat -f -c %a disk)
	tool ctr-store create --image big:1 --backend copy
	cmp random "$(field .rootfs.path)/random"
	sync -f disk
	# of 20 MB, in blocks of 4 KiB
	[ $((before - $(stat -f -c %a disk))) -lt 1000 ]
}

@test "copy: images with whiteouts where the store is on another overlay, which takes none" {
	small_disk disk 20m
	mkdir disk/lower disk/upper disk/work store
	mount -t overlay -o lowerdir=disk/lower,upperdir=disk/upper,workdir=disk/work store store
	OCID_ROOT=$PWD/store/root
	make_tar lean.tar link:etc/four:to=etc/one whiteout:opt/new
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
	tool ctr-store create --image t:1 --backend copy --name web
	path=$(field .rootfs.path)
	[ "$(cd "$path" && echo * */*)" = "etc opt was-file etc/cap etc/four etc/one etc/pipe etc/three etc/two was-file/in" ]
	tool ctr-store mount t:1 mnt
	diff <(look mnt) <(look "$path")
	tool ctr-store check --deep
	tool ctr-store umount mnt
	rm -r "$OCID_ROOT/layers"
	tool 10 ctr-store unpack --backend overlay t:1
	error_is unsupported "this file system does not support whiteouts"
}

@test "copy: nobody waits for a copy that is being made" {
	ctr-store unpack t:1 >/dev/null
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 timeout -k 5 "${TOOL_TIMEOUT:-60}" \
		strace -f -o calls -e trace=utimensat -e inject=utimensat:signal=STOP:when=1 \
		ctr-store create --image t:1 --backend copy --id abc >document 3>&- &
	wait_for 10 grep -q 'stopped by SIGSTOP' calls
	tool ctr-store gc
	[ "$(field .staging)" -eq 0 ]
	tool ctr-store rm --force t:1
	pkill -CONT -P "$(pgrep -P $!)"
	wait $!
	[ "$(cat "$(jq -r .rootfs.path document)/etc/two")" = two ]
	[ "$(ctr-store changes abc)" = "" ]
	nothing_unfinished
}

@test "copy: what others have mounted in one is not the container's, and stays when that goes" {
	tool ctr-store create --image t:1 --backend copy --name web
	path=$(field .rootfs.path)
	echo more >"$path/opt/more"
	mkdir -p mine/deep
	echo mine | tee mine/file >mine/deep/file
	# of the same file system
	mount --bind mine "$path/opt"
	[ "$(ctr-store changes web | jq -r '"\(.kind) \(.path)"')" = $'changed /opt\nadded /opt/more' ]
	[ "$(ctr-store diff web | tar -t)" = $'opt/\nopt/more' ]
	[ "$(ctr-store export web | tar -t | grep opt/)" = $'opt/\nopt/more\nopt/new' ]
	tool 5 ctr-store rm web
	error_is in-use "container web: something is mounted at $path/opt (--force unmounts it)"
	[ "$(cat mine/file mine/deep/file)" = $'mine\nmine' ]
	mount --bind mine "$path"
	tool 5 ctr-store rm web
	tool ctr-store rm --force web
	[ "$(cat mine/file mine/deep/file)" = $'mine\nmine' ]
	nothing_unfinished
}

@test "copy: a container that made files immutable is removed" {
	local rootfs

	touch probe
	chattr +i probe || skip "no such flags here"
	chattr -i probe
	rootfs=$(ctr-store create --backend copy --image t:1 --name c | jq -r .rootfs.path)
	mkdir -p "$rootfs/kept/below/empty"
	touch "$rootfs/kept/file" "$rootfs/kept/below/log" "$rootfs/file"
	chattr +a "$rootfs/kept/below/log"
	chattr +i "$rootfs/file" "$rootfs/kept/below/empty" "$rootfs/kept/below" "$rootfs/kept"
	tool ctr-store rm c
	[ -z "$stderr" ]
	nothing_unfinished
}

@test "copy: files that cannot be removed are told" {
	local rootfs

	rootfs=$(ctr-store create --backend copy --image t:1 --name c | jq -r .rootfs.path)
	touch "$rootfs/file"
	fault ioctl:error=EPERM
	chattr +i "$rootfs/file" || skip "no such flags here"
	tool "${FAULTY[@]}" ctr-store rm c
	[[ $stderr == *"files of 1 removed objects are left in $OCID_ROOT/tmp: cannot remove file: Operation not permitted" ]]
	tool ctr-store gc
	nothing_unfinished
}

@test "copy: a full disk leaves no container" {
	OCID_ROOT=$BATS_TEST_TMPDIR/disk
	small_disk "$OCID_ROOT" 5m
	head -c 2000000 /dev/urandom >random
	tar -cf big.tar random
	store_image docker.io/library/big:1 big.tar
	ctr-store unpack big:1 >/dev/null
	tool 9 ctr-store create --image big:1 --backend copy
	error_is limit "No space left"
	[ "$(count "$OCID_ROOT/containers")" -eq 0 ]
	nothing_unfinished
}
