# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common
load signing

setup_file() {
	file_setup
	signing_setup
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	cd "$BATS_FILE_TMPDIR" || return
	oci_image src v1 '{}' base.tar >/dev/null
	registry_start
	for name in a/x:v1 a/x:v2 a/y:v1 b/x:v1; do
		skopeo --insecure-policy copy -q --dest-tls-verify=false oci:src:v1 "docker://$REGISTRY/$name"
	done
	liar_start
}

teardown_file() {
	liar_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	rm -f "$HOME/.config/containers/policy.json"
	SRC=oci:$BATS_FILE_TMPDIR/src:v1
}

ACCEPT='[{"type":"insecureAcceptAnything"}]' REJECT='[{"type":"reject"}]'

@test "policy: the user's file is read, --policy before it, --insecure-policy instead" {
	echo "{\"default\":$REJECT}" >"$HOME/.config/containers/policy.json"
	tool 6 skopeo-c copy "$SRC" dir:d
	error_is denied "is refused by the policy: no image of that name is accepted"
	[ ! -e d ]
	tool skopeo-c copy --insecure-policy "$SRC" dir:d
	echo "{\"default\":$ACCEPT}" >accept.json
	tool skopeo-c --policy accept.json copy "$SRC" dir:d
	tool 2 skopeo-c copy --policy none.json "$SRC" dir:d
	tool 2 skopeo-c copy --policy accept.json --insecure-policy "$SRC" dir:d
}

@test "policy: without a file every image is accepted" {
	# the machine may have one
	mkdir -p /etc/containers
	# shellcheck disable=SC2016 # for the inner shell
	tool unshare --mount sh -c 'mount -t tmpfs none /etc/containers && mount -t tmpfs none /usr/share &&
		exec skopeo-c copy "$0" dir:d' "$SRC"
	[ -f d/manifest.json ]
}

@test "policy: that of the distribution counts where there is no other, one of the environment before all" {
	mkdir -p /etc/containers
	echo "{\"default\":$REJECT}" >policy.json
	# shellcheck disable=SC2016 # for the inner shell
	tool 6 unshare --mount sh -c 'mount -t tmpfs none /etc/containers && mount -t tmpfs none /usr/share &&
		mkdir /usr/share/containers && cp policy.json /usr/share/containers && exec skopeo-c copy "$0" dir:d' "$SRC"
	error_is denied "is refused by the policy"
	mkdir containers
	mv policy.json containers
	XDG_CONFIG_HOME=$PWD tool 6 skopeo-c copy "$SRC" dir:d
	CONTAINERS_POLICY_JSON=containers/policy.json tool 6 skopeo-c copy "$SRC" dir:d
	CONTAINERS_POLICY_JSON=none.json tool 2 skopeo-c copy "$SRC" dir:d
	[ ! -e d ]
	CONTAINERS_POLICY_JSON=none.json tool skopeo-c copy --insecure-policy "$SRC" dir:d
}

@test "policy: what is rejected is not even asked for" {
	printf '{"default":%s,"transports":{"docker":{"%s/good/x":%s}}}' "$ACCEPT" "$LIAR" "$REJECT" >p.json
	tool 6 skopeo-c copy --policy p.json --src-tls-verify=false "docker://$LIAR/good/x:v1" dir:d
	[ ! -s "$LIAR_LOG" ]
	tool skopeo-c copy --policy p.json --src-tls-verify=false "docker://$LIAR/good/y:v1" dir:d
}

@test "policy: the most specific scope counts, as it does for skopeo" {
	local digest scope image verdict

	digest=$(digest_of "$REGISTRY/a/x:v1")
	# a scope that accepts among others that reject, and an image that it is for or not
	while read -r scope image verdict; do
		printf '{"default":%s,"transports":{"docker":{"":%s,"other":%s,"%s":%s}}}' \
			"$REJECT" "$REJECT" "$REJECT" "${scope/@DIGEST/@$digest}" "$ACCEPT" >p.json
		image=${image/@DIGEST/@$digest}
		echo "$scope $image"
		if [ "$verdict" = yes ]; then
			peer_takes p.json "$image"
			we_take p.json "$image"
		else
			run ! peer_takes p.json "$image"
			we_take 6 p.json "$image"
		fi
	done <<-END
		$REGISTRY/a/x:v1 $REGISTRY/a/x:v1 yes
		$REGISTRY/a/x:v1 $REGISTRY/a/x:v2 no
		$REGISTRY/a/x:v1 $REGISTRY/a/x@DIGEST no
		$REGISTRY/a/x@DIGEST $REGISTRY/a/x@DIGEST yes
		$REGISTRY/a/x $REGISTRY/a/x:v2 yes
		$REGISTRY/a/x $REGISTRY/a/y:v1 no
		$REGISTRY/a $REGISTRY/a/y:v1 yes
		$REGISTRY/a $REGISTRY/b/x:v1 no
		$REGISTRY $REGISTRY/b/x:v1 yes
		${REGISTRY%:*} $REGISTRY/b/x:v1 no
		*.0.1 $REGISTRY/b/x:v1 yes
		*.1.1 $REGISTRY/b/x:v1 no
	END
	# the narrower one rejects
	printf '{"default":%s,"transports":{"docker":{"%s":%s,"%s":%s}}}' \
		"$ACCEPT" "$REGISTRY/a" "$ACCEPT" "$REGISTRY/a/x" "$REJECT" >p.json
	we_take 6 p.json "$REGISTRY/a/x:v1"
	we_take p.json "$REGISTRY/a/y:v1"
}

@test "policy: a scope is one of its transport, or the file is wrong, as for skopeo" {
	local transport scope expected

	while read -r expected transport scope; do
		printf '{"default":%s,"transports":{"%s":{"%s":%s}}}\n' "$ACCEPT" "$transport" "$scope" "$REJECT" >p.json
		echo "$transport $scope"
		run skopeo --policy p.json copy "$SRC" dir:d
		[ $((status > 0)) -eq $((expected > 0)) ]
		tool "$expected" skopeo-c copy --policy p.json "$SRC" dir:d
	done <<-'END'
		0 sif /srv/images
		7 sif images
		0 containers-storage [overlay@/srv/store]docker.io/library/busybox
		0 containers-storage [/srv/store]
		7 containers-storage docker.io/library/busybox
		7 containers-storage /x
		7 containers-storage *.x
	END
}

@test "policy: paths are scopes, without symbolic links in them" {
	mkdir -p real/deep
	ln -s real link
	tool skopeo-c copy "$SRC" dir:real/deep/d
	tool skopeo-c copy "$SRC" oci:real/deep/o:v1
	printf '{"default":%s,"transports":{"dir":{"%s":%s},"oci":{"%s":%s}}}' "$REJECT" \
		"$BATS_TEST_TMPDIR/real" "$ACCEPT" "$BATS_TEST_TMPDIR/real/deep/o" "$ACCEPT" >p.json
	tool skopeo-c copy --policy p.json dir:link/deep/d dir:to
	tool skopeo-c copy --policy p.json oci:link/deep/o:v1 dir:to
	tool 6 skopeo-c copy --policy p.json dir:to dir:again
	tool 6 skopeo-c copy --policy p.json "$SRC" dir:again
}

@test "policy: images of the store have their names for scopes" {
	tool skopeo-c copy "$SRC" store:good.example/a:v1
	tool skopeo-c copy "$SRC" store:bad.example/a:v1
	printf '{"default":%s,"transports":{"store":{"good.example":%s}}}' "$REJECT" "$ACCEPT" >p.json
	tool skopeo-c copy --policy p.json store:good.example/a:v1 dir:d
	tool 6 skopeo-c copy --policy p.json store:bad.example/a:v1 dir:d
}

@test "policy: a file that is wrong says where, and nothing is copied" {
	echo '{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k","keyPth":"/k"}]}' >p.json
	tool 7 skopeo-c copy --policy p.json "$SRC" dir:d
	error_is integrity 'p.json: default[0]: unknown member "keyPth"'
	echo '{"default":[{"type":"reject"}],"transports":{"dir":{"x":[{"type":"reject"}]}}}' >p.json
	tool 7 skopeo-c copy --policy p.json "$SRC" dir:d
	error_is integrity 'transports.dir."x"'
	head -c 5000000 /dev/zero | tr '\0' ' ' >p.json
	tool 9 skopeo-c copy --policy p.json "$SRC" dir:d
	[ ! -e d ]
}

@test "policy: what we cannot check is exit 10" {
	local requirement

	for requirement in '"type":"sigstoreSigned","fulcio":{},"rekorPublicKeyPath":"/r"' \
		'"type":"sigstoreSigned","pki":{}' \
		'"type":"signedBy","keyType":"X509Certificates","keyPath":"/k"' \
		'"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}'; do
		echo "{\"default\":[{$requirement}]}" >p.json
		tool 10 skopeo-c copy --policy p.json "$SRC" dir:d
		error_is unsupported "is refused by the policy"
		# also where it is at the destination already
		tool 10 skopeo-c copy --policy p.json --src-tls-verify=false --dest-tls-verify=false \
			"docker://$REGISTRY/a/x:v1" "docker://$REGISTRY/a/x:v2"
	done
	[ ! -e d ]
}

@test "policy: keys that are missing or none, and requirements of which one fails" {
	echo '{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/none/k"}]}' >p.json
	tool 6 skopeo-c copy --policy p.json "$SRC" dir:d
	error_is denied "/none/k"
	echo '{"default":[{"type":"sigstoreSigned","keyData":"aGVsbG8="}]}' >p.json
	tool 7 skopeo-c copy --policy p.json "$SRC" dir:d
	error_is integrity "is not a public key in PEM"
	echo '{"default":[{"type":"insecureAcceptAnything"},{"type":"reject"}]}' >p.json
	tool 6 skopeo-c copy --policy p.json "$SRC" dir:d
	[ ! -e d ]
}

@test "policy: verbs that copy nothing ask none, and may be told so as skopeo is" {
	echo "{\"default\":$REJECT}" >"$HOME/.config/containers/policy.json"
	tool skopeo-c inspect --tls-verify=false "docker://$REGISTRY/a/x:v1"
	tool skopeo-c --insecure-policy inspect --tls-verify=false "docker://$REGISTRY/a/x:v1"
	tool skopeo-c --insecure-policy list-tags --tls-verify=false "docker://$REGISTRY/a/x"
	tool 6 skopeo-c sync --src docker --dest dir --src-tls-verify=false "$REGISTRY/a/x" "$BATS_TEST_TMPDIR/d"
	tool skopeo-c --insecure-policy sync --src docker --dest dir --src-tls-verify=false "$REGISTRY/a/x" "$BATS_TEST_TMPDIR/d"
	[ -d d ]
}
