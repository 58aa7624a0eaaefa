/* SPDX-License-Identifier: Apache-2.0 */
/* Members for Solaris, Windows and virtual machines (runtime-spec config-solaris.md,
 * config-windows.md, config-vm.md), as tables. */
#include "oci-gen/schema.h"

#include <limits.h>
#include <stddef.h>

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NUMBERS	  .shape = NUMBER, .min = 0, .max = LLONG_MAX

static const struct field text_element = { .shape = TEXT };
static const struct field id_element = { .shape = NUMBER, .max = 4294967295LL };

static const struct field anet_members[] = {
	{ "linkname", .shape = TEXT },	     { "lowerLink", .shape = TEXT },
	{ "allowedAddress", .shape = TEXT }, { "configureAllowedAddress", .shape = TEXT },
	{ "defrouter", .shape = TEXT },	     { "macAddress", .shape = TEXT },
	{ "linkProtection", .shape = TEXT }, { 0 },
};
static const struct field anet = { .shape = OBJECT,
				   .members = anet_members,
				   .spec = "config-solaris.md#automatic-network-anet" };
static const struct field capped_cpu_members[] = { { "ncpus", .shape = TEXT }, { 0 } };
static const struct field capped_memory_members[] = {
	{ "physical", .shape = TEXT },
	{ "swap", .shape = TEXT },
	{ 0 },
};

const struct field schema_solaris[] = {
	{ "milestone", .shape = TEXT },
	{ "limitpriv", .shape = TEXT },
	{ "maxShmMemory", .shape = TEXT },
	{ "cappedCPU", .shape = OBJECT, .members = capped_cpu_members,
	  .spec = "config-solaris.md#cappedcpu" },
	{ "cappedMemory", .shape = OBJECT, .members = capped_memory_members,
	  .spec = "config-solaris.md#cappedmemory" },
	{ "anet", .shape = ARRAY, .element = &anet },
	{ 0 },
};

static const struct field hypervisor_members[] = {
	{ "path", .shape = TEXT, .required = true },
	{ "parameters", .shape = ARRAY, .element = &text_element },
	{ 0 },
};
static const struct field kernel_members[] = {
	{ "path", .shape = TEXT, .required = true },
	{ "parameters", .shape = ARRAY, .element = &text_element },
	{ "initrd", .shape = TEXT },
	{ 0 },
};
static const struct field image_members[] = {
	{ "path", .shape = TEXT, .required = true },
	{ "format", .shape = TEXT, .required = true,
	  .values = LIST("raw", "qcow2", "vdi", "vmdk", "vhd") },
	{ 0 },
};
static const struct field iomem_members[] = {
	{ "firstGFN", NUMBERS },
	{ "firstMFN", NUMBERS, .required = true },
	{ "nrMFNs", NUMBERS, .required = true },
	{ 0 },
};
static const struct field iomem = { .shape = OBJECT,
				    .members = iomem_members,
				    .spec = "config-vm.md#hwconfig-object" };
static const struct field hardware_members[] = {
	{ "deviceTree", .shape = TEXT },
	{ "vcpus", NUMBERS },
	{ "memory", NUMBERS },
	{ "dtdevs", .shape = ARRAY, .element = &text_element },
	{ "iomems", .shape = ARRAY, .element = &iomem },
	{ "irqs", .shape = ARRAY, .element = &id_element },
	{ 0 },
};

const struct field schema_vm[] = {
	{ "hypervisor", .shape = OBJECT, .members = hypervisor_members,
	  .spec = "config-vm.md#hypervisor-object" },
	{ "kernel", .shape = OBJECT, .required = true, .members = kernel_members,
	  .spec = "config-vm.md#kernel-object" },
	{ "image", .shape = OBJECT, .members = image_members, .spec = "config-vm.md#image-object" },
	{ "hwConfig", .shape = OBJECT, .members = hardware_members,
	  .spec = "config-vm.md#hwconfig-object" },
	{ 0 },
};

static const struct field device_members[] = {
	{ "id", .shape = TEXT, .required = true },
	{ "idType", .shape = TEXT, .required = true, .values = LIST("class") },
	{ 0 },
};
static const struct field device = { .shape = OBJECT,
				     .members = device_members,
				     .spec = "config-windows.md#devices" };
static const struct field memory_members[] = { { "limit", NUMBERS }, { 0 } };
static const struct field affinity_members[] = {
	{ "mask", NUMBERS },
	{ "group", NUMBERS },
	{ 0 },
};
static const struct field affinity = { .shape = OBJECT,
				       .members = affinity_members,
				       .spec = "config-windows.md#cpu" };
static const struct field cpu_members[] = {
	{ "count", NUMBERS },
	{ "shares", .shape = NUMBER, .max = 65535 },
	{ "maximum", .shape = NUMBER, .max = 65535 },
	{ "affinity", .shape = ARRAY, .element = &affinity },
	{ 0 },
};
static const struct field storage_members[] = {
	{ "iops", NUMBERS },
	{ "bps", NUMBERS },
	{ "sandboxSize", NUMBERS },
	{ 0 },
};
static const struct field resource_members[] = {
	{ "memory", .shape = OBJECT, .members = memory_members,
	  .spec = "config-windows.md#memory" },
	{ "cpu", .shape = OBJECT, .members = cpu_members, .spec = "config-windows.md#cpu" },
	{ "storage", .shape = OBJECT, .members = storage_members,
	  .spec = "config-windows.md#storage" },
	{ 0 },
};
static const struct field network_members[] = {
	{ "endpointList", .shape = ARRAY, .element = &text_element },
	{ "allowUnqualifiedDNSQuery", .shape = BOOLEAN },
	{ "DNSSearchList", .shape = ARRAY, .element = &text_element },
	{ "networkSharedContainerName", .shape = TEXT },
	{ "networkNamespace", .shape = TEXT },
	{ 0 },
};
static const struct field hyperv_members[] = { { "utilityVMPath", .shape = TEXT }, { 0 } };

const struct field schema_windows[] = {
	{ "layerFolders", .shape = ARRAY, .required = true, .not_empty = true,
	  .element = &text_element },
	{ "devices", .shape = ARRAY, .element = &device },
	{ "resources", .shape = OBJECT, .members = resource_members,
	  .spec = "config-windows.md#resources" },
	{ "network", .shape = OBJECT, .members = network_members,
	  .spec = "config-windows.md#network" },
	{ "credentialSpec", .shape = ANY },
	{ "servicing", .shape = BOOLEAN },
	{ "ignoreFlushesDuringBoot", .shape = BOOLEAN },
	{ "hyperv", .shape = OBJECT, .members = hyperv_members,
	  .spec = "config-windows.md#hyperv" },
	{ 0 },
};
