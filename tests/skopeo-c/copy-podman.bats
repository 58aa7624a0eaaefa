# SPDX-License-Identifier: Apache-2.0
# What podman reads and writes: its store, Docker's API, its archives.

load ../helpers
load common
load ../podman

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return
	busybox_tar base.tar
	mkdir -p odd/with/$'b\xffytes' odd/"$(printf 'l%.0s' $(seq 90))"
	echo x >odd/"$(printf 'l%.0s' $(seq 90))"/"$(printf 'n%.0s' $(seq 90))"
	ln odd/"$(printf 'l%.0s' $(seq 90))"/n* odd/hard
	echo y >odd/with/$'b\xffytes'/file
	touch odd/.wh.www
	tar -C odd --mtime=@0 -cf odd.tar .
	oci_image src v1 '{"config":{"Labels":{"a":"b"}}}' base.tar odd.tar >digest
	podman_start
	skopeo-c copy oci:src:v1 docker-archive:-:app:1 | podman load -q >/dev/null
}

teardown_file() {
	podman_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	SRC=oci:$BATS_FILE_TMPDIR/src:v1
	export DOCKER_HOST=unix://$PODMAN_SOCKET
}

@test "copy: containers-storage: gives the exact tars of the layers that podman has unpacked" {
	tool skopeo-c copy containers-storage:app:1 dir:d
	tool skopeo-c copy --dest-decompress "$SRC" dir:expected
	diff -r d expected
	# by all its names
	id=$(podman images -q --no-trunc app:1)
	for name in docker.io/library/app:1 "@${id#sha256:}" "${id:7:12}" "[overlay@$STORE+$BATS_FILE_TMPDIR/runroot]app:1"; do
		tool skopeo-c copy "containers-storage:$name" dir:again
		diff -r d again
	done
	tool skopeo-c copy containers-storage:app:1 oci:o:x
	tool skopeo-c copy --dest-decompress oci:o:x dir:back
	diff -r d back
	tool 3 skopeo-c copy containers-storage:app:2 dir:n
	error_is not-found
	tool 3 skopeo-c copy "containers-storage:[overlay@$PWD+/x]app:1" dir:n
	tool 10 skopeo-c copy "containers-storage:[btrfs@$STORE+/x]app:1" dir:n
	tool 2 skopeo-c copy dir:d containers-storage:app:2
}

@test "inspect: an image of podman's or Docker's has the name by which it was asked for" {
	podman tag app:1 example.com/second/name:2
	for from in containers-storage docker-daemon; do
		for name in example.com/second/name:2 docker.io/library/app:1; do
			tool skopeo-c inspect "$from:$name"
			jq -e --arg name "${name%:*}" '.Name == $name and .RepoTags == []' <<<"$output"
		done
	done
	tool skopeo-c copy containers-storage:example.com/second/name:2 oci:second:x
	[ "$(jq -r .image.name <<<"$output")" = example.com/second/name:2 ]
	id=$(podman images -q --no-trunc app:1 | head -n 1)
	tool skopeo-c inspect "containers-storage:@${id#sha256:}"
	jq -e 'has("Name") | not' <<<"$output"
	podman untag app:1 example.com/second/name:2
}

@test "inspect: an image of podman's store has the manifest that it came with, as for skopeo" {
	for name in app:1 "@$(podman images -q --no-trunc app:1 | head -n 1 | cut -d : -f 2)"; do
		tool skopeo-c inspect --raw "containers-storage:$name"
		diff <(skopeo inspect --raw "containers-storage:$name") <(printf %s "$output")
		tool skopeo-c inspect --no-tags "containers-storage:$name"
		diff <(skopeo inspect --no-tags "containers-storage:$name" | jq -S 'del(.LayersData)') \
			<(jq -S 'del(.LayersData)' <<<"$output")
	done
}

@test "copy: a store whose files are not what they were is found out" {
	cp -r "$STORE" store
	layer=$(jq -r '.[0].id' store/overlay-layers/layers.json)
	echo changed >"store/overlay/$layer/diff/www/index.html"
	tool 7 skopeo-c copy "containers-storage:[overlay@$PWD/store]app:1" dir:d
	error_is integrity "index.html in the layer is not what it was"
	printf 'hellO\n' >"store/overlay/$layer/diff/www/index.html"
	tool 7 skopeo-c copy "containers-storage:[overlay@$PWD/store]app:1" dir:d
	error_is integrity "has the digest"
	ln -sf /etc/passwd "store/overlay/$layer/diff/www/index.html"
	tool 7 skopeo-c copy "containers-storage:[overlay@$PWD/store]app:1" dir:d
	rm "store/overlay-layers/$layer.tar-split.gz"
	tool 10 skopeo-c copy "containers-storage:[overlay@$PWD/store]app:1" dir:d
	error_is unsupported
	[ ! -e d ]
}

@test "copy: docker-daemon: both ways over Docker's API" {
	tool skopeo-c copy "$SRC" docker-daemon:app:2
	podman image exists app:2
	tool skopeo-c copy docker-daemon:app:2 dir:d
	tool skopeo-c copy --dest-decompress "$SRC" dir:expected
	diff -r d expected
	tool skopeo-c copy --src-daemon-host "$DOCKER_HOST" docker-daemon:app:1 oci:o:x
	[ "$(jq '.layers | length' "o/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' o/index.json)")" = 2 ]
	tool skopeo-c copy --dest-compress-format zstd --dest-daemon-host "$DOCKER_HOST" "$SRC" docker-daemon:zstd:1
	[ "$(podman images -q zstd:1)" = "$(podman images -q app:1)" ]
	tool 3 skopeo-c copy docker-daemon:none:1 dir:n
	error_is not-found
	tool 8 skopeo-c copy --src-daemon-host unix:///nonexistent docker-daemon:app:1 dir:n
	error_is temporary "cannot reach the daemon"
	tool 10 skopeo-c copy --src-daemon-host tcp://127.0.0.1:1 docker-daemon:app:1 dir:n
	[ ! -e n ]
}

@test "copy: docker-daemon: is given no layers that are no tars" {
	oci_image enc v1 '{}' "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	layer_type enc application/vnd.oci.image.layer.v1.tar+gzip+encrypted
	tool 10 skopeo-c copy oci:enc:v1 docker-daemon:enc:1
	error_is unsupported "such archives cannot say"
	run ! podman image exists enc:1
}

@test "copy: archives of podman save, one image and several, and podman load" {
	podman tag app:1 other:1
	podman save -q -o one.tar app:1
	podman save -q -m -o many.tar app:1 other:1
	podman save -q --format oci-archive -o oci.tar app:1
	tool skopeo-c copy containers-storage:app:1 dir:expected
	tool skopeo-c copy docker-archive:one.tar dir:one
	tool skopeo-c copy docker-archive:many.tar:localhost/other:1 dir:many
	diff -r expected one
	diff -r expected many
	tool skopeo-c copy --dest-decompress oci-archive:oci.tar dir:oci
	diff <(jq -S .layers expected/manifest.json) <(jq -S .layers oci/manifest.json)
	tool skopeo-c copy docker-archive:one.tar docker-archive:ours.tar:loaded:1
	podman load -q -i ours.tar
	podman image exists docker.io/library/loaded:1
}

@test "copy: the scopes of policies for containers-storage: are those of skopeo" {
	local accept='[{"type":"insecureAcceptAnything"}]' scope name verdict id

	id=$(podman images -q --no-trunc app:1)
	while read -r scope name verdict; do
		printf '{"default":[{"type":"reject"}],"transports":{"containers-storage":{"%s":%s}}}' "$scope" "$accept" >p.json
		echo "$scope $name"
		rm -rf theirs
		if [ "$verdict" = yes ]; then
			skopeo --policy p.json copy -q "containers-storage:$name" dir:theirs
			tool skopeo-c copy -q --policy p.json "containers-storage:$name" dir:ours
		else
			run ! skopeo --policy p.json copy -q "containers-storage:$name" dir:theirs
			tool 6 skopeo-c copy -q --policy p.json "containers-storage:$name" dir:ours
		fi
	done <<-END
		[overlay@$STORE]docker.io/library/app:1 app:1 yes
		[overlay@$STORE]docker.io/library app:1 yes
		[overlay@$STORE]docker.io/other app:1 no
		[overlay@$STORE] app:1 yes
		[$STORE] app:1 yes
		[$STORE] @${id#sha256:} yes
		[overlay@$STORE]docker.io @${id#sha256:} no
		[overlay@$STORE]@${id#sha256:} @${id#sha256:} yes
		[overlay@/elsewhere] app:1 no
	END
}

@test "copy: containers-storage: finds what podman has in additional image stores" {
	id=$(podman images -q --no-trunc app:1)
	cat >own.conf <<-END
		[storage]
		driver = "overlay"
		graphroot = "$PWD/own"
		runroot = "$PWD/run"
		[storage.options]
		additionalimagestores = ["$STORE"]
	END
	tool skopeo-c copy containers-storage:app:1 dir:expected
	export CONTAINERS_STORAGE_CONF=$PWD/own.conf
	# podman takes the layers that are in the other store from there
	mkdir top
	echo more >top/more
	tar -C top --mtime=@0 -cf top.tar .
	oci_image more v1 '{}' "$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/odd.tar" top.tar >/dev/null
	skopeo-c copy oci:more:v1 docker-archive:-:more:1 | podman load -q
	[ "$(jq length own/overlay-layers/layers.json)" = 1 ]
	[ "$(jq length own/overlay-images/images.json)" = 1 ]
	for name in app:1 "@${id#sha256:}" "${id:7:12}" "[overlay@$PWD/own+$PWD/run:overlay.imagestore=$STORE]app:1"; do
		tool skopeo-c copy "containers-storage:$name" dir:d
		diff -r expected d
	done
	tool skopeo-c copy containers-storage:more:1 dir:mine
	tool skopeo-c copy --dest-decompress oci:more:v1 dir:source
	diff <(jq .layers mine/manifest.json) <(jq .layers source/manifest.json)
	tool 3 skopeo-c copy "containers-storage:[$PWD/own]app:1" dir:n
	tool 7 skopeo-c copy "containers-storage:[$PWD/own]more:1" dir:n
	# an image of both is one
	tool skopeo-c list-tags "containers-storage:[$PWD/own:imagestore=$STORE,imagestore=$STORE]"
	jq -e '(.Tags | unique | length) == (.Tags | length) and (.Tags | contains(["docker.io/library/more:1", "docker.io/library/app:1"]))' <<<"$output"
	tool skopeo-c copy "containers-storage:[$PWD/own:imagestore=$STORE,imagestore=$STORE]${id:7:12}" dir:d
	STORAGE_OPTS=overlay.mountopt=nodev tool 3 skopeo-c copy containers-storage:app:1 dir:n
	sed -i "s|\[\"$STORE\"\]|[\"$PWD/none\"]|" own.conf
	tool 1 skopeo-c copy containers-storage:app:1 dir:n
	error_is failed "additional store: $PWD/none"
}

# [NAME=VALUE…] OPERAND…: skopeo-c with no storage.conf but those of home/
at_home() {
	(unset CONTAINERS_STORAGE_CONF && env HOME="$PWD/home" XDG_CONFIG_HOME="$PWD/home/.config" "$@")
}

@test "copy: containers-storage: storage.conf, its drop-ins and the environment say where the store is" {
	mkdir -p home/.config/containers/storage.conf.d empty
	conf=home/.config/containers/storage.conf
	# STATUS [NAME=VALUE…]: what copying app:1 comes to
	copies() {
		rm -rf d
		local wanted=$1
		shift
		run at_home "$@" skopeo-c copy containers-storage:app:1 dir:d
		echo "$output"
		[ "$status" -eq "$wanted" ]
	}
	printf '[storage]\ndriver = "overlay"\nrunroot = "%s/run"\ngraphroot = "%s"\n' "$PWD" "$STORE" >$conf
	copies 0
	at_home timeout 60 podman --tmpdir "$PWD/libpod" image exists app:1
	# variables, a link, and no driver: the one that is there
	ln -s "$STORE" home/link
	# shellcheck disable=SC2016 # they are skopeo-c's to expand
	printf '[storage]\ngraphroot = "$HOME/${WHICH}"\nrunroot = "%s/run"\n' "$PWD" >$conf
	copies 0 WHICH=link
	at_home WHICH=link timeout 60 podman --tmpdir "$PWD/libpod" image exists app:1
	copies 3 WHICH=empty
	copies 10 WHICH=link STORAGE_DRIVER=btrfs
	copies 3 WHICH=link STORAGE_DRIVER=vfs
	# drop-ins, by name; later ones win
	printf '[storage]\ndriver = "btrfs"\ngraphroot = "%s/empty"\n' "$PWD" >home/.config/containers/storage.conf.d/10.conf
	printf '[storage]\ndriver = "overlay2"\ngraphroot = "%s"\n' "$STORE" >home/.config/containers/storage.conf.d/20.conf
	echo nonsense >home/.config/containers/storage.conf.d/30.other
	copies 0
	copies 3 CONTAINERS_STORAGE_CONF="$PWD/$conf"
	printf '[storage]\ngraphroot = "%s/empty"\n' "$PWD" >last.conf
	copies 3 CONTAINERS_STORAGE_CONF_OVERRIDE="$PWD/last.conf"
	copies 0 CONTAINERS_STORAGE_CONF_OVERRIDE="$BATS_FILE_TMPDIR/storage.conf"
	copies 2 CONTAINERS_STORAGE_CONF=/nonexistent
	copies 2 CONTAINERS_STORAGE_CONF_OVERRIDE=/nonexistent
	add() {
		printf '[storage]\ngraphroot = "%s/empty"\n[storage.options]\nadditionalimagestores = [%s]\n' "$PWD" "$2" >"home/.config/containers/storage.conf.d/$1.conf"
	}
	# a store that nobody has used yet, or only looked at
	add 40 "\"$STORE\""
	copies 0
	mkdir empty/overlay{-images,-layers}
	touch empty/overlay-images/images.lock empty/overlay-layers/layers.lock
	copies 0
	# a list is replaced, or added to
	add 50 "\"$PWD/empty\""
	copies 3
	add 50 "\"$PWD/empty\", {append = true}"
	copies 0
	rm home/.config/containers/storage.conf.d/*
	# images apart from the containers
	printf '[storage]\ngraphroot = "%s/empty"\nimagestore = "%s"\n' "$PWD" "$STORE" >$conf
	copies 0
	echo 'storage = [' >home/.config/containers/storage.conf.d/60.conf
	copies 7
}

@test "inspect: a user's store is that of his own files, and of what the system says of rootless_storage_path" {
	cd "$(mktemp -d "${TMPDIR:-/tmp}/ocid-storage.XXXXXX")" || return
	chmod 755 .
	mkdir -p home/.config/containers
	cp -a "$STORE" user
	chown -R 1234 user home
	# shellcheck disable=SC2016 # as above
	printf '[storage]\nrootless_storage_path = "%s/$NAME"\n' "$PWD" >home/.config/containers/storage.conf
	as_user() {
		at_home setpriv --reuid 1234 --clear-groups env "$@" skopeo-c inspect --config containers-storage:app:1
	}
	as_user NAME=user
	run ! as_user NAME=none
	# as root of the user namespace that podman unshare makes
	at_home NAME=user _CONTAINERS_ROOTLESS_UID=1234 skopeo-c inspect --config containers-storage:app:1
	run ! at_home NAME=user skopeo-c inspect --config containers-storage:app:1
	mkdir -p home/.local/share/containers
	mv user home/.local/share/containers/storage
	rm home/.config/containers/storage.conf
	as_user
	rm -rf "$PWD"
}
