# SPDX-License-Identifier: Apache-2.0
# The man pages as a whole.

load helpers

@test "man: every test that ocid-security(7) names is there" {
	local page=$TESTS/../man/ocid-security.7 file=

	[ "$(grep -c '\.bats' "$page")" -gt 10 ]
	while read -r macro text; do
		text=${text% ,}
		case $macro in
		.Pa)
			[[ $text == */* || $text == *.bats ]] && [[ $text != /* ]] || continue
			file=$TESTS/$text
			[ -f "$file" ] || file=$file.c
			[ -f "$file" ] || { echo "no $text"; return 1; }
			;;
		.Dq) grep -qF ": $text" "$file" || { echo "$file: no \"$text\""; return 1; } ;;
		esac
	done <"$page"
}

@test "man: the pages that refer to another find it" {
	local referred

	for page in "$TESTS"/../man/*.[1-8]; do
		mandoc -T lint -W warning "$page"
		while read -r referred; do
			[[ $referred == ocid* || $referred == ctr-* || $referred == oci-gen* || $referred == skopeo-c* ]] || continue
			[ -f "$TESTS/../man/$referred" ] || { echo "$page: no $referred"; return 1; }
		done < <(sed -n 's/^\.Xr \([a-z.-]*\) \([0-9]\).*/\1.\2/p' "$page")
	done
}
