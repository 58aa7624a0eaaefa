# SPDX-License-Identifier: Apache-2.0
# Sigstore's signatures: keys, attachments, bundles. What cosign does is done by sigstore.py and
# openssl; Debian's skopeo has them switched off.
# shellcheck disable=SC2016 # jq's variables

load ../helpers
load common
load signing

setup_file() {
	file_setup
	signing_setup
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	cd "$BATS_FILE_TMPDIR" || return
	oci_image src v1 '{}' base.tar >src.digest
	oci_image other v1 '{"author":"another"}' base.tar >other.digest
	registry_start
	signing_registry_start
	lookaside_is "default-docker:" "  use-sigstore-attachments: true"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key 2>/dev/null
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.key 2>/dev/null
	openssl genpkey -algorithm ED25519 -out ed.key
	for key in ec rsa weak ed; do openssl pkey -in $key.key -pubout -out $key.pub; done
	echo secret >pass
	tool skopeo-c generate-sigstore-key --output-prefix ours --passphrase-file pass
}

teardown_file() {
	signing_registry_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	DIR=$BATS_FILE_TMPDIR SRC=oci:$BATS_FILE_TMPDIR/src:v1
	DIGEST=$(cut -d ' ' -f 1 "$DIR/src.digest")
}

# The image under a name, without signatures.
push() {
	skopeo --insecure-policy copy -q --dest-tls-verify=false "${2-$SRC}" "docker://$1"
}

# cosign KIND IMAGE-WITHOUT-TAG KEY [OPTION…]: as sigstore.py
cosign() {
	/usr/bin/python3 "$TESTS/skopeo-c/sigstore.py" "$1" "${2%%/*}" "${2#*/}" "$DIGEST" "$DIR/$3.key" "${@:4}"
}

# key NAME [MEMBER…]: the requirement for its public key
key() {
	printf '{"type":"sigstoreSigned","keyPath":"%s/%s.pub"%s}' "$DIR" "$1" "${2:+,$2}"
}

REPOSITORY='"signedIdentity":{"type":"matchRepository"}'

@test "sigstore: a pair of keys that openssl reads, and that nothing overwrites" {
	tool skopeo-c generate-sigstore-key --output-prefix k --passphrase-file "$DIR/pass"
	[ "$output" = 'Key written to "k.private" and "k.pub"' ]
	[ "$(stat -c %a k.private k.pub | tr '\n' ' ')" = "600 644 " ]
	[ "$(head -n 1 k.private)" = "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----" ]
	sed '1d;$d' k.private | base64 -d | jq -e '.kdf.name == "scrypt" and .kdf.params == {"N":65536,"r":8,"p":1}
		and .cipher.name == "nacl/secretbox"'
	openssl pkey -pubin -in k.pub -noout -text | grep -q P-256
	cp k.pub before
	tool 4 skopeo-c generate-sigstore-key --output-prefix k --passphrase-file "$DIR/pass"
	cmp k.pub before
	[[ $stderr != *remove* ]]
	rm k.private
	tool 4 skopeo-c generate-sigstore-key --output-prefix k --passphrase-file "$DIR/pass"
	error_is exists "there is no k.private: if a killed run has left it so, remove it"
	[ ! -e k.private ]
	tool 2 skopeo-c generate-sigstore-key --passphrase-file "$DIR/pass"
	tool 2 skopeo-c generate-sigstore-key --output-prefix n </dev/null
	error_is usage "use --passphrase-file"
	tool skopeo-c generate-sigstore-key --json --output-prefix n --passphrase-file "$DIR/pass"
	jq -e '. == {"private":"n.private","public":"n.pub"}' <<<"$output"
}

@test "sigstore: copy signs, and openssl finds the signature good" {
	local image=$REGISTRY/s/x layer

	tool skopeo-c copy -q --dest-tls-verify=false --sign-by-sigstore-private-key "$DIR/ours.private" \
		--sign-passphrase-file "$DIR/pass" "$SRC" "docker://$image:v1"
	skopeo inspect --tls-verify=false --raw "docker://$image:${DIGEST/:/-}.sig" >manifest
	jq -e '.mediaType == "application/vnd.oci.image.manifest.v1+json" and (.layers | length) == 1 and
		.layers[0].mediaType == "application/vnd.dev.cosign.simplesigning.v1+json"' manifest
	layer=$(jq -r '.layers[0].digest' manifest)
	curl -fs "http://$REGISTRY/v2/s/x/blobs/$layer" >payload
	jq -e --arg digest "$DIGEST" --arg name "$image:v1" '.critical == {"type":"cosign container image signature",
		"image":{"docker-manifest-digest":$digest},"identity":{"docker-reference":$name}}' payload
	jq -r '.layers[0].annotations["dev.cosignproject.cosign/signature"]' manifest | base64 -d >signature
	openssl dgst -sha256 -verify "$DIR/ours.pub" -signature signature payload
	curl -fs "http://$REGISTRY/v2/s/x/blobs/$(jq -r .config.digest manifest)" |
		jq -e --arg layer "$layer" '.rootfs.diff_ids == [$layer]'
	policy p.json "$(key ours)"
	we_take p.json "$image:v1"
	policy other.json "$(key ec)"
	we_take 6 other.json "$image:v1"
	error_is denied "a signature is by none of the keys"
}

@test "sigstore: who may not list the referrers takes the signatures of the other kind" {
	local image=$SIGNING/refuses-403/x

	tool skopeo-c copy -q --dest-tls-verify=false --sign-by-sigstore-private-key "$DIR/ours.private" \
		--sign-passphrase-file "$DIR/pass" "$SRC" "docker://$image:v1"
	policy p.json "$(key ours)"
	we_take p.json "$image:v1"
	policy other.json "$(key ec)"
	we_take 6 other.json "$image:v1"
	error_is denied "a signature is by none of the keys"
}

@test "sigstore: signing again says nothing new, for another name it adds" {
	local image=$REGISTRY/s/again

	for tag in v1 v1 v2 v1; do
		tool skopeo-c copy -q --dest-tls-verify=false --sign-by-sigstore-private-key "$DIR/ours.private" \
			--sign-passphrase-file "$DIR/pass" "$SRC" "docker://$image:$tag"
	done
	skopeo inspect --tls-verify=false --raw "docker://$image:${DIGEST/:/-}.sig" >manifest
	[ "$(jq '.layers | length' manifest)" -eq 2 ]
	policy p.json "$(key ours)"
	we_take p.json "$image:v1"
	we_take p.json "$image:v2"
	# to another repository they come along, and are not doubled
	for _ in 1 2; do
		tool skopeo-c copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$image:v1" "docker://$SIGNING/s/copied:v1"
	done
	curl -fs "http://$SIGNING/v2/s/copied/manifests/${DIGEST/:/-}.sig" | jq -e '.layers | length == 2'
	policy p.json "$(key ours "\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"$image\"}")"
	we_take p.json "$SIGNING/s/copied:v1"
	# through a directory and back
	tool skopeo-c copy -q --src-tls-verify=false "docker://$image:v1" dir:d
	[ "$(head -c 15 d/signature-1 | tr '\0' .)" = ".sigstore-json" ]
	tool skopeo-c copy -q --dest-tls-verify=false dir:d "docker://$SIGNING/s/back:v1"
	we_take p.json "$SIGNING/s/back:v1"
}

@test "sigstore: what cosign attaches, with each kind of key" {
	local kind

	for kind in ec rsa ed; do
		push "$REGISTRY/c/$kind:v1"
		cosign attachment "$REGISTRY/c/$kind" $kind
		policy p.json "$(key $kind "$REPOSITORY")"
		we_take p.json "$REGISTRY/c/$kind:v1"
		# cosign does not name the tag
		policy p.json "$(key $kind)"
		we_take 6 p.json "$REGISTRY/c/$kind:v1"
		error_is denied "a signature is for the name \"$REGISTRY/c/$kind\""
	done
	printf '{"default":[{"type":"sigstoreSigned","keyPaths":["%s/rsa.pub","%s/ec.pub"],%s}]}' "$DIR" "$DIR" "$REPOSITORY" >p.json
	we_take p.json "$REGISTRY/c/ec:v1"
	# base64(1) writes lines
	printf '{"default":[{"type":"sigstoreSigned","keyDatas":[%s],%s}]}' "$(base64 "$DIR/ec.pub" | jq -Rs .)" "$REPOSITORY" >p.json
	we_take p.json "$REGISTRY/c/ec:v1"
	policy p.json "$(key weak "$REPOSITORY")"
	we_take 10 p.json "$REGISTRY/c/ec:v1"
	error_is unsupported "2048 bits"
}

@test "sigstore: signatures that are not good, or for something else" {
	policy p.json "$(key ec "$REPOSITORY")"
	push "$REGISTRY/bad/x:v1"
	we_take 6 p.json "$REGISTRY/bad/x:v1"
	error_is denied "a signature is required, and there is none"
	cosign attachment "$REGISTRY/bad/x" ec corrupt=1
	we_take 6 p.json "$REGISTRY/bad/x:v1"
	error_is denied "a signature is by none of the keys"
	cosign attachment "$REGISTRY/bad/x" ec name="$REGISTRY/good/x"
	we_take 6 p.json "$REGISTRY/bad/x:v1"
	error_is denied "a signature is for the name"
	cosign attachment "$REGISTRY/bad/x" ec digest="sha256:$(printf '0%.0s' {1..64})"
	we_take 6 p.json "$REGISTRY/bad/x:v1"
	error_is denied "a signature is for another image"
	cosign attachment "$REGISTRY/bad/x" ec type="atomic container signature"
	we_take 6 p.json "$REGISTRY/bad/x:v1"
	error_is denied "of the type"
	cosign attachment "$REGISTRY/bad/x" ec
	we_take p.json "$REGISTRY/bad/x:v1"
	# not where registries.d does not say so
	mkdir rd
	tool 6 skopeo-c copy -q --registries.d rd --policy p.json --src-tls-verify=false "docker://$REGISTRY/bad/x:v1" dir:d
	error_is denied "there is none (use-sigstore-attachments: true in registries.d lets them"
	tool 6 skopeo-c copy -q --registries.d rd --dest-tls-verify=false --sign-by-sigstore-private-key "$DIR/ours.private" \
		--sign-passphrase-file "$DIR/pass" "$SRC" "docker://$REGISTRY/bad/y:v1"
	error_is denied "use-sigstore-attachments: true in registries.d"
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/bad/y:v1"
}

@test "sigstore: bundles, by the tag and by the API for referrers" {
	local image=$REGISTRY/b/x

	policy p.json "$(key ec "$REPOSITORY")"
	push "$image:v1"
	cosign bundle "$image" ec
	we_take 6 p.json "$image:v1"
	error_is denied "accept-bundles-without-identity: true in registries.d allows it"
	lookaside_is "default-docker:" "  use-sigstore-attachments: true" "  accept-bundles-without-identity: true"
	we_take p.json "$image:v1"
	# cosign 3 makes bundles of what is in an image, too: that is no signature
	cosign bundle "$image" ec predicate=https://slsa.dev/provenance/v1
	we_take 6 p.json "$image:v1"
	error_is denied "it is no signature"
	cosign bundle "$image" ec digest="sha256:$(printf '0%.0s' {1..64})"
	we_take 6 p.json "$image:v1"
	error_is denied "a bundle is for another image"
	cosign bundle "$image" rsa
	we_take 6 p.json "$image:v1"
	error_is denied "a bundle is signed by none of the keys"
	push "$SIGNING/b/x:v1"
	cosign bundle "$SIGNING/b/x" rsa api=1
	cosign bundle "$SIGNING/b/x" ec api=1
	we_take p.json "$SIGNING/b/x:v1"
	grep -q "GET /v2/b/x/referrers/$DIGEST" "$SIGNING_DIR/log"
	policy p.json "$(key ec "$REPOSITORY,\"rekorPublicKeyPath\":\"$DIR/ec.pub\"")"
	we_take 6 p.json "$SIGNING/b/x:v1"
	error_is denied "Rekor's log is not checked for bundles"
	lookaside_is "default-docker:" "  use-sigstore-attachments: true"
	# one that names an image needs no leave
	push "$SIGNING/b/named:v1"
	cosign bundle "$SIGNING/b/named" ec api=1 name="$SIGNING/b/named"
	policy p.json "$(key ec "$REPOSITORY")"
	we_take p.json "$SIGNING/b/named:v1"
	we_take 6 p.json "$SIGNING/b/x:v1"
}

# put IMAGE-WITHOUT-TAG TAG TYPE: a manifest from standard input, into the registry that checks nothing
put() {
	curl -fs -X PUT -H "Content-Type: $3" --data-binary @- "http://${1%%/*}/v2/${1#*/}/manifests/$2"
}

@test "sigstore: attachments and referrers that are too many, too large, or no such things" {
	local image=$SIGNING/h/x manifest=application/vnd.oci.image.manifest.v1+json layer none tag size

	none=sha256:$(printf '0%.0s' {1..64})
	tag=${DIGEST/:/-}.sig
	push "$image:v1"
	policy p.json "$(key ec "$REPOSITORY")"
	cosign attachment "$image" ec
	we_take p.json "$image:v1"
	layer=$(curl -fs "http://$SIGNING/v2/h/x/manifests/$tag" | jq -c '.layers[0]')
	changed() { # STATUS KIND TEXT JQ…: the attachment's manifest, changed, is refused so
		curl -fs "http://$SIGNING/v2/h/x/manifests/$tag" >before
		jq -c "${@:4}" before | put "$image" "$tag" $manifest
		we_take "$1" p.json "$image:v1"
		error_is "$2" "$3"
		put "$image" "$tag" $manifest <before
	}
	changed 9 limit "more than 128 signatures" '.layers = [range(200) as $i | .layers[0]]'
	changed 9 limit "larger than" '.layers[0].size = 5000000'
	changed 7 integrity "bytes, expected" '.layers[0].size += 1'
	changed 3 not-found "" --arg none "$none" '.layers[0].digest = $none'
	changed 7 integrity "annotations that are no texts" '.layers[0].annotations.x = 1'
	changed 6 denied "a signature is required" '.layers[0].mediaType = "text/plain"'
	changed 6 denied "lacks the annotation" 'del(.layers[0].annotations)'
	changed 6 denied "by none of the keys" '.layers[0].annotations["dev.cosignproject.cosign/signature"] = ("A" * 100000)'
	changed 6 denied "by none of the keys" '.layers[0].annotations["dev.cosignproject.cosign/signature"] = "!"'
	echo '<html>' | put "$image" "$tag" text/html
	we_take 7 p.json "$image:v1"
	echo "{\"schemaVersion\":2,\"manifests\":[]}" | put "$image" "$tag" application/vnd.oci.image.index.v1+json
	we_take 7 p.json "$image:v1"
	error_is integrity "the signatures under $tag are a"
	jq -n --argjson layer "$layer" '{"schemaVersion":2,"config":$layer,"layers":[]}' | put "$image" "$tag" $manifest
	we_take 6 p.json "$image:v1"
	# a bundle may be behind each referrer
	size=$(curl -fs "http://$SIGNING/v2/h/x/manifests/$DIGEST" | wc -c)
	/usr/bin/python3 - "$SIGNING" "$layer" "$DIGEST" "$size" <<-'END'
		import http.client, json, sys
		address, layer, digest, size = sys.argv[1:]
		connection = http.client.HTTPConnection(address)
		kind = "application/vnd.oci.image.manifest.v1+json"
		for i in range(130):
		    body = {"schemaVersion": 2, "config": json.loads(layer), "layers": [], "annotations": {"i": str(i)},
		            "subject": {"mediaType": kind, "digest": digest, "size": int(size)}}
		    connection.request("PUT", f"/v2/h/x/manifests/r{i}", json.dumps(body), {"Content-Type": kind})
		    answer = connection.getresponse()
		    answer.read()
		    if answer.status // 100 != 2:
		        sys.exit(f"{answer.status}")
	END
	we_take 9 p.json "$image:v1"
	error_is limit "more than 128 referrers"
	# where nothing is to be verified none of this is looked at
	tool skopeo-c copy -q --insecure-policy --remove-signatures --src-tls-verify=false "docker://$image:v1" dir:d
}

@test "sigstore: Rekor's promise, where the policy wants it" {
	local image=$REGISTRY/r/x

	policy p.json "$(key ec "$REPOSITORY,\"rekorPublicKeyPath\":\"$DIR/rsa.pub\"")"
	push "$image:v1"
	cosign attachment "$image" ec
	we_take 6 p.json "$image:v1"
	error_is denied "is not logged by Rekor"
	cosign attachment "$image" ec rekor="$DIR/rsa.key"
	we_take p.json "$image:v1"
	policy other.json "$(key ec "$REPOSITORY,\"rekorPublicKeyPath\":\"$DIR/ed.pub\"")"
	we_take 6 other.json "$image:v1"
	error_is denied "Rekor's promise for a signature is not signed by its key"
	cosign attachment "$image" ec rekor="$DIR/rsa.key" logged="$(printf '0%.0s' {1..64})"
	we_take 6 p.json "$image:v1"
	error_is denied "is about another payload"
}

@test "sigstore: signing parameters, as far as keys go" {
	policy p.json "$(key ours)"
	printf 'privateKeyFile: "%s"\nprivateKeyPassphraseFile: "%s"\n' "$DIR/ours.private" "$DIR/pass" >params.yaml
	tool skopeo-c copy -q --dest-tls-verify=false --sign-by-sigstore params.yaml "$SRC" "docker://$REGISTRY/p/x:v1"
	we_take p.json "$REGISTRY/p/x:v1"
	echo 'rekorURL: "https://rekor.invalid"' >>params.yaml
	tool 10 skopeo-c copy -q --dest-tls-verify=false --sign-by-sigstore params.yaml "$SRC" "docker://$REGISTRY/p/x:v1"
	echo 'fulcio: {}' >params.yaml
	tool 10 skopeo-c copy -q --dest-tls-verify=false --sign-by-sigstore params.yaml "$SRC" "docker://$REGISTRY/p/x:v1"
	echo 'privateKey: x' >params.yaml
	tool 7 skopeo-c copy -q --dest-tls-verify=false --sign-by-sigstore params.yaml "$SRC" "docker://$REGISTRY/p/x:v1"
	tool 2 skopeo-c copy -q --sign-by-sigstore params.yaml --sign-by-sigstore-private-key k "$SRC" dir:d
}

# A private key as go-securesystemslib writes it, by skopeo 1.22, whose passphrase is "pw".
peers_key() {
	cat <<-'END'
		-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
		eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
		OCwicCI6MX0sInNhbHQiOiJBSVFha0h0d0xLb3F3YzRUZ1JvanovK1Ivb2dNUXc1
		ZUdhU2RTT2pDbi9NPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
		Iiwibm9uY2UiOiI1a2FYN25JRjhHbjNyNE50bklLWEVEazF2MFdFV0VlUyJ9LCJj
		aXBoZXJ0ZXh0IjoiSHIzaVVhcnN1dVdUYkVDYUpWc3d3Rk54S1FBODVMM05EUGZj
		STA4Y0F2Z004MzhIbUdPOFRmK3pWYi81Y29QOS9QczZPQ1JMQ2VBdnUraUQyN3FU
		eTJwSjRxWHpWUElacFNkVi9qd29KcSthak1QM2hISzVhTXRmaEk4VXFDRGc2RDA2
		MjRtSHF1bW1ha2QyRWovUStlcENhbE8vcWdpZjBUbjlqTUZFamRLeUlSVVhXVDhk
		TGNsZTEwTE1BSU1jUDdSMjJYeFpianM1aHc9PSJ9
		-----END ENCRYPTED COSIGN PRIVATE KEY-----
	END
}

@test "sigstore: private keys of others, wrong passphrases, keys that want too much" {
	local sign

	echo pw >pw
	peers_key >peer.private
	sign="skopeo-c copy -q --dest-tls-verify=false $SRC docker://$REGISTRY/k/x:v1 --sign-passphrase-file pw --sign-by-sigstore-private-key"
	# shellcheck disable=SC2086 # words
	tool $sign peer.private
	cat >peer.pub <<-'END'
		-----BEGIN PUBLIC KEY-----
		MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYNdve9iAuSLDU1la4v6Fy1HE4593
		dIO3oATSpu6n1lACSy/hJsHEo7rtf9FvtlklfPdVxrCToUtBNRveuxYZ0w==
		-----END PUBLIC KEY-----
	END
	policy p.json "{\"type\":\"sigstoreSigned\",\"keyPath\":\"$PWD/peer.pub\"}"
	we_take p.json "$REGISTRY/k/x:v1"
	# cosign 3's name for the same
	sed -i 's/COSIGN/SIGSTORE/' peer.private
	# shellcheck disable=SC2086
	tool $sign peer.private
	echo wrong >pw
	# shellcheck disable=SC2086
	tool 6 $sign peer.private
	error_is denied "the passphrase for peer.private is wrong"
	changed() { # STATUS FILTER: the key, changed, is refused so
		{
			echo "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----"
			sed '1d;$d' peer.private | base64 -d | jq -c "$2" | base64
			echo "-----END ENCRYPTED COSIGN PRIVATE KEY-----"
		} >changed.private
		# shellcheck disable=SC2086
		tool "$1" $sign changed.private
	}
	for greedy in 'N = 1073741824' 'N = 65537' 'N = -1' 'p = 5'; do
		changed 9 ".kdf.params.$greedy"
	done
	changed 7 '.cipher.nonce |= .[:8]'
	changed 7 '.ciphertext |= .[:20]'
	changed 10 '.kdf.name = "x"'
	changed 10 '.cipher.name = "x"'
	for file in "$DIR/ec.key" "$DIR/ours.pub" "$DIR/base.tar"; do
		# shellcheck disable=SC2086
		run ! $sign "$file"
		[ "$status" -eq 7 ] || [ "$status" -eq 9 ]
	done
	# shellcheck disable=SC2086
	tool 2 $sign none.private
}
