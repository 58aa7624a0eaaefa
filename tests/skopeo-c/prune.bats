# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	registry_start
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
}

teardown_file() {
	liar_stop
	file_teardown
}

# push REPOSITORY CREATED TAG…: one image under several tags; its digest is in $digest
push() {
	local tag layout=$BATS_TEST_TMPDIR/oci

	digest=$(oci_image "$layout" "$3" "{\"created\":\"$2\"}" "$BATS_FILE_TMPDIR/base.tar")
	for tag in "${@:3}"; do
		skopeo copy -q --dest-tls-verify=false "oci:$layout:$3" "docker://$REGISTRY/$1:$tag"
	done
}

prune() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c prune --tls-verify=false "$@"
}

# The tags of a repository that still stand for something, and the rows of the last result.
tags() {
	local tag

	for tag in $(skopeo list-tags --tls-verify=false "docker://$REGISTRY/$1" | jq -r '.Tags[]' | sort); do
		skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/$1:$tag" >/dev/null 2>&1 && printf '%s ' "$tag"
	done
}

rows() {
	jq -r '(.name | sub(".*:"; "")) + "=" + .status' <<<"$output" | sort | tr '\n' ' '
}

@test "prune: by age; what does not say its age stays; --dry-run changes nothing" {
	push age 2020-01-01T00:00:00Z old
	push age 2021-01-01T00:00:00.5+01:00 older-too
	push age "$(date -u +%FT%TZ)" new
	push age 1970-01-01T00:00:00Z epoch
	push age never undated
	prune --older-than 30d --dry-run "docker://$REGISTRY/age"
	[ "$(rows)" = "old=would-delete older-too=would-delete " ]
	[ "$(tags age)" = "epoch new old older-too undated " ]
	prune --older-than 30d "docker://$REGISTRY/age"
	[ "$(rows)" = "old=deleted older-too=deleted " ]
	jq -se --arg n "$REGISTRY/age:older-too" 'any(.name == $n and .created == "2020-12-31T23:00:00Z" and (.digest | test("^sha256:")))' <<<"$output"
	[ "$(tags age)" = "epoch new undated " ]
	prune --older-than 30d "docker://$REGISTRY/age"
	[ -z "$output" ]
}

@test "prune: by number; an image with two tags counts once" {
	for ((i = 1; i <= 4; i++)); do
		push number "2020-01-0${i}T00:00:00Z" "v$i"
	done
	push number 2020-01-05T00:00:00Z v5 v5.0
	prune --keep 2 "docker://$REGISTRY/number"
	[ "$(rows)" = "v1=deleted v2=deleted v3=deleted " ]
	[ "$(tags number)" = "v4 v5 v5.0 " ]
	# older, but one of those that are kept in any case
	prune --keep 1 --older-than 1d "docker://$REGISTRY/number"
	[ "$(tags number)" = "v5 v5.0 " ]
	# young enough, though there are more than that
	prune --keep 1 --older-than 1000w "docker://$REGISTRY/number"
	[ "$(tags number)" = "v5 v5.0 " ]
}

@test "prune: by pattern and version; a manifest that a kept tag shares stays" {
	push pattern 2020-01-01T00:00:00Z 1.0 stable
	push pattern 2020-01-02T00:00:00Z 1.1
	push pattern 2020-01-03T00:00:00Z 1.2 1.2-copy
	push pattern 2020-01-04T00:00:00Z 2.0
	prune --dry-run --semver '< 2' "docker://$REGISTRY/pattern"
	[ "$(rows)" = "1.0=would-untag 1.1=would-delete 1.2=would-untag " ]
	# a class as Go has it
	prune --include-tags '^1' --exclude-tags '^[\w.]+\.1$' "docker://$REGISTRY/pattern"
	[ "$(rows)" = "1.0=kept 1.2-copy=deleted 1.2=deleted " ]
	jq -se 'map(select(.status == "kept"))[0].neededBy == ["stable"]' <<<"$output"
	[ "$(tags pattern)" = "1.0 1.1 2.0 stable " ]
}

@test "prune: an image that a kept index names stays" {
	index_image "$BATS_TEST_TMPDIR/index" v1 "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	repository=docker://$REGISTRY/index
	skopeo copy -q --all --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/index:v1" "$repository:v1"
	part=$(skopeo inspect --raw --tls-verify=false "$repository:v1" | jq -r '.manifests[1].digest')
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "$repository@$part" "$repository:part"
	push index 2020-01-01T00:00:00Z other
	prune --exclude-tags '^v1$' --older-than 1d "$repository"
	[ "$(rows)" = "other=deleted part=kept " ]
	jq -se 'map(select(.status == "kept"))[0].neededBy == ["v1"]' <<<"$output"
	skopeo inspect --raw --tls-verify=false "$repository@$part" >/dev/null
	# and the age of an index is that of its images
	prune --older-than 1d "$repository"
	[ "$(rows)" = "part=deleted v1=deleted " ]
	[ -z "$(tags index)" ]
}

@test "prune: signatures go with their image and are not judged themselves" {
	push signed 2020-01-01T00:00:00Z old
	old=sha256-${digest#*:}
	push signed "$(date -u +%FT%TZ)" new
	new=sha256-${digest#*:}
	none=sha256-$(printf '%064d' 0)
	push signed 2019-01-01T00:00:00Z "$old.sig"
	push signed 2018-01-01T00:00:00Z "$old.att"
	push signed 2016-01-01T00:00:00Z "$new.sig"
	push signed 2017-01-01T00:00:00Z "$none"
	prune --older-than 1d "docker://$REGISTRY/signed"
	[ "$(rows)" = "old=deleted $old.att=deleted $old.sig=deleted " ]
	[ "$(tags signed)" = "new $none $new.sig " ]
	prune --include-tags . "docker://$REGISTRY/signed"
	[ "$(tags signed)" = "$none " ]
}

@test "prune: what signs the SBOM of an image stays as long as the image does" {
	push sboms 2020-01-01T00:00:00Z old
	push sboms "$(date -u +%FT%TZ)" new
	sbom=sha256-${digest#*:}.sbom
	push sboms 2019-01-01T00:00:00Z "$sbom"
	signature=sha256-${digest#*:}.sig
	push sboms 2018-01-01T00:00:00Z "$signature"
	prune --older-than 1d "docker://$REGISTRY/sboms"
	[ "$(rows)" = "old=deleted " ]
	[ "$(tags sboms | xargs -n 1 | sort | xargs)" = "$(printf '%s\n' new "$sbom" "$signature" | sort | xargs)" ]
	prune --include-tags new "docker://$REGISTRY/sboms"
	[ -z "$(tags sboms)" ]
}

@test "prune: tags alone where the registry can delete them" {
	: >"$LIAR_LOG"
	prune --include-tags ^v "docker://$LIAR/untags/x"
	[ "$(rows)" = "v1=untagged v2=untagged " ]
	[ "$(sed -n 's/.* DELETE \([^ ]*\) .*/\1/p' "$LIAR_LOG" | tr '\n' ' ')" = "/v2/untags/x/manifests/v1 /v2/untags/x/manifests/v2 " ]
}

@test "prune: a tag that was moved since it was looked at stays" {
	: >"$LIAR_LOG"
	prune 8 --include-tags ^v "docker://$LIAR/moved-tags/x"
	error_is temporary "moved-tags/x:v2 was moved while the others were looked at"
	[ "$(rows)" = "v1=untagged v2=failed " ]
	[ "$(sed -n 's/.* DELETE \([^ ]*\) .*/\1/p' "$LIAR_LOG")" = /v2/moved-tags/x/manifests/v1 ]
}

@test "prune: what fails is told, and nothing is deleted of what cannot be read" {
	: >"$LIAR_LOG"
	prune 6 --include-tags . "docker://$LIAR/tagless/x"
	prune 7 --include-tags . "docker://$LIAR/leading-tags/x"
	error_is integrity "a tag that is none"
	prune 7 --include-tags . "docker://$LIAR/good/x"
	error_is integrity "does not name its digest"
	run ! grep -q DELETE "$LIAR_LOG"
	prune 3 --include-tags . "docker://$REGISTRY/no/such"
	error_is not-found
}

@test "prune: not without a reason, and only repositories" {
	prune 2 "docker://$REGISTRY/age"
	error_is usage "say what is not wanted"
	prune 2 --exclude-tags x "docker://$REGISTRY/age"
	for option in --keep=0 --keep=-1 --keep=-3; do
		prune 2 "$option" "docker://$REGISTRY/age"
		error_is usage "--keep is at least 1"
	done
	for option in --older-than=soon --semver=x.y.z.w --include-tags='('; do
		prune 2 "$option" "docker://$REGISTRY/age"
		error_is usage
	done
	prune 2 --keep 1 "docker://$REGISTRY/age:v1"
	error_is usage "names one image"
	prune 2 --keep 1 "dir:$BATS_TEST_TMPDIR"
}
