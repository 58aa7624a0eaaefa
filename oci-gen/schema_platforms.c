/* SPDX-License-Identifier: Apache-2.0 */
/* Members for other platforms than Linux and for virtual machines (runtime-spec config-solaris.md,
 * config-windows.md, config-vm.md, config-zos.md, config-freebsd.md), as tables. */
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
	{ "milestone", .shape = TEXT, .spec = "config-solaris.md#milestone" },
	{ "limitpriv", .shape = TEXT, .spec = "config-solaris.md#limitpriv" },
	{ "maxShmMemory", .shape = TEXT, .spec = "config-solaris.md#maxshmmemory" },
	{ "cappedCPU", .shape = OBJECT, .members = capped_cpu_members,
	  .spec = "config-solaris.md#cappedcpu" },
	{ "cappedMemory", .shape = OBJECT, .members = capped_memory_members,
	  .spec = "config-solaris.md#cappedmemory" },
	{ "anet", .shape = ARRAY, .element = &anet,
	  .spec = "config-solaris.md#automatic-network-anet" },
	{ 0 },
};

static const struct field hypervisor_members[] = {
	{ "path", .shape = TEXT, .required = true, .not_empty = true },
	{ "parameters", .shape = ARRAY, .element = &text_element },
	{ 0 },
};
static const struct field kernel_members[] = {
	{ "path", .shape = TEXT, .required = true, .not_empty = true },
	{ "parameters", .shape = ARRAY, .element = &text_element },
	{ "initrd", .shape = TEXT },
	{ 0 },
};
static const struct field image_members[] = {
	{ "path", .shape = TEXT, .required = true, .not_empty = true },
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
	{ "mask", NUMBERS, .required = true },
	{ "group", .shape = NUMBER, .max = 4294967295LL, .required = true },
	{ 0 },
};
static const struct field affinity = { .shape = OBJECT,
				       .members = affinity_members,
				       .spec = "config-windows.md#cpu" };
static const struct field cpu_members[] = {
	{ "count", NUMBERS },
	{ "shares", .shape = NUMBER, .max = 10000 },
	{ "maximum", .shape = NUMBER, .max = 10000 },
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
	  .element = &text_element, .spec = "config-windows.md#layerfolders" },
	{ "devices", .shape = ARRAY, .element = &device, .spec = "config-windows.md#devices" },
	{ "resources", .shape = OBJECT, .members = resource_members,
	  .spec = "config-windows.md#resources" },
	{ "network", .shape = OBJECT, .members = network_members,
	  .spec = "config-windows.md#network" },
	{ "credentialSpec", .shape = ANY, .spec = "config-windows.md#credential-spec" },
	{ "servicing", .shape = BOOLEAN, .spec = "config-windows.md#servicing" },
	{ "ignoreFlushesDuringBoot", .shape = BOOLEAN,
	  .spec = "config-windows.md#ignoreflushesduringboot" },
	{ "hyperv", .shape = OBJECT, .members = hyperv_members,
	  .spec = "config-windows.md#hyperv" },
	{ 0 },
};

static const struct field zos_namespace_members[] = {
	{ "type", .shape = TEXT, .required = true, .values = LIST("pid", "mount", "ipc", "uts") },
	{ "path", .shape = TEXT, .not_empty = true },
	{ 0 },
};
static const struct field zos_namespace = { .shape = OBJECT,
					    .members = zos_namespace_members,
					    .spec = "config-zos.md#namespaces" };

const struct field schema_zos[] = {
	{ "namespaces", .shape = ARRAY, .element = &zos_namespace,
	  .spec = "config-zos.md#namespaces" },
	{ 0 },
};

static const struct field devfs_members[] = {
	{ "path", .shape = TEXT, .required = true, .not_empty = true },
	{ "mode", .shape = NUMBER, .max = 07777 },
	{ 0 },
};
static const struct field devfs_entry = { .shape = OBJECT,
					  .members = devfs_members,
					  .spec = "config-freebsd.md#devices" };
static const struct field allow_members[] = {
	{ "setHostname", .shape = BOOLEAN }, { "rawSockets", .shape = BOOLEAN },
	{ "chflags", .shape = BOOLEAN },     { "mount", .shape = ARRAY, .element = &text_element },
	{ "quotas", .shape = BOOLEAN },	     { "socketAf", .shape = BOOLEAN },
	{ "mlock", .shape = BOOLEAN },	     { "reservedPorts", .shape = BOOLEAN },
	{ "suser", .shape = BOOLEAN },	     { 0 },
};
#define SHARED	      .shape = TEXT, .values = LIST("new", "inherit")
#define SHARED_OR_NOT .shape = TEXT, .values = LIST("new", "inherit", "disable")
static const struct field jail_members[] = {
	{ "parent", .shape = TEXT },
	{ "host", SHARED },
	{ "ip4", SHARED_OR_NOT },
	{ "ip4Addr", .shape = ARRAY, .element = &text_element },
	{ "ip6", SHARED_OR_NOT },
	{ "ip6Addr", .shape = ARRAY, .element = &text_element },
	{ "vnet", SHARED },
	{ "interface", .shape = TEXT },
	{ "vnetInterfaces", .shape = ARRAY, .element = &text_element },
	{ "sysvmsg", SHARED_OR_NOT },
	{ "sysvsem", SHARED_OR_NOT },
	{ "sysvshm", SHARED_OR_NOT },
	{ "enforceStatfs", .shape = NUMBER, .max = 2 },
	{ "allow", .shape = OBJECT, .members = allow_members, .spec = "config-freebsd.md#jail" },
	{ 0 },
};

const struct field schema_freebsd[] = {
	{ "devices", .shape = ARRAY, .element = &devfs_entry, .spec = "config-freebsd.md#devices" },
	{ "jail", .shape = OBJECT, .members = jail_members, .spec = "config-freebsd.md#jail" },
	{ 0 },
};
