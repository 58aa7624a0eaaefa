#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load ../helpers

HERE=$TESTS/ctr-store

setup() {
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || return
	mkdir outside lower
	echo canary >outside/canary
}

# layer FILE: a tar archive from the lines on stdin (layer.py)
layer() {
	/usr/bin/python3 "$HERE/layer.py" >"$1"
}

sha256() {
	echo "sha256:$(sha256sum <"$1" | cut -d ' ' -f 1)"
}

# worker [STATUS] BLOB DIR ARG…: the tool with descriptors of both
worker() {
	local expected=0 blob dir

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	blob=$1 dir=$2
	shift 2
	tool "$expected" ctr-store-unpack layer --blob-fd 7 --dir-fd 8 "$@" 7<"$blob" 8<"$dir" 9<lower
}

# unpack [STATUS] BLOB [OPTION…]: into the new directory `tree`, on top of `lower`. The tar archive
# is $PLAIN where BLOB is compressed.
unpack() {
	local expected=0 blob diff_id

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	blob=$1
	diff_id=$(sha256 "${PLAIN:-$blob}")
	shift
	rm -rf tree
	mkdir -m 700 tree
	worker "$expected" "$blob" tree --lower-fd 9 --diff-id "$diff_id" "$@"
}

# Everything below DIR, one line each: type, mode, owner, name, link target, links.
listing() {
	(cd "$1" && find . -mindepth 1 -printf '%y %m %U:%G %P%l %n\n' | sort -k 4)
}

# hostile CASE STATUS [OPTION…]: nothing outside the layer changes
hostile() {
	local name=$1 expected=$2 before

	shift 2
	/usr/bin/python3 "$HERE/hostile-layer.py" "$name" >"$name.tar"
	before=$(find outside -printf '%p %y %m %U:%G %T@ %n %s\n' | sort)
	echo "# $name"
	unpack "$expected" "$name.tar" "$@"
	[ "$(cat outside/canary)" = canary ]
	[ "$(find outside -printf '%p %y %m %U:%G %T@ %n %s\n' | sort)" = "$before" ]
	[ "$(find . -mindepth 1 -maxdepth 1 ! -name "$name.tar" | sort | tr '\n' ' ')" = \
		"./lower ./outside ./tree " ]
	rm "$name.tar"
}

# attribute FILE NAME [VALUE]: print or set an extended attribute
attribute() {
	/usr/bin/python3 -c 'import os, sys
if len(sys.argv) > 3:
    os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())
else:
    sys.stdout.buffer.write(os.getxattr(sys.argv[1], sys.argv[2]))' "$@"
}

is_whiteout() {
	[ "$(stat -c '%F %t:%T' "$1")" = "character special file 0:0" ]
}

is_opaque() {
	[ "$(attribute "$1" trusted.overlay.opaque 2>/dev/null)" = y ]
}

# without which overlayfs shows whiteouts where nothing lies beneath
tells_of_whiteouts() {
	local origin

	origin=$(attribute "$1" trusted.overlay.origin 2>/dev/null) && [ -z "$origin" ]
}

# ---- what is unpacked ----

@test "layer: every kind of entry arrives with owner, mode, time and attributes" {
	layer l.tar <<-'END'
		dir . mode=0751 uid=3 gid=4 mtime=1000000000.5
		dir bin mode=02775 uid=10 gid=20 mtime=1500000000.123456789
		file bin/tool data=hello mode=04711 uid=7 gid=8 mtime=1600000000.987654321
		file bin/capable mode=0755 uid=1 xattr.security.capability=%0000000201040000000000000000000000000000
		file bin/noted mode=0600 xattr.user.note=hi xattr.security.selinux=label xattr.trusted.x=y
		link bin/again target=bin/tool
		symlink bin/link target=../etc/x uid=5 gid=6 mtime=1400000000.25
		dir dev mode=01777 xattr.user.where=here
		char dev/null mode=0666 dev=1:3 gid=9
		block dev/disk mode=0660 dev=8:17
		fifo dev/fifo mode=0640 uid=11 mtime=-5
	END
	unpack l.tar
	[ "$output" = '{"entries":11,"leans":false,"root":true,"size":5}' ]
	diff - <(listing tree) <<-'END'
		d 2775 10:20 bin 2
		f 4711 7:8 bin/again 2
		f 755 1:0 bin/capable 1
		l 777 5:6 bin/link../etc/x 1
		f 600 0:0 bin/noted 1
		f 4711 7:8 bin/tool 2
		d 1777 0:0 dev 2
		b 660 0:0 dev/disk 1
		p 640 11:0 dev/fifo 1
		c 666 0:9 dev/null 1
	END
	[ "$(stat -c '%a %u:%g %.9Y' tree)" = "751 3:4 1000000000.500000000" ]
	[ "$(stat -c %.9Y tree/bin)" = 1500000000.123456789 ]
	[ "$(stat -c %.9Y tree/bin/tool)" = 1600000000.987654321 ]
	[ "$(stat -c %.9Y tree/bin/link)" = 1400000000.250000000 ]
	[ "$(stat -c %Y tree/dev/fifo)" = -5 ]
	[ "$(stat -c %t:%T tree/dev/null)" = 1:3 ]
	[ "$(stat -c %t:%T tree/dev/disk)" = 8:11 ]
	[ "$(cat tree/bin/again)" = hello ]
	[ "$(attribute tree/bin/capable security.capability | od -An -tx1 | tr -d ' \n')" = \
		0000000201040000000000000000000000000000 ]
	[ "$(attribute tree/bin/noted user.note)" = hi ]
	[ "$(attribute tree/dev user.where)" = here ]
	[ "$(/usr/bin/python3 -c 'import os; print(os.listxattr("tree/bin/noted"))')" = "['user.note']" ]
}

@test "layer: the caller's umask, set-group-ID and default ACL leave no trace" {
	layer l.tar <<-'END'
		dir d mode=0777
		file d/f mode=0666
	END
	mkdir target
	chown 0:55 target
	chmod 2770 target
	setfacl -d -m u:99:rwx target 2>/dev/null || true
	umask 077
	worker l.tar target --diff-id "$(sha256 l.tar)"
	diff - <(listing target) <<-'END'
		d 777 0:0 d 2
		f 666 0:0 d/f 1
	END
	[ "$(stat -c '%a %u:%g' target)" = "755 0:0" ]
}

@test "layer: times before 1970 have their fraction, as it was written" {
	layer l.tar <<-'END'
		file one mtime=-1.25
		file other mtime=-7
	END
	unpack l.tar
	[ "$(stat -c %.9Y tree/one tree/other | xargs)" = "-1.250000000 -7.000000000" ]
}

@test "layer: zeros that an archive is full of take no place" {
	(head -c 1000000 /dev/urandom && head -c 50000000 /dev/zero && echo end) >zeros
	head -c 50000000 /dev/zero >all
	tar -cf l.tar zeros all
	unpack l.tar
	cmp zeros tree/zeros
	cmp all tree/all
	[ "$(du -k tree | cut -f 1)" -lt 3000 ]
	[[ $output == *'"size":101000004'* ]]
}

@test "layer: holes stay holes" {
	truncate -s 200M sparse
	printf middle | dd of=sparse bs=1 seek=100000000 conv=notrunc status=none
	for format in gnu posix; do
		tar --format="$format" -Scf l.tar sparse
		unpack l.tar
		cmp sparse tree/sparse
		[ "$(du -k tree/sparse | cut -f 1)" -lt 1000 ]
	done
}

@test "layer: a later entry wins over an earlier one, whatever their types" {
	layer l.tar <<-'END'
		file a data=one
		file a data=two mode=0600
		dir b
		file b/inside
		file b data=file
		file c
		dir c mode=0700
		file c/inside
		symlink d target=c
		file d data=file
		dir e mode=0700
		file e/kept
		dir e mode=0711 uid=9
		fifo f
		symlink f target=a
		dir g
		dir g/h
		symlink g target=c
		dir g
		dir g/h
	END
	unpack l.tar
	diff - <(listing tree) <<-'END'
		f 600 0:0 a 1
		f 644 0:0 b 1
		d 700 0:0 c 2
		f 644 0:0 c/inside 1
		f 644 0:0 d 1
		d 711 9:0 e 2
		f 644 0:0 e/kept 1
		l 777 0:0 fa 1
		d 755 0:0 g 3
		d 755 0:0 g/h 2
	END
	[ "$(cat tree/a)" = two ]
	# a directory that took the place of a file hides what lower layers have there
	is_opaque tree/c
	is_opaque tree/g
	run ! is_opaque tree/e
}

@test "layer: entries through a symbolic link of the layer go where it leads within it" {
	layer l.tar <<-'END'
		dir usr
		dir usr/lib
		symlink lib target=usr/lib
		symlink abs target=/usr/lib
		symlink up target=../../../../usr
		file lib/one
		file abs/two
		file up/three
		link four target=lib/one
		file abs/.wh.gone
	END
	unpack l.tar
	[ "$output" = '{"entries":10,"leans":false,"root":false,"size":0}' ]
	[ -f tree/usr/lib/one ]
	[ -f tree/usr/lib/two ]
	[ -f tree/usr/three ]
	[ tree/four -ef tree/usr/lib/one ]
	is_whiteout tree/usr/lib/gone
	[ -L tree/lib ]
	[ -L tree/abs ]

	# one that is replaced by what is reached through it
	layer l.tar <<-'END'
		dir usr
		symlink here target=.
		symlink here/here target=usr
		file here/one
		symlink self target=.
		dir self/self
		file self/two
		symlink usr/abs target=/usr
		file usr/abs/three
	END
	unpack l.tar
	[ "$(find tree -type f | sort | tr '\n' ' ')" = "tree/self/two tree/usr/one tree/usr/three " ]
}

@test "layer: names are cleaned of leading slashes, dots and doubled slashes" {
	layer l.tar <<-'END'
		dir ./
		dir ./a/
		file /a//b/./c data=x
		dir a/b
		link ./d target=/a/b/c
	END
	unpack l.tar
	[ "$output" = '{"entries":5,"leans":false,"root":true,"size":1}' ]
	[ tree/d -ef tree/a/b/c ]
}

# Names that a reader which takes them for text could change: composed and decomposed letters, a
# syllable of three signs, a letter that stands for another, one beyond 16 bits and the same as two
# surrogates, half of these, marks that are not seen, and what is not UTF-8. Of most there is one
# that they could become.
strange_names() {
	printf 'n-%b\n' '\xc3\xa9' 'e\xcc\x81' '\xed\x95\x9c' '\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab' \
		'\xe2\x84\xaa' 'K' '\xf0\x9f\x98\x80' '\xed\xa0\xbd\xed\xb8\x80' '\xed\xa0\xbd' \
		'\xef\xbf\xbd' '\xef\xbb\xbfx' 'x' 'y\xf3\xa0\x81\xa1' 'y' '\xff' '\xc0\xaf' '\xc3' '?' \
		"$(printf 'e\\xcc\\x81%.0s' {1..80})"
}

@test "layer: names are bytes, whatever the format says of them" {
	export LC_ALL=C
	strange_names | sort >names
	while read -r name; do
		printf 'file %s data=%s\n' "$name" "$name"
		printf 'link hard/%s target=%s\n' "$name" "$name"
		printf 'symlink soft/%s target=../%s\n' "$name" "$name"
		printf 'file gone/.wh.%s\n' "$name"
	done <names | layer pax.tar
	mkdir lower/gone
	(cd lower/gone && xargs -d '\n' touch) <names
	# as nobody says that they are not UTF-8, and as they are in older formats
	sed 's/hdrcharset=BINARY/hdrcharset=binary/' pax.tar >silent.tar
	mkdir gnu
	LC_ALL=C.UTF-8 tar -C gnu -xf pax.tar --warning=no-unknown-keyword
	tar -C gnu --format=gnu -cf gnu.tar .
	for tar in pax silent gnu; do
		unpack "$tar.tar"
		for directory in hard soft gone; do
			(cd "tree/$directory" && printf '%s\n' *) | sort | diff names -
		done
		while read -r name; do
			[ "$(cat "tree/$name")" = "$name" ]
			[ "tree/$name" -ef "tree/hard/$name" ]
			[ "$(readlink "tree/soft/$name")" = "../$name" ]
			is_whiteout "tree/gone/$name"
		done <names
	done
}

# ---- whiteouts ----

@test "layer: whiteouts become what overlayfs reads" {
	layer l.tar <<-'END'
		file .wh.gone
		dir d
		file d/.wh..wh..opq
		file d/new
		dir .wh..wh.plnk
		file .wh..wh.plnk/1.2
		file .wh..wh.aufs
	END
	unpack l.tar
	is_whiteout tree/gone
	tells_of_whiteouts tree
	is_opaque tree/d
	run ! tells_of_whiteouts tree/d
	[ "$(cd tree && echo * .wh*)" = "d gone .wh*" ]
	[ "$(ls -A tree/d)" = new ]
}

@test "layer: a whiteout removes nothing of its own layer, wherever it stands" {
	layer l.tar <<-'END'
		file after data=kept
		file .wh.after
		file .wh.before
		file before data=kept
		dir dir-after
		file dir-after/f
		file .wh.dir-after
		file .wh.dir-before
		dir dir-before
		file dir-before/f
		file .wh.parent
		file parent/f
	END
	unpack l.tar
	# nothing of a parent that a whiteout of this layer replaced can come from beneath
	[ "$output" = '{"entries":12,"leans":false,"root":false,"size":8}' ]
	[ "$(cat tree/after tree/before)" = keptkept ]
	for dir in dir-after dir-before parent; do
		[ -f "tree/$dir/f" ]
		is_opaque "tree/$dir"
		run ! tells_of_whiteouts "tree/$dir"
	done
}

@test "layer: no whiteout is left where nothing of a lower layer shows" {
	layer l.tar <<-'END'
		dir d
		file d/.wh.gone
		file d/.wh..wh..opq
		dir d/e
		file d/e/.wh.gone
		file d/e/kept
		dir other
		file other/.wh.gone
	END
	unpack l.tar
	[ "$(find tree/d -mindepth 1 | sort | tr '\n' ' ')" = "tree/d/e tree/d/e/kept " ]
	is_whiteout tree/other/gone
	tells_of_whiteouts tree/other
	run ! tells_of_whiteouts tree/d/e
}

@test "layer: of what AUFS keeps for itself hard links have their files" {
	layer l.tar <<-'END'
		dir .wh..wh.plnk
		file .wh..wh.plnk/1.2 data=linked uid=7 mode=0640
		symlink .wh..wh.plnk/3.4 target=/etc
		dir .wh..wh.plnk/d
		file .wh..wh.orph/1 data=x
		link k target=.wh..wh.plnk/1.2
		link again target=./.wh..wh.plnk/1.2
	END
	unpack l.tar
	[ "$output" = '{"entries":7,"leans":false,"root":false,"size":6}' ]
	diff - <(listing tree) <<-'END'
		f 640 7:0 again 2
		f 640 7:0 k 2
	END
	[ "$(cat tree/k)" = linked ]
	echo 'link k target=.wh..wh.plnk/3.4' | layer l.tar
	unpack 7 l.tar
	error_is integrity 'a hard link to ".wh..wh.plnk/3.4", which is in no layer'
}

# ---- layers that lean on those beneath ----

@test "layer: parents that are not declared come from the lower layers" {
	mkdir -p lower/a/b lower/mine
	chmod 2750 lower/a
	chown 5:6 lower/a
	chmod 2750 lower/a
	attribute lower/a user.note low
	touch -d @1234567890.5 lower/a
	layer l.tar <<-'END'
		file a/b/c
		file fresh/x
		dir mine mode=0700
		file mine/x
		file declared/later
		dir declared mode=0711 mtime=77
	END
	unpack l.tar
	[ "$output" = '{"entries":6,"leans":true,"root":false,"size":0}' ]
	[ "$(stat -c '%a %u:%g %.9Y' tree/a)" = "2750 5:6 1234567890.500000000" ]
	[ "$(attribute tree/a user.note)" = low ]
	[ "$(stat -c '%a %u:%g %Y' tree/fresh)" = "755 0:0 0" ]
	[ "$(stat -c '%a %Y' tree/declared)" = "711 77" ]
	[ "$(stat -c %a tree/mine)" = 700 ]
}

@test "layer: hard links to files beneath become copies that stay linked" {
	mkdir -p lower/usr/bin
	printf 'tool of old' >lower/usr/bin/tool
	chown 3:4 lower/usr/bin/tool
	chmod 4755 lower/usr/bin/tool
	attribute lower/usr/bin/tool user.note low
	touch -d @1234567890.5 lower/usr/bin/tool
	ln -s target lower/usr/link
	mkfifo lower/fifo
	ln -s usr/bin lower/bin
	layer l.tar <<-'END'
		link one target=usr/bin/tool
		link two target=/bin/tool
		link three target=one
		link soft target=usr/link
		link pipe target=fifo
		link later target=usr/bin/tool
		file later data=wins
	END
	unpack l.tar
	[ "$(jq -c .leans <<<"$output")" = true ]
	[ "$(cat tree/one)" = "tool of old" ]
	[ "$(stat -c '%a %u:%g %h %.9Y' tree/one)" = "4755 3:4 3 1234567890.500000000" ]
	[ "$(attribute tree/one user.note)" = low ]
	[ tree/one -ef tree/two ]
	[ tree/one -ef tree/three ]
	[ "$(readlink tree/soft)" = target ]
	[ -p tree/pipe ]
	[ "$(cat tree/later)" = wins ]
	[ "$(stat -c %h lower/usr/bin/tool)" -eq 1 ]
}

@test "layer: a hard link that no layer has a target for is refused" {
	layer l.tar <<<'link h target=nowhere/x'
	unpack 7 l.tar
	error_is integrity 'entry "h"'
	mkdir -p lower/nowhere/x
	unpack 7 l.tar
	error_is integrity 'directory'
	# nor is one to itself one to what lies beneath
	touch lower/itself
	layer l.tar <<-'END'
		file itself data=x
		link itself target=itself
	END
	unpack 7 l.tar
	error_is integrity 'a hard link to itself'
}

@test "layer: what goes through a symbolic link of a lower layer lands behind it" {
	mkdir -p lower/usr/lib/x lower/usr/sub
	chmod 700 lower/usr
	ln -s usr/lib lower/lib
	ln -s /lib lower/lib64
	ln -s loop lower/loop
	layer l.tar <<-'END'
		file lib/a data=a
		file lib/x/b data=b
		dir lib/y mode=0700
		file lib/y/c data=c
		file lib64/d data=d
		link lib/e target=lib64/d
		file lib/.wh.gone
		dir usr/lib/z
	END
	unpack l.tar
	[ "$(jq -c .leans <<<"$output")" = true ]
	[ "$(ls -A tree)" = usr ]
	[ "$(cd tree/usr/lib && cat a x/b y/c d e)" = abcdd ]
	[ tree/usr/lib/d -ef tree/usr/lib/e ]
	is_whiteout tree/usr/lib/gone
	[ "$(stat -c %a tree/usr tree/usr/lib/y tree/usr/lib | tr '\n' ' ')" = "700 700 755 " ]

	# a link that what comes later replaces
	mkdir lower/etc
	touch lower/etc/file
	layer l.tar <<-'END'
		link lib target=etc/file
		file lib/a
	END
	unpack l.tar
	[ "$(find tree -type f)" = tree/usr/lib/a ]

	layer l.tar <<-'END'
		file lib/.wh..wh..opq
		file lib/new
	END
	unpack l.tar
	is_opaque tree/usr/lib
	[ "$(find tree -mindepth 1 | sort | tr '\n' ' ')" = "tree/usr tree/usr/lib tree/usr/lib/new " ]

	# a link that leads to the topmost directory
	ln -s / lower/top
	layer l.tar <<-'END'
		file top/.wh..wh..opq
		file top/new
	END
	unpack l.tar
	[ -f tree/new ]
	is_whiteout tree/usr

	layer l.tar <<<'file loop/a'
	unpack 7 l.tar
	error_is integrity loop
	layer l.tar <<-'END'
		file lib/a
		dir usr
		dir usr/lib
		file usr/lib/a
	END
	unpack 7 l.tar
	error_is integrity '"a"'
}

@test "layer: an opaque root hides each name of the lower layers" {
	mkdir -p lower/etc lower/both
	touch lower/file
	layer l.tar <<-'END'
		dir both
		file .wh..wh..opq
		file new
	END
	unpack l.tar
	[ "$(jq -c .leans <<<"$output")" = true ]
	is_whiteout tree/etc
	is_whiteout tree/file
	is_opaque tree/both
	[ -f tree/new ]
	run ! is_opaque tree
}

@test "layer: without --lower-fd it asks for the lower layers when it needs them" {
	local diff_id
	layer l.tar <<<'file a/b data=x'
	mkdir -m 700 lower/a
	diff_id=$(sha256 l.tar)
	give() { # [STATUS] ANSWER
		local expected=0
		[ $# -eq 2 ] && expected=$1 && shift
		rm -rf tree
		mkdir tree
		tool "$expected" "$HERE/give-lower.py" "$1" ctr-store-unpack layer --blob-fd 7 --dir-fd 8 \
			--diff-id "$diff_id" 7<l.tar 8<tree
	}
	give lower
	[ "$(stat -c %a tree/a)" = 700 ]
	[ "${lines[0]}" = '{"needs":"lower"}' ]
	[ "${lines[1]}" = '{"entries":1,"leans":true,"root":false,"size":1}' ]
	give none
	[ "$(stat -c %a tree/a)" = 755 ]
	give 1 silent
	error_is failed "lower layers"
	layer l.tar <<<'file b data=x'
	diff_id=$(sha256 l.tar)
	give silent
	[ "$output" = '{"entries":1,"leans":false,"root":false,"size":1}' ]
}

# ---- compression, digests, limits ----

@test "layer: gzip, zstd, bzip2, xz and plain tar by their first bytes" {
	seq 200000 >numbers
	tar -cf l.tar numbers
	export PLAIN=l.tar
	head -c 300000 l.tar >first
	tail -c +300001 l.tar >second
	gzip -c l.tar >l.gz
	gzip -c first >l.members
	: | gzip -c >>l.members
	gzip -c second >>l.members
	cp l.gz l.padded
	head -c 1000 /dev/zero >>l.padded
	zstd -q l.tar -o l.zst
	{
		printf '\x50\x2a\x4d\x18\x04\0\0\0skip'
		zstd -q -c first
		printf '\x5f\x2a\x4d\x18\x00\0\0\0'
		zstd -q -c second
	} >l.frames
	bzip2 -c l.tar >l.bz2 2>/dev/null || /usr/bin/python3 -c 'import bz2, sys
sys.stdout.buffer.write(bz2.compress(open("l.tar", "rb").read()))' >l.bz2
	/usr/bin/python3 -c 'import lzma, sys
sys.stdout.buffer.write(lzma.compress(open("l.tar", "rb").read()))' >l.xz
	for blob in l.tar l.gz l.members l.padded l.zst l.frames l.bz2 l.xz; do
		unpack "$blob" --blob-digest "$(sha256 "$blob")"
		cmp numbers tree/numbers
		unpack 7 "$blob" --blob-digest "sha256:$(printf '0%.0s' {1..64})"
		error_is integrity "as stored"
	done
}

@test "layer: damaged compressed data is refused" {
	seq 200000 >numbers
	tar -cf l.tar numbers
	export PLAIN=l.tar
	gzip -c l.tar >l.gz
	zstd -q l.tar
	is_refused() { # STATUS KIND TEXT: what comes from standard input
		cat >bad
		unpack "$1" bad
		error_is "$2" "$3"
	}
	is_refused 7 integrity truncated < <(head -c 100000 l.gz)
	is_refused 7 integrity truncated < <(head -c -4 l.gz)
	is_refused 7 integrity garbage < <(cat l.gz && echo garbage)
	is_refused 7 integrity corrupt < <(head -c -8 l.gz && printf 12345678)
	is_refused 7 integrity mid-frame < <(head -c 10000 l.tar.zst)
	is_refused 7 integrity zstd < <(cat l.tar.zst && echo garbage)
	# windows of 2 GiB, of 256 MiB, and of 512 MiB
	is_refused 9 limit zstd < <(printf '\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00')
	is_refused 9 limit zstd < <(printf '\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00')
	# who really compressed with the latter would need gigabytes: it is put into the block's header
	/usr/bin/python3 -c 'import lzma, sys, zlib
blob = bytearray(lzma.compress(open("l.tar", "rb").read(), preset=0))
end = 12 + 4 * blob[12]
blob[16] = 34
blob[end:end + 4] = zlib.crc32(blob[12:end]).to_bytes(4, "little")
sys.stdout.buffer.write(blob)' >large.xz
	# AddressSanitizer does not work with a limit on memory
	grep -q __asan_init "$OCID_BIN/ctr-store-unpack" || is_refused 9 limit xz <large.xz
}

@test "layer: every byte counts for the diffID, also behind the end of the archive" {
	layer l.tar <<<'file a data=x'
	layer more.tar <<<'file b'
	{ cat l.tar && echo trailing && cat more.tar; } >trailing.tar
	unpack trailing.tar
	[ "$(ls tree)" = a ]
	PLAIN=l.tar unpack 7 trailing.tar
	error_is integrity diffID
	# and for the digest of what is stored, also those that the decompressor leaves alone
	{ bzip2 -c l.tar && head -c 1000000 /dev/zero; } >trailing.bz2
	PLAIN=l.tar unpack trailing.bz2 --blob-digest "$(sha256 trailing.bz2)"
	head -c 1024 l.tar >no-end.tar
	unpack no-end.tar
	[ "$(ls tree)" = a ]
	head -c 700 l.tar >truncated.tar
	unpack 7 truncated.tar
	error_is integrity
}

@test "layer: sha512 digests" {
	local sum
	layer l.tar <<<'file a data=x'
	sum=sha512:$(sha512sum <l.tar | cut -d ' ' -f 1)
	unpack l.tar --diff-id "$sum" --blob-digest "$sum"
	unpack l.tar --blob-digest "$sum"
	unpack 7 l.tar --blob-digest "sha256:$(printf '0%.0s' {1..64})"
	error_is integrity "as stored"
	unpack 7 l.tar --diff-id "${sum:0:130}00000"
	error_is integrity diffID
}

@test "layer: an empty layer" {
	: >nothing
	unpack nothing
	[ "$output" = '{"entries":0,"leans":false,"root":false,"size":0}' ]
	: | gzip >nothing.gz
	PLAIN=nothing unpack nothing.gz
	head -c 1024 /dev/zero >end
	unpack end
	[ "$output" = '{"entries":0,"leans":false,"root":false,"size":0}' ]
	[ "$(stat -c '%a %Y' tree)" = "755 0" ]
}

@test "layer: reads a pipe" {
	seq 200000 >numbers
	tar -cf l.tar numbers
	gzip -c l.tar >l.gz
	mkfifo pipe
	(cat l.gz >pipe) 3>&- &
	PLAIN=l.tar unpack pipe --blob-digest "$(sha256 l.gz)"
	cmp numbers tree/numbers
}

@test "layer: limits" {
	hostile many-entries 0 --max-entries 100
	hostile many-entries 9 --max-entries 99
	error_is limit "99 entries"
	hostile many-parents 9 --max-entries 50
	/usr/bin/python3 "$HERE/hostile-layer.py" zeros >zeros.tar
	size=$(stat -c %s zeros.tar)
	unpack zeros.tar --max-size "$size"
	unpack 9 zeros.tar --max-size $((size - 1))
	error_is limit "$((size - 1)) bytes"
	rm zeros.tar
	hostile sparse-huge 9
	error_is limit 'entry "f"'
	hostile xattr-many 9
	hostile xattr-large 9
	/usr/bin/python3 "$HERE/hostile-layer.py" zeros >zeros.tar
	gzip -9 -k zeros.tar
	PLAIN=zeros.tar unpack 9 zeros.tar.gz --max-size 1000000
}

@test "layer: a full disk is one line and exit 9" {
	layer l.tar <<<'file large data=@4000000'
	mkdir small
	mount -t tmpfs -o size=1m tmpfs small
	worker 9 l.tar small --diff-id "$(sha256 l.tar)" || { umount small && false; }
	umount small
	error_is limit 'entry "large": cannot write'
}

@test "layer: a read-only directory is refused" {
	layer l.tar <<<'file a data=x'
	mkdir ro
	mount -t tmpfs -o ro tmpfs ro
	worker 6 l.tar ro --diff-id "$(sha256 l.tar)" || { umount ro && false; }
	umount ro
	error_is denied "target directory"
}

# ---- hostile layers ----

@test "layer: names that lead outside are refused" {
	local name
	for name in dotdot dotdot-inside dotdot-last root-is-symlink root-is-symlink-slash root-is-file \
		root-is-hardlink root-is-hardlink-with-mode-of-directory long-component long-path pax-path-dotdot; do
		hostile "$name" 7
	done
	hostile absolute 0
	[ "$(cat tree/canary)" = inside ]
	hostile deep 0
	hostile not-utf8 0
	[ -e "tree/"$'caf\xe9-\xff\xfe' ]
	hostile control-characters 0
}

@test "layer: symbolic links lead nowhere but into the layer" {
	local name
	for name in parent-symlink parent-symlink-absolute parent-symlink-chain parent-symlink-swapped \
		file-over-symlink directory-over-symlink whiteout-through-symlink hardlink-to-symlink; do
		hostile "$name" 0
	done
	hostile parent-symlink-loop 7
	hostile parent-symlink-long 7
	error_is integrity "too long a path"
	hostile symlink-to-nothing 7
}

@test "layer: hard links lead nowhere but into the layer" {
	local name
	for name in outside absolute through-symlink to-directory to-root to-itself to-whiteout \
		replaces-parent; do
		hostile "hardlink-$name" 7
	done
}

@test "layer: what only an unpacker may write is refused" {
	local name
	for name in fake-whiteout device-of-no-number device-minor-of-no-number xattr-redirect xattr-opaque xattr-user-overlay whiteout-empty \
		whiteout-dot whiteout-dotdot whiteout-as-parent parent-is-file parent-is-fifo; do
		hostile "$name" 7
	done
}

@test "layer: headers that lie are refused" {
	local name
	for name in owner-nobody-at-all xattr-bad-capability pax-huge pax-length-lies pax-length-negative size-negative \
		size-huge checksum-wrong no-archive; do
		hostile "$name" 7
	done
}

@test "layer: libraries open nothing that the layer could have put in their way" {
	layer l.tar <<-'END'
		dir dev
		fifo dev/urandom
		dir proc
		dir proc/sys
		dir proc/sys/vm
		fifo proc/sys/vm/overcommit_memory
		dir etc
		fifo etc/passwd
		file a
	END
	rm -rf tree
	mkdir tree
	diff_id=$(sha256 l.tar)
	tool strace -f -o trace ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --diff-id "$diff_id" \
		7<l.tar 8<tree
	sed '1,/ umount2(/d' trace >confined
	grep -q 'openat2(' confined
	# by name only "/", and everything else relative to a descriptor
	run ! grep -E ' (open|openat|stat|access|readlink|execve)\((AT_FDCWD, )?"/[^"]' confined
}

# ---- confinement ----

@test "layer: nothing is read before the process is confined" {
	layer l.tar <<<'file a data=x'
	mkdir tree
	diff_id=$(sha256 l.tar)
	tool strace -f -o trace ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --diff-id "$diff_id" \
		7<l.tar 8<tree
	sed '/ read(7,/,$d' trace >before
	for call in 'unshare(' 'pivot_root(' 'umount2(' 'capset(' 'PR_SET_NO_NEW_PRIVS' \
		'landlock_restrict_self('; do
		grep -qF "$call" before
	done
	run ! grep -F ' read(7,' before
}

@test "layer: the confined process has nothing but its directory, and few privileges" {
	local pid child caps
	mkdir tree
	mkfifo pipe
	exec 6<>pipe
	ulimit -c unlimited
	ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --diff-id "sha256:$(printf '0%.0s' {1..64})" \
		7<pipe 8<tree 5<outside 20<outside 3>&- 6>&- >/dev/null 2>&1 &
	pid=$!
	wait_for 10 grep -q 'NoNewPrivs:.1' "/proc/$pid/status"
	# its first thread waits for the second, which waits for the first byte
	wait_for 10 test -d "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 ! -name "$pid")"
	caps=$(awk '/^Cap(Eff|Prm|Bnd)/ { print $2 }' "/proc/$pid/status" | sort -u)
	# chown, dac_override, fowner, fsetid, mknod, setfcap
	[ "$caps" = 000000008800001b ]
	[ "$(wc -l <"/proc/$pid/mountinfo")" -eq 1 ]
	grep -q 'nosuid,nodev,noexec' "/proc/$pid/mountinfo"
	[ "$(stat -c %d:%i "/proc/$pid/root/")" = "$(stat -c %d:%i tree)" ]
	[ "$(grep -c : "/proc/$pid/net/dev")" -eq 1 ]
	[ "$(awk '/core file/ { print $5, $6 }' "/proc/$pid/limits")" = "0 0" ]
	for ns in mnt net ipc uts; do
		[ "$(readlink "/proc/$pid/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ]
	done
	# standard descriptors, the layer, the root, the other process: no directory of the host
	[ "$(find "/proc/$pid/fd" -type l -lname "$BATS_TEST_TMPDIR/*" ! -lname "*/pipe" | wc -l)" -eq 0 ]
	# the one that may mark directories can do nothing else
	child=$(pgrep -P "$pid")
	[ "$(awk '/^CapEff/ { print $2 }' "/proc/$child/status")" = 0000000000200002 ]
	exec 6>&-
	wait "$pid" || true
	wait_for 10 process_gone "$child"
}

@test "layer: it dies with the process that started it" {
	local pid
	mkdir tree
	mkfifo pipe
	exec 6<>pipe
	(
		ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --diff-id "sha256:$(printf '0%.0s' {1..64})" \
			7<pipe 8<tree 6>&- >/dev/null 2>&1 &
		echo $! >pid
		read -r -t 60 # it is the pipe that this shell holds open itself
	) <&6 3>&- &
	wait_for 10 test -s pid
	pid=$(cat pid)
	wait_for 10 grep -q 'NoNewPrivs:.1' "/proc/$pid/status"
	kill -9 $!
	wait_for 10 process_gone "$pid"
	exec 6>&-
}

@test "layer: without CAP_SYS_ADMIN it says what is missing" {
	layer l.tar <<<'file a data=x'
	mkdir tree
	diff_id=$(sha256 l.tar)
	tool 6 setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --diff-id "$diff_id" 7<l.tar 8<tree
	error_is denied CAP_SYS_ADMIN
}

# ---- a layer that still comes ----

@test "layer: a file that grows is read as it grows, up to the size that was announced" {
	layer l.tar <<-'END'
		file early data=@600000
		file late data=here
	END
	size=$(stat -c %s l.tar) diff_id=$(sha256 l.tar)
	head -c 400000 l.tar >growing
	mkdir tree
	timeout -k 5 "${TOOL_TIMEOUT:-60}" ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --diff-id "$diff_id" --blob-digest "$diff_id" \
		--blob-size "$size" 7<growing 8<tree >said 2>&1 3>&- &
	wait_for 10 test -s tree/early
	[ ! -s said ]
	{
		tail -c +400001 l.tar
		echo behind
	} >>growing
	wait $!
	[ "$(jq .entries said)" = 2 ]
	[ "$(cat tree/late)" = here ]
}

@test "layer: of a file that grows what was read leaves the page cache" {
	layer l.tar <<<'file a data=@40000000'
	# what the disk does not have yet stays
	sync l.tar
	mkdir tree
	worker 0 l.tar tree --diff-id "$(sha256 l.tar)" --blob-size "$(stat -c %s l.tar)"
	if [ "$(stat -f -c %T l.tar)" != tmpfs ]; then
		[ "$(fincore -b -n -o RES l.tar)" -lt 20000000 ]
	fi
	[ "$(stat -c %s tree/a)" -eq 40000000 ]
}

# ---- the command line ----

@test "layer: usage errors" {
	layer l.tar <<<'file a data=x'
	mkdir tree
	diff_id=$(sha256 l.tar)
	tool 2 ctr-store-unpack layer --dir-fd 8 --diff-id "$diff_id" 8<tree
	error_is usage blob-fd
	tool 2 ctr-store-unpack layer --blob-fd 77 --dir-fd 8 --diff-id "$diff_id" 8<tree
	error_is usage blob-fd
	tool 2 ctr-store-unpack layer --blob-fd 7 --dir-fd 7 --diff-id "$diff_id" 7<l.tar
	error_is usage
	worker 2 l.tar tree --diff-id md5:0
	error_is usage diff-id
	worker 2 l.tar tree --diff-id "$diff_id" --max-entries 0
	error_is usage limit
	worker 2 <(cat l.tar) tree --diff-id "$diff_id" --blob-size 10
	error_is usage "only a file"
	worker 2 l.tar tree --diff-id "$diff_id" --blob-size -1
	error_is usage blob-size
	worker 2 l.tar tree --diff-id "$diff_id" --lower-fd 8
	error_is usage twice
	worker 2 l.tar l.tar --diff-id "$diff_id"
	error_is usage "not a directory"
	OCID_ERRORS=json worker 7 l.tar tree --diff-id "sha256:$(printf '0%.0s' {1..64})"
	[ "$(jq -r .code <<<"$stderr")" = integrity ]
}

@test "layer: a result that cannot be written is a failure" {
	layer l.tar <<<'file a data=x'
	mkdir tree
	diff_id=$(sha256 l.tar)
	full() { ctr-store-unpack layer --blob-fd 7 --dir-fd 8 --diff-id "$diff_id" >/dev/full; }
	run -9 --separate-stderr full 7<l.tar 8<tree
	error_is limit "standard output"
}
