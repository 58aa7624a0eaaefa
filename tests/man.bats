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

@test "man: ocid-errors(7) has every message that a tool can print, and no other" {
	local name

	[ "$("$TESTS/messages" | wc -l)" -gt 500 ]
	tool "$TESTS/messages" --missing
	[ -z "$output" ]
	tool "$TESTS/messages" --stale
	[ -z "$output" ]
	# what follows messages says what to do
	awk '/^\.Ed/ && literal { literal = 0; ended = 1; next }
		/^\.Bd -literal/ { literal = 1 }
		ended && !/^\.Bd -ragged/ { print FILENAME ":" FNR; wrong = 1 }
		{ ended = 0 }
		END { exit wrong }' "$TESTS/../man/ocid-errors.7"
	# the reasons of the system from which a kind follows
	while read -r name; do
		grep -qF "$(/usr/bin/python3 -c "import errno, os; print(os.strerror(errno.$name))")" \
			"$TESTS/../man/ocid-errors.7" || { echo "no $name"; return 1; }
	done < <(sed -n '/^static enum error_kind kind_from_errno/,/^}/s/.*case \(E[A-Z]*\):/\1/p' \
		"$TESTS/../lib/error.c" | grep -vE '^(EXDEV|ELOOP)$')
}

@test "man: every variable that is read is in the ENVIRONMENT of a page" {
	local name pages=("$TESTS"/../man/*.[1-8])

	while read -r name; do
		sed '/^\.Sh ENVIRONMENT/,/^\.Sh /!d' "${pages[@]}" | grep -qE "^\.(It )?Ev (.* )?$name( |\$)" ||
			{ echo "no $name"; return 1; }
	done < <(grep -rhoE --include='*.c' '(getenv|variable)\("[A-Za-z_]+"' \
		"$TESTS"/../{lib,skopeo-c,oci-gen,ctr-store,ctr-net,ocid-shim,ocid-dispatch} |
		sed 's/.*"\(.*\)"/\1/' | sort -u)
}

@test "man: what the pages of section 7 tell to type, the tools understand" {
	local verb checked=0

	while read -r name rest; do
		# shellcheck disable=SC2086 # words
		set -- $rest
		verb=$1
		[[ $name != ctr-net || $1 != ns ]] || verb="ns $2"
		# shellcheck disable=SC2086 # a verb may be two words
		help=$("$name" $verb --help) || { echo "no $name $verb"; return 1; }
		for word; do
			[[ $word != --* ]] || grep -qE -- "(^| )${word%%=*}( |\[|=|$)" <<<"$help" ||
				{ echo "$name $verb has no $word"; return 1; }
		done
		checked=$((checked + 1))
	done < <(sed -nE 's/^\.(Ql|Pq Ql) ((skopeo-c|ctr-store|ctr-net|oci-gen|ocid-shim|ocid-dispatch) [a-z].*)/\2/p' \
		"$TESTS"/../man/ocid*.7 "$TESTS"/../man/*-recipes.7 | grep -v ' VERB' | sed 's/ [.,;)]$//' | sort -u)
	[ "$checked" -gt 30 ]
}
