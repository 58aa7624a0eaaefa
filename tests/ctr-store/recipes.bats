#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every script of ctr-store-recipes(7), in the order of the page, each in a shell that stops at the
# first failure.
load ../helpers
load common

page=$BATS_TEST_DIRNAME/../../man/ctr-store-recipes.7

teardown() { clean_store; }

# the script of a section, as a reader sees it
recipe() { # SECTION
	awk -v section=".Ss $1" '
		$0 == section { inside = 1 }
		inside && /^\.Ed/ { exit }
		text { print }
		inside && /^\.Bd/ { text = 1 }' "$page"
}

follow() { # SECTION
	recipe "$1" >script
	echo "# $1"
	[ -s script ]
	tool bash -euo pipefail script
}

@test "recipes: all of them, one after the other" {
	cd "$BATS_TEST_TMPDIR" || return
	follow "Build an image from scratch"
	[ "$(jq -r '.names[0]' <<<"$(ctr-store images)")" = example.org/tiny:1 ]
	follow "Add to an image"
	[ "$(jq -rs '.[0].path' <<<"${lines[0]}")" = /hello ]
	follow "Change only the configuration"
	[ "$(ctr-store image tiny:2 | jq -r '.layers, .labels."org.example.owner"' | xargs)" = "2 me" ]
	follow "Squash an image to one layer"
	[ "$(ctr-store image flat:2 | jq -r '.layers, .image.config.config.Cmd[0]' | xargs)" = "1 /bin/sh" ]
	follow "Save an image to a file, and read it again"
	[ "$(ctr-store image tiny:2 | jq .layers)" = 2 ]
	follow "Give an image to a host without these tools"
	[ "$(tail -n 1 <<<"$output")" = hello ]
	follow "Serve unpacked images to many hosts"
	[ "$(find served/layers -name diff -type f | wc -l)" -eq 2 ]
	rm -rf served served.run
	follow "Look for a file in all images"
	[ "$(wc -l <<<"$output")" -eq 2 ]
	[ -z "$(ctr-store mounts)" ]
	# diff's status tells that they differ
	recipe "Compare two images" >script
	run bash -c 'set -u; . ./script'
	[[ $output == *"Only in"*": hello"* ]]
	[ -z "$(ctr-store mounts)" ]
	follow "Try something, and discard it"
	[ -z "$(ctr-store mounts)$(ctr-store containers)" ]
	follow "Save a container's changes, and restore them"
	[ -z "$(ctr-store containers)" ]
	ctr-store create --image tiny:2 --id abc >/dev/null
	ctr-store umount abc
	follow "Mount all containers after a reboot"
	[ "$(ctr-store mounts | jq -r .container)" = abc ]
	follow "Remove images that no container uses"
	[ "$(ctr-store images | jq -r '.names[]' | xargs)" = example.org/tiny:2 ]
	follow "Free disk space"
	[ "$(tail -n 5 <<<"$output" | jq -s '.[-1].bytes' 2>/dev/null || echo 0)" = 0 ]
	follow "Verify the integrity of a store"
	ctr-store rm abc >/dev/null
}

@test "recipes: the page has none that is not followed" {
	cd "$BATS_TEST_TMPDIR" || return
	sed -n 's/^\.Ss //p' "$page" | while read -r section; do
		grep -qE "(follow|recipe) \"$section\"" "$BATS_TEST_FILENAME" || echo "$section"
	done >missing
	cat missing
	# rootless.bats does what this one shows, as a real user
	[ "$(cat missing)" = "Work without root" ]
}
