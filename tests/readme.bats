# SPDX-License-Identifier: Apache-2.0
# What the README shows works as typed. Its registries are a mirror on loopback; the machine is one
# of its own as far as the commands would change this one.

load helpers
load typed

PAGE=$TESTS/../README.md

setup_file() {
	file_setup
	machine_up
}

teardown_file() {
	machine_down
	file_teardown
}

@test "readme: every command of a box does what it says, one after the other" {
	cd "$BATS_TEST_TMPDIR" || return
	awk '/^```$/ { inside = 0 } inside { print } /^```sh$/ { inside = 1 }' "$PAGE" >script
	[ "$(grep -cE '^(skopeo-c|ctr-|ocid-|oci-gen)' script)" -ge 30 ]
	on_machine script
	[[ $output == *'"same"'* ]]    # verify
	[[ $output == *'/hello'* ]]    # changes
	[[ $output == *hello*'is in it, too'* ]]
	[[ $output == *10.90.0.*/16* ]] # ns exec
	[[ $output == *'"ip": "10.90.'* ]] # the pod
	[[ $stderr == *'skopeo-c copy --events 1 docker://docker.io/library/nginx'* ]] # trace
}

# names PATTERN: what matches it in the page, each once
names() {
	grep -oE "$1" "$PAGE" | sort -u
}

@test "readme: files, pages and targets that it names are there" {
	local name

	[ "$(names '[a-z.-]+\([1-8]\)' | wc -l)" -ge 10 ]
	while read -r name; do
		[ -f "$TESTS/../man/$name" ] || { echo "no man page $name"; return 1; }
	done < <(names '[a-z.-]+\([1-8]\)' | tr '(' . | tr -d ')')
	while read -r _ name; do
		grep -qE "^\.PHONY:.* $name( |$)" "$TESTS/../Makefile" || { echo "no target $name"; return 1; }
	done < <(names '(sudo|`|  +)make [a-z]+' | sed 's/.*make/make/')
	while read -r name; do
		[ -e "$TESTS/../$name" ] || { echo "no $name"; return 1; }
	done < <(names '(ocid-dispatch/examples|tests/|man/)[a-z0-9/.]*[a-z0-9]')
}
