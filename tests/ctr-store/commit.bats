#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:etc/two:text=two
	mkdir -p "$OCID_ROOT/images"
	oci_image "$OCID_ROOT/images" docker.io/library/t:1 '{"config": {"Env": ["A=1"],
		"Cmd": ["old"], "Labels": {"keep": "1", "drop": "1"}, "User": "7"},
		"history": [{"created_by": "a test"}]}' base.tar >/dev/null
}

teardown() { clean_store; }

container() { # of t:1, with some changes: $path
	path=$(ctr-store create --image t:1 --name web | jq -r .rootfs.path)
	rm "$path/etc/two"
	echo new >"$path/new"
}

@test "commit: twice, to the name of the container's own image" {
	container
	tool ctr-store commit web t:1
	echo more >"$path/more"
	tool ctr-store commit web t:1
	[ "$(field .layers)" -eq 2 ]
	[ "$(ctr-store images | jq -s length)" -eq 3 ]
}

config() {
	ctr-store image "$1" | jq "${2-.}"
}

@test "commit: the changes become a layer on those of the image" {
	container
	tool ctr-store commit web mine:1
	[ "$(field '.names[]')" = docker.io/library/mine:1 ]
	[ "$(field .layers)" -eq 2 ]
	image=$(config mine:1 .image)
	ctr-store diff web >layer.tar
	layer=sha256:$(sha256sum layer.tar | cut -d' ' -f1)
	[ "$(jq -r '.config.rootfs.diff_ids[1], .manifest.layers[1].digest' <<<"$image" | xargs)" = \
		"$layer $layer" ]
	[ "$(jq -r '.manifest.layers[1].size' <<<"$image")" -eq "$(stat -c %s layer.tar)" ]
	[ "$(jq -c '.manifest.layers[0]' <<<"$image")" = "$(config t:1 | jq -c '.image.manifest.layers[0]')" ]
	[ "$(jq '.config.history | length' <<<"$image")" -eq 2 ]
	[ "$(jq -c .config.config <<<"$image")" = "$(config t:1 | jq -c .image.config.config)" ]
	target=$(ctr-store mount mine:1 | jq -r .target)
	diff -r "$path" "$target"
	tool ctr-store check --deep
	nothing_unfinished
}

@test "commit: the container stays, and can be committed again" {
	container
	ctr-store commit web mine:1 >/dev/null
	echo more >"$path/more"
	tool ctr-store commit web mine:2
	[ "$(field .layers)" -eq 2 ]
	again=$(ctr-store create --image mine:2 --name again | jq -r .rootfs.path)
	rm "$again/more"
	tool ctr-store commit again mine:3
	[ "$(field .layers)" -eq 3 ]
	[ "$(ls "$(ctr-store mount mine:3 | jq -r .target)")" = $'etc\nnew' ]
}

@test "commit: changes of the configuration are merged" {
	container
	tool ctr-store commit --config - web mine:1 <<-'END'
		{"config": {"Cmd": ["new", "arg"], "Labels": {"drop": null, "add": "2"}, "User": null},
		 "author": "me"}
	END
	[ "$(config mine:1 | jq -cS '.image.config | .config, .author')" = \
		'{"Cmd":["new","arg"],"Env":["A=1"],"Labels":{"add":"2","keep":"1"}}'$'\n''"me"' ]
	echo '{"config": {"WorkingDir": "/x"}}' >file
	tool ctr-store commit --config file web mine:2
	[ "$(config mine:2 | jq -r .image.config.config.WorkingDir)" = /x ]
}

@test "commit: changes that make no sense are refused" {
	container
	for patch in '[]' '{"rootfs": {}}' '{"history": null}' '{"config": []}' '{"os": null}' \
		'{"config": {"Cmd": "sh"}}' '{"config": {"Env": [1]}}' '{"config": {"User": 1}}' \
		'{"config": {"Labels": {"a": 1}}}' '{"config": {"Volumes": {"/a": ""}}}' \
		'{"created": "yesterday"}' '{"created": 1}' '{"author": 1}' '{"variant": []}' \
		'{"os.version": 6}' '{"os.features": "x"}' '{"os.features": [1]}' \
		'{"config": {"ArgsEscaped": "yes"}}' '{"config": {"OnBuild": "x"}}'; do
		tool 2 ctr-store commit --config - web mine:1 <<<"$patch"
		error_is usage
	done
	tool 7 ctr-store commit --config - web mine:1 <<<'{'
	tool 3 ctr-store commit --config nope web mine:1
	tool 2 ctr-store commit web "mine@sha256:$(printf '%064d' 1)"
	tool 2 ctr-store commit web 'Not A Name'
	tool 3 ctr-store commit nope mine:1
	tool 3 ctr-store image mine:1
	nothing_unfinished
}

@test "commit: without a name the image is known by its digest" {
	container
	tool ctr-store commit web
	[ "$(field '.names | length')" -eq 0 ]
	tool ctr-store image "$(field .digest)"
	tool ctr-store gc
	[ "$(field .blobs)" -eq 0 ]
}

@test "commit: an image without history gets none that would not fit its layers" {
	store_image docker.io/library/t:1 base.tar
	container
	ctr-store commit web mine:1 >/dev/null
	[ "$(config mine:1 | jq '.image.config | has("history")')" = false ]
}

@test "commit: what could not be used does not take the name of an image that can" {
	mapfile -t layers < <(yes base.tar | head -n 500)
	oci_image "$OCID_ROOT/images" docker.io/library/full:1 '{}' "${layers[@]}" >/dev/null
	[ "$(config full:1 .layers)" -eq 500 ]
	path=$(ctr-store create --image full:1 --name web | jq -r .rootfs.path)
	echo new >"$path/new"
	cp "$OCID_ROOT/images/index.json" before
	tool 9 ctr-store commit web full:1
	error_is limit "image docker.io/library/full:1: 501 layers, at most 500 can be stacked"
	cmp "$OCID_ROOT/images/index.json" before
	tool ctr-store gc
	[ "$(field '.blobs + .staging')" -eq 0 ]
	# a configuration that is just small enough to be read becomes one that is not
	ctr-store rm web >/dev/null
	container
	ctr-store tag t:1 keep:1 >/dev/null
	cp "$OCID_ROOT/images/index.json" before
	jq -n '{config: {Labels: {x: ("x" * 4194200)}}}' >large
	tool 9 ctr-store commit --config large web keep:1
	error_is limit "the image's configuration would be larger than 4 MiB"
	tool 9 ctr-store import --config large base.tar keep:1
	error_is limit "the image's configuration would be larger than 4 MiB"
	cmp "$OCID_ROOT/images/index.json" before
}

@test "commit: no changes are no layer" {
	ctr-store create --image t:1 --name web >/dev/null
	tool ctr-store commit --config - web mine:1 <<<'{"config": {"Cmd": ["x"]}}'
	[ "$(field .layers)" -eq 1 ]
	[ "$(config mine:1 | jq '.image.config.history[1].empty_layer')" = true ]
}

@test "commit: an image from nothing" {
	path=$(ctr-store create --from scratch --name new | jq -r .rootfs.path)
	[ -z "$(ls -A "$path")" ]
	busybox_tar busybox.tar
	tar -C "$path" -xf busybox.tar
	tool ctr-store commit --config - new built:1 <<<'{"config": {"Cmd": ["cat", "/www/index.html"]}}'
	[ "$(field '.layers, .platform.os' | xargs)" = "1 linux" ]
	ctr-store rm new >/dev/null
	bundle=$(ctr-store create --image built:1 | jq -r .rootfs.bundle)
	(cd "$bundle" && runc spec && jq --argjson args "$(config built:1 .image.config.config.Cmd)" \
		'.process.args = $args | .process.terminal = false | del(.linux.resources)' config.json >new &&
		mv new config.json)
	run runc --root "$BATS_TEST_TMPDIR/runc" run --bundle "$bundle" commit-test
	[ "$output" = hello ]
	tool 2 ctr-store create --from scratch --image t:1
	tool 3 ctr-store create --image scratch
}

@test "commit: from nothing, without changes" {
	ctr-store create --from scratch --name new >/dev/null
	tool ctr-store commit new empty:1
	[ "$(field .layers)" -eq 0 ]
	ctr-store create --image empty:1 >/dev/null
	tool ctr-store check
}

@test "commit: skopeo reads the image" {
	container
	ctr-store commit web mine:1 >/dev/null
	tool skopeo copy --quiet "oci:$OCID_ROOT/images:docker.io/library/mine:1" oci:out:x
	tool skopeo inspect oci:out:x
	[ "$(field '.Layers | length')" -eq 2 ]
}

@test "commit: Docker's media types become those of OCI" {
	digest=$(ctr-store image t:1 | jq -r .digest)
	manifest=$OCID_ROOT/images/blobs/${digest/://}
	jq -c '.mediaType = "application/vnd.docker.distribution.manifest.v2+json" |
		.config.mediaType = "application/vnd.docker.container.image.v1+json" |
		.layers[].mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip"' "$manifest" >new
	docker=$(sha256sum new | cut -d' ' -f1)
	jq --arg digest "sha256:$docker" --argjson size "$(stat -c %s new)" '.manifests[0] |=
		(.digest = $digest | .size = $size |
		.mediaType = "application/vnd.docker.distribution.manifest.v2+json")' \
		"$OCID_ROOT/images/index.json" >index
	mv new "$OCID_ROOT/images/blobs/sha256/$docker"
	mv index "$OCID_ROOT/images/index.json"
	container
	ctr-store commit web mine:1 >/dev/null
	[ "$(config mine:1 | jq -r '.image.manifest.layers[].mediaType' | xargs)" = \
		"application/vnd.oci.image.layer.v1.tar+gzip application/vnd.oci.image.layer.v1.tar" ]
}

@test "commit: the container's image or one of its blobs is gone" {
	container
	rm "$OCID_ROOT/images/blobs/sha256/$(config t:1 | jq -r '.image.manifest.layers[0].digest' | cut -d: -f2)"
	tool 3 ctr-store commit web mine:1
	error_is not-found "pull it again"
	ctr-store rm --force t:1 >/dev/null
	tool 3 ctr-store commit web mine:1
	error_is not-found "the image of container web"
}

@test "commit: killed at any moment, the next one works and gc removes what was left" {
	export OCID_KEEPS_UNFINISHED=1
	container
	for call in openat:when=40 renameat:when=1 renameat:when=2 renameat:when=3 renameat:when=4 \
		fsync:when=2; do
		fault "${call%%:*}:signal=KILL:${call#*:}"
		"${FAULTY[@]}" ctr-store commit web mine:1 >/dev/null 2>&1 || true
		tool ctr-store check
		tool ctr-store commit web mine:1
		tool ctr-store rm mine:1
	done
	tool ctr-store gc
	nothing_unfinished
	[ "$(ctr-store images | wc -l)" -eq 1 ]
}

@test "commit: who reads the result slowly keeps nobody from the container" {
	container
	full_pipe
	ctr-store commit web mine:1 >full 3>&- 8>&- &
	wait_for 10 ctr-store image mine:1
	TOOL_TIMEOUT=30 tool ctr-store rm web
	[ "$(read_pipe | jq -r '.names[0]')" = docker.io/library/mine:1 ]
	wait $!
	exec 8>&-
}

@test "commit: a full disk is told as such and leaves nothing" {
	export OCID_ROOT=$BATS_TEST_TMPDIR/disk
	small_disk "$OCID_ROOT" 2m
	path=$(ctr-store create --from scratch --name new | jq -r .rootfs.path)
	head -c 1200000 /dev/urandom >"$path/big"
	tool 9 ctr-store commit new mine:1
	error_is limit "No space left"
	[ -z "$(ctr-store images)" ]
	nothing_unfinished
	ctr-store rm new >/dev/null
	umount "$OCID_ROOT"
}

names_in() { # DIR
	(cd "$1" && find . -mindepth 1 -printf '%P > %l\n' | LC_ALL=C sort)
}

@test "commit: names are bytes in all backends and on all ways" {
	local long odd=$'e\xcc\x81-\xff' backend
	# beyond 100 bytes a header has no place for it
	long=$(printf 'e\xcc\x81%.0s' {1..80})
	mkdir files
	touch files/$'\xc3\xa9' files/$'e\xcc\x81' "files/$long" "files/$odd"
	tar --format=pax -C files -cf base.tar .
	for backend in overlay erofs copy; do
		clean_store
		mkdir -p "$OCID_ROOT"
		echo "{\"backend\":\"$backend\"}" >"$OCID_ROOT/store.json"
		store_image docker.io/library/t:1 base.tar
		path=$(ctr-store create --image t:1 --name web | jq -r .rootfs.path)
		diff <(names_in files) <(names_in "$path")
		rm "$path/$long" "$path/$odd"
		mv "$path"/$'e\xcc\x81' "$path/2$long"
		ln -s "3$long" "$path/link"
		touch "$path/2$odd"
		# both are where a header has no place
		touch "$path/4$long"
		ln "$path/4$long" "$path/5$long"
		tool ctr-store commit web mine:1
		target=$(ctr-store mount mine:1 | jq -r .target)
		diff <(names_in "$path") <(names_in "$target")
		[ "$target/4$long" -ef "$target/5$long" ]
		ctr-store umount "$target" >/dev/null
		ctr-store export mine:1 >out.tar
		rm -rf out && mkdir out
		LC_ALL=C.UTF-8 tar -C out -xf out.tar
		diff <(names_in "$path") <(names_in out)
	done
}
