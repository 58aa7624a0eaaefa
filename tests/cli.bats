# SPDX-License-Identifier: Apache-2.0
# The contract that every tool keeps (DESIGN 2, man 7 ocid), whatever its verbs are.

load helpers

TOOLS="skopeo-c oci-gen ctr-store ctr-net ocid-shim ocid-dispatch"

# every verb of a tool, one a line, from its own help
verbs() {
	"$1" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z][a-z-]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p'
}

@test "cli: --help goes to stdout, exits 0 and fits 80 columns, for every verb" {
	for tool in $TOOLS; do
		tool "$tool" --help
		[ -z "$stderr" ]
		for line in "${lines[@]}"; do
			[ "${#line}" -le 80 ]
		done
		[ "$(verbs "$tool" | wc -l)" -ge 2 ]
		while read -r verb; do
			# shellcheck disable=SC2086 # a verb may be two words
			tool "$tool" $verb --help
			[ -z "$stderr" ]
			[[ $output == "Usage: $tool $verb"* ]]
			for line in "${lines[@]}"; do
				[ "${#line}" -le 80 ]
				[[ $line != *" " ]]
			done
			# no option is cut off
			opened=${output//[^[]/} closed=${output//[^\]]/}
			[ "${#opened}" -eq "${#closed}" ]
		done < <(verbs "$tool")
	done
}

@test "cli: help is --help, of the tool and of a verb" {
	for tool in $TOOLS; do
		for verb in "" "$(verbs "$tool" | tail -n 1)"; do
			# shellcheck disable=SC2086
			tool "$tool" $verb --help
			expected=$output
			# shellcheck disable=SC2086
			tool "$tool" help $verb
			[ "$output" = "$expected" ]
		done
		tool 2 "$tool" help nothing
	done
}

@test "cli: --version" {
	for tool in $TOOLS; do
		tool "$tool" --version
		[[ $output =~ ^$tool\ version\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
		version=$output
		tool "$tool" -v
		[ "$output" = "$version" ]
	done
}

@test "cli: every verb and option is in the man page, and the page passes the linter" {
	for tool in $TOOLS; do
		page=$(echo "$TESTS/../man/$tool".[18])
		mandoc -T lint -W warning "$page"
		text=$(mandoc -T ascii "$page" | sed 's/.\x08//g')
		while read -r verb; do
			[[ $text == *"$verb"* ]] || { echo "$page: no $verb"; return 1; }
			# a verb may have a page of its own
			verb_page=$TESTS/../man/$tool-${verb// /-}.1
			verb_text=$text
			[ ! -f "$verb_page" ] || verb_text=$(mandoc -T ascii "$verb_page" | sed 's/.\x08//g')
			# shellcheck disable=SC2086
			for option in $("$tool" $verb --help | sed -n '/^Options:/,/^$/s/^ .*--\([a-z0-9-]*\).*/\1/p'); do
				[[ $verb_text == *"-$option"* ]] || { echo "$page: no --$option ($verb)"; return 1; }
			done
		done < <(verbs "$tool")
	done
}

@test "cli: no verb, an unknown verb, an unknown and an abbreviated option are usage errors" {
	for tool in $TOOLS; do
		tool 2 "$tool"
		error_is usage "missing verb"
		tool 2 "$tool" no-such-verb
		error_is usage 'no verb "no-such-verb"'
		while read -r verb; do
			# shellcheck disable=SC2086
			tool 2 "$tool" $verb --no-such-option
			error_is usage "unknown option --no-such-option"
			[ -z "$output" ]
			# shellcheck disable=SC2086
			tool 2 "$tool" $verb --vers
			error_is usage "unknown option --vers"
		done < <(verbs "$tool")
	done
}

@test "cli: options of a verb may stand before it" {
	tool 3 skopeo-c --quiet --digestfile "$BATS_TEST_TMPDIR/digest" copy "oci:$BATS_TEST_TMPDIR/none" dir:x
	tool 2 skopeo-c --digestfile "$BATS_TEST_TMPDIR/digest"
	error_is usage "unknown option --digestfile"
	tool 2 skopeo-c --digestfile "$BATS_TEST_TMPDIR/digest" list-tags docker://x.invalid/y
	error_is usage "unknown option --digestfile"
	tool 2 skopeo-c --digestfile copy oci:a dir:x
	error_is usage 'no verb "oci:a"'
	tool skopeo-c --root "$BATS_TEST_TMPDIR/root" --raw inspect --help
	[[ $output == "Usage: skopeo-c inspect"* ]]
	# a letter that is a verb's own, too
	tool oci-gen -v /tmp:/tmp generate --help
	[[ $output == *generate* ]]
}

@test "cli: a value that is one of some words is refused with these, which --help has" {
	for tool in $TOOLS; do
		verb=$(verbs "$tool" | tail -n 1)
		# shellcheck disable=SC2086 # a verb may be two words
		tool 2 "$tool" $verb --errors xml
		error_is usage '--errors: "xml" is not one of text|json'
		# shellcheck disable=SC2086
		tool 2 "$tool" $verb --log-level loud
		error_is usage '--log-level: "loud" is not one of error|warn|info|debug'
		# shellcheck disable=SC2086
		tool "$tool" $verb --help
		[[ $output == *"--errors text|json "* ]]
	done
	tool 2 skopeo-c sync --src docker oci:a b
	error_is usage "--dest is needed"
	tool 2 skopeo-c sync --src docker --dest yaml a b
	error_is usage "docker|dir"
	tool 2 oci-gen generate --image-volumes none
	error_is usage "bind|tmpfs|ignore"
}

@test "cli: --errors json and OCID_ERRORS=json give one object on stderr" {
	for tool in $TOOLS; do
		tool 2 "$tool" no-such-verb --errors json
		tool 2 env OCID_ERRORS=json "$tool" no-such-verb
		jq -e --arg tool "$tool" '.tool == $tool and .code == "usage" and (.message | contains("no-such-verb"))
			and has("subject") and has("hint")' <<<"$stderr"
	done
}

@test "cli: results that cannot be written are an error" {
	for tool in $TOOLS; do
		# shellcheck disable=SC2016 # expanded by the inner shell
		run --separate-stderr sh -c '"$0" --help >/dev/full' "$tool"
		[ "$status" -ne 0 ]
		[[ $stderr == *"standard output"* ]]
	done
}

@test "cli: closed standard descriptors are no file of ours, and a closed stdout is an error" {
	for tool in $TOOLS; do
		run --separate-stderr bash -c "$tool --version >&-"
		[ "$status" -ne 0 ]
		[[ $stderr == *"standard output"* ]]
		run bash -c "$tool --version <&- 2>&-"
		[ "$status" -eq 0 ]
	done
}

@test "cli: a reader that leaves early is no error message" {
	run --separate-stderr bash -c 'set -o pipefail; for i in 1 2 3 4 5; do oci-gen generate --help | true; done'
	[ -z "$stderr" ]
}

@test "cli: --log-level debug shows what is run" {
	tool ctr-net versions bridge --log-level debug
	[[ $stderr =~ ^"ctr-net: debug: running "/.*/bridge$ ]]
	tool ctr-net versions bridge
	[ -z "$stderr" ]
}

@test "cli: a variable that is empty is none" {
	OCID_ROOT='' OCID_RUNROOT='' tool 3 ctr-net show nope
	[[ $stderr == *"no network namespace at /"*"/ocid"*"/netns/nope"* ]]
}
