/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#if defined(__SANITIZE_ADDRESS__)
#elif defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#ifdef ARCHITECTURE

/* x32's calls have this bit beside the numbers of x86-64's; no other machine has such numbers. */
#define X32_BIT 0x40000000

#define LOAD(field)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define REFUSED	     (SECCOMP_RET_ERRNO | EPERM)

enum { FIXED = 6 };

/* Load and compare the architecture and the call; each of the calls jumps over the rest. */
static int apply(const unsigned *calls, size_t count, unsigned listed, unsigned others,
		 struct error *err)
{
	struct sock_filter filter[FIXED + SECCOMP_CALLS_MAX + 2] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		ANSWER(REFUSED),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
		ANSWER(REFUSED),
	};
	const struct sock_fprog program = { (unsigned short)(FIXED + count + 2), filter };

	for (size_t i = 0; i < count; i++)
		filter[FIXED + i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, calls[i], (unsigned char)(count - i), 0);
	filter[FIXED + count] = (struct sock_filter)ANSWER(others);
	filter[FIXED + count + 1] = (struct sock_filter)ANSWER(listed);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return error_os(err, "cannot apply seccomp");
	return 0;
}

int seccomp_allow_only(const unsigned *calls, size_t count, struct error *err)
{
	return apply(calls, count, SECCOMP_RET_ALLOW, REFUSED, err);
}

int seccomp_refuse(const unsigned *calls, size_t count, struct error *err)
{
	return apply(calls, count, REFUSED, SECCOMP_RET_ALLOW, err);
}

#else

int seccomp_allow_only(const unsigned *calls, size_t count, struct error *err)
{
	(void)calls, (void)count, (void)err;
	return 0;
}

int seccomp_refuse(const unsigned *calls, size_t count, struct error *err)
{
	(void)calls, (void)count, (void)err;
	return 0;
}

#endif
