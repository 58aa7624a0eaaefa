# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	tar -C "$TESTS" --mtime=@0 -cf "$BATS_FILE_TMPDIR/second.tar" helpers.bash
	echo '{"config":{"Cmd":["/bin/sh"],"ExposedPorts":{"80/tcp":{}}},"author":"a test"}' >"$BATS_FILE_TMPDIR/config.json"
}

@test "copy tarball: one layer a tar, gzip, with the right DiffIDs" {
	cd "$BATS_TEST_TMPDIR"
	tool skopeo-c copy --tarball-config "$BATS_FILE_TMPDIR/config.json" "tarball:$BATS_FILE_TMPDIR/base.tar:$BATS_FILE_TMPDIR/second.tar" oci:o:x
	jq -e --arg a "sha256:$(sha256sum <"$BATS_FILE_TMPDIR/base.tar" | cut -d ' ' -f 1)" \
		--arg b "sha256:$(sha256sum <"$BATS_FILE_TMPDIR/second.tar" | cut -d ' ' -f 1)" '
		.image.config.rootfs == {"type":"layers","diff_ids":[$a,$b]}
		and .image.config.config.Cmd == ["/bin/sh"] and .image.config.author == "a test"
		and (.image.config.history | length) == 2 and (.image.config | has("created") | not)' <<<"$output"
	n=0
	for digest in $(jq -r '.image.manifest.layers[].digest' <<<"$output"); do
		gzip -t <"o/blobs/sha256/${digest#sha256:}"
		n=$((n + 1))
		gzip -dc <"o/blobs/sha256/${digest#sha256:}" | cmp - "$BATS_FILE_TMPDIR/$([ $n = 1 ] && echo base || echo second).tar"
	done
	[ "$n" -eq 2 ]
	skopeo copy -q oci:o:x dir:d
	[ "$(skopeo inspect --config oci:o:x | jq -c '.config.ExposedPorts')" = '{"80/tcp":{}}' ]
}

@test "copy tarball: the same input gives the same bytes, also from a slow pipe, gzip and zstd" {
	cd "$BATS_TEST_TMPDIR"
	tar=$BATS_FILE_TMPDIR/base.tar
	gzip -k -c "$tar" >base.tar.gz
	(gzip -c "$tar"; printf '') >members.tar.gz
	tool skopeo-c copy "tarball:$tar" oci:o:a
	tool skopeo-c copy "tarball:$tar" oci:o:b
	tool skopeo-c copy "tarball:base.tar.gz" oci:o:c
	(head -c 100 "$tar"; sleep 0.2; tail -c +101 "$tar") | skopeo-c copy tarball:- oci:o:d >/dev/null
	head -c 1000000 "$tar" | gzip >members.tar.gz
	tail -c +1000001 "$tar" | gzip >>members.tar.gz
	tool skopeo-c copy tarball:members.tar.gz oci:o:e
	tool skopeo-c copy tarball:- oci:o:f < <(zstd -c "$tar")
	[ "$(jq -r '.manifests[].digest' o/index.json | sort -u | wc -l)" -eq 1 ]
	[ "$(jq '.manifests | length' o/index.json)" -eq 6 ]
}

@test "copy tarball: the only time is one that was given" {
	cd "$BATS_TEST_TMPDIR"
	tar=$BATS_FILE_TMPDIR/base.tar
	tool env SOURCE_DATE_EPOCH=1700000000 skopeo-c copy "tarball:$tar" oci:o:a
	[ "$(jq -r .image.config.created <<<"$output")" = 2023-11-14T22:13:20Z ]
	echo '{"created":"2020-02-02T02:02:02Z","architecture":"arm","variant":"v6"}' >c.json
	tool env SOURCE_DATE_EPOCH=1700000000 skopeo-c copy --tarball-config c.json "tarball:$tar" oci:o:b
	[ "$(jq -c '[.image.config | .created, .architecture, .variant, .history[0].created]' <<<"$output")" = \
		'["2020-02-02T02:02:02Z","arm","v6","2020-02-02T02:02:02Z"]' ]
	tool 2 env SOURCE_DATE_EPOCH=soon skopeo-c copy "tarball:$tar" oci:o:c
	error_is usage SOURCE_DATE_EPOCH
}

@test "copy tarball: an empty tar is a layer" {
	tar -cf "$BATS_TEST_TMPDIR/empty.tar" -T /dev/null
	tool skopeo-c copy "tarball:$BATS_TEST_TMPDIR/empty.tar" "oci:$BATS_TEST_TMPDIR/o"
}

@test "copy tarball: what is no tar is refused" {
	cd "$BATS_TEST_TMPDIR"
	head -c 4096 /dev/urandom >random
	: >empty
	head -c 700 "$BATS_FILE_TMPDIR/base.tar" >cut.tar
	gzip -c random >random.gz
	gzip -c "$BATS_FILE_TMPDIR/base.tar" | head -c 20000 >cut.tar.gz
	for file in random empty cut.tar random.gz cut.tar.gz; do
		tool 7 skopeo-c copy "tarball:$file" oci:o:x
		error_is integrity
		[ ! -e o ]
	done
	run --separate-stderr skopeo-c copy tarball:- oci:o:x </dev/null
	error_is integrity "standard input"
	mkdir dir
	tool 1 skopeo-c copy tarball:dir oci:o:x
	error_is failed
}

@test "copy tarball: a configuration that is none, or says what is not its own" {
	cd "$BATS_TEST_TMPDIR"
	tar=$BATS_FILE_TMPDIR/base.tar
	echo '{"rootfs":{}}' >rootfs.json
	echo '[]' >list.json
	echo '{' >broken.json
	tool 2 skopeo-c copy --tarball-config rootfs.json "tarball:$tar" oci:o:x
	error_is usage "follow from the tars"
	tool 2 skopeo-c copy --tarball-config list.json "tarball:$tar" oci:o:x
	error_is usage
	tool 7 skopeo-c copy --tarball-config broken.json "tarball:$tar" oci:o:x
	error_is integrity
	tool 3 skopeo-c copy --tarball-config none.json "tarball:$tar" oci:o:x
	error_is not-found none.json
	tool 2 skopeo-c copy tarball:-:- oci:o:x
	error_is usage
	tool 2 skopeo-c copy "tarball:$tar:" oci:o:x
	error_is usage "empty"
}

@test "copy tarball: no temporary file is left, and a full disk is exit 9" {
	mkdir "$BATS_TEST_TMPDIR/tmp" "$BATS_TEST_TMPDIR/small"
	# the layers are made where they stay; for an archive in TMPDIR
	tool env TMPDIR=/nonexistent skopeo-c copy "tarball:$BATS_FILE_TMPDIR/base.tar" "oci:$BATS_TEST_TMPDIR/o"
	nothing_unfinished "$BATS_TEST_TMPDIR"
	tool env TMPDIR="$BATS_TEST_TMPDIR/tmp" skopeo-c copy "tarball:$BATS_FILE_TMPDIR/base.tar" "docker-archive:$BATS_TEST_TMPDIR/a"
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ]
	mount -t tmpfs -o size=256k none "$BATS_TEST_TMPDIR/small"
	run --separate-stderr skopeo-c copy "tarball:$BATS_FILE_TMPDIR/base.tar" "oci:$BATS_TEST_TMPDIR/small/p"
	left=$(ls -A "$BATS_TEST_TMPDIR/small")
	umount "$BATS_TEST_TMPDIR/small"
	error_is limit "No space left"
	[ -z "$left" ]
}
