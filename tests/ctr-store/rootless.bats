#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ctr-store unshare, and the store of a user who is not root.
# shellcheck disable=SC2016 # the user's shell expands what stands in single quotes
load ../helpers
load common

# a real user, with programs and images that they can read
setup_file() {
	file_setup
	export RUSER=ocid-test-$$ RHOME
	RHOME=$(mktemp -d /tmp/ocid-home.XXXXXX)
	useradd --home-dir "$RHOME" --no-create-home --shell /bin/sh "$RUSER"
	mkdir "$RHOME/bin" "$RHOME/run"
	cp "$OCID_BIN"/{ctr-store,ctr-store-unpack,skopeo-c} "$RHOME/bin"
	cd "$RHOME" || return
	mkdir -p base/{etc,dev}
	echo one >base/etc/one
	echo two >base/etc/two
	chown 33:42 base/etc/two
	mknod base/dev/null c 1 3
	setfattr_capability base/etc/one
	tar --xattrs --xattrs-include='*' -C base -cf base.tar .
	make_tar top.tar dir:etc whiteout:etc/one file:etc/new:text=new opaque:dev \
		dir:opt whiteout:opt/nothing
	oci_image "$RHOME/img" docker.io/library/t:1 '{}' base.tar top.tar >/dev/null
	chmod -R a+rX "$RHOME"
	chown "$RUSER" "$RHOME" "$RHOME/run"
}

teardown_file() {
	# a process of theirs may still be ending
	wait_for 10 userdel "$RUSER"
	rm -rf "$RHOME"
	file_teardown
}

setfattr_capability() {
	/usr/bin/python3 -c 'import os, struct, sys
os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))' "$1"
}

teardown() { # what subordinate users own, too
	rm -rf "$RHOME"/{.local,run/*,data}
}

as_user() {
	(
		cd "$RHOME" || exit
		exec timeout 60 setpriv --reuid "$RUSER" --regid "$RUSER" --init-groups --reset-env \
			env HOME="$RHOME" XDG_RUNTIME_DIR="$RHOME/run" PATH="$RHOME/bin:/usr/bin:/bin" \
			ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" "$@"
	)
}

# as tool(), which cannot run functions
user_tool() { # [STATUS] COMMAND…
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	run --separate-stderr as_user "$@"
	printf '$ %s\n%s\n%s\n' "$*" "$output" "$stderr"
	if [ "$status" -ne "$expected" ]; then
		echo "exit status is $status, expected $expected"
		return 1
	fi
}

@test "unshare: a user is root in it, with what /etc/subuid gives, and the user's own store" {
	user_tool ctr-store unshare sh -c 'id -u; cat /proc/self/uid_map; echo $OCID_ROOT $OCID_RUNROOT'
	[ "${lines[0]}" = 0 ]
	read -r inside outside count <<<"${lines[1]}"
	[ "$inside $outside $count" = "0 $(id -u "$RUSER") 1" ]
	read -r inside outside count <<<"${lines[2]}"
	[ "$outside $count" = "$(awk -F: -v user="$RUSER" '$1 == user {print $2, $3}' /etc/subuid)" ]
	[ "${lines[3]}" = "$RHOME/.local/share/ocid $RHOME/run/ocid" ]
}

@test "unshare: the command's status is its own, and options after it are the command's" {
	user_tool 7 ctr-store unshare sh -c 'exit 7'
	user_tool 3 ctr-store unshare no-such-command-at-all
	user_tool ctr-store unshare printf '%s\n' -- --root --help
	[ "$output" = $'--\n--root\n--help' ]
	# in a namespace that is there already nothing more is needed
	user_tool ctr-store unshare ctr-store unshare id -u
	[ "$output" = 0 ]
	run -2 --separate-stderr ctr-store unshare true
	error_is usage "root needs no user namespace"
}

@test "unshare: a pull, a container, a commit and all that goes away again, by a user" {
	user_tool ctr-store unshare sh -euc '
		skopeo-c copy oci:img:docker.io/library/t:1 store: | ctr-store unpack | ctr-store create --name web |
			jq -r .rootfs.path >path
		path=$(cat path)
		[ "$(stat -c %u:%g "$path/etc/two")" = 33:42 ]
		[ ! -e "$path/etc/one" ]
		[ ! -e "$path/dev/null" ]
		[ -z "$(ls -A "$path/opt")" ]
		echo more >>"$path/etc/new"
		mkdir "$path/made"
		chown 1:1 "$path/made"
		rm -r "$path/dev"
		mkdir "$path/dev"
		ctr-store changes web | jq -c "[.kind, .path, .opaque]"
		ctr-store commit web new:1 >/dev/null
		ctr-store diff web | tar --numeric-owner -tv
		mkdir -p mnt
		ctr-store mount new:1 mnt >/dev/null
		cat mnt/etc/new
		stat -c %u:%g mnt/made
		ctr-store umount mnt
		ctr-store check --deep
		ctr-store rm web t:1 new:1 >/dev/null
		ctr-store gc | jq -c "[.blobs, .layers, .staging]"
		find $OCID_ROOT/layers $OCID_ROOT/containers $OCID_ROOT/images/blobs/sha256 -mindepth 1'
	grep -qx '\["changed","/etc/new",null\]' <<<"$output"
	grep -qx '\["added","/made",null\]' <<<"$output"
	grep -q '1/1 .* made' <<<"$output"
	grep -qx newmore <<<"$output"
	grep -qx 1:1 <<<"$output"
	[ "$(tail -n 1 <<<"$output")" = '[0,0,0]' ]
}

@test "unshare: file capabilities of a layer count in the namespace" {
	user_tool ctr-store unshare sh -euc '
		skopeo-c copy oci:img:docker.io/library/t:1 store: | ctr-store unpack >/dev/null
		find $OCID_ROOT/layers -path "*/etc/one" -type f'
	# version 3, which names the namespace's root user
	[ "$(/usr/bin/python3 -c 'import os, sys
value = os.getxattr(sys.argv[1], "security.capability")
print(value[3], int.from_bytes(value[20:], "little"))' "$output")" = "3 $(id -u "$RUSER")" ]
}

@test "unshare: an owner that the namespace does not have is told as such" {
	make_tar "$RHOME/big.tar" file:bigid:uid=4294967294:gid=3000000
	oci_image "$RHOME/big" docker.io/library/big:1 '{}' "$RHOME/big.tar" >/dev/null
	chmod -R a+rX "$RHOME"/big*
	user_tool 10 ctr-store unshare sh -euc 'skopeo-c copy oci:big:docker.io/library/big:1 store: | ctr-store unpack'
	error_is unsupported 'entry "bigid": owner 4294967294:3000000 is not in this user namespace (/etc/subuid'
}

@test "unshare: with one user only, all files are theirs" {
	cp /etc/subuid "$BATS_FILE_TMPDIR/subuid"
	sed -i "/^$RUSER:/d" /etc/subuid
	run --separate-stderr as_user ctr-store unshare sh -euc '
		cat /proc/self/uid_map
		skopeo-c copy oci:img:docker.io/library/t:1 store: | ctr-store create | jq -r .rootfs.path >path
		stat -c %u:%g "$(cat path)/etc/two"
		ctr-store check --deep
		ctr-store containers | jq -r .id | xargs ctr-store rm >/dev/null'
	cp "$BATS_FILE_TMPDIR/subuid" /etc/subuid
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "$(xargs <<<"${lines[0]}")" = "0 $(id -u "$RUSER") 1" ]
	[ "${lines[1]}" = 0:0 ]
	[[ $stderr == *"/etc/subuid has no ids for $RUSER"* ]]
}

@test "unshare: a user outside of it is told to use it, and reads the store without" {
	user_tool ctr-store unshare sh -c 'skopeo-c copy --quiet oci:img:docker.io/library/t:1 store:'
	user_tool ctr-store images
	[ "$(jq -r '.names[0]' <<<"$output")" = docker.io/library/t:1 ]
	user_tool 6 ctr-store unpack t:1
	error_is denied "ctr-store unshare"
	user_tool ctr-store unshare ctr-store unpack t:1
	user_tool 6 ctr-store mount t:1 /mnt
	error_is denied "ctr-store unshare"
}

# A container of a user, with a directory that only the namespace may read.
user_container() { # NAME OPTION…
	user_tool ctr-store unshare sh -euc '
		name=$1
		shift
		skopeo-c copy --quiet oci:img:docker.io/library/t:1 store: >/dev/null
		path=$(ctr-store create --image t:1 --name "$name" "$@" | jq -r .rootfs.path)
		mkdir "$path/made"
		touch "$path/made/x"
		chown -R 1:1 "$path/made"
		chmod 700 "$path/made"' sh "$@"
}

@test "df, containers: outside of the namespace what cannot be read does not count, and is told" {
	user_container web
	full=$(as_user ctr-store unshare ctr-store df | jq .containers.inodesUsed)
	for verb in df "containers --size"; do
		# shellcheck disable=SC2086
		user_tool ctr-store $verb
		[[ $stderr == "ctr-store: warning: "*" directories cannot be read, and do not count (run it in ctr-store unshare)" ]]
	done
	[ "$(as_user ctr-store df 2>/dev/null | jq .containers.inodesUsed)" -lt "$full" ]
	[ "$(as_user ctr-store unshare ctr-store df | jq .layers.inodesUsed)" -ge 5 ]
}

@test "changes, export: a copy's files outside of the namespace" {
	user_container web --backend copy
	for verb in changes "export -o out.tar"; do
		# shellcheck disable=SC2086
		user_tool 6 ctr-store $verb web
		error_is denied "(run it in ctr-store unshare)"
	done
}

@test "rm, gc, wipe: outside of the namespace they say which files stay, and do not count them" {
	local tmp=$RHOME/.local/share/ocid/tmp

	user_container web
	user_container other
	user_tool ctr-store rm web
	[[ $stderr == *"files of 1 removed objects are left in $tmp: "*"(ctr-store unshare ctr-store gc takes them)"* ]]
	user_tool ctr-store gc
	[ "$(jq .staging <<<"$output")" -eq 0 ]
	[[ $stderr == *"files of 1 removed objects are left in $tmp: "* ]]
	[ -n "$(ls "$tmp")" ]
	user_tool ctr-store unshare ctr-store gc
	[ "$(jq .staging <<<"$output")" -eq 1 ]
	[ -z "$(ls "$tmp")" ]
	user_tool ctr-store wipe
	[[ $stderr == *"files of "*" removed objects are left in $tmp: "* ]]
	user_tool ctr-store unshare ctr-store gc
	[ -z "$stderr" ]
	[ -z "$(ls "$tmp")" ]
}

@test "unshare: an image in the user's store of podman, outside of the namespace and in it" {
	local theirs=$RHOME/.local/share/containers/storage

	skopeo-c copy "oci:$RHOME/img:docker.io/library/t:1" "docker-archive:$BATS_TEST_TMPDIR/t.tar:localhost/t:1" >/dev/null
	mkdir -p "${theirs%/*}"
	podman --root "$theirs" --runroot "$BATS_TEST_TMPDIR/run" --tmpdir "$BATS_TEST_TMPDIR/libpod" --storage-driver vfs \
		load -q -i "$BATS_TEST_TMPDIR/t.tar"
	chown -R "$RUSER" "$RHOME/.local"
	: >"$RHOME/storage.conf" # the host's may name another driver
	user_tool env CONTAINERS_STORAGE_CONF="$RHOME/storage.conf" skopeo-c inspect --format '{{.Name}}' containers-storage:localhost/t:1
	[ "$output" = localhost/t ]
	user_tool env CONTAINERS_STORAGE_CONF="$RHOME/storage.conf" ctr-store unshare sh -c 'mkdir m && ctr-store mount containers-storage:localhost/t:1 m >record && cat m/etc/new && ctr-store umount m && rmdir m'
	[ "$output" = new ]
}

@test "unshare: XDG_DATA_HOME says where the store is; a runroot of somebody else is refused" {
	user_tool env XDG_DATA_HOME="$RHOME/data" ctr-store unshare sh -c 'echo $OCID_ROOT; ctr-store images'
	[ "$output" = "$RHOME/data/ocid" ]
	chown 1:1 "$RHOME/run/ocid"
	chmod 777 "$RHOME/run/ocid"
	user_tool 6 ctr-store images
	error_is denied "belongs to another user"
}
