# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # jq's variables

load ../helpers
load common

setup_file() {
	file_setup
	registry_start
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	cd "$BATS_FILE_TMPDIR" || return
	oci_image one v1 '{"created":"2020-01-01T00:00:00Z"}' base.tar >one.digest
	oci_image two v1 "{\"created\":\"$(date -u +%FT%TZ)\"}" base.tar >two.digest
	index_image multi v1 base.tar >multi.digest
	for tag in 1.0 1.1 2.0 3.0-rc.1 latest; do
		skopeo copy -q --dest-tls-verify=false oci:one:v1 "docker://$REGISTRY/team/app:$tag"
	done
	skopeo copy -q --dest-tls-verify=false oci:two:v1 "docker://$REGISTRY/team/app:2.1"
	skopeo copy -q --all --dest-tls-verify=false oci:multi:v1 "docker://$REGISTRY/team/multi:1"
}

teardown_file() {
	liar_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

sync() { # [STATUS] ARG…
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c sync --tls-verify=false "$@"
}

statuses() {
	jq -r .status <<<"$output" | sort | uniq -c | awk '{ printf "%s%s %d", sep, $2, $1; sep = ", " }'
}

tags_of() {
	skopeo list-tags --tls-verify=false "docker://$REGISTRY/$1" | jq -r '.Tags | sort | join(" ")'
}

@test "sync: a repository from registry to registry, as skopeo does; again nothing is copied" {
	sync --src docker --dest docker "$REGISTRY/team/app" "$REGISTRY/ours"
	[ "$(statuses)" = "copied 6" ]
	skopeo sync --src docker --dest docker --src-tls-verify=false --dest-tls-verify=false "$REGISTRY/team/app" "$REGISTRY/theirs"
	[ "$(tags_of ours/app)" = "$(tags_of theirs/app)" ]
	for tag in 1.0 2.1; do
		diff <(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/ours/app:$tag") \
			<(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/team/app:$tag")
	done
	sync -s docker -d docker "$REGISTRY/team/app" "$REGISTRY/ours"
	[ "$(statuses)" = "unchanged 6" ]
	[ "$(jq -r 'select(.source | endswith(":2.1")) | .digest' <<<"$output")" = "$(cat "$BATS_FILE_TMPDIR/two.digest")" ]
	skopeo-c copy --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/two:v1" "docker://$REGISTRY/ours/app:1.1" >/dev/null
	sync -s docker -d docker "$REGISTRY/team/app" "$REGISTRY/ours"
	[ "$(statuses)" = "copied 1, unchanged 5" ]
}

@test "sync: what is unchanged costs one HEAD a side" {
	skopeo-c sync --tls-verify=false -s docker -d docker "$REGISTRY/team/app:1.0" "$REGISTRY/heads" >/dev/null
	sync -s docker -d docker --log-level debug "$REGISTRY/team/app:1.0" "$REGISTRY/heads"
	[ "$(grep -c '/v2/' <<<"$stderr")" -le 4 ] # https is tried first on each side
	[ "$(grep -c 'http://.*HEAD\|HEAD http://' <<<"$stderr")" -eq 2 ]
	[ "$(grep -c 'GET' <<<"$stderr")" -eq 0 ]
	# the destination is asked whether it has this one, which is an answer to nothing else
	sync -s docker -d docker "$REGISTRY/team/app:1.0" "$LIAR/not-modified"
	[ "$(statuses)" = "unchanged 1" ]
	sync 1 -s docker -d docker "$LIAR/not-modified/app:1.0" "$REGISTRY/heads"
	[[ $stderr == *"not-modified"*304* ]]
}

@test "sync: to directories and back, laid out and read as by skopeo" {
	sync -s docker -d dir "$REGISTRY/team/app" stick
	mkdir theirs
	skopeo sync --src docker --dest dir --src-tls-verify=false "$REGISTRY/team/app" theirs
	diff -r stick theirs
	sync -s docker -d dir "$REGISTRY/team/app" stick
	[ "$(statuses)" = "unchanged 6" ]
	sync -s dir -d docker theirs "$REGISTRY/from-dir"
	[ "$(tags_of from-dir/app)" = "$(tags_of team/app)" ]
	skopeo sync --src dir --dest docker --dest-tls-verify=false stick "$REGISTRY/from-dir-theirs"
	[ "$(tags_of from-dir-theirs/app)" = "$(tags_of team/app)" ]
	sync -s docker -d dir --scoped "$REGISTRY/team/app:1.0" scoped
	[ -f "scoped/$REGISTRY/team/app:1.0/manifest.json" ]
	mkdir empty
	sync 3 -s dir -d docker empty "$REGISTRY/x"
	nothing_unfinished .
}

@test "sync: filters by patterns, versions and age" {
	sync -s docker -d dir --dry-run --include-tags '^\d\.\d$' --exclude-tags '^1' "$REGISTRY/team/app" d
	[ "$(jq -r '.source | sub(".*:"; "")' <<<"$output" | sort | xargs)" = "2.0 2.1" ]
	sync -s docker -d dir --dry-run --semver '>= 1.1, < 2.1' "$REGISTRY/team/app" d
	[ "$(jq -r '.source | sub(".*:"; "")' <<<"$output" | sort | xargs)" = "1.1 2.0" ]
	sync -s docker -d dir --dry-run --newer-than 10d "$REGISTRY/team/app" d
	[ "$(jq -r '.source | sub(".*:"; "")' <<<"$output")" = 2.1 ]
	[ "$(statuses)" = "would-copy 1" ]
	[ ! -e d ]
	for option in "--include-tags (" "--include-tags a*?" "--semver new" "--newer-than soon"; do
		# shellcheck disable=SC2086 # words
		sync 2 -s docker -d dir $option "$REGISTRY/team/app" d
	done
}

@test "sync: a YAML file as skopeo reads it" {
	cat >list.yaml <<-END
		$REGISTRY:
		  tls-verify: false
		  images:
		    team/app: ["1.0", "$(cat "$BATS_FILE_TMPDIR/two.digest")"]
		    team/multi: []
		  images-by-semver:
		    team/app: ">= 2.0"
	END
	tool skopeo-c sync -s yaml -d docker --dest-tls-verify=false --append-suffix=-x --include-tags '^[12]' list.yaml "$REGISTRY/yaml"
	[ "$(tags_of yaml/multi)" = 1-x ]
	[ "$(tags_of yaml/app)" = "1.0-x 2.0-x 2.1-x" ] || { statuses; return 1; }
	cat >regex.yaml <<-END
		$REGISTRY:
		  tls-verify: false
		  images-by-tag-regex:
		    team/app: ^1\\.[0-9]$
	END
	mkdir theirs
	tool skopeo-c sync -s yaml -d dir regex.yaml ours
	skopeo sync --src yaml --dest dir regex.yaml theirs
	diff -r ours theirs
	# the words of YAML 1.1, and nothing at all
	sed -i 's/tls-verify: false/tls-verify: no\n  cert-dir:\n  credentials:/' regex.yaml
	tool skopeo-c sync -s yaml -d dir regex.yaml ours
	tool 8 skopeo-c sync -s yaml -d dir <(sed 's/tls-verify: no/tls-verify: on/' regex.yaml) ours
	tool skopeo-c sync -s yaml -d dir --src-tls-verify=false <(sed 's/tls-verify: no/tls-verify:/' regex.yaml) ours
	for bad in "images: {a: b}" "pictures: {}" "tls-verify: no-idea" "credentials: {username: x}" "credentials: x" \
		"images: [a]" "images: a" "images-by-tag-regex: [a]" "images-by-semver: a"; do
		printf '%s:\n  %s\n' "$REGISTRY" "$bad" >bad.yaml
		tool 2 skopeo-c sync -s yaml -d dir bad.yaml d
		error_is usage bad.yaml
	done
}

@test "sync: --all takes indexes whole" {
	sync -s docker -d docker --all "$REGISTRY/team/multi" "$REGISTRY/all"
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/all/multi:1" | sha256sum | cut -d ' ' -f 1)" = \
		"$(sed s/sha256:// "$BATS_FILE_TMPDIR/multi.digest")" ]
	sync -s docker -d docker --all "$REGISTRY/team/multi" "$REGISTRY/all"
	[ "$(statuses)" = "unchanged 1" ]
	# only one image of it: looked at, but not copied again
	sync -s docker -d docker "$REGISTRY/team/multi" "$REGISTRY/single"
	[ "$(statuses)" = "copied 1" ]
	sync -s docker -d docker "$REGISTRY/team/multi" "$REGISTRY/single"
	[ "$(statuses)" = "unchanged 1" ]
}

@test "sync: another format, or compression, is asked for of what is there already" {
	skopeo copy -q --dest-tls-verify=false --format v2s2 "oci:$BATS_FILE_TMPDIR/one:v1" "docker://$REGISTRY/docker/app:1"
	type_of() { skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/$1" | jq -r "$2.mediaType"; }
	sync -s docker -d docker "$REGISTRY/docker/app" "$REGISTRY/formats"
	[ "$(statuses)" = "copied 1" ]
	[[ $(type_of formats/app:1 "") = *docker* ]]
	sync -s docker -d docker --format oci "$REGISTRY/docker/app" "$REGISTRY/formats"
	[ "$(statuses)" = "copied 1" ]
	[[ $(type_of formats/app:1 "") = *oci* ]]
	# what is so already is looked at, but not copied again
	sync -s docker -d docker --format oci "$REGISTRY/docker/app" "$REGISTRY/formats"
	[ "$(statuses)" = "unchanged 1" ]
	sync -s docker -d docker "$REGISTRY/formats/app" "$REGISTRY/formats/same"
	sync -s docker -d docker --dest-compress-format zstd "$REGISTRY/formats/app" "$REGISTRY/formats/same"
	[[ $(type_of formats/same/app:1 ".layers[0]") = *zstd ]]
}

@test "sync: --delete removes what is extraneous, but no manifest that a wanted tag stands for" {
	sync -s docker -d docker "$REGISTRY/team/app" "$REGISTRY/pruned"
	sync -s docker -d docker --delete --dry-run --exclude-tags '^2.1$' "$REGISTRY/team/app" "$REGISTRY/pruned"
	[ "$(statuses)" = "unchanged 5, would-delete 1" ]
	[ "$(tags_of pruned/app)" = "$(tags_of team/app)" ]
	sync -s docker -d docker --delete --exclude-tags '^2.1$' "$REGISTRY/team/app" "$REGISTRY/pruned"
	[ "$(statuses)" = "deleted 1, unchanged 5" ]
	[ "$(tags_of pruned/app)" = "1.0 1.1 2.0 3.0-rc.1 latest" ]
	# docker-registry deletes no tag alone, and 1.0 is the same manifest as 1.1
	sync 5 -s docker -d docker --delete --include-tags '^1.0$' "$REGISTRY/team/app" "$REGISTRY/pruned"
	[ "$(tags_of pruned/app)" = "1.0 1.1 2.0 3.0-rc.1 latest" ]
	sync -s docker -d docker --delete --include-tags none "$REGISTRY/team/app" "$REGISTRY/pruned"
	[[ $stderr == *"nothing is deleted"* ]]
	[ "$(tags_of pruned/app)" = "1.0 1.1 2.0 3.0-rc.1 latest" ]
	sync -s docker -d dir "$REGISTRY/team/app" stick
	mkdir stick/other stick/app:mine
	sync -s docker -d dir --delete --semver '>= 2' "$REGISTRY/team/app" stick
	[ "$(cd stick && echo *)" = "app:2.0 app:2.1 app:mine other" ]
}

@test "sync: --delete leaves what wanted indexes name, and what signs wanted images" {
	index=docker://$REGISTRY/deleting/multi
	sync -s docker -d docker --all "$REGISTRY/team/multi" "$REGISTRY/deleting"
	raw=$(skopeo inspect --raw --tls-verify=false "$index:1")
	part=$(jq -r '.manifests[1].digest' <<<"$raw")
	signature=sha256-$(printf %s "$raw" | sha256sum | cut -d ' ' -f 1).sig
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "$index@$part" "$index:part"
	skopeo copy -q --dest-tls-verify=false oci:"$BATS_FILE_TMPDIR/one:v1" "$index:$signature"
	skopeo copy -q --dest-tls-verify=false oci:"$BATS_FILE_TMPDIR/two:v1" "$index:other"
	sync 5 -s docker -d docker --all --delete "$REGISTRY/team/multi" "$REGISTRY/deleting"
	[ "$(statuses)" = "deleted 1, failed 1, unchanged 1" ]
	[ "$(tags_of deleting/multi)" = "1 part $signature" ]
	skopeo inspect --raw --tls-verify=false "$index@$part" >/dev/null
}

@test "sync: --delete leaves what a list names by its digest" {
	two=$(cat "$BATS_FILE_TMPDIR/two.digest")
	cat >list.yaml <<-END
		$REGISTRY:
		  images:
		    team/app: ["$two"]
		  images-by-semver:
		    team/app: "1.0"
	END
	sync -s yaml -d docker list.yaml "$REGISTRY/named"
	[ "$(tags_of named/app)" = 1.0 ]
	skopeo copy -q --dest-tls-verify=false oci:"$BATS_FILE_TMPDIR/two:v1" "docker://$REGISTRY/named/app:old"
	sync 5 -s yaml -d docker --delete list.yaml "$REGISTRY/named"
	[ "$(statuses)" = "failed 1, unchanged 2" ]
	skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/named/app@$two" >/dev/null
	# a digest alone is no list of tags
	sync -s yaml -d docker --delete --include-tags none list.yaml "$REGISTRY/named"
	[[ $stderr == *"nothing is deleted"* ]]
	[ "$(tags_of named/app)" = "1.0 old" ]
}

@test "sync: --delete deletes nothing of a source, and nothing where nothing is yet" {
	sync 2 -s docker -d docker --delete --include-tags '^2.1$' "$REGISTRY/team/app" "$REGISTRY/team"
	error_is usage "deletes nothing there"
	[ "$(tags_of team/app)" = "1.0 1.1 2.0 2.1 3.0-rc.1 latest" ]
	sync -s docker -d dir --delete --dry-run "$REGISTRY/team/app" new
	[ "$(statuses)" = "would-copy 6" ]
	[ ! -e new ]
}

@test "sync: no two images become one, and each is copied once" {
	sync -s docker -d docker "$REGISTRY/team/app:1.0" "$REGISTRY/copied"
	cat >list.yaml <<-END
		$REGISTRY:
		  images:
		    team/app: ["1.0", "1.0"]
		  images-by-tag-regex:
		    team/app: ^1
	END
	sync -s yaml -d docker list.yaml "$REGISTRY/once"
	[ "$(statuses)" = "copied 2" ]
	sed -i 's|^  images-by|    copied/app: ["1.0"]\n  images-by|' list.yaml
	sync 2 -s yaml -d dir list.yaml both
	error_is usage "would both become dir:both/app:1.0"
	[ ! -e both ]
	sync -s yaml -d dir --scoped list.yaml both
	[ "$(statuses)" = "copied 3" ]
}

@test "sync: --newer-than takes an index whose platforms are others, and an image that cannot be read for one to copy" {
	sync -s docker -d docker --all --override-arch s390x --newer-than 20000d "$REGISTRY/team/multi" "$REGISTRY/foreign"
	[ "$(statuses)" = "copied 1" ]
	sync -s docker -d docker --all --override-arch s390x --newer-than 1d "$REGISTRY/team/multi" "$REGISTRY/foreign"
	[ -z "$output" ]
	cat >list.yaml <<-END
		$LIAR:
		  images:
		    wrong-config/x: [v1]
		$REGISTRY:
		  images:
		    team/app: ["2.0", "2.1"]
	END
	sync 7 -s yaml -d dir --newer-than 10d --keep-going list.yaml young
	[ "$(statuses)" = "copied 1, failed 1" ]
	[ "$(ls young)" = app:2.1 ]
}

@test "sync: --newer-than leaves out what is old, not what does not say when it was made" {
	local name

	oci_image undated v1 '{"created":null,"author":"a"}' "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	oci_image epoch v1 '{"created":"1970-01-01T00:00:00Z"}' "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/one:v1" "docker://$REGISTRY/dated/app:old"
	for name in undated epoch; do
		skopeo copy -q --dest-tls-verify=false "oci:$name:v1" "docker://$REGISTRY/dated/app:$name"
		skopeo copy -q --dest-tls-verify=false "oci:$name:v1" "docker://$REGISTRY/kept-dated/app:$name"
	done
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/two:v1" "docker://$REGISTRY/dated/app:new"
	# of one the registry has lost the configuration, and the destination has not
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/two:v1" "docker://$REGISTRY/dated/lost:new"
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/two:v1" "docker://$REGISTRY/kept-dated/lost:new"
	config=$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/dated/lost:new" | jq -r .config.digest)
	curl -fsX DELETE "http://$REGISTRY/v2/dated/lost/blobs/$config"
	sync -s docker -d docker --newer-than 10d --delete "$REGISTRY/dated/app" "$REGISTRY/kept-dated"
	[ "$(statuses)" = "copied 1, unchanged 2" ]
	[ "$(tags_of kept-dated/app)" = "epoch new undated" ]
	sync -s docker -d docker --newer-than 10d --delete "$REGISTRY/dated/lost" "$REGISTRY/kept-dated"
	[ "$(statuses)" = "unchanged 1" ]
}

@test "sync: --delete deletes nothing of a registry whose tags are none" {
	sync 7 -s docker -d docker --dry-run --delete "$REGISTRY/team/multi" "$LIAR/leading-tags"
	error_is integrity "a tag that is none"
}

@test "sync: one that fails ends it, or with --keep-going does not" {
	sync -s docker -d dir "$REGISTRY/team/app" source
	config=$(jq -r '.config.digest[7:]' source/app:2.1/manifest.json)
	printf x | dd of="source/app:2.1/$config" conv=notrunc bs=1 seek=20 status=none
	sync 7 -s dir -d docker --keep-going source "$REGISTRY/kept-going"
	error_is integrity "1 of 6 images failed"
	[ "$(statuses)" = "copied 5, failed 1" ]
	[ "$(jq -r 'select(.status == "failed") | .error.code' <<<"$output")" = integrity ]
	[ "$(tags_of kept-going/app)" = "1.0 1.1 2.0 3.0-rc.1 latest" ]
	sync 7 -s dir -d dir source elsewhere
	[ ! -e elsewhere/app:2.1 ]
	sync 3 -s docker -d dir "$REGISTRY/team/none" d
	error_is not-found
	sync 2 -s docker "$REGISTRY/team/app" d
	sync 2 -s oci -d dir x d
	sync 2 -s dir -d yaml x d
	for places in "docker://$REGISTRY/team/app $REGISTRY/d" "$REGISTRY/team/app docker://$REGISTRY/d"; do
		# shellcheck disable=SC2086 # two words
		sync 2 -s docker -d docker $places
		error_is usage 'say already that it is docker'
	done
	[ ! -e d ]
}

@test "sync: a repository that is not there ends it, or with --keep-going does not" {
	cat >list.yaml <<-END
		$REGISTRY:
		  tls-verify: false
		  images:
		    team/none: []
		    team/app: ["1.0"]
		  images-by-tag-regex:
		    team/nor-this: ^1
	END
	sync 3 -s yaml -d docker list.yaml "$REGISTRY/without-some"
	error_is not-found team/none
	[ -z "$output" ]
	sync 3 -s yaml -d docker --keep-going --delete list.yaml "$REGISTRY/without-some"
	error_is not-found "2 of 3 images failed, the first: "
	[ "$(statuses)" = "copied 1, failed 2" ]
	[ "$(jq -r 'select(.status == "failed") | "\(.source) \(.destination) \(.error.code)"' <<<"$output")" = \
		"docker://$REGISTRY/team/none docker://$REGISTRY/without-some/none not-found
docker://$REGISTRY/team/nor-this docker://$REGISTRY/without-some/nor-this not-found" ]
	[ "$(tags_of without-some/app)" = 1.0 ]
}

@test "sync: an image that cannot be looked at is an error, not left out" {
	sync -s docker -d dir "$REGISTRY/team/app:1.0" tree/seen
	sync -s docker -d dir "$REGISTRY/team/app:1.1" tree/unseen
	# may be listed, and no more
	chmod 444 tree/unseen
	tool 6 setpriv --bounding-set=-dac_override,-dac_read_search skopeo-c sync -s dir -d dir tree out
	error_is denied "tree/unseen/"
	[ ! -e out ]
	chmod 755 tree/unseen
	sync -s dir -d dir tree out
	[ "$(statuses)" = "copied 2" ]
}

@test "sync: a registry that lies gets nothing anywhere" {
	mkdir -p a/b/stick
	sync 7 -s docker -d dir "$LIAR/leading-tags/x" a/b/stick
	error_is integrity "a tag that is none"
	[ -z "$(find . -name '*escaped*')" ]
	for lie in wrong-blob short-blob cut-blob long-blob wrong-config; do
		run --separate-stderr skopeo-c sync --tls-verify=false --retry-times 0 -s docker -d dir "$LIAR/$lie/x:v1" a/b/stick
		[ "$status" -eq 7 ] || [ "$status" -eq 8 ]
		[ ! -e a/b/stick/x:v1 ]
		# in an archive on a pipe nothing names what came
		for options in "" --dest-decompress "--dest-compress-format zstd"; do
			# shellcheck disable=SC2086 # words
			run -0 bash -c "skopeo-c copy --src-tls-verify=false --retry-times 0 $options 'docker://$LIAR/$lie/x:v1' docker-archive:- 2>error >a.tar; [ \$? -ge 7 ]"
			run ! tar xOf a.tar manifest.json
		done
	done
	sync 1 -s docker -d dir "$LIAR/circle/x:v1" a/b/stick
	nothing_unfinished .
}
