# SPDX-License-Identifier: Apache-2.0
# GPG signatures ("simple signing"), made and checked by us and by skopeo.

load ../helpers
load common
load signing

setup_file() {
	file_setup
	signing_setup
	gpg_keys
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	cd "$BATS_FILE_TMPDIR" || return
	oci_image src v1 '{}' base.tar >/dev/null
	oci_image other v1 '{"author":"another"}' base.tar >/dev/null
	index_image multi v1 base.tar >/dev/null
	registry_start
	signing_registry_start
	lookaside_is "default-docker:" "  lookaside: file://$BATS_FILE_TMPDIR/lookaside"
	sign v1
	skopeo --insecure-policy copy -q --dest-tls-verify=false oci:src:v1 "docker://$REGISTRY/t/unsigned:v1"
	skopeo --insecure-policy copy -q --dest-tls-verify=false oci:other:v1 "docker://$REGISTRY/t/x:other"
}

teardown_file() {
	gpg_stop
	signing_registry_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	SRC=oci:$BATS_FILE_TMPDIR/src:v1 MULTI=oci:$BATS_FILE_TMPDIR/multi:v1
	GOOD='"type":"signedBy","keyType":"GPGKeys","keyPath":"'$BATS_FILE_TMPDIR/good.gpg'"'
	OTHER=${GOOD/good.gpg/other.gpg}
}

# sign TAG [ARG…]: the image with the user's key
sign() {
	local tag=$1

	shift
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$@" \
		"oci:$BATS_FILE_TMPDIR/src:v1" "docker://$REGISTRY/t/x:$tag"
}

@test "signatures: skopeo takes what we have signed, we take what it has signed" {
	policy p.json "{$GOOD}"
	sign ours
	peer_takes p.json "$REGISTRY/t/x:ours"
	we_take p.json "$REGISTRY/t/x:ours"
	skopeo copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/t/y:theirs"
	peer_takes p.json "$REGISTRY/t/y:theirs"
	we_take p.json "$REGISTRY/t/y:theirs"
	# a copy brings them along, both ways
	cmp ours/signature-1 peer/signature-1
}

@test "signatures: none, by another key, for another name or image, broken: each is exit 6" {
	local store digest

	policy p.json "{$GOOD}"
	we_take 6 p.json "$REGISTRY/t/unsigned:v1"
	error_is denied "a signature is required, and there is none"
	policy other.json "{$OTHER}"
	we_take 6 other.json "$REGISTRY/t/x:v1"
	error_is denied "the GPG signature by"
	policy both.json "{$GOOD}" "{$OTHER}"
	we_take 6 both.json "$REGISTRY/t/x:v1"
	# the same manifest under a name that nobody has signed
	skopeo --insecure-policy copy -q --remove-signatures --dest-tls-verify=false "$SRC" "docker://$REGISTRY/t/x:v9"
	we_take 6 p.json "$REGISTRY/t/x:v9"
	error_is denied "a signature is for the name \"$REGISTRY/t/x:"
	digest=$(digest_of "$REGISTRY/t/x:v1")
	we_take p.json "$REGISTRY/t/x@$digest"
	# a signature of another image in its place
	store=$BATS_FILE_TMPDIR/lookaside/t
	digest=$(digest_of "$REGISTRY/t/x:other")
	mkdir "$store/x@${digest/:/=}"
	cp "$store/x@$(digest_of "$REGISTRY/t/x:v1" | tr : =)/signature-1" "$store/x@${digest/:/=}"
	we_take 6 p.json "$REGISTRY/t/x:other"
	error_is denied "a signature is for another image"
	# one bit
	printf '\xff' | dd of="$store/x@${digest/:/=}/signature-1" bs=1 seek=80 conv=notrunc status=none
	we_take 6 p.json "$REGISTRY/t/x:other"
	echo "no signature" >"$store/x@${digest/:/=}/signature-1"
	we_take 7 p.json "$REGISTRY/t/x:other"
	error_is integrity "not a signature"
	rm -r "$store/x@${digest/:/=}"
}

@test "signatures: signedIdentity says for which name, as it does for skopeo" {
	local identity verdict

	while read -r identity verdict; do
		policy p.json "{$GOOD,\"signedIdentity\":{\"type\":$identity}}"
		echo "$identity"
		if [ "$verdict" = yes ]; then
			peer_takes p.json "$REGISTRY/t/x:v9"
			we_take p.json "$REGISTRY/t/x:v9"
		else
			run ! peer_takes p.json "$REGISTRY/t/x:v9"
			we_take 6 p.json "$REGISTRY/t/x:v9"
		fi
	done <<-END
		"matchExact" no
		"matchRepoDigestOrExact" no
		"matchRepository" yes
		"exactReference","dockerReference":"$REGISTRY/t/x:v1" yes
		"exactReference","dockerReference":"$REGISTRY/t/x:v2" no
		"exactRepository","dockerRepository":"$REGISTRY/t/x" yes
		"exactRepository","dockerRepository":"$REGISTRY/t/y" no
	END
	sign mirrored --sign-identity vendor.example/p/x:mirrored
	policy p.json "{$GOOD,\"signedIdentity\":{\"type\":\"remapIdentity\",\"prefix\":\"$REGISTRY/t\",\"signedPrefix\":\"vendor.example/p\"}}"
	peer_takes p.json "$REGISTRY/t/x:mirrored"
	we_take p.json "$REGISTRY/t/x:mirrored"
	policy p.json "{$GOOD}"
	we_take 6 p.json "$REGISTRY/t/x:mirrored"
}

@test "signatures: one manifest has those of all its names, each once" {
	local store

	sign again
	sign again
	sign v1
	sign again --sign-by other@example.com
	store=$BATS_FILE_TMPDIR/lookaside/t/x@$(digest_of "$REGISTRY/t/x:v1" | tr : =)
	for name in "$store"/*; do gpg -q --verify "$name" 2>/dev/null && gpg -qd "$name" 2>/dev/null && echo; done |
		jq -r '.critical.identity["docker-reference"]' | sort | uniq -c >names
	grep -q " 1 $REGISTRY/t/x:v1$" names
	grep -q " 2 $REGISTRY/t/x:again$" names
	policy p.json "{$OTHER}"
	we_take p.json "$REGISTRY/t/x:again"
	# many at once lose nothing
	for i in 1 2 3 4 5 6; do
		timeout 60 skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/t/many:v$i" >/dev/null 3>&- &
		echo $! >>pids
	done
	while read -r pid; do wait "$pid"; done <pids
	store=$BATS_FILE_TMPDIR/lookaside/t/many@$(digest_of "$REGISTRY/t/many:v1" | tr : =)
	[ "$(ls "$store")" = "$(printf 'signature-%d\n' 1 2 3 4 5 6)" ]
}

@test "signatures: keys in the policy itself, and several files" {
	policy p.json "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"$(base64 -w0 "$BATS_FILE_TMPDIR/good.gpg")\"}"
	we_take p.json "$REGISTRY/t/x:v1"
	policy p.json "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[\"$BATS_FILE_TMPDIR/other.gpg\",\"$BATS_FILE_TMPDIR/good.gpg\"]}"
	we_take p.json "$REGISTRY/t/x:v1"
}

@test "signatures: an index is signed with all its images; its signature is enough for them" {
	local store name

	policy p.json "{$GOOD,\"signedIdentity\":{\"type\":\"matchRepository\"}}"
	tool skopeo-c copy -q --all --dest-tls-verify=false --sign-by good@example.com "$MULTI" "docker://$REGISTRY/t/multi:v1"
	store=$BATS_FILE_TMPDIR/lookaside/t
	[ "$(find "$store" -path "*/multi@*" -name signature-1 | wc -l)" -eq 4 ]
	skopeo --policy p.json copy -q --all --src-tls-verify=false "docker://$REGISTRY/t/multi:v1" dir:theirs
	tool skopeo-c copy -q --policy p.json --all --src-tls-verify=false "docker://$REGISTRY/t/multi:v1" dir:ours
	[ "$(find ours -name '*signature-1' | wc -l)" -eq 4 ]
	diff -r ours theirs
	# over what is there, and over itself
	tool skopeo-c copy -q --all dir:theirs dir:ours
	tool skopeo-c copy -q --all dir:ours dir:ours
	diff -r ours theirs
	we_take p.json "$REGISTRY/t/multi:v1"
	for part in all linux/amd64,linux/arm64; do
		tool skopeo-c copy -q --policy p.json --remove-list-signatures --multi-arch "$part" --src-tls-verify=false \
			"docker://$REGISTRY/t/multi:v1" "dir:of-${part%%/*}"
		[ ! -e "of-${part%%/*}/signature-1" ]
	done
	[ "$(find of-all -name '*signature-1' | wc -l)" -eq 3 ]
	[ "$(find of-linux -name '*signature-1' | wc -l)" -eq 2 ]
	# only the index is signed
	name=$(digest_of "$REGISTRY/t/multi:v1" | tr : =)
	find "$store" -path "*/multi@*" -name signature-1 ! -path "*$name*" -delete
	tool skopeo-c copy -q --policy p.json --all --src-tls-verify=false "docker://$REGISTRY/t/multi:v1" dir:again
	# cosign's usual way; an image chosen from it has no signature of its own then
	we_take p.json "$REGISTRY/t/multi:v1"
	[ ! -e ours/signature-1 ]
	tool skopeo-c copy -q --policy p.json --override-arch arm --src-tls-verify=false "docker://$REGISTRY/t/multi:v1" dir:arm
	tool 1 skopeo-c copy -q --multi-arch linux/amd64,linux/arm64 --src-tls-verify=false "docker://$REGISTRY/t/multi:v1" dir:part
	error_is failed "the index is signed, and would name only a part of it"
	tool 2 skopeo-c copy -q --remove-list-signatures --remove-signatures dir:ours dir:part
	tool skopeo-c copy -q --policy p.json --remove-signatures --multi-arch linux/amd64,linux/arm64 --src-tls-verify=false \
		"docker://$REGISTRY/t/multi:v1" dir:part
	rm "$store/multi@$name/signature-1"
	tool 6 skopeo-c copy -q --policy p.json --all --src-tls-verify=false "docker://$REGISTRY/t/multi:v1" dir:again2
}

@test "signatures: dir: keeps them, oci: cannot, the store does without" {
	tool skopeo-c copy -q --src-tls-verify=false "docker://$REGISTRY/t/x:v1" dir:d
	[ -s d/signature-1 ]
	tool skopeo-c copy -q dir:d dir:e
	cmp d/signature-1 e/signature-1
	tool skopeo-c copy -q --remove-signatures dir:d dir:e
	[ ! -e e/signature-1 ]
	tool 10 skopeo-c copy -q dir:d oci:o:v1
	error_is unsupported "--remove-signatures leaves them behind"
	tool skopeo-c copy -q --remove-signatures dir:d oci:o:v1
	tool skopeo-c copy -q dir:d store:x:v1
	# they are not asked for again, nor could be: what came in has passed
	policy p.json '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$BATS_FILE_TMPDIR"'/good.gpg"}'
	tool skopeo-c copy -q --policy p.json --src-tls-verify=false "docker://$REGISTRY/t/x:v1" store:
	tool skopeo-c verify --tls-verify=false "store:$REGISTRY/t/x:v1"
	jq -e '.intact and .registry.state == "same"' <<<"$output"
	jq '.transports.store = .transports.docker' p.json >q.json
	tool 6 skopeo-c copy -q --policy q.json "store:$REGISTRY/t/x:v1" dir:h
	error_is denied "a policy for it can only accept or reject"
	jq '.transports.store = {"": [{"type": "insecureAcceptAnything"}]}' p.json >q.json
	tool skopeo-c copy -q --policy q.json "store:$REGISTRY/t/x:v1" dir:h
	# back into a registry, where skopeo finds them
	tool skopeo-c copy -q --dest-tls-verify=false dir:d "docker://$REGISTRY/t/back:v1"
	skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/t/back:v1" dir:f
	cmp d/signature-1 f/signature-1
	# what the signatures are for may not change
	tool 1 skopeo-c copy -q --format v2s2 dir:d dir:g
	error_is failed "would make the signatures of the image invalid"
	[ ! -e g ]
	tool skopeo-c copy -q --format v2s2 --remove-signatures dir:d dir:g
}

@test "signatures: podman's store keeps those of an image, for the manifest that it came with" {
	local store="containers-storage:[vfs@$PWD/store+$PWD/runroot]" digest image

	for key in good other; do
		policy $key.json "{${GOOD/good.gpg/$key.gpg}}"
		sed -i 's/"docker"/"containers-storage"/' $key.json
	done
	image=$store$REGISTRY/t/x:v1
	skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$REGISTRY/t/x:v1" "$image"
	tool 6 skopeo-c copy --policy other.json --remove-signatures "$image" dir:d
	error_is denied "the GPG signature by"
	tool 1 skopeo --policy other.json copy -q --remove-signatures "$image" dir:theirs
	# its layers are unpacked there: what was signed cannot be made again
	tool 1 skopeo-c copy --policy good.json "$image" dir:d
	error_is failed "make the signatures of the image invalid"
	tool 1 skopeo --policy good.json copy -q "$image" dir:theirs
	# the store keeps no signatures, so none becomes invalid there
	tool skopeo-c copy --policy good.json "$image" store:
	tool skopeo-c copy --policy good.json --remove-signatures "$image" dir:d
	skopeo --policy good.json copy -q --remove-signatures "$image" dir:theirs
	tool 1 skopeo-c copy --preserve-digests --remove-signatures "$image" dir:e
	# by its id it was asked for by no name
	tool 6 skopeo-c copy --policy good.json --remove-signatures "$store@$(jq -r '.[0].id' store/vfs-images/images.json)" dir:e
	[ ! -e e ]
	skopeo --insecure-policy copy -q --remove-signatures --src-tls-verify=false "docker://$REGISTRY/t/x:other" "${store}x:other"
	tool 6 skopeo-c copy --policy good.json "${store}x:other" dir:e
	error_is denied "there is none"
}

@test "signatures: of podman's store they come along where its layers were not compressed" {
	local image="containers-storage:[vfs@$PWD/store+$PWD/runroot]$REGISTRY/t/x:plain"

	tool skopeo-c copy --dest-decompress "$SRC" dir:plain
	tool skopeo-c copy --sign-by good@example.com --sign-identity "$REGISTRY/t/x:plain" dir:plain dir:signed
	skopeo --insecure-policy copy -q dir:signed "$image"
	skopeo --insecure-policy copy -q "$image" dir:theirs
	tool skopeo-c copy "$image" dir:ours
	diff -r theirs ours
	diff -r signed ours
	tool skopeo-c copy --dest-tls-verify=false "$image" "docker://$REGISTRY/t/x:plain"
	policy p.json "{$GOOD}"
	peer_takes p.json "$REGISTRY/t/x:plain"
	truncate -s -1 store/vfs-images/*/signatures
	tool 7 skopeo-c copy "$image" dir:e
	error_is integrity "not as long as it says"
}

@test "signatures: what a path is, was never asked for by name" {
	sign for-path
	tool skopeo-c copy -q --src-tls-verify=false "docker://$REGISTRY/t/x:for-path" dir:d
	echo "{\"default\":[{$GOOD}]}" >p.json
	tool 6 skopeo-c copy -q --policy p.json dir:d dir:e
	echo "{\"default\":[{$GOOD,\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"$REGISTRY/t/x\"}}]}" >p.json
	tool skopeo-c copy -q --policy p.json dir:d dir:e
	skopeo --policy p.json copy -q dir:d dir:f
}

@test "signatures: a directory whose image is replaced holds the old one or the new one with its signatures, killed when it may be" {
	local rest old new now call number failed=0

	echo "{\"default\":[{$GOOD,\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"$REGISTRY/t/x\"}}]}" >p.json
	sign one
	tool skopeo-c copy -q --src-tls-verify=false "docker://$REGISTRY/t/x:one" dir:old
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com \
		"oci:$BATS_FILE_TMPDIR/other:v1" "docker://$REGISTRY/t/x:signed-other"
	tool skopeo-c copy -q --src-tls-verify=false "docker://$REGISTRY/t/x:signed-other" dir:new
	# either comes after one that has more of them, or fewer
	cp new/signature-1 new/signature-2
	cp new/signature-1 new/signature-3
	old=$(sha256sum <old/manifest.json) new=$(sha256sum <new/manifest.json)
	for rest in "old new" "new old"; do
		for call in linkat renameat unlinkat; do
			for ((number = 1; number < 30; number++)); do
				rm -rf now
				cp -r "${rest% *}" now
				fault "$call:signal=KILL:when=$number"
				if "${FAULTY[@]}" skopeo-c copy -q "dir:${rest#* }" dir:now; then
					break
				fi
				now=$(sha256sum <now/manifest.json)
				[ "$now" = "$old" ] || [ "$now" = "$new" ]
				if ! skopeo-c copy -q --policy p.json dir:now dir:taken; then
					echo "$rest: killed at $call $number:"
					ls now
					failed=1
				fi
			done
			[ "$number" -gt 1 ]
			[ "$number" -lt 30 ]
			# nothing is left of the other one
			diff <(ls now) <(ls "${rest#* }")
		done
	done
	[ "$failed" -eq 0 ]
}

@test "signatures: sync brings those that came after the image, and asks the policy about what is there" {
	local sync=(skopeo-c sync --src docker --dest dir --src-tls-verify=false "$REGISTRY/t/later" d)
	local back=(skopeo-c sync --src dir --dest docker --dest-tls-verify=false d "$REGISTRY/back")

	skopeo --insecure-policy copy -q --dest-tls-verify=false "$SRC" "docker://$REGISTRY/t/later:v1"
	tool "${sync[@]}"
	[ "$(jq -r .status <<<"$output")" = copied ]
	tool "${sync[@]}"
	[ "$(jq -r .status <<<"$output")" = unchanged ]
	tool "${back[@]}"
	tool "${back[@]}"
	[ "$(jq -r .status <<<"$output")" = unchanged ]
	policy p.json "{$GOOD}"
	tool 6 "${sync[@]}" --policy p.json
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/t/later:v1"
	tool "${sync[@]}"
	[ -n "$(find d -name signature-1)" ]
	[ -z "$(find "$BATS_FILE_TMPDIR/lookaside/back" -name signature-1 2>/dev/null)" ]
	tool "${back[@]}"
	[ -n "$(find "$BATS_FILE_TMPDIR/lookaside/back" -name signature-1)" ]
	tool "${back[@]}"
	[ "$(jq -r .status <<<"$output")" = unchanged ]
	tool "${sync[@]}" --policy p.json
	[ "$(jq -r .status <<<"$output")" = unchanged ]
	[ -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'ocid-gpg.*')" ]
}

@test "signatures: a lookaside on a web server is read; staging is where they are written" {
	lookaside_is "docker:" "  $REGISTRY/staged:" "    lookaside: http://$SIGNING/lookaside" \
		"    lookaside-staging: file://$SIGNING_DIR/lookaside" "  $REGISTRY/old:" \
		"    sigstore: http://$SIGNING/lookaside/" "  $REGISTRY/endless:" "    lookaside: http://$SIGNING/endless"
	policy p.json "{$GOOD}"
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/staged/x:v1"
	we_take p.json "$REGISTRY/staged/x:v1"
	grep -q "GET /lookaside/staged/x@sha256=.*/signature-2" "$SIGNING_DIR/log"
	peer_takes p.json "$REGISTRY/staged/x:v1"
	# what is staged is signed, though nobody can read it yet
	lookaside_is "docker:" "  $REGISTRY/slow:" "    lookaside: http://$SIGNING/lookaside" \
		"    lookaside-staging: file://$BATS_TEST_TMPDIR/slow" "  $REGISTRY/old:" "    sigstore: http://$SIGNING/lookaside/"
	for _ in first again; do
		tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/slow/x:v1"
	done
	[ "$(find slow -type f -printf '%f ')" = "signature-1 " ]
	tool 10 skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/old/x:v1"
	error_is unsupported "name a lookaside-staging in registries.d"
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/old/x:v1"
	# other ways to write where a directory is
	lookaside_is "docker:" "  $REGISTRY/odd:" "    lookaside: file:$BATS_TEST_TMPDIR/%6fdd" \
		"    lookaside-staging: file://localhost$BATS_TEST_TMPDIR/odd" "    use-sigstore-attachments: yes"
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/odd/x:v1"
	compgen -G "odd/odd/x@*/signature-1"
	we_take p.json "$REGISTRY/odd/x:v1"
	peer_takes p.json "$REGISTRY/odd/x:v1"
	# a server is called by its own name; and that nothing can be written there needs no question to it
	lookaside_is "docker:" "  $REGISTRY/t:" "    lookaside: http://$SIGNING/forbidden" \
		"  $REGISTRY/endless:" "    lookaside: http://$SIGNING/endless"
	we_take 6 p.json "$REGISTRY/t/x:v1"
	error_is denied "the lookaside http://$SIGNING/forbidden/t/x@sha256="
	[[ $stderr == *"/signature-1: signatures: $SIGNING answered 403"* && $stderr != *"$REGISTRY answered"* ]]
	: >"$SIGNING_DIR/log"
	tool 10 skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/t/new:v1"
	[ ! -s "$SIGNING_DIR/log" ]
	# a server that has a signature of any number
	skopeo --insecure-policy copy -q --dest-tls-verify=false "$SRC" "docker://$REGISTRY/endless/x:v1"
	we_take 9 p.json "$REGISTRY/endless/x:v1"
	error_is limit "more than 128 signatures"
	lookaside_is "default-docker:" "  lookaside: file://$BATS_FILE_TMPDIR/lookaside"
}

@test "signatures: where they cannot be kept nothing is uploaded" {
	local copy=(skopeo-c copy -q --dest-tls-verify=false --src-tls-verify=false)
	local read_only=(unshare --mount sh -c 'mount --bind kept kept && mount -o remount,bind,ro kept && exec "$@"' sh)

	echo >file
	lookaside_is "docker:" "  $SIGNING/web:" "    lookaside: http://$SIGNING/lookaside" \
		"  $SIGNING/file:" "    lookaside-staging: file://$BATS_TEST_TMPDIR/file/below" \
		"  $SIGNING/dev:" "    lookaside: file:///" \
		"  $SIGNING/kept:" "    lookaside: file://$BATS_TEST_TMPDIR/kept"
	tool 10 "${copy[@]}" --sign-by good@example.com "$SRC" "docker://$SIGNING/web/x:v1"
	error_is unsupported "$SIGNING/web/x:v1: signatures cannot be written to the lookaside http://$SIGNING/lookaside"
	tool 1 "${copy[@]}" --sign-by good@example.com "$SRC" "docker://$SIGNING/file/x:v1"
	error_is failed "$SIGNING/file/x:v1: $BATS_TEST_TMPDIR/file/below/file/x@sha256="
	tool 1 "${copy[@]}" --sign-by good@example.com "$SRC" "docker://$SIGNING/dev/null/x:v1"
	error_is failed "$SIGNING/dev/null/x:v1: /dev/null/x@sha256="
	# nor where they come along, or are sigstore's
	tool "${copy[@]}" --sign-by good@example.com --sign-identity a.example/b:v1 "$SRC" dir:signed
	tool 10 "${copy[@]}" dir:signed "docker://$SIGNING/web/x:v1"
	tool skopeo-c generate-sigstore-key --output-prefix key --passphrase-file file
	tool 6 "${copy[@]}" --sign-by-sigstore-private-key key.private --sign-passphrase-file file "$SRC" "docker://$SIGNING/kept/x:v1"
	error_is denied "sigstore signatures are not allowed"
	mkdir kept
	tool 6 "${read_only[@]}" "${copy[@]}" dir:signed "docker://$SIGNING/kept/x:v1"
	error_is denied "$BATS_TEST_TMPDIR/kept: Read-only file system"
	run ! grep -E '^(POST|PUT|PATCH) /v2/(web|file|dev|kept)' "$SIGNING_DIR/log"
	# of one that is there already nothing has to be written
	tool "${copy[@]}" dir:signed "docker://$SIGNING/kept/x:v1"
	tool "${read_only[@]}" "${copy[@]}" dir:signed "docker://$SIGNING/kept/x:v2"
	lookaside_is "default-docker:" "  lookaside: file://$BATS_FILE_TMPDIR/lookaside"
}

@test "signatures: delete takes along those of a manifest that is gone, as skopeo does" {
	local digest store=$BATS_FILE_TMPDIR/lookaside/t

	skopeo --insecure-policy copy -q --dest-tls-verify=false --sign-by good@example.com "oci:$BATS_FILE_TMPDIR/other:v1" \
		"docker://$REGISTRY/t/gone:theirs"
	digest=$(digest_of "$REGISTRY/t/gone:theirs" | tr : =)
	[ -e "$store/gone@$digest/signature-1" ]
	skopeo delete --tls-verify=false "docker://$REGISTRY/t/gone:theirs"
	[ ! -e "$store/gone@$digest/signature-1" ]
	for name in one two; do
		tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com --sign-identity "x/y:$name" \
			"oci:$BATS_FILE_TMPDIR/other:v1" "docker://$REGISTRY/t/gone:$name"
	done
	[ -e "$store/gone@$digest/signature-2" ]
	# what is still needed keeps them
	tool 5 skopeo-c delete --tls-verify=false "docker://$REGISTRY/t/gone:one"
	[ -e "$store/gone@$digest/signature-2" ]
	tool skopeo-c delete --all-tags --tls-verify=false "docker://$REGISTRY/t/gone:one"
	[ -z "$(ls "$store/gone@$digest")" ]
	# that they cannot be deleted does not matter
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$REGISTRY/t/gone:v1"
	digest=$(digest_of "$REGISTRY/t/gone:v1" | tr : =)
	rm "$store/gone@$digest/signature-1"
	mkdir "$store/gone@$digest/signature-1"
	tool skopeo-c delete --tls-verify=false "docker://$REGISTRY/t/gone:v1"
	[[ $stderr == *"its signatures are not deleted: $store/gone@$digest/signature-1"* ]]
	tool 3 skopeo-c delete --tls-verify=false "docker://$REGISTRY/t/gone:v1"
}

@test "signatures: prune and sync --delete take along those of manifests that are gone" {
	local store=$BATS_TEST_TMPDIR/store/t name
	local sync=(skopeo-c sync --src docker --dest docker --src-tls-verify=false --dest-tls-verify=false --registries.d rd --delete)

	mkdir rd
	printf 'default-docker:\n  lookaside: file://%s\n' "$BATS_TEST_TMPDIR/store" >rd/a.yaml
	for name in old/src old/other new/src; do
		tool skopeo-c copy -q --dest-tls-verify=false --registries.d rd --sign-by good@example.com \
			"oci:$BATS_FILE_TMPDIR/${name#*/}:v1" "docker://$REGISTRY/t/prune:${name/\//-}"
	done
	[ "$(find "$store" -name signature-1 | wc -l)" -eq 2 ]
	# the one that has another tag stays
	tool skopeo-c prune --tls-verify=false --registries.d rd --include-tags '^old-' "docker://$REGISTRY/t/prune"
	[ -e "$store/prune@$(digest_of "$REGISTRY/t/prune:new-src" | tr : =)/signature-1" ]
	[ "$(find "$store" -name signature-1 | wc -l)" -eq 1 ]
	tool skopeo-c copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/other:v1" "docker://$REGISTRY/wanted/prune:v1"
	tool "${sync[@]}" "$REGISTRY/wanted/prune" "$REGISTRY/t"
	[ "$(jq -r 'select(.status == "deleted").destination' <<<"$output" | sed 's/.*://' | xargs)" = "new-src old-src" ]
	[ -z "$(find "$store" -name signature-1)" ]
}

@test "signatures: those of a mirror, and of where a name has moved, are beside these, under their names" {
	local place

	policy p.json "{$GOOD}"
	cat >registries.conf <<-END
		[[registry]]
		prefix = "logical.example"
		location = "$REGISTRY/moved"
		insecure = true
		[[registry.mirror]]
		location = "$REGISTRY/mirror"
		insecure = true
	END
	lookaside_is "docker:" "  $REGISTRY/mirror:" "    lookaside: file://$BATS_TEST_TMPDIR/beside" \
		"  $REGISTRY/moved/y:" "    lookaside: file://$BATS_TEST_TMPDIR/beside"
	for place in mirror/x moved/y; do
		tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com \
			--sign-identity "logical.example/${place#*/}:v1" "$SRC" "docker://$REGISTRY/$place:v1"
		compgen -G "beside/$place@*/signature-1"
		rm -rf peer
		skopeo --registries-conf registries.conf --policy p.json copy -q "docker://logical.example/${place#*/}:v1" dir:peer
		CONTAINERS_REGISTRIES_CONF=registries.conf we_take p.json "logical.example/${place#*/}:v1"
		cmp peer/signature-1 ours/signature-1
	done
	# the policy goes by the name that was asked for
	sed -i 's/"":/"logical.example":/' p.json
	we_take 6 p.json "$REGISTRY/mirror/x:v1"
	CONTAINERS_REGISTRIES_CONF=registries.conf we_take p.json logical.example/x:v1
	lookaside_is "default-docker:" "  lookaside: file://$BATS_FILE_TMPDIR/lookaside"
}

@test "signatures: registries.d that is wrong, doubled, or elsewhere" {
	mkdir rd
	printf 'default-docker:\n  lookaside: [a]\n' >rd/a.yaml
	tool 7 skopeo-c copy -q --registries.d rd --src-tls-verify=false "docker://$REGISTRY/t/x:v1" dir:d
	error_is integrity "rd/a.yaml: lookaside of default-docker is not a URL"
	printf 'default-docker:\n  lookaside: ftp://x/\n' >rd/a.yaml
	tool 10 skopeo-c copy -q --registries.d rd --src-tls-verify=false "docker://$REGISTRY/t/x:v1" dir:d
	printf 'docker:\n  %s:\n    lookaside: file:///none\n' "$REGISTRY" | tee rd/a.yaml >rd/b.yaml
	tool 7 skopeo-c copy -q --registries.d rd --src-tls-verify=false "docker://$REGISTRY/t/x:v1" dir:d
	error_is integrity "another file has a section for $REGISTRY, too"
	rm rd/b.yaml
	# links that lead nowhere, and directories, are no files of it
	ln -s nowhere rd/c.yaml
	mkdir rd/d.yaml
	tool skopeo-c copy -q --registries.d rd --src-tls-verify=false "docker://$REGISTRY/t/x:v1" dir:d
	[ ! -e d/signature-1 ]
	tool 1 skopeo-c copy -q --registries.d rd/a.yaml --src-tls-verify=false "docker://$REGISTRY/t/x:v1" dir:e
	tool 2 skopeo-c copy -q --registries.d none --src-tls-verify=false "docker://$REGISTRY/t/x:v1" dir:e
}

@test "signatures: a registry that keeps them itself is given them, and asked for them" {
	local image=$SIGNING/extension/x:v1

	policy p.json "{$GOOD}"
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by good@example.com "$SRC" "docker://$image"
	we_take p.json "$image"
	peer_takes p.json "$image"
	cmp ours/signature-1 peer/signature-1
	# the same once more is there already
	tool skopeo-c copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$image" "docker://$image"
	we_take p.json "$image"
	[ ! -e ours/signature-2 ]
	[ -z "$(find "$BATS_FILE_TMPDIR/lookaside" -path '*extension*')" ]
}

@test "signatures: a key with a passphrase" {
	echo secret >pass
	echo wrong >wrong
	gpg -q --batch --pinentry-mode loopback --passphrase-file pass --quick-generate-key locked@example.com ed25519 sign never
	gpg -q --export locked@example.com >locked.gpg
	gpg_stop
	tool 6 skopeo-c copy -q --sign-by locked@example.com --sign-passphrase-file wrong --dest-tls-verify=false "$SRC" "docker://$REGISTRY/t/locked:v1"
	error_is denied "the passphrase of the key \"locked@example.com\" is wrong"
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/t/locked:v1"
	tool skopeo-c copy -q --sign-by locked@example.com --sign-passphrase-file pass --dest-tls-verify=false "$SRC" "docker://$REGISTRY/t/locked:v1"
	policy p.json "{${GOOD/$BATS_FILE_TMPDIR\/good.gpg/$BATS_TEST_TMPDIR/locked.gpg}}"
	we_take p.json "$REGISTRY/t/locked:v1"
	tool 2 skopeo-c copy -q --sign-by nobody@example.com --dest-tls-verify=false "$SRC" "docker://$REGISTRY/t/locked:v2"
	error_is usage "no secret key for \"nobody@example.com\""
}

@test "signatures: options that do not fit" {
	tool 2 skopeo-c copy --sign-identity a:v1 "$SRC" dir:d
	tool 2 skopeo-c copy --sign-by good@example.com --sign-identity a.example/b "$SRC" dir:d
	tool 2 skopeo-c copy --sign-by good@example.com "$SRC" dir:d
	error_is usage "has no name to sign for"
	tool 10 skopeo-c copy --sign-by good@example.com --sign-identity a.example/b:v1 "$SRC" oci:o:v1
	[ ! -e d ]
	[ ! -e o ]
	tool skopeo-c copy --sign-by good@example.com --sign-identity a.example/b:v1 "$SRC" dir:d
	[ -s d/signature-1 ]
}

@test "signatures: a message that inflates without end, two signatures, a message without one" {
	tool skopeo-c copy -q "$SRC" dir:d
	echo "{\"default\":[{$GOOD,\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"a.example/b\"}}]}" >p.json
	head -c 30000000 /dev/zero | gpg -q --batch -u good@example.com -s -o d/signature-1
	[ "$(stat -c %s d/signature-1)" -lt 1000000 ]
	tool 6 skopeo-c copy -q --policy p.json dir:d dir:e
	skopeo manifest-digest d/manifest.json >digest
	printf '{"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":"%s"},"identity":{"docker-reference":"a.example/b:v1"}},"optional":{}}' "$(cat digest)" >payload
	gpg -q --batch --yes -u good@example.com -u other@example.com -s -o d/signature-1 payload
	tool 6 skopeo-c copy -q --policy p.json dir:d dir:e
	gpg -q --batch --yes --store -o d/signature-1 payload
	tool 6 skopeo-c copy -q --policy p.json dir:d dir:e
	gpg -q --batch --yes -u good@example.com -s -o d/signature-1 payload
	tool skopeo-c copy -q --policy p.json dir:d dir:e
	# what is signed must be just what a signature says
	sed 's/"optional"/"x":1,"optional"/' payload | gpg -q --batch --yes -u good@example.com -s -o d/signature-1
	tool 6 skopeo-c copy -q --policy p.json dir:d dir:f
	# a signature that has expired
	gpg -q --batch --yes --faked-system-time 20200101T000000! --default-sig-expire 1d -u good@example.com -s -o d/signature-1 payload || true
	tool 6 skopeo-c copy -q --policy p.json dir:d dir:f
	[ -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'ocid-gpg.*')" ]
}
