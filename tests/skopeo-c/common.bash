# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of skopeo-c share. Load after ../helpers.

# liar_start [CERTIFICATE KEY [AUTHORITY]]: a registry that lies, see lying-registry.py. $LIAR is HOST:PORT.
liar_start() {
	local dir=$BATS_FILE_TMPDIR/liar

	mkdir -p "$dir"
	rm -f "$dir/ports"
	/usr/bin/python3 "$TESTS/skopeo-c/lying-registry.py" "$dir" "$@" >"$dir/output" 2>&1 3>&- &
	echo $! >"$dir/pid"
	wait_for 10 test -f "$dir/ports"
	LIAR=127.0.0.1:$(cut -d ' ' -f 1 "$dir/ports")
	LIAR_ELSEWHERE=127.0.0.1:$(cut -d ' ' -f 2 "$dir/ports")
	LIAR_LOG=$dir/log
	export LIAR LIAR_ELSEWHERE LIAR_LOG
}

liar_stop() {
	local pid file=$BATS_FILE_TMPDIR/liar/pid

	[ -f "$file" ] || return 0
	pid=$(cat "$file")
	kill "$pid" 2>/dev/null || true
	wait_for 10 process_gone "$pid"
	rm "$file"
}

# ranges REPOSITORY: those of its layer that were asked for, in a line; "-" for everything
ranges() {
	local layer

	layer=$(skopeo-c inspect --raw --tls-verify=false "docker://$LIAR/good/x:v1" | jq -r '.layers[0].digest')
	awk -v target="/v2/$1/blobs/$layer" '$2 == "GET" && $3 == target { print (NF > 4 ? $5 : "-") }' "$LIAR_LOG" | xargs
}

# from_now_on, and asked REQUEST…: just these were asked of the registry since then, in any order, as in
# "GET some/image/blobs/DIGEST". It must have been started with REGISTRY_LOG_ACCESSLOG_DISABLED=false.
from_now_on() {
	mark=$(wc -l <"$BATS_FILE_TMPDIR/registry.log")
}

requests() {
	tail -n +$((mark + 1)) "$BATS_FILE_TMPDIR/registry.log" | grep -v curl |
		sed -nE 's/.*"(HEAD|GET|PUT|POST|PATCH) \/v2\/([^ ?]*).* HTTP[^"]*".*/\1 \2/p' | sed -E 's/sha256:[0-9a-f]+/DIGEST/' | sort
}

requests_are() {
	[ "$(requests)" = "$1" ]
}

# they are logged after they are answered
asked() {
	local expected

	expected=$(printf '%s\n' "$@" | sort)
	wait_for 5 requests_are "$expected" || {
		requests
		return 1
	}
	curl -s "http://$REGISTRY/v2/" >/dev/null
	requests_are "$expected"
}

# Nothing of ours that is unfinished is in the directory.
nothing_unfinished() {
	[ -z "$(find "$1" -name '.new.*' -o -name '.*.json.*')" ]
}

# index_image LAYOUT REF TAR: an index of amd64, arm64/v8 and arm/v7 images, made without our tools.
index_image() {
	local arch

	for arch in amd64 arm64/v8 arm/v7; do
		oci_image "$1" "part-$arch" "{\"architecture\":\"${arch%/*}\"}" "$3" >/dev/null
	done
	/usr/bin/python3 - "$1" "$2" <<-'END'
		import hashlib, json, sys
		layout, ref = sys.argv[1:]
		with open(layout + "/index.json") as file:
		    top = json.load(file)
		key = "org.opencontainers.image.ref.name"
		entries = []
		for entry in top["manifests"]:
		    name = entry.pop("annotations")[key]
		    if name.startswith("part-"):
		        arch, _, variant = name[5:].partition("/")
		        platform = {"os": "linux", "architecture": arch}
		        if variant:
		            platform["variant"] = variant
		        entries.append(dict(entry, platform=platform))
		index = json.dumps({"schemaVersion": 2, "manifests": entries,
		                    "mediaType": "application/vnd.oci.image.index.v1+json"}).encode()
		digest = hashlib.sha256(index).hexdigest()
		with open(layout + "/blobs/sha256/" + digest, "wb") as file:
		    file.write(index)
		entry = {"mediaType": "application/vnd.oci.image.index.v1+json", "size": len(index),
		         "digest": "sha256:" + digest, "annotations": {key: ref}}
		with open(layout + "/index.json", "w") as file:
		    json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
		print(entry["digest"])
	END
}

# layer_type LAYOUT TYPE: the only image of a layout says so of its first layer
layer_type() {
	local digest

	jq -c --arg type "$2" '.layers[0].mediaType = $type' \
		"$1/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$1/index.json")" >"$1/manifest"
	digest=$(sha256sum <"$1/manifest" | cut -d ' ' -f 1)
	jq -c --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$1/manifest")" \
		'.manifests[0] += {$digest, $size}' "$1/index.json" >"$1/index"
	mv "$1/manifest" "$1/blobs/sha256/$digest"
	mv "$1/index" "$1/index.json"
}
