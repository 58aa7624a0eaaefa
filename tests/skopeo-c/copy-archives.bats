# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # jq's variables

load ../helpers
load common

setup_file() {
	file_setup
	registry_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	tar -C "$TESTS" --mtime=@0 -cf "$BATS_FILE_TMPDIR/second.tar" helpers.bash
	cd "$BATS_FILE_TMPDIR" || return
	oci_image src v1 '{"config":{"Labels":{"a":"b"}}}' base.tar second.tar >digest
	oci_image other v1 '{"config":{"Labels":{"c":"d"}}}' base.tar >/dev/null
	index_image multi v1 base.tar >multi.digest
	skopeo copy -q --dest-tls-verify=false oci:src:v1 "docker://$REGISTRY/a/image:v1"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	SRC=oci:$BATS_FILE_TMPDIR/src:v1 OTHER=oci:$BATS_FILE_TMPDIR/other:v1 MULTI=oci:$BATS_FILE_TMPDIR/multi:v1
	skopeo copy -q "$SRC" dir:expected
}

copy() {
	tool skopeo-c copy "$@"
}

# layer_again LAYOUT FILE: FILE, the last layer compressed in another way, is one more layer
layer_again() {
	/usr/bin/python3 - "$@" <<-'END'
		import hashlib, json, sys
		layout, layer = sys.argv[1:]

		def read(descriptor):
		    with open(f"{layout}/blobs/sha256/{descriptor['digest'][7:]}", "rb") as file:
		        return json.load(file)

		def write(data, descriptor):
		    digest = hashlib.sha256(data).hexdigest()
		    with open(f"{layout}/blobs/sha256/{digest}", "wb") as file:
		        file.write(data)
		    return dict(descriptor, digest=f"sha256:{digest}", size=len(data))

		with open(f"{layout}/index.json", encoding="utf-8") as file:
		    index = json.load(file)
		manifest = read(index["manifests"][0])
		config = read(manifest["config"])
		config["rootfs"]["diff_ids"].append(config["rootfs"]["diff_ids"][-1])
		with open(layer, "rb") as file:
		    manifest["layers"].append(write(file.read(), manifest["layers"][-1]))
		manifest["config"] = write(json.dumps(config).encode(), manifest["config"])
		index["manifests"][0] = write(json.dumps(manifest).encode(), index["manifests"][0])
		with open(f"{layout}/index.json", "w", encoding="utf-8") as file:
		    json.dump(index, file)
	END
}

@test "copy: oci-archive: is read by skopeo, and skopeo's by us, digests unchanged" {
	copy "$SRC" oci-archive:ours.tar:name/with:tag
	skopeo copy -q oci-archive:ours.tar:name/with:tag dir:theirs
	diff -r expected theirs
	skopeo copy -q "$SRC" oci-archive:skopeo.tar:x
	copy oci-archive:skopeo.tar:x dir:ours
	diff -r --exclude=version expected ours
	gzip -k skopeo.tar
	copy oci-archive:skopeo.tar.gz dir:packed
	diff -r ours packed
}

@test "copy: docker-archive: is read by skopeo, and skopeo's by us, with the same layers" {
	copy "$SRC" docker-archive:ours.tar:app:1
	skopeo copy -q docker-archive:ours.tar:app:1 oci:theirs:x
	skopeo copy -q "$SRC" docker-archive:skopeo.tar:app:1
	copy docker-archive:skopeo.tar:app:1 dir:plain
	jq -e '[.layers[].mediaType] | all(endswith("v1.tar"))' plain/manifest.json
	config=$(jq -r .config.digest expected/manifest.json)
	[ "$(jq -r .config.digest plain/manifest.json)" = "$config" ]
	# by itself our archive keeps the layers as they are
	copy docker-archive:ours.tar dir:kept
	diff <(jq -S .layers kept/manifest.json) <(jq -S .layers expected/manifest.json)
	copy --dest-decompress "$SRC" docker-archive:plain.tar:app:1
	copy docker-archive:plain.tar dir:plain-too
	diff -r plain plain-too
	# for a layout what is not compressed is
	copy docker-archive:skopeo.tar oci:packed:x
	jq -e '[.layers[].mediaType] | all(endswith("+gzip"))' "packed/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' packed/index.json)"
}

@test "copy: an archive of several images: added one by one, chosen by name or position" {
	copy --additional-tag app:latest "$SRC" docker-archive:many.tar:app:1
	copy "$OTHER" docker-archive:many.tar:other:2
	copy "$OTHER" docker-archive:many.tar:app:latest
	jq -e '[.[].RepoTags] == [["docker.io/library/app:1"], ["docker.io/library/other:2"], ["docker.io/library/app:latest"]]' \
		<(tar xOf many.tar manifest.json)
	# no blob twice
	[ -z "$(tar tf many.tar | sort | uniq -d)" ]
	for image in app:1 @0 other:2 @1; do
		copy "docker-archive:many.tar:$image" "dir:$image"
		skopeo copy -q "docker-archive:many.tar:$image" "dir:theirs-$image"
		[ "$(jq -r .config.digest "theirs-$image/manifest.json")" = "$(jq -r .config.digest "$image/manifest.json")" ]
	done
	diff -r app:1 @0
	tool 2 skopeo-c copy docker-archive:many.tar dir:d
	error_is usage "3 images"
	tool 3 skopeo-c copy docker-archive:many.tar:app:3 dir:d
	error_is not-found
	copy "$SRC" oci-archive:many-oci.tar:a
	copy "$OTHER" oci-archive:many-oci.tar:b
	copy oci-archive:many-oci.tar:a dir:a
	diff -r --exclude=version expected a
	skopeo copy -q oci-archive:many-oci.tar:b dir:b
	nothing_unfinished .
}

@test "copy: an image takes its name from another one in the archive, also where docker wrote it short" {
	copy "$SRC" docker-archive:a.tar:app:1
	mkdir saved
	tar -C saved -xf a.tar
	jq -c '.[0].RepoTags = ["app:1", "app:old"]' <<<"$(cat saved/manifest.json)" >saved/manifest.json
	tar -C saved -cf a.tar .
	copy "$OTHER" docker-archive:a.tar:app:1
	jq -e '[.[].RepoTags] == [["app:old"], ["docker.io/library/app:1"]]' <<<"$(tar xOf a.tar manifest.json)"
	copy docker-archive:a.tar:app:1 dir:d
	copy "$OTHER" dir:wanted
	[ "$(jq -r .config.digest d/manifest.json)" = "$(jq -r .config.digest wanted/manifest.json)" ]
}

@test "copy: an archive stays where it is, with its owner and mode: what a symbolic link leads to is replaced" {
	for kind in docker oci; do
		mkdir "$kind"
		copy "$SRC" "$kind-archive:$kind/real.tar:app:1"
		chmod 600 "$kind/real.tar"
		chown 1234:5678 "$kind/real.tar"
		ln -s "$kind/real.tar" "$kind.tar"
		copy "$OTHER" "$kind-archive:$kind.tar:app:2"
		[ "$(readlink "$kind.tar")" = "$kind/real.tar" ]
		[ "$(stat -c "%a %u %g" "$kind/real.tar")" = "600 1234 5678" ]
		copy "$kind-archive:$kind/real.tar:app:2" "dir:$kind/d"
		# one that leads to nothing yet
		ln -s new.tar "$kind/link.tar"
		copy "$SRC" "$kind-archive:$kind/link.tar:app:1"
		[ -f "$kind/new.tar" ]
		[ "$(stat -c %a "$kind/new.tar")" = 644 ]
		nothing_unfinished "$kind"
	done
}

@test "copy: archives stream on standard output and input, without a file beside the destination's" {
	skopeo-c copy --src-tls-verify=false "docker://$REGISTRY/a/image:v1" docker-archive:-:app:1 >from-registry.tar
	skopeo-c copy "$SRC" docker-archive:-:app:1 | skopeo-c copy docker-archive:- dir:d >document
	jq -e '.image.manifest.layers | length == 2' document
	skopeo copy -q docker-archive:from-registry.tar:app:1 dir:theirs
	diff <(jq -S .layers d/manifest.json) <(jq -S .layers expected/manifest.json)
	skopeo-c copy "$SRC" oci-archive:/dev/stdout | gzip | skopeo-c copy oci-archive:/dev/stdin oci:o:x >/dev/null
	[ "$(jq -r '.manifests[0].digest' o/index.json)" = "$(cat "$BATS_FILE_TMPDIR/digest")" ]
	# TMPDIR is not touched: new files are made where they stay
	TMPDIR=/nonexistent copy oci-archive:/dev/stdin oci:p:x < <(skopeo-c copy "$SRC" oci-archive:-)
	diff -r o p
	nothing_unfinished .
}

@test "copy: an archive on standard input may have more members than there are descriptors" {
	skopeo-c copy "$SRC" docker-archive:many.tar:app:1 >/dev/null
	mkdir more
	truncate -s 64K more/{1..700}
	tar -rf many.tar more
	tool sh -c 'ulimit -n 512 && cat many.tar | skopeo-c copy docker-archive:- dir:d'
	diff <(jq -S .layers d/manifest.json) <(jq -S .layers expected/manifest.json)
}

@test "copy: of an archive with many files the many layers are found in a moment" {
	python3 - <<-'END'
		import io, json, tarfile
		tar = tarfile.open("many.tar", "w")
		def add(name, data=b""):
		    info = tarfile.TarInfo(name)
		    info.size = len(data)
		    tar.addfile(info, io.BytesIO(data))
		ids = ["sha256:%064x" % n for n in range(25000)]
		add("layer")
		for n in range(60000):
		    add(str(n))
		add("config", json.dumps({"rootfs": {"type": "layers", "diff_ids": ids}}).encode())
		add("manifest.json", json.dumps([{"Config": "config", "Layers": ["layer"] * 25000}]).encode())
		tar.close()
	END
	timeout -s KILL $((2 * ${WAIT_FACTOR:-4})) skopeo-c inspect --raw docker-archive:many.tar >raw
	[ "$(jq '.layers | length' raw)" -eq 25000 ]
}

@test "copy: SIGTERM ends it also while a layer of an archive is hashed" {
	python3 - <<-'END'
		import io, tarfile
		def header(name, size):
		    info = tarfile.TarInfo(name)
		    info.size = size
		    return info
		size = 40 << 30
		manifest = b'[{"Config": "config", "Layers": ["layer"]}]'
		config = b'{"rootfs": {"type": "layers", "diff_ids": ["sha256:%064x"]}}' % 1
		with open("big.tar", "wb") as file:
		    tar = tarfile.open(fileobj=file, mode="w")
		    for name, data in ("manifest.json", manifest), ("config", config):
		        tar.addfile(header(name, len(data)), io.BytesIO(data))
		    file.write(header("layer", size).tobuf())
		    file.write(b"\x1f\x8b\x08")
		    file.truncate(file.tell() - 3 + size)
	END
	run timeout -k 10 0.5 skopeo-c inspect docker-archive:big.tar
	[ "$status" -eq 124 ] # and not 137
}

@test "copy: a layer that changes is written into the archive at once, and only one of the same" {
	export TMPDIR=$BATS_TEST_TMPDIR/missing
	gzip -9nc "$BATS_FILE_TMPDIR/second.tar" >second.gz
	cp -r "$BATS_FILE_TMPDIR/src" twice
	layer_again twice second.gz
	copy --dest-decompress oci:twice:v1 docker-archive:plain.tar:app:1
	copy --dest-decompress "$SRC" docker-archive:plain.tar:app:2
	copy --dest-compress-format zstd oci:twice:v1 oci-archive:zstd.tar:a
	unset TMPDIR
	for archive in plain zstd; do
		tar tf $archive.tar >names
		[ -z "$(sort names | uniq -d)" ]
	done
	[ "$(tar tf plain.tar | grep -c '\.tar$')" = 2 ]
	skopeo copy -q docker-archive:plain.tar:app:1 oci:theirs:x
	jq -e '.rootfs.diff_ids as $ids | $ids[1] == $ids[2] and ($ids | length) == 3' \
		<(skopeo inspect --config --raw oci:theirs:x)
	copy --dest-decompress oci-archive:zstd.tar:a dir:a
	copy docker-archive:plain.tar:app:1 dir:b
	diff <(jq '[.layers[].digest]' a/manifest.json) <(jq '[.layers[].digest]' b/manifest.json)
}

@test "copy: from an archive into a registry, and back" {
	copy "$SRC" oci-archive:a.tar:x
	copy --dest-tls-verify=false oci-archive:a.tar "docker://$REGISTRY/b/image:v1"
	copy --src-tls-verify=false "docker://$REGISTRY/b/image:v1" oci-archive:b.tar:x
	copy oci-archive:b.tar dir:b
	diff -r --exclude=version expected b
	skopeo copy -q "$SRC" docker-archive:d.tar:app:1
	copy --dest-tls-verify=false docker-archive:d.tar "docker://$REGISTRY/b/docker:v1"
	skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/b/docker:v1" dir:theirs
	jq -e '[.layers[].mediaType] | all(endswith("+gzip"))' theirs/manifest.json
}

@test "copy: an index goes into an oci-archive: whole, and into no docker-archive:" {
	copy --all "$MULTI" oci-archive:a.tar:x
	skopeo copy -q --all oci-archive:a.tar:x oci:theirs:x
	[ "$(jq -r '.manifests[0].digest' theirs/index.json)" = "$(cat "$BATS_FILE_TMPDIR/multi.digest")" ]
	tool 10 skopeo-c copy --all "$MULTI" docker-archive:d.tar
	error_is unsupported
	[ ! -e d.tar ]
}

@test "copy: a failure leaves an archive as it was, and no new one" {
	copy "$SRC" docker-archive:a.tar:app:1
	before=$(sha256sum a.tar)
	head -c 200000 /dev/urandom >random
	tar -cf random.tar random
	oci_image bad v1 '{}' random.tar
	blob=$(find bad/blobs -size +100k)
	printf x | dd of="$blob" conv=notrunc bs=1 seek=100 status=none
	for archive in docker-archive:a.tar:app:2 docker-archive:new.tar:app:1 oci-archive:new.tar:x; do
		tool 7 skopeo-c copy oci:bad:v1 "$archive"
	done
	[ "$(sha256sum a.tar)" = "$before" ]
	[ ! -e new.tar ]
	nothing_unfinished .
	echo "not a tar" >text
	tool 7 skopeo-c copy "$SRC" docker-archive:text:x
	[ "$(cat text)" = "not a tar" ]
	for source in docker-archive:text oci-archive:text; do
		tool 7 skopeo-c copy "$source" dir:d
	done
	tool 3 skopeo-c copy docker-archive:none.tar dir:d
}

@test "copy: archives that lie are refused, and nothing outside of them is read" {
	mkdir lie
	echo '[{"Config":"config.json","RepoTags":null,"Layers":["layer.tar"]}]' >lie/manifest.json
	cp "$BATS_FILE_TMPDIR/second.tar" lie/layer.tar
	echo '{"rootfs":{"type":"layers","diff_ids":["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}}' >lie/config.json
	tar -C lie -cf lie.tar config.json layer.tar manifest.json
	tool 7 skopeo-c copy docker-archive:lie.tar dir:d
	error_is integrity "has the digest"
	[ ! -e d ]
	# a link out of the archive, one in a circle, one to nothing
	for target in /etc/passwd ../../../../etc/passwd layer.tar none; do
		ln -sf "$target" lie/layer.tar
		tar -C lie -cf lie.tar config.json layer.tar manifest.json
		tool 7 skopeo-c copy docker-archive:lie.tar dir:d
		error_is integrity "which is not there"
	done
	head -c 700 lie.tar >short.tar
	tool 7 skopeo-c copy docker-archive:short.tar dir:d
	tool 7 skopeo-c copy docker-archive:- dir:d <short.tar
	[ ! -e d ]
}

@test "copy: what an archive has under the name of a blob is read before an image is made of it" {
	local config layer kind

	config=$(jq -r '.config.digest[7:]' expected/manifest.json)
	layer=$(jq -r '.layers[0].digest[7:]' expected/manifest.json)
	# another configuration, a layer that is cut off, and one in which a byte is another
	copy "$OTHER" docker-archive:config.tar:app:1
	copy "$OTHER" docker-archive:short.tar:app:1
	copy "$OTHER" docker-archive:byte.tar:app:1
	mkdir files
	echo '{"config":{"Entrypoint":["/evil"]}}' >"files/$config.json"
	tar -C files -rf config.tar "$config.json"
	head -c 1000 "expected/$layer" >"files/$layer.tar.gz"
	tar --delete -f short.tar "$layer.tar.gz"
	tar -C files -rf short.tar "$layer.tar.gz"
	cp "expected/$layer" "files/$layer.tar.gz"
	printf x | dd of="files/$layer.tar.gz" conv=notrunc bs=1 seek=500 status=none
	tar --delete -f byte.tar "$layer.tar.gz"
	tar -C files -rf byte.tar "$layer.tar.gz"
	for kind in config short byte; do
		before=$(sha256sum $kind.tar)
		tool 7 skopeo-c copy "$SRC" "docker-archive:$kind.tar:app:2"
		error_is integrity "$kind.tar: blob sha256:$(if [ $kind = config ]; then echo "$config"; else echo "$layer"; fi) has the digest"
		[ "$(sha256sum $kind.tar)" = "$before" ]
	done
	mkdir -p files/blobs/sha256
	copy "$OTHER" oci-archive:layout.tar:one
	mv "files/$layer.tar.gz" "files/blobs/sha256/$layer"
	tar --delete -f layout.tar "blobs/sha256/$layer"
	tar -C files -rf layout.tar "blobs/sha256/$layer"
	tool 7 skopeo-c copy "$SRC" oci-archive:layout.tar:two
	error_is integrity "layout.tar: blob sha256:$layer has the digest"
}

@test "copy: of two files of one name in an archive the last one counts, also when an image comes to it" {
	copy "$SRC" oci-archive:a.tar:one
	tar -xf a.tar
	# now of other bytes, which are found first
	echo none >"$(find blobs -size -2k -type f | head -n 1)"
	tar -cf doubled.tar blobs
	tar -Af doubled.tar a.tar
	copy oci-archive:doubled.tar:one dir:before
	copy "$OTHER" oci-archive:doubled.tar:two
	copy oci-archive:doubled.tar:one dir:after
	diff -r before after
}

@test "copy: what a killed writer of an archive has left is no hindrance, and is swept" {
	: >a.tar
	echo half >.new.0123456789abcdef
	copy "$SRC" docker-archive:a.tar:app:1
	skopeo copy -q docker-archive:a.tar:app:1 dir:d
	nothing_unfinished .
}

@test "copy: two writers of one archive do not lose an image of each other" {
	copy "$SRC" docker-archive:a.tar:app:0
	for i in 1 2 3 4; do
		(until timeout 60 skopeo-c copy "$OTHER" "docker-archive:a.tar:app:$i" >/dev/null 2>err.$i; do
			[ "$SECONDS" -lt 300 ] || exit 1
			grep -q "another process" err.$i || exit 1
		done) 3>&- &
	done
	wait
	[ "$(tar xOf a.tar manifest.json | jq '[.[].RepoTags[]] | length')" = 5 ]
}

@test "copy: docker-archive: takes no layers that are no tars, as skopeo does not" {
	oci_image enc v1 '{}' "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	layer_type enc application/vnd.oci.image.layer.v1.tar+gzip+encrypted
	tool 1 skopeo copy -q oci:enc:v1 docker-archive:theirs.tar:app:1
	tool 10 skopeo-c copy oci:enc:v1 docker-archive:ours.tar:app:1
	error_is unsupported 'layer is "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"'
	[ ! -e ours.tar ]
	# where the manifest comes along they do
	copy oci:enc:v1 oci-archive:enc.tar:v1
	skopeo copy -q oci-archive:enc.tar:v1 dir:d
}

@test "copy: docker-archive: keeps no manifest, so neither a digest nor a format of one, as in skopeo" {
	for option in --preserve-digests --format=oci; do
		tool 1 skopeo copy -q "$option" "$SRC" docker-archive:theirs.tar:app:1
	done
	for to in docker-archive:ours.tar:app:1 docker-daemon:app:1; do
		tool 1 skopeo-c copy --preserve-digests "$SRC" "$to"
		error_is failed "no manifest is kept there"
		tool 2 skopeo-c copy --format oci "$SRC" "$to"
		error_is usage "keeps no manifests"
	done
	[ ! -e ours.tar ]
	copy --format v2s2 "$SRC" docker-archive:ours.tar:app:1
}

@test "copy: an image of a layout gets the names that skopeo takes, and no others" {
	for name in a A-b a--b a.b_c:d@e+f/g 1; do
		copy "$OTHER" "oci:names:$name"
		copy "$OTHER" "oci-archive:names.tar:$name"
		skopeo copy -q "$OTHER" "oci:theirs:$name"
	done
	for name in "a b" a__b -a a- a---b a//b /a a/ a:@b "a,b" $'a\n' ä; do
		run ! skopeo copy -q "$OTHER" "oci:none:$name"
		for to in oci:none oci-archive:none.tar; do
			tool 2 skopeo-c copy "$OTHER" "$to:$name"
			error_is usage
		done
	done
	error_is usage "cannot name an image in a layout"
	[ ! -e none ]
	[ ! -e none.tar ]
	# what another tool has named so can be read
	skopeo-c copy "$OTHER" oci:odd:x >/dev/null
	sed -i 's/"x"/"a b"/' odd/index.json
	copy "oci:odd:a b" dir:d
}
