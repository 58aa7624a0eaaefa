#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:./:mode=750 dir:etc file:etc/one:text=one:uid=7:xattr.user.a=b \
		file:etc/two:text=two link:etc/three:to=etc/two symlink:etc/four:to=one dir:old file:old/x \
		char:null:dev=1,3 fifo:pipe
	make_tar top.tar whiteout:old file:top:text=top dir:etc file:etc/two:text=newer
	store_image docker.io/library/t:1 base.tar top.tar
}

teardown() { clean_store; }

names() {
	tar -tf "$1" | xargs
}

@test "export: the files of an image, as one tree" {
	tool bash -c 'ctr-store export t:1 >out.tar'
	[ "$(names out.tar)" = "./ etc/ etc/four etc/one etc/three etc/two null pipe top" ]
	[ "$(tar -tvf out.tar ./ | cut -c 1-10)" = drwxr-x--- ]
	[ "$(tar -xOf out.tar etc/two)" = newer ]
	[ "$(tar -xOf out.tar etc/three)" = two ]
	# it is a layer: an image of it alone shows the same
	store_image docker.io/library/flat:1 out.tar
	ctr-store export flat:1 | cmp - out.tar
	target=$(ctr-store mount flat:1 | jq -r .target)
	[ "$(xattr "$target/etc/one" user.a)" = b ]
	nothing_unfinished
}

@test "export: --output - is standard output" {
	tool bash -c 'ctr-store export t:1 >one.tar && ctr-store export -o - t:1 >two.tar'
	cmp one.tar two.tar
	[ ! -e - ]
	tool 2 ctr-store export --erofs -o - t:1
	error_is usage "--erofs needs --output FILE"
	[ ! -e - ]
}

@test "export: --output gives nothing to who has put a file into a directory of all" {
	mkdir -m 1777 all
	install -m 666 -o 1000 /dev/null all/file
	tool ctr-store export --output all/file t:1
	[ "$(stat -c '%u %a' all/file)" = "0 644" ]
}

@test "export: --output keeps owner and mode of the file that it replaces" {
	echo old >kept.tar
	chown 1234:2345 kept.tar
	chmod 664 kept.tar
	tool ctr-store export -o kept.tar t:1
	[ "$(stat -c '%a %u %g' kept.tar)" = '664 1234 2345' ]
	ctr-store export t:1 | cmp - kept.tar
	(umask 27 && ctr-store export -o new.tar t:1)
	[ "$(stat -c '%a %u %g' new.tar)" = '640 0 0' ]
	ln -s kept.tar link.tar
	tool ctr-store export -o link.tar t:1
	[ "$(stat -c '%a %u' link.tar)" = '644 0' ]
}

@test "export: a container, mounted or not, with its changes" {
	path=$(ctr-store create --image t:1 --name web | jq -r .rootfs.path)
	rm "$path/etc/one"
	echo new >"$path/new"
	ln "$path/new" "$path/new2"
	ctr-store export web >out.tar
	[ "$(names out.tar)" = "./ etc/ etc/four etc/three etc/two new new2 null pipe top" ]
	[[ $(tar -tvf out.tar new2) == h*"link to new" ]]
	# not what somebody has mounted over it
	mount -t tmpfs tmpfs "$path/etc"
	ctr-store export web | cmp - out.tar
	umount "$path/etc"
	ctr-store umount web
	ctr-store export web | cmp - out.tar
}

@test "export: nothing at all, names that mean nothing or two things" {
	ctr-store create --from scratch --name new >/dev/null
	ctr-store export new >out.tar
	[ "$(names out.tar)" = ./ ]
	tool 3 ctr-store export nope
	ctr-store create --image t:1 --name t >/dev/null
	ctr-store tag t:1 t:latest >/dev/null
	tool 2 ctr-store export t
	tool bash -c 'ctr-store export --image t >out.tar'
	tool bash -c 'ctr-store export --container t >out.tar'
	tool 2 ctr-store export --container --image t
}

@test "export: a full disk and a reader that is gone leave nothing" {
	make_tar big.tar file:big:size=1000000
	store_image docker.io/library/big:1 big.tar
	tool 9 bash -c 'ctr-store export big:1 >/dev/full'
	error_is limit "standard output"
	tool bash -c 'ctr-store export big:1 | head -c 10 >/dev/null'
	[ -z "$stderr" ]
	nothing_unfinished
}

@test "export: the layers stay until it is done, whatever others remove" {
	mkfifo out
	make_tar big.tar file:a:size=1000000 file:b:text=last
	store_image docker.io/library/big:1 big.tar
	ctr-store export big:1 >out 3>&- &
	exec 7<out
	head -c 1000 <&7 >first
	ctr-store rm --force big:1 >/dev/null
	ctr-store gc >/dev/null
	cat first - <&7 >out.tar
	exec 7<&-
	wait
	[ "$(tar -xOf out.tar b)" = last ]
	ctr-store gc >/dev/null
	[ ! -e "$(layer_tree big.tar)" ]
}
