# SPDX-License-Identifier: Apache-2.0
# What skopeo's users type: its options, for all verbs and for each.

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
	oci_image "$BATS_FILE_TMPDIR/oci" a '{}' >/dev/null
}

teardown_file() {
	liar_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# As skopeo's manual pages have them; those with "=" take a value.
GLOBAL='command-timeout= debug insecure-policy override-arch= override-os= override-variant= policy= registries.d=
	require-signed tls-details= tmpdir= user-agent-prefix= registries-conf= help'
SIDE='authfile= creds= cert-dir= no-creds registry-token= tls-verify username= password='
RETRY='retry-times= retry-delay='
SIGN='remove-signatures remove-list-signatures sign-by= sign-by-sigstore= sign-by-sigstore-private-key= sign-by-sq-fingerprint= sign-passphrase-file='

options_of() {
	local option

	case $1 in
	copy | sync)
		echo screds= dcreds= all authfile= digestfile= format= preserve-digests "$RETRY" "$SIGN"
		for option in $SIDE; do
			echo "src-$option dest-$option"
		done
		;;&
	copy)
		echo additional-tag= encrypt-layer= multi-arch= quiet sign-identity= encryption-key= decryption-key= \
			dest-compress dest-decompress dest-oci-accept-uncompressed-layers dest-compress-format= \
			dest-compress-level= dest-force-compress-format dest-precompute-digests src-daemon-host= dest-daemon-host= \
			src-shared-blob-dir= dest-shared-blob-dir= image-parallel-copies= strip-removed-platforms
		;;
	sync) echo dry-run src= dest= scoped append-suffix= keep-going ;;
	delete) echo daemon-host= shared-blob-dir= "$SIDE" "$RETRY" ;;
	inspect) echo config daemon-host= format= raw shared-blob-dir= no-tags manifest-digest= "$SIDE" "$RETRY" ;;
	list-tags) echo "$SIDE" "$RETRY" ;;
	login) echo password= password-stdin username= authfile= compat-auth-file= get-login cert-dir= tls-verify verbose ;;
	logout) echo authfile= compat-auth-file= all tls-verify ;;
	standalone-sign) echo output= passphrase-file= ;;
	standalone-verify) echo public-key-file= ;;
	generate-sigstore-key) echo output-prefix= passphrase-file= ;;
	esac
}

@test "skopeo's options: none is unknown, before the verb or behind it" {
	for verb in copy delete generate-sigstore-key inspect list-tags login logout manifest-digest standalone-sign standalone-verify sync; do
		words=()
		for option in $(options_of "$verb") $GLOBAL; do
			case $option in
			src= | dest=) words+=("--$option"dir) ;;
			manifest-digest=) words+=("--$option"sha256) ;;
			*=) words+=("--$option""1") ;;
			*) words+=("--$option") ;;
			esac
		done
		# options are read before anything is done: --help, shows that all are known
		tool skopeo-c "${words[@]}" "$verb"
		tool skopeo-c "$verb" "${words[@]}"
	done
	# with a value and without, as skopeo's are given
	tool skopeo-c --insecure-policy copy --src-tls-verify=false --quiet=true "oci:$BATS_FILE_TMPDIR/oci:a" dir:d
	[ -z "$output$stderr" ]
	tool skopeo-c copy --insecure-policy=true --dest-tls-verify=true --all=false "oci:$BATS_FILE_TMPDIR/oci:a" dir:d
}

@test "skopeo's options: copy --quiet prints nothing, like skopeo's, but its document for what skopeo lacks" {
	for to in oci:o:x "docker-archive:a:n/a:1" dir:d; do
		tool skopeo-c copy -q "oci:$BATS_FILE_TMPDIR/oci:a" "$to"
		[ -z "$output$stderr" ]
	done
	tool skopeo-c copy -q "oci:$BATS_FILE_TMPDIR/oci:a" store:quiet
	[ "$(jq -r .image.name <<<"$output")" = docker.io/library/quiet:latest ]
	tool skopeo-c copy -q --events 1 "oci:$BATS_FILE_TMPDIR/oci:a" oci:o:y
	tail -n 1 <<<"$output" | jq -e '.image.manifest'
}

@test "skopeo's options: what is not supported says so and does nothing" {
	for option in --encryption-key=jwe:k --decryption-key=k --encrypt-layer=0 --sign-by-sq-fingerprint=1 --tls-details=f; do
		tool 10 skopeo-c copy "$option" "oci:$BATS_FILE_TMPDIR/oci:a" dir:d
		[ ! -e d ]
	done
	tool 10 skopeo-c --tls-details f inspect "oci:$BATS_FILE_TMPDIR/oci:a"
	tool 2 skopeo-c delete --shared-blob-dir d "docker://$LIAR/good/x:v1"
	error_is usage "is for oci:"
	tool 2 skopeo-c delete --daemon-host d "docker://$LIAR/good/x:v1"
	error_is usage "nothing can be deleted"
}

@test "skopeo's options: --command-timeout ends what takes longer, --user-agent-prefix says who asks" {
	cat >silent.py <<-'END'
		import socket
		listener = socket.create_server(("127.0.0.1", 0))
		with open("port", "w") as file:
		    print(listener.getsockname()[1], file=file)
		kept = []
		while True:
		    connection = listener.accept()[0]
		    request = connection.recv(4096)
		    if request[:1] == b"G":
		        with open("request", "wb") as file:
		            file.write(request)
		        kept.append(connection)  # and no answer
		    else:
		        connection.close()
	END
	/usr/bin/python3 silent.py 3>&- &
	local pid=$!
	wait_for 10 test -s port
	tool 8 skopeo-c --command-timeout 1s --user-agent-prefix "me/1 (test)" inspect --tls-verify=false "docker://127.0.0.1:$(cat port)/x:v1"
	kill "$pid"
	error_is temporary "not done within the time allowed"
	grep -q '^User-Agent: me/1 (test) skopeo-c/' request
	tool skopeo-c --command-timeout 0 inspect "oci:$BATS_FILE_TMPDIR/oci:a"
	tool skopeo-c --command-timeout 1h30m inspect "oci:$BATS_FILE_TMPDIR/oci:a"
	tool 2 skopeo-c --command-timeout soon inspect "oci:$BATS_FILE_TMPDIR/oci:a"
	error_is usage "not a time such as 90s"
	tool 2 skopeo-c --user-agent-prefix $'x\r\nCookie: y' inspect "oci:$BATS_FILE_TMPDIR/oci:a"
}

@test "skopeo's options: --debug, --tmpdir, --registries-conf" {
	tar -cf root.tar -T /dev/null
	tool 3 skopeo-c --tmpdir "$BATS_TEST_TMPDIR/none" copy tarball:root.tar docker-archive:-
	error_is not-found "cannot make a temporary file in $BATS_TEST_TMPDIR/none"
	printf '[[registry]]\nlocation = "%s"\nblocked = true\n' "$LIAR" >registries.conf
	tool 6 skopeo-c --registries-conf registries.conf inspect "docker://$LIAR/good/x:v1"
	error_is denied "blocked by registries.conf:1"
	printf '[[registry]]\nlocation = "127.0.0.1:1"\n' >registries.conf
	tool 8 skopeo-c --debug --registries-conf registries.conf inspect --retry-times 1 docker://127.0.0.1:1/x:v1
	[ "$(wc -l <<<"$stderr")" -gt 1 ]
}

@test "skopeo's options: --require-signed lets no policy do without signatures" {
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >policy.json
	tool skopeo-c --policy policy.json copy "oci:$BATS_FILE_TMPDIR/oci:a" dir:d
	tool 6 skopeo-c --require-signed --policy policy.json copy "oci:$BATS_FILE_TMPDIR/oci:a" dir:e
	error_is denied "without a signature, which --require-signed forbids"
	[ ! -e e ]
	tool 2 skopeo-c --require-signed --insecure-policy copy "oci:$BATS_FILE_TMPDIR/oci:a" dir:e
}

@test "skopeo's options: --retry-delay is the time between attempts" {
	: >"$LIAR_LOG"
	# without it this would take minutes
	tool 8 skopeo-c inspect --tls-verify=false --retry-times 12 --retry-delay 1ms "docker://$LIAR/broken/x:v1"
	[ "$(grep -c /manifests/v1 "$LIAR_LOG")" -eq 13 ]
	tool 2 skopeo-c inspect --retry-delay soon "docker://$LIAR/good/x:v1"
	error_is usage "--retry-delay is a time such as 90s"
	tool 2 skopeo-c copy --retry-delay -5s "docker://$LIAR/good/x:v1" dir:d
}

@test "skopeo's options: sync --digestfile has each image with its destination's name" {
	printf '%s:\n  tls-verify: false\n  images:\n    good/x: [v1, v2]\n' "$LIAR" >images.yaml
	tool skopeo-c sync --src yaml --dest dir --digestfile digests images.yaml out
	digest=$(skopeo-c inspect -n --tls-verify=false --format '{{.Digest}}' "docker://$LIAR/good/x:v1")
	printf '%s dir:%s\n' "$digest" out/x:v1 "$digest" out/x:v2 | diff - digests
	# what was there already is there, too
	tool skopeo-c sync --src yaml --dest dir --digestfile again images.yaml out
	diff digests again
	tool skopeo-c sync --src yaml --dest dir --dry-run --digestfile none images.yaml out
	[ ! -e none ]
}

@test "skopeo's options: --dest-oci-accept-uncompressed-layers" {
	tar -cf root.tar -T /dev/null
	tool skopeo-c copy tarball:root.tar docker-archive:a.tar:x
	tool skopeo-c copy --dest-decompress docker-archive:a.tar docker-archive:plain.tar:x
	tool skopeo-c copy --dest-oci-accept-uncompressed-layers docker-archive:plain.tar oci:plain
	skopeo inspect --raw oci:plain | jq -e '.layers[0].mediaType == "application/vnd.oci.image.layer.v1.tar"'
	tool skopeo-c copy docker-archive:plain.tar oci:gzip
	skopeo inspect --raw oci:gzip | jq -e '.layers[0].mediaType == "application/vnd.oci.image.layer.v1.tar+gzip"'
	tool 2 skopeo-c copy --dest-oci-accept-uncompressed-layers docker-archive:plain.tar dir:d
}

@test "skopeo's options: inspect --manifest-digest and --shared-blob-dir" {
	skopeo inspect --raw "oci:$BATS_FILE_TMPDIR/oci:a" >manifest
	for algorithm in sha256 sha512; do
		tool skopeo-c inspect --manifest-digest "$algorithm" --format '{{.Digest}}' "oci:$BATS_FILE_TMPDIR/oci:a"
		[ "$output" = "$algorithm:$("${algorithm}sum" <manifest | cut -d ' ' -f 1)" ]
	done
	tool 2 skopeo-c inspect --manifest-digest md5 "oci:$BATS_FILE_TMPDIR/oci:a"
	tool skopeo-c copy --dest-shared-blob-dir blobs "oci:$BATS_FILE_TMPDIR/oci:a" oci:shared:a
	tool 3 skopeo-c inspect oci:shared:a
	tool skopeo-c inspect --shared-blob-dir blobs oci:shared:a
}

@test "skopeo's options: login --compat-auth-file writes what docker reads" {
	tool skopeo-c login --tls-verify=false --username alice --password secret --compat-auth-file docker.json -v "$LIAR"
	jq -e --arg file docker.json '.file == $file' <<<"$output"
	jq -e --arg host "$LIAR" '.auths[$host].auth == "YWxpY2U6c2VjcmV0"' docker.json
	tool skopeo-c login --get-login --compat-auth-file docker.json "$LIAR"
	[ "$output" = alice ]
	tool 2 skopeo-c login --username u --password p --compat-auth-file docker.json "$LIAR/path"
	error_is usage "hosts, not for paths"
	tool 2 skopeo-c login --username u --password p --compat-auth-file docker.json --authfile a.json "$LIAR"
	# docker's own name for its registry
	echo '{"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}}' >hub.json
	tool skopeo-c login --get-login --compat-auth-file hub.json docker.io
	[ "$output" = u ]
	tool skopeo-c logout --compat-auth-file hub.json --tls-verify=false docker.io
	jq -e '.auths == {}' hub.json
	tool skopeo-c logout --compat-auth-file docker.json "$LIAR"
	jq -e '.auths == {}' docker.json
}
