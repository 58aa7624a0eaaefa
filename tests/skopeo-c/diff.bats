# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
	export LAYOUT=$BATS_FILE_TMPDIR/oci
	cd "$BATS_FILE_TMPDIR" || return
	mkdir one two
	echo 1 >one/file
	echo 2 >two/file
	tar -C one -cf base.tar file
	tar -C two -cf top.tar file
	tar -C two --transform s/file/other/ -cf other.tar file
	oci_image "$LAYOUT" a '{"config":{"Env":["PATH=/","X=1"],"Labels":{"a/b~c":"1","same":"s"}}}' base.tar top.tar
	oci_image "$LAYOUT" b '{"config":{"Env":["PATH=/","X=2","Y=3"],"Labels":{"same":"s"},"User":"me"}}' base.tar other.tar
	skopeo copy -q --dest-compress --dest-compress-format zstd "oci:$LAYOUT:a" "dir:$BATS_FILE_TMPDIR/zstd"
}

teardown_file() {
	liar_stop
	file_teardown
}

@test "diff: an image and itself, under two names" {
	skopeo-c copy "oci:$LAYOUT:a" store:mine/a:1 >/dev/null
	tool skopeo-c diff "oci:$LAYOUT:a" store:mine/a:1
	jq -e '.same and .A.Digest == .B.Digest and .A.Image != .B.Image and (has("config") or has("layers") | not)' <<<"$output"
}

@test "diff: configurations, member by member" {
	tool skopeo-c diff "oci:$LAYOUT:a" "oci:$LAYOUT:b"
	jq -e '.same == false and .manifest == {} and .config == {
		"/config/Env": {A: ["X=1"], B: ["X=2", "Y=3"]},
		"/config/Labels/a~1b~0c": {A: "1"},
		"/config/User": {B: "me"}}' <<<"$output"
}

@test "diff: layers above the common ones" {
	tool skopeo-c diff "oci:$LAYOUT:a" "oci:$LAYOUT:b"
	jq -e --argjson a "$(skopeo inspect --raw "oci:$LAYOUT:a")" --argjson b "$(skopeo inspect --raw "oci:$LAYOUT:b")" \
		'.layers | map_values(map(del(.diffID))) == {common: [$a.layers[0]], A: [$a.layers[1]], B: [$b.layers[1]]}' <<<"$output"
	jq -e --arg d "sha256:$(sha256sum <"$BATS_FILE_TMPDIR/top.tar" | cut -d ' ' -f 1)" '.layers.A[0].diffID == $d' <<<"$output"
}

@test "diff: layers that are only compressed in another way are common" {
	tool skopeo-c diff "oci:$LAYOUT:a" "dir:$BATS_FILE_TMPDIR/zstd"
	jq -e '.same == false and .config == {} and .layers.A == [] and .layers.B == []
		and (.layers.common | length == 2 and all(.digest != .recompressed.digest and .diffID == .recompressed.diffID))' <<<"$output"
}

@test "diff: no layer is fetched, and of the same manifest nothing else" {
	: >"$LIAR_LOG"
	tool skopeo-c diff --tls-verify=false "docker://$LIAR/good/x" "docker://$LIAR/good/y"
	jq -e .same <<<"$output"
	run ! grep -q /blobs/ "$LIAR_LOG"
	tool skopeo-c diff --tls-verify=false "docker://$LIAR/good/x" "oci:$LAYOUT:a"
	jq -e '.same == false and .layers.common == [] and (.layers.A | length == 1) and .config["/config/Labels/lie"] == {A: "no"}' <<<"$output"
	[ "$(grep -c /blobs/ "$LIAR_LOG")" -eq 1 ]
}

@test "diff: of an index the image for a platform" {
	index_image "$BATS_TEST_TMPDIR/index" v1 "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	tool skopeo-c diff --override-arch arm64 "oci:$BATS_TEST_TMPDIR/index:v1" "oci:$LAYOUT:a"
	jq -e '.A.Digest != .A.Manifest and .B.Digest == .B.Manifest and .config["/architecture"].A == "arm64"' <<<"$output"
	tool 3 skopeo-c diff --override-arch s390x "oci:$BATS_TEST_TMPDIR/index:v1" "oci:$LAYOUT:a"
}

@test "diff: what is not there, lies or is no image" {
	tool 3 skopeo-c diff "oci:$LAYOUT:a" "oci:$LAYOUT:none"
	error_is not-found
	tool 7 skopeo-c diff --tls-verify=false "docker://$LIAR/wrong-config/x" "oci:$LAYOUT:a"
	error_is integrity
	tool 7 skopeo-c diff --tls-verify=false "oci:$LAYOUT:a" "docker://$LIAR/html/x"
	tool 2 skopeo-c diff "oci:$LAYOUT:a"
	tool 2 skopeo-c diff "oci:$LAYOUT:a" "$LAYOUT"
}

# ---- --files ----

# layer_tar FILE: a tar of the members that standard input describes, in Python
layer_tar() {
	/usr/bin/python3 -c '
import io, sys, tarfile
tar = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape")
def add(name, content=None, type=None, **fields):
    member = tarfile.TarInfo(name)
    if content is not None:
        member.size = len(content)
    if type:
        member.type = type
    for key, value in fields.items():
        setattr(member, key, value)
    tar.addfile(member, io.BytesIO(content or b""))
DIR, LINK, SYM, CHR = tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE
exec(sys.stdin.read())
tar.close()' "$1"
}

# diff_of TAR TAR: the files in which the images differ that have base.tar and these
diff_of() {
	local layout

	layout=$(mktemp -d "$BATS_TEST_TMPDIR/layout.XXXXXX")
	oci_image "$layout" a '{}' "$BATS_FILE_TMPDIR/base.tar" "$1" >/dev/null
	oci_image "$layout" b '{}' "$BATS_FILE_TMPDIR/base.tar" "$2" >/dev/null
	tool "${STATUS:-0}" skopeo-c diff --files "oci:$layout:a" "oci:$layout:b"
}

@test "diff --files: files that only one has, and files that are not the same" {
	tool skopeo-c diff --files "oci:$LAYOUT:a" "oci:$LAYOUT:b"
	jq -e --arg d "sha256:$(sha256sum <"$BATS_FILE_TMPDIR/two/file" | cut -d ' ' -f 1)" '
		(.files | map(.path) == ["/file", "/other"]) and .files[0].A == .files[1].B
		and .files[0].A == {type: "file", size: 2, digest: $d, mode: "0644", uid: 0, gid: 0}' <<<"$output"
	tool skopeo-c diff --files "oci:$LAYOUT:a" "oci:$LAYOUT:a"
	jq -e '.same and (has("files") | not)' <<<"$output"
}

@test "diff --files: a layer that both have is not read, wherever it stands" {
	cp -r "$LAYOUT" "$BATS_TEST_TMPDIR/oci"
	oci_image "$BATS_TEST_TMPDIR/oci" c '{}' "$BATS_FILE_TMPDIR/other.tar" "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	rm "$BATS_TEST_TMPDIR/oci/blobs/sha256/$(skopeo inspect --raw "oci:$LAYOUT:a" | jq -r '.layers[0].digest[7:]')"
	tool skopeo-c diff --files "oci:$BATS_TEST_TMPDIR/oci:a" "oci:$BATS_TEST_TMPDIR/oci:b"
	jq -e '.files | length == 2' <<<"$output"
	tool skopeo-c diff --files "oci:$BATS_TEST_TMPDIR/oci:a" "oci:$BATS_TEST_TMPDIR/oci:c"
	jq -e '(.layers.common == []) and (.files | map(.path) == ["/file", "/other"])' <<<"$output"
	tool skopeo-c diff --files "oci:$LAYOUT:a" "dir:$BATS_FILE_TMPDIR/zstd"
	jq -e '.files == []' <<<"$output"
}

@test "diff --files: everything that a file is but its time" {
	layer_tar "$BATS_TEST_TMPDIR/a.tar" <<-'END'
		add("same", b"x", mtime=1)
		add("mode", b"x", mode=0o4755)
		add("owner", b"x", uid=4000000, gid=5)
		add("xattr", b"x", pax_headers={"SCHILY.xattr.user.a": "v"})
		add("device", type=CHR, devmajor=1, devminor=3)
		add("link", type=SYM, linkname="a")
	END
	layer_tar "$BATS_TEST_TMPDIR/b.tar" <<-'END'
		add("./same", b"x", mtime=2)
		add("/mode", b"x", mode=0o755)
		add("owner", b"x")
		add("xattr", b"x")
		add("device", type=CHR, devmajor=1, devminor=5)
		add("link", type=SYM, linkname="b")
	END
	diff_of "$BATS_TEST_TMPDIR/a.tar" "$BATS_TEST_TMPDIR/b.tar"
	jq -e '.files | map({key: .path, value: .}) | from_entries
		| (keys == ["/device", "/link", "/mode", "/owner", "/xattr"])
		and ."/device".A.device == "1:3" and ."/device".B.device == "1:5"
		and ."/link".A.target == "a" and ."/mode".A.mode == "4755"
		and ."/owner".A.uid == 4000000 and ."/owner".A.gid == 5
		and ."/xattr".A.xattrs == {"user.a": "dg=="} and (."/xattr".B | has("xattrs") | not)' <<<"$output"
}

@test "diff --files: what layers remove and replace" {
	layer_tar "$BATS_TEST_TMPDIR/low.tar" <<-'END'
		for name in ("kept/x", "opaque/x", "gone/x", "replaced/x", "both"):
		    add(name, b"low")
	END
	layer_tar "$BATS_TEST_TMPDIR/high.tar" <<-'END'
		add("opaque/.wh..wh..opq")
		add("opaque/y", b"high")
		add(".wh.gone")
		add("replaced", b"a file now")
		add(".wh.both")
		add("both", b"high")
		add(".wh..wh.plnk", type=DIR)
	END
	oci_image "$BATS_TEST_TMPDIR/oci" a '{}' base.tar "$BATS_TEST_TMPDIR"/{low,high}.tar >/dev/null
	tool skopeo-c diff --files "oci:$BATS_TEST_TMPDIR/oci:a" "oci:$LAYOUT:b"
	jq -e '.files | map(select(.A) | {key: .path, value: (.A.type // .A)}) | from_entries == {
		"/kept/x": "file", "/opaque": {opaque: true}, "/opaque/y": "file", "/gone": "removed",
		"/replaced": "file", "/both": "file"}' <<<"$output"
}

@test "diff --files: which name of a file is the link to the others is no difference" {
	layer_tar "$BATS_TEST_TMPDIR/a.tar" <<-'END'
		add("one", b"x"); add("two", type=LINK, linkname="one"); add("three", type=LINK, linkname="two")
		add("lower", type=LINK, linkname="file/in/base")
	END
	layer_tar "$BATS_TEST_TMPDIR/b.tar" <<-'END'
		add("three", b"x"); add("one", type=LINK, linkname="/three"); add("two", type=LINK, linkname="./three")
	END
	diff_of "$BATS_TEST_TMPDIR/a.tar" "$BATS_TEST_TMPDIR/b.tar"
	jq -e '.files == [{path: "/lower", A: {type: "hardlink", target: "file/in/base"}}]' <<<"$output"
}

@test "diff --files: names that are not text, and layers that are none" {
	layer_tar "$BATS_TEST_TMPDIR/bytes.tar" <<<'add("caf\udce9/\x1b[2J", b"x")'
	layer_tar "$BATS_TEST_TMPDIR/out.tar" <<<'add("a/../../etc/passwd", b"x")'
	layer_tar "$BATS_TEST_TMPDIR/long.tar" <<<'add("a/" * 2100, type=DIR)'
	diff_of "$BATS_TEST_TMPDIR/bytes.tar" "$BATS_FILE_TMPDIR/top.tar"
	jq -e '.files[0].path == "/caf?/\u001b[2J"' <<<"$output"
	# what looks alike then is still not the same
	layer_tar "$BATS_TEST_TMPDIR/link.tar" <<<'add("link", type=SYM, linkname="caf\udce9")'
	layer_tar "$BATS_TEST_TMPDIR/other.tar" <<<'add("link", type=SYM, linkname="caf\udce8")'
	diff_of "$BATS_TEST_TMPDIR/link.tar" "$BATS_TEST_TMPDIR/other.tar"
	jq -e '[.files[].path] == ["/link"]' <<<"$output"
	STATUS=7 diff_of "$BATS_TEST_TMPDIR/out.tar" "$BATS_FILE_TMPDIR/top.tar"
	error_is integrity '".."'
	STATUS=9 diff_of "$BATS_TEST_TMPDIR/long.tar" "$BATS_FILE_TMPDIR/top.tar"
	error_is limit 'more than 4096 bytes'
	head -c 1000 "$BATS_FILE_TMPDIR/top.tar" >"$BATS_TEST_TMPDIR/cut.tar"
	STATUS=7 diff_of "$BATS_TEST_TMPDIR/cut.tar" "$BATS_FILE_TMPDIR/top.tar"
	error_is integrity 'ends too early'
}
