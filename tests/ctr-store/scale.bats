#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a verb costs in a store of 1,000 images and 5,000 layers, or of 150 containers, against one of
# a tenth: counted in system calls, which time and other processes do not change. The two stores
# serve all tests, the last of which empty them.
load ../helpers
load common

setup_file() {
	file_setup
	export BIG=$BATS_FILE_TMPDIR/big SMALL=$BATS_FILE_TMPDIR/small
	for store in "$BIG" "$SMALL"; do
		mkdir "$store"
	done
	/usr/bin/python3 "$TESTS/ctr-store/many-images.py" "$BIG" 1000 5
	/usr/bin/python3 "$TESTS/ctr-store/many-images.py" "$SMALL" 100 5
}

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# what follows is about one of the stores
in_store() { # DIRECTORY
	export OCID_ROOT=$1 OCID_RUNROOT=$1.run
}

# the number of system calls of a command, which must succeed; not those for memory, of which the
# sanitizers' allocator has many
calls() {
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -f -c -o count "$@" >/dev/null || return
	awk '$NF ~ /^(brk|mmap|munmap|mremap|mprotect|madvise)$/ { memory += $4 }
		$NF == "total" { print $4 - memory }' count
}

at_most() { # CALLS LIMIT
	echo "$1 system calls, at most $2"
	[ "$1" -le "$2" ]
}

# what the verbs of one image and one container cost: prepare the array `cost`
measure() { # IMAGE
	mkdir -p mnt
	cost=("$(calls ctr-store mount "$1" mnt)" "$(calls ctr-store umount mnt)"
		"$(calls ctr-store create --image "$1" --name web)" "$(calls ctr-store umount web)"
		"$(calls ctr-store mount web)" "$(calls ctr-store rm web)")
}

@test "scale: what one image needs does not grow with the number of others" {
	in_store "$SMALL"
	measure image7:1
	before=("${cost[@]}")
	in_store "$BIG"
	measure image7:1
	# reading a longer index takes some more
	for i in "${!cost[@]}"; do
		at_most "${cost[i]}" $((before[i] + 60))
	done
}

@test "scale: a container's verbs do not grow with the number of others" {
	in_store "$SMALL"
	for count in 15 150; do
		for ((i = $(ctr-store containers | wc -l); i < count; i++)); do
			ctr-store create --image image0:1 --name "n$i" --id "id$i" --volatile >/dev/null
		done
		before=("${cost[@]}")
		listing_before=${listing-}
		measure image0:1
		listing=$(calls ctr-store containers)
	done
	[ "$(ctr-store containers | wc -l)" -eq 150 ]
	ctr-store wipe --force >/dev/null
	# before Linux 6.8 a page of mounts at a time is read to find one
	more=20
	[ "$(printf '%s\n' 6.8 "$(uname -r)" | sort -V | head -n 1)" = 6.8 ] || more=200
	for i in "${!cost[@]}"; do
		at_most "${cost[i]}" $((before[i] + more))
	done
	at_most "$listing" $((11 * listing_before))
	rm -r "$SMALL"
	mkdir "$SMALL"
	/usr/bin/python3 "$TESTS/ctr-store/many-images.py" "$SMALL" 100 5
}

@test "scale: mounts in another mount namespace are looked for once" {
	in_store "$SMALL"
	# shellcheck disable=SC2016 # for the shell in there
	unshare --mount --propagation private bash -c 'for i in {1..80}; do
			ctr-store mount image0:1 >/dev/null
			[ "$i" -ne 8 ] && [ "$i" -ne 80 ] || { echo >"$i"; until [ -e "seen-$i" ]; do sleep 0.05; done; }
		done' 3>&- &
	for i in 8 80; do
		few=${listing-}
		wait_for 30 test -e "$i"
		listing=$(calls ctr-store mounts)
		[ "$(ctr-store mounts | wc -l)" -eq "$i" ]
		echo >"seen-$i"
	done
	wait $!
	at_most "$listing" $((few + 72 * 30))
	ctr-store gc >/dev/null
}

@test "scale: images are listed from what is known" {
	in_store "$BIG"
	rm -f "$OCID_RUNROOT/images"
	first=$(calls ctr-store images)
	again=$(calls ctr-store images)
	at_most "$first" 20000
	at_most "$again" 400
	[ "$(ctr-store images | wc -l)" -eq 1000 ]
	[ "$(ctr-store images image7:1 image900:1 | jq -r '.labels."org.example.number"' | xargs)" = "7 900" ]
	ctr-store images >known
	# nor by their ids
	at_most "$(calls ctr-store image "$(jq -r 'select(.names[0] == "example.org/many/image900:1").id' known)")" 400
	rm "$OCID_RUNROOT/images"
	ctr-store images | cmp - known
	# a name more, and the list is another
	ctr-store tag image7:1 example.org/more:1 >/dev/null
	[ "$(ctr-store images more:1 | jq -r '.names | length')" -eq 2 ]
	[ "$(ctr-store images | jq -r '.names[]' | wc -l)" -eq 1001 ]
	ctr-store untag example.org/more:1 >/dev/null
	ctr-store images | jq -cS . | sort | cmp - <(jq -cS . known | sort)
}

@test "scale: layers are listed in proportion to their number" {
	in_store "$SMALL"
	few=$(calls ctr-store layers)
	in_store "$BIG"
	at_most "$(calls ctr-store layers)" $((11 * few))
}

@test "scale: to remove one image takes no look at the others but the first time" {
	for store in "$SMALL" "$BIG"; do
		in_store "$store"
		few=${one-}
		ctr-store rm image1:1 >/dev/null
		one=$(calls ctr-store rm image2:1)
	done
	at_most "$one" $((few + 60))
}

@test "scale: images are removed in proportion to their number" {
	for store in "$SMALL" "$BIG"; do
		in_store "$store"
		few=${removal-}
		at_most "$(calls ctr-store rm image5:1)" 30000
		mapfile -t names < <(ctr-store images | jq -r '.names[]')
		# a third of them: to trace all takes long
		some=$((${#names[@]} / 3))
		removal=$(calls ctr-store rm "${names[@]:0:some}")
		ctr-store rm "${names[@]:some}" >/dev/null
		[ -z "$(ctr-store images)" ]
		[ -z "$(find "$store"/{layers,images/blobs/sha256} -mindepth 1)" ]
	done
	at_most "$removal" $((11 * few))
}
