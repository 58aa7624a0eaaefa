# SPDX-License-Identifier: Apache-2.0
# What `make install` puts somewhere works from there.

load helpers

@test "install: below any prefix the tools find their workers, and the man pages are there" {
	make -s -C "$TESTS/.." BUILD="$OCID_BIN" DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr install
	local bin=$BATS_TEST_TMPDIR/usr/bin

	[ "$(find "$bin" -type f | wc -l)" -eq 6 ]
	busybox_tar "$BATS_TEST_TMPDIR/layer.tar"
	oci_image "$BATS_TEST_TMPDIR/layout" test:1 '{}' "$BATS_TEST_TMPDIR/layer.tar"
	PATH=$bin:/usr/bin:/bin tool "$bin/skopeo-c" copy --quiet "oci:$BATS_TEST_TMPDIR/layout:test:1" store:test:1
	PATH=$bin:/usr/bin:/bin tool "$bin/ctr-store" unpack test:1
	for page in ocid.7 ctr-store.1 ocid-dispatch.8; do
		[ -f "$BATS_TEST_TMPDIR/usr/share/man/man${page#*.}/$page" ]
	done
	make -s -C "$TESTS/.." BUILD="$OCID_BIN" DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr uninstall
	[ -z "$(find "$BATS_TEST_TMPDIR/usr" -type f)" ]
}
