#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `changes` lists and `diff` archives.
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:etc/two:text=two dir:old file:old/x \
		dir:keep file:keep/x symlink:lib:to=etc
	store_image docker.io/library/t:1 base.tar
	path=$(ctr-store create --image t:1 --name web | jq -r .rootfs.path)
}

teardown() { clean_store; }

changes() {
	ctr-store changes web | jq -r '"\(.kind) \(.path)\(if .opaque then " opaque" else "" end)"'
}

# the names in the archive, and what GNU tar says of one
names() {
	tar -tf layer.tar
}

# the layer on top of the image, unpacked by ourselves, is what the container shows
same_as_container() {
	store_image docker.io/library/again:1 base.tar layer.tar
	target=$(ctr-store mount again:1 | jq -r .target)
	tree "$path" >one
	tree "$target" >two
	diff one two
}

tree() {
	(cd "$1" && find . -mindepth 1 -printf '%P %y %m %U %G %T@ %l ' \
		\( -type f -printf '%s %n' -o -printf '' \) -printf '\n' | sort)
	(cd "$1" && find . -type f -exec sha256sum {} + | sort)
}

@test "changes: nothing" {
	tool ctr-store changes web
	[ -z "$output" ]
	cat "$path/etc/one" >/dev/null
	ls "$path/old" >/dev/null
	tool ctr-store changes web
	[ -z "$output" ]
	ctr-store diff web >layer.tar
	[ -z "$(names)" ]
}

@test "changes: what was added, changed and removed" {
	echo new >"$path/etc/new"
	echo more >>"$path/etc/one"
	rm "$path/etc/two"
	rm -r "$path/old"
	mkdir "$path/fresh"
	chmod 700 "$path/keep"
	[ "$(changes)" = "changed /etc
added /etc/new
changed /etc/one
removed /etc/two
added /fresh
changed /keep
removed /old" ]
}

@test "changes: a directory that was made anew, a link in place of a directory" {
	rm -r "$path/old"
	mkdir "$path/old"
	touch "$path/old/y"
	rm -r "$path/keep"
	ln -s etc "$path/keep"
	[ "$(changes)" = "changed /keep
changed /old opaque
added /old/y" ]
	# what was added and is gone again is no change
	touch "$path/gone"
	rm "$path/gone"
	[[ $(changes) != *gone* ]]
}

@test "changes: a name that is not UTF-8" {
	touch "$path"/$'a\xffb'
	tool ctr-store changes web
	[ "$(field .path)" = '/a?b' ]
	ctr-store diff web >layer.tar
	[ "$(tar --quoting-style=literal -tf layer.tar)" = $'a\xffb' ]
	same_as_container
}

@test "diff: a layer with whiteouts, in the order of names" {
	echo new >"$path/etc/new"
	rm "$path/etc/two"
	rm -r "$path/old"
	mkdir "$path/old"
	touch "$path/old/y"
	rm -r "$path/keep"
	ctr-store diff web >layer.tar
	[ "$(names | xargs)" = "etc/ etc/new etc/.wh.two .wh.keep old/ old/.wh..wh..opq old/y" ]
	same_as_container
	# the same bytes again
	ctr-store diff web | cmp - layer.tar
}

@test "diff: all kinds of files, owners, modes, times, attributes and links" {
	cd "$path"
	echo x >file
	ln file hard
	ln -s /nowhere/at/all soft
	mkfifo fifo
	mknod null c 1 3
	mknod loop b 7 5
	chown 1000:50 file
	chown 3000000:4000000 null
	chmod 4755 hard
	touch -d '2001-02-03 04:05:06.789' file
	touch -d '1960-01-01 00:00:00' etc/one
	truncate -s 3000000 sparse
	name=$(printf 'n%.0s' {1..240})
	mkdir "$name"
	echo long >"$name/$name"
	ln -s "$name/$name" long
	ln "$name/$name" zzz
	/usr/bin/python3 -c 'import os
os.setxattr("file", "user.bytes", b"a\0=\nb")
os.setxattr("etc/two", "user.z", b"1"); os.setxattr("etc/two", "user.a", b"2")
os.setxattr("hard", "trusted.mine", b"x")'
	setcap cap_net_raw+ep sparse 2>/dev/null || true
	/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
	cd "$BATS_TEST_TMPDIR"
	ctr-store diff web >layer.tar
	[ "$(tar -tf layer.tar | grep -c sock)" -eq 0 ]
	rm "$path/sock"
	same_as_container
	/usr/bin/python3 - "$target" <<-'END'
		import os, sys, tarfile
		at = sys.argv[1] + "/"
		assert os.getxattr(at + "file", "user.bytes") == b"a\0=\nb"
		assert sorted(os.listxattr(at + "etc/two")) == ["user.a", "user.z"]
		assert "trusted.mine" not in os.listxattr(at + "file")
		assert os.stat(at + "file").st_ino == os.stat(at + "hard").st_ino
		assert os.stat(at + "null").st_rdev == os.makedev(1, 3)
		with tarfile.open("layer.tar") as tar:
		    for member in tar:
		        assert member.uname == member.gname == ""
	END
	[ "$(stat -c %u:%g "$target/null")" = 3000000:4000000 ]
}

@test "diff: the root directory only when it was changed" {
	touch "$path/x"
	ctr-store diff web >layer.tar
	[ "$(names)" = x ]
	chmod 700 "$path"
	ctr-store diff web >layer.tar
	[ "$(names)" = $'./\nx' ]
	[[ $(changes) == "changed /"$'\n'* ]]
	store_image docker.io/library/again:1 base.tar layer.tar
	[ "$(stat -c %a "$(ctr-store mount again:1 | jq -r .target)")" = 700 ]
}

@test "diff: a container that is not mounted" {
	touch "$path/x"
	ctr-store umount web
	ctr-store diff web >layer.tar
	[ "$(names)" = x ]
}

@test "diff: what cannot be looked at is not taken to be absent" {
	rm "$path/etc/one"
	for verb in diff changes; do
		fault openat2:error=EMFILE
		tool 9 bash -c '"$@" >layer.tar' - "${FAULTY[@]}" ctr-store "$verb" web
		error_is limit "Too many open files"
	done
}

@test "diff: a file that is removed meanwhile is not in it, and what was its other name is a file" {
	echo x >"$path/first"
	ln "$path/first" "$path/second"
	fault openat:error=ENOENT
	tool bash -c '"$@" >layer.tar' - "${FAULTY[@]}" -P first ctr-store diff web
	[ "$(names | xargs)" = second ]
	[ "$(tar -xOf layer.tar second)" = x ]
}

@test "diff: the longest names can be removed" {
	long=$(printf 'n%.0s' {1..255})
	mkdir "$path/$long"
	touch "$path/$long/$long" "$path/$long/other"
	ctr-store commit web changed:1 >/dev/null
	path=$(ctr-store create --image changed:1 --name longest | jq -r .rootfs.path)
	rm "$path/$long/$long"
	tool ctr-store commit longest changed:2
	tool ctr-store unpack changed:2
	target=$(ctr-store mount changed:2 | jq -r .target)
	[ "$(ls "$target/$long")" = other ]
}

@test "diff: names that a layer cannot hold" {
	long=$(printf 'n%.0s' {1..250})
	touch "$path/.wh.x"
	tool 10 bash -c 'ctr-store diff web >layer.tar'
	error_is unsupported "/.wh.x: a layer cannot hold such a name"
	rm "$path/.wh.x"
	# as a process in the container can make it
	(cd "$path" && for _ in {1..17}; do mkdir "$long" && cd "$long"; done)
	tool 10 bash -c 'ctr-store diff web >layer.tar'
	error_is unsupported "a layer cannot hold so long a path"
	rm -r "${path:?}/$long"
}

@test "diff: attributes whose names a PAX record of their own cannot hold" {
	touch "$path/x"
	# as a process in the container can make them
	/usr/bin/python3 -c 'import os, sys
for name, value in {b"a=b": b"c", b"%3D \xff=\n": bytes(range(256)), b"=": b"", b"plain": b"p"}.items():
    os.setxattr(sys.argv[1], b"user." + name, value)' "$path/x"
	tool ctr-store export -o whole.tar web
	tool ctr-store commit web changed:1
	target=$(ctr-store mount changed:1 | jq -r .target)
	for name in x y; do
		/usr/bin/python3 -c 'import os, sys
for name in sorted(os.listxattr(os.fsencode(sys.argv[1]))):
    print(os.fsencode(name), os.getxattr(sys.argv[1], name))' \
			"$([ $name = x ] && echo "$path/x" || echo "$target/x")" >$name
	done
	[ "$(wc -l <x)" -eq 4 ]
	cmp x y
	# as libarchive writes them
	/usr/bin/python3 -c 'import sys, tarfile
for entry in tarfile.open(sys.argv[1]):
    if entry.name == "x":
        assert entry.pax_headers["LIBARCHIVE.xattr.user.a%3Db"] == "Yw==", entry.pax_headers
        assert entry.pax_headers["SCHILY.xattr.user.plain"] == "p"' whole.tar
	tar -xf whole.tar x
}

@test "diff, commit: what could not be unpacked again is refused" {
	truncate -s 65G "$path/large"
	for command in "diff web" "commit web changed:1"; do
		# shellcheck disable=SC2086 # words
		tool 9 ctr-store $command
		error_is limit "/large: the layer is larger than 68719476736 bytes"
	done
	rm "$path/large"
	touch "$path/x"
	/usr/bin/python3 -c 'import os, sys
for i in range(129):
    os.setxattr(sys.argv[1], b"user.%d" % i, b"")' "$path/x"
	tool ctr-store export -o whole.tar web
	tool 9 ctr-store commit web changed:1
	error_is limit "/x: more than 128 extended attributes"
	tool 3 ctr-store image changed:1
	nothing_unfinished
	/usr/bin/python3 -c 'import os, sys
os.removexattr(sys.argv[1], b"user.7")' "$path/x"
	tool ctr-store commit web changed:1
	tool ctr-store unpack changed:1
}

@test "diff: no container, a full disk, a reader that is gone" {
	tool 3 ctr-store diff nope
	error_is not-found 'no container "nope"'
	tool 3 ctr-store changes nope
	tool 9 bash -c 'ctr-store diff web >/dev/full'
	head -c 1000000 /dev/zero >"$path/big"
	tool 0 bash -c 'ctr-store diff web | head -c 10 >/dev/null'
	[ -z "$stderr" ]
}
