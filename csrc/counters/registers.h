/* Reading one counter register of an ARM64 core, in a way that survives the kernel taking the permission away.
 *
 * `mrs` needs the register's name in the instruction, so there is one small routine per register in a table that is called
 * by address. The table doubles as the list of places where a SIGILL is ours: when kernel.perf_user_access is set back to
 * 0 the mapped page still shows its index, and only the trap tells (seen on Linux 6.1: the process died with SIGILL). The
 * handler lets the routine return with the refusal noted, and the caller goes on with read(2).
 */
#ifndef ARMPROF_REGISTERS_H
#define ARMPROF_REGISTERS_H

#include <stdint.h>
#include <stdlib.h> /* __GLIBC__ */

/* A variable of each thread, at an offset that is known when the library is loaded. Else a shared library calls a function
 * for each access, which cost a region 371 instructions instead of 357, and which may allocate, in a signal handler too.
 * glibc keeps room for libraries that are loaded late; musl would not load them. */
#if defined(__GLIBC__)
#define ARMPROF_THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#else
#define ARMPROF_THREAD_LOCAL __thread
#endif

/* Why a register could not be read, as bits. */
enum {
    ARMPROF_REFUSED_NO_INDEX = 1, /* the page names no counter: not scheduled, or user reads are off */
    ARMPROF_REFUSED_TRAP = 2,     /* the core trapped: user reads were switched off a moment ago */
};

/* The index in the mapped page: 0 for none, 1..31 for event counters 0..30, 32 for the cycle counter. Newer kernels give
 * 33 to the instruction counter PMICNTR, which is left to read(2), as is all that may come after it.
 * ARMPROF_INDEX_ZERO is ours, no page's, and reads as 0. */
enum { ARMPROF_INDEX_CYCLES = 32, ARMPROF_INDEX_ZERO = 33 };

typedef const char *armprof_routine;

#if defined(__aarch64__)

enum { ARMPROF_ROUTINE_BYTES = 16 };

extern const char armprof_register_routines[];
extern const char armprof_register_routines_end[];

/* For an index of at most ARMPROF_INDEX_ZERO. */
static inline armprof_routine armprof_register_routine(uint32_t index) {
    return armprof_register_routines + (uint64_t)index * ARMPROF_ROUTINE_BYTES;
}

/* *refused collects bits and is never cleared here. No compiler barrier: the callers place theirs. */
static inline uint64_t armprof_read_register(armprof_routine routine, uint64_t *refused) {
    register uint64_t value __asm__("x0");
    register uint64_t bits __asm__("x1") = *refused;
    __asm__ volatile("blr %2" : "=r"(value), "+r"(bits) : "r"(routine) : "x30");
    *refused = bits;
    return value;
}

/* The lowest 64 - shift bits of `raw`, with their sign; only the lowest six bits of `shift` matter, as in the instructions.
 * GCC would mask them first, once per read. */
static inline uint64_t armprof_sign_extend(uint64_t raw, uint64_t shift) {
    uint64_t value;
    __asm__("lsl %0, %1, %2\n\tasr %0, %0, %2" : "=&r"(value) : "r"(raw), "r"(shift));
    return value;
}

/* Earlier instructions are done before the registers are read, and later ones start after. `dmb`, which other readers
 * use, orders memory and not system registers. */
static inline void armprof_fence(void) { __asm__ volatile("isb" ::: "memory"); }

#else /* no user reads on this architecture */

static inline armprof_routine armprof_register_routine(uint32_t index) {
    (void)index;
    return 0;
}

static inline uint64_t armprof_read_register(armprof_routine routine, uint64_t *refused) {
    (void)routine;
    *refused |= ARMPROF_REFUSED_NO_INDEX;
    return 0;
}

static inline uint64_t armprof_sign_extend(uint64_t raw, uint64_t shift) {
    return (uint64_t)((int64_t)(raw << (shift & 63)) >> (shift & 63));
}

static inline void armprof_fence(void) {}

#endif

/* The SIGILL handler is in place while at least one set reads in user space; these nest. */
void armprof_trap_acquire(void);
void armprof_trap_release(void);

/* Around a fork, so that the child does not inherit a lock that another thread held. */
void armprof_trap_before_fork(void);
void armprof_trap_after_fork(void);

#endif
