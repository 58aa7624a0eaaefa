# SPDX-License-Identifier: Apache-2.0
# ARCHITECTURE.md: its picture is that of the sources, and the sources keep the rules.
# shellcheck disable=SC2016 # backticks of Markdown

load helpers

@test "architecture: the pictures are those of the #include lines, which keep to the rules" {
	tool "$TESTS/architecture" --check
	[ -z "$output" ]
}

@test "architecture: a breach of the rules is seen" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/tests"
	cp -r "$TESTS"/../{lib,man,Makefile,ARCHITECTURE.md} "$BATS_TEST_TMPDIR/tree"
	for dir in skopeo-c ctr-store ctr-net oci-gen ocid-shim ocid-dispatch; do
		cp -r "$TESTS/../$dir" "$BATS_TEST_TMPDIR/tree"
	done
	cp "$TESTS/architecture" "$BATS_TEST_TMPDIR/tree/tests"
	echo '#include "ctr-net/networks.h"' >>"$BATS_TEST_TMPDIR/tree/oci-gen/main.c"
	echo '#include "oci-gen/commands.h"' >>"$BATS_TEST_TMPDIR/tree/lib/path.c"
	: >"$BATS_TEST_TMPDIR/tree/lib/lonely.h"
	tool 1 "$BATS_TEST_TMPDIR/tree/tests/architecture" --check
	grep -qx 'oci-gen includes ctr-net/networks.h' <<<"$output"
	grep -qx 'lib includes oci-gen/commands.h' <<<"$output"
	grep -qx 'lib/lonely.h: only nobody needs it' <<<"$output"
	grep -qx 'man/architecture.svg is out of date: run tests/architecture' <<<"$output"
}

@test "architecture: files and programs that the page names are there" {
	local name

	while read -r name; do
		[ -e "$TESTS/../$name" ] || [ -e "$TESTS/../ocid-dispatch/$name" ] || { echo "no $name"; return 1; }
	done < <(grep -oE '`[a-z][a-z0-9_/-]*\.[ch]`|`(lib|tests|ctr-store|ocid-shim)/[a-z]+`' "$TESTS/../ARCHITECTURE.md" | tr -d '`' | sort -u)
	while read -r name; do
		[ -x "$OCID_BIN/$name" ] || { echo "no program $name"; return 1; }
	done < <(sed -n 's/^| `\([a-z-]*\)`.*/\1/p' "$TESTS/../ARCHITECTURE.md")
}
