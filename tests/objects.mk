# SPDX-License-Identifier: Apache-2.0
# What unit tests and fuzz targets need beside lib/: objects of the tool, below $(BUILD)/obj, and
# libraries.

DISPATCH_TRANSCODE := $(patsubst %,ocid-dispatch/%.o,transcode_decode transcode_encode \
	transcode_field wire) gen/cri.pb-c.o

TEST_OBJS_transcode := $(DISPATCH_TRANSCODE) gen/kinds.pb-c.o
TEST_PKGS_transcode := libprotobuf-c
TEST_OBJS_grpc := $(patsubst %,ocid-dispatch/%.o,grpc answer)
TEST_OBJS_http2 := $(patsubst %,ocid-dispatch/%.o,http2 fields frames)
TEST_OBJS_http2_frames := ocid-dispatch/frames.o
TEST_OBJS_http2_fields := ocid-dispatch/fields.o
TEST_PKGS_http2_fields := libnghttp2
TEST_PKGS_http2 := libnghttp2

# a message with every kind of field, for the transcoder's tests
KINDS := $(BUILD)/gen/tests/ocid-dispatch/kinds.pb-c
$(KINDS).c $(KINDS).h &: tests/ocid-dispatch/kinds.proto
	@mkdir -p $(@D)
	$(call quiet,PROTO)protoc-c --c_out=$(BUILD)/gen $<
$(BUILD)/obj/gen/kinds.pb-c.o: $(KINDS).c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) -std=c17 -I$(BUILD)/gen $(HARDEN) $(CFLAGS) -c -o $@ $<
$(patsubst %,$(BUILD)/obj/tests/%/transcode.o,unit fuzz): | $(KINDS).h $(CRI_GEN).h

STREAM_SPDY := $(patsubst %,ocid-dispatch/stream/%.o,spdy spdy_frames spdy_headers)
STREAM_HANDSHAKE := $(patsubst %,ocid-dispatch/stream/%.o,handshake http1 sha1 websocket)
TEST_OBJS_spdy := $(STREAM_SPDY)
TEST_PKGS_spdy := zlib
TEST_OBJS_handshake := $(STREAM_HANDSHAKE)
TEST_LIBS_handshake := -lwslay
TEST_OBJS_websocket := $(patsubst %,ocid-dispatch/stream/%.o,sha1 websocket)
TEST_LIBS_websocket := -lwslay

TEST_OBJS_cni_config := ctr-net/cni_config.o ctr-net/cni_version.o
TEST_OBJS_cni_result := ctr-net/cni_result.o ctr-net/cni_version.o ctr-net/subnet.o
TEST_OBJS_pod_bandwidth := ocid-dispatch/pod_bandwidth.o
TEST_LIBS_pod_bandwidth := -lm
TEST_OBJS_publish := ctr-net/publish.o
TEST_OBJS_conflist := $(TEST_OBJS_cni_config)

# the layer unpack worker
LAYER_INFLATE := $(patsubst %,ctr-store/worker/%.o,source inflate inflate_gzip inflate_zstd inflate_archive)
TEST_OBJS_layer_names := ctr-store/worker/names.o
TEST_OBJS_layer_inflate := $(LAYER_INFLATE)
TEST_PKGS_layer_inflate := libarchive $(INFLATE) libzstd zlib
TEST_OBJS_layer_confine := ctr-store/worker/confine.o
LAYER_TREE := $(patsubst %,ctr-store/worker/%.o,names tree meta create unpack lower relocate finish \
	media_directory marker confine media_erofs erofs_attributes erofs_content erofs_directory \
	erofs_image erofs_inode erofs_names)
TEST_OBJS_layer_unpack := $(LAYER_INFLATE) ctr-store/worker/stream.o $(LAYER_TREE)
TEST_PKGS_layer_unpack := libarchive $(INFLATE) libzstd
TEST_OBJS_layer_tree := $(LAYER_TREE)
TEST_PKGS_layer_tree := libarchive

TEST_OBJS_json_stream := ctr-store/json_stream.o
TEST_OBJS_mountinfo := ctr-store/mountinfo.o
TEST_OBJS_image_config := ctr-store/image_config.o
TEST_OBJS_overlay := $(patsubst %,ctr-store/%.o,overlay overlay_stack erofs erofs_shared id_map lost_store user_namespace)

TEST_OBJS_http_url := skopeo-c/curl_loaded.o skopeo-c/http_url.o
TEST_OBJS_challenge := skopeo-c/challenge.o
TEST_OBJS_credentials := $(patsubst %,skopeo-c/%.o,credentials docker_hub secret)
TEST_OBJS_manifest := skopeo-c/manifest.o skopeo-c/schema1.o
TEST_OBJS_schema1 := skopeo-c/schema1.o
TEST_OBJS_registries := $(patsubst %,skopeo-c/%.o,registries registries_files registries_short registries_tables)
TEST_OBJS_skopeo_tar := skopeo-c/tar.o
TEST_OBJS_prune_plan := $(patsubst %,skopeo-c/%.o,prune_plan referrers_tag tag_filter semver)
TEST_OBJS_semver := skopeo-c/semver.o
TEST_OBJS_tag_filter := skopeo-c/tag_filter.o skopeo-c/semver.o
TEST_OBJS_template := skopeo-c/template.o skopeo-c/go_time.o
TEST_OBJS_policy := $(patsubst %,skopeo-c/%.o,policy policy_identity)
TEST_OBJS_signature := skopeo-c/signature.o
TEST_OBJS_sigstore := $(patsubst %,skopeo-c/%.o,sigstore sigstore_bundle sigstore_key sigstore_rekor)
TEST_OBJS_lookaside := $(patsubst %,skopeo-c/%.o,lookaside policy policy_identity)
TEST_OBJS_hashing := skopeo-c/hashing.o
TEST_OBJS_gzip := skopeo-c/gzip.o
TEST_PKGS_gzip := $(INFLATE)

OCI_CHECKS := $(patsubst %,oci-gen/%.o,findings fixes known leaves mounts pointer rules rules_common rules_devices rules_linux \
	rules_mappings rules_mounts rules_platforms rules_process rules_resources rules_run rules_seccomp schema schema_platforms \
	structure)
TEST_OBJS_oci_pointer := oci-gen/pointer.o
TEST_OBJS_oci_mounts := oci-gen/mounts.o oci-gen/known.o
TEST_OBJS_oci_config := $(OCI_CHECKS)
TEST_OBJS_oci_cri := oci-gen/cri_read.o oci-gen/message.o
TEST_OBJS_oci_image := $(OCI_CHECKS) $(patsubst %,oci-gen/%.o,capabilities cdi_apply cdi_find cdi_version \
	generation generation_finish image message network seccomp seccomp_default seccomp_edit seccomp_names \
	setters template versions volumes)
TEST_OBJS_seccomp_names := oci-gen/seccomp_names.o

TEST_OBJS_cri_log := ocid-shim/cri_log.o
TEST_OBJS_log_time := ocid-shim/log_time.o ocid-shim/cri_log.o
TEST_OBJS_monitor_log := $(patsubst %,ocid-shim/%.o,cri_log monitor/journal monitor/log monitor/rotate monitor/text)
TEST_OBJS_monitor := $(patsubst %,ocid-shim/monitor/%.o,attach console control journal log process rotate text)
TEST_OBJS_runtime_error := ocid-shim/runtime.o
