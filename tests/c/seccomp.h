/* Makes the kernel refuse system calls, in this process and for good. */
#ifndef SECCOMP_H
#define SECCOMP_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "harness.h"

#if defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE AUDIT_ARCH_X86_64
#endif

/* In place of an argument: whatever the arguments are; and every call but the one that is named. */
enum { ANY_ARGUMENT = -1, ANY_CALL_BUT = -2 };

/* From now on the system call does what `action` says where its argument is `value`; `unless`: where it is not. */
static inline void filter(long call, int argument, int value, bool unless, uint32_t action) {
    uint32_t lower_half = (uint32_t)(offsetof(struct seccomp_data, args) +
                                     (argument < 0 ? 0 : (size_t)argument) * sizeof(uint64_t));
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, lower_half),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)value, unless, !unless),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (argument == ANY_ARGUMENT) {
        program[5] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0);
    } else if (argument == ANY_CALL_BUT) {
        program[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 3, 2);
    }
    struct sock_fprog all = {sizeof program / sizeof *program, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) != 0) {
        skip("this kernel has no seccomp filters");
    }
}

static inline uint32_t giving(int error) { return SECCOMP_RET_ERRNO | (uint32_t)error; }

#endif
