#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# create --uidmap, --gidmap: owners in the layers are mapped by the mount, nothing is copied.
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:./:mode=0755:uid=0:gid=7 dir:etc:uid=0:gid=0 \
		file:etc/one:text=one:uid=5:gid=6 file:etc/two:text=two file:etc/out:uid=70000:gid=0
	store_image docker.io/library/t:1 base.tar
	make=(ctr-store create --image t:1 --id abc --uidmap 0:100000:65536 --gidmap 0:200000:65536)
}

teardown() { clean_store; }

owner() { # PATH
	stat -c %u:%g "$1"
}

@test "create: --uidmap and --gidmap show the owners of the layers as the host's" {
	as_directories
	tool "${make[@]}"
	path=$(field .rootfs.path)
	[ "$(owner "$path")" = 100000:200007 ]
	[ "$(owner "$path/etc")" = 100000:200000 ]
	[ "$(owner "$path/etc/one")" = 100005:200006 ]
	[ "$(owner "$path/etc/out")" = 65534:200000 ]
	[ "$(owner "$(layer_tree base.tar)/etc/one")" = 5:6 ]
	[ "$(field '.rootfs.uidMappings[0] | "\(.containerID) \(.hostID) \(.size)"')" = "0 100000 65536" ]
	[ "$(field '.rootfs.gidMappings[0].hostID')" = 200000 ]
	printf '%s' "$output" >document
	/usr/bin/python3 -c 'import json, jsonschema, sys
jsonschema.validate(json.load(open("document")), json.load(open(sys.argv[1])))' \
		"$TESTS/../man/document.schema.json"
}

@test "create: several ranges map, and one option serves users and groups" {
	tool ctr-store create --image t:1 --uidmap 0:100000:5 --uidmap 5:5:2 --uidmap 70000:300000:1
	path=$(field .rootfs.path)
	[ "$(owner "$path/etc/one")" = 5:6 ]
	[ "$(owner "$path/etc")" = 100000:100000 ]
	[ "$(owner "$path/etc/out")" = 300000:100000 ]
}

@test "create: the container's root user reaches its root file system, other users do not" {
	top=$(mktemp -d /tmp/ocid-idmap.XXXXXX)
	chmod 711 "$top"
	OCID_ROOT=$top/root OCID_RUNROOT=$top/run
	store_image docker.io/library/t:1 base.tar
	tool "${make[@]}"
	path=$(field .rootfs.path)
	as() { setpriv --reuid "$1" --regid "$2" --clear-groups "${@:3}"; }
	as 100000 200000 touch "$path/etc/made"
	[ "$(owner "$path/etc/made")" = 100000:200000 ]
	[ "$(owner "$OCID_ROOT/containers/abc/upper/etc/made")" = 100000:200000 ]
	run as 100000 100000 ls "$path"
	[ "$status" -ne 0 ]
	run as 1000 1000 ls "$path"
	[ "$status" -ne 0 ]
	clean_store
	rm -r "$top"
	# teardown would make it again
	OCID_ROOT=$BATS_FILE_TMPDIR/root OCID_RUNROOT=$BATS_FILE_TMPDIR/run
}

@test "diff: owners and capabilities of a mapped container are those that it sees" {
	tool "${make[@]}"
	path=$(field .rootfs.path)
	tool ctr-store changes abc
	[ -z "$output" ]
	echo new >"$path/etc/new"
	chown 100005:200006 "$path/etc/new"
	# version 3, for the user namespace whose root is 100000
	/usr/bin/python3 -c 'import os, struct, sys
os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIIII", 0x03000001, 1 << 10, 0, 0, 0, 100000))' \
		"$path/etc/new"
	echo host >"$path/etc/host"
	tool ctr-store changes abc
	[ "$(jq -rs '[.[] | .kind + .path] | sort[]' <<<"$output" | xargs)" = \
		"added/etc/host added/etc/new changed/etc" ]
	ctr-store diff abc >layer.tar
	/usr/bin/python3 - <<-'END'
		import tarfile
		found = {m.name: m for m in tarfile.open("layer.tar")}
		assert (found["etc/new"].uid, found["etc/new"].gid) == (5, 6)
		assert (found["etc"].uid, found["etc"].gid) == (0, 0)
		# what the container sees as nobody's
		assert found["etc/host"].uid == 65534
		raw = found["etc/new"].pax_headers["SCHILY.xattr.security.capability"]
		assert raw.encode("utf-8", "surrogateescape")[:4] == bytes((1, 0, 0, 2)), raw
	END
	ctr-store export abc >all.tar
	[ "$(tar --numeric-owner -tvf all.tar ./etc/one etc/one 2>/dev/null | awk '{print $2}')" = 5/6 ]
	[ "$(tar --numeric-owner -tvf all.tar etc/new 2>/dev/null | awk '{print $2}')" = 5/6 ]
}

@test "commit: an image of a mapped container is mounted with the owners that it saw" {
	tool "${make[@]}"
	path=$(field .rootfs.path)
	install -o 100005 -g 200006 /dev/null "$path/etc/new"
	chown 100001:200001 "$path/etc/two"
	ctr-store umount abc
	tool ctr-store mount abc
	[ "$(owner "$path/etc/two")" = 100001:200001 ]
	tool ctr-store commit abc new:1
	mkdir mnt
	tool ctr-store mount new:1 mnt
	[ "$(owner mnt/etc/new)" = 5:6 ]
	[ "$(owner mnt/etc/two)" = 1:1 ]
	[ "$(owner mnt/etc/one)" = 5:6 ]
	tool ctr-store rm abc
	[ ! -e "$OCID_ROOT/containers/abc" ]
}

@test "create: older kernels, which want mapped layers attached, do the same" {
	fault fsconfig:error=EINVAL:when=1
	tool "${FAULTY[@]}" "${make[@]}"
	[ "$(owner "$(field .rootfs.path)/etc/one")" = 100005:200006 ]
	[ -z "$(find "$OCID_RUNROOT" -maxdepth 1 -name '.mount-*')" ]
	# killed while they are
	fault 'move_mount:signal=KILL:when=1'
	run "${FAULTY[@]}" -e inject=fsconfig:error=EINVAL:when=1 ctr-store create --image t:1 --uidmap 0:1000:9
	[ "$(find "$OCID_RUNROOT" -maxdepth 1 -name '.mount-*' | wc -l)" -eq 1 ]
	tool ctr-store gc
	[ -z "$(find "$OCID_RUNROOT" -maxdepth 1 -name '.mount-*')" ]
}

@test "create: killed while it makes the mapping it leaves no process and no lock behind" {
	# the call that would end the process in the user namespace; which strace does not follow
	run env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" timeout -k 5 "${TOOL_TIMEOUT:-60}" \
		strace -o /dev/null -e inject=kill:signal=KILL "${make[@]}" 3>&-
	tool ctr-store gc
	tool ctr-store rm abc
	tool "${make[@]}"
}

@test "create: a mapping that is none is refused" {
	for map in 0 0:1 0:1:0 0:1:-1 a:1:1 0:1:1:1 0:4294967295:1 4294967295:0:1 0:0:99999999999999999999 ' 0:1:1'; do
		tool 2 ctr-store create --image t:1 --uidmap "$map"
		error_is usage "is not CONTAINER:HOST:SIZE"
	done
	for maps in "0:0:10 5:100:10" "0:5:10 10:8:10"; do
		for backend in overlay copy; do
			tool 2 ctr-store create --image t:1 --backend $backend --uidmap "${maps% *}" --uidmap "${maps#* }"
			error_is usage "\"${maps#* }\" overlaps another range"
		done
	done
	[ "$(count "$OCID_ROOT/containers")" -eq 0 ]
}

@test "create: a file system that cannot map owners says so" {
	fault mount_setattr:error=EINVAL
	tool 10 "${FAULTY[@]}" "${make[@]}"
	error_is unsupported "cannot map owners"
	[ "$(count "$OCID_ROOT/containers")" -eq 0 ]
}
