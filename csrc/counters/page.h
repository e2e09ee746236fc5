/* The arithmetic of reading a counter in user space, from the page that the kernel maps for each event.
 *
 * Nothing here touches a register or the kernel: the register is read through ARMPROF_READ_REGISTER, which the tests
 * replace, so that every index, width, wrap and retry is tested on any machine. Layout and protocol are those of
 * struct perf_event_mmap_page in linux/perf_event.h and Documentation/arch/arm64/perf.rst.
 *
 * The page belongs to an event of the calling thread, so the kernel writes it on this CPU only, in an interrupt or a
 * context switch: a compiler barrier orders our loads, as in the kernel's own example.
 */
#ifndef ARMPROF_PAGE_H
#define ARMPROF_PAGE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registers.h"

#ifndef ARMPROF_READ_REGISTER
#define ARMPROF_READ_REGISTER(routine, refused) armprof_read_register(routine, refused)
#define ARMPROF_REGISTER_ROUTINE(index) armprof_register_routine(index)
#endif

#define ARMPROF_COMPILER_BARRIER() __asm__ volatile("" ::: "memory")

typedef struct perf_event_mmap_page armprof_page;

/* One counter as user space sees it: what its page said when its sequence lock was last looked at. As long as the lock
 * has not moved since, a read is the register and one look at the lock; that halves the cost of a read. */
struct armprof_source {
    const armprof_page *page;
    armprof_routine routine; /* reads the register of page->index */
    uint64_t offset;
    uint64_t sequence_and_shift; /* the lock in the upper half, 64 - pmc_width in the lower, where shifts look for it */
};

/* How long a group wanted to count, less the clock in ns, and how long of that it had no counters: two numbers that stand
 * still while the kernel leaves the page alone. */
struct armprof_times {
    uint64_t enabled_base; /* time_enabled + time_offset: add the clock */
    uint64_t lost;         /* time_enabled - time_running */
};

/* The sequence lock, read as volatile: these loads must happen, and where they stand. */
static inline uint32_t armprof_page_sequence(const armprof_page *page) {
    return *(const volatile uint32_t *)&page->lock;
}

/* Takes over what the page says now. `times` may be NULL. */
static inline void armprof_source_refresh(struct armprof_source *source, struct armprof_times *times) {
    const armprof_page *page = source->page;
    uint32_t sequence;
    do {
        sequence = armprof_page_sequence(page);
        ARMPROF_COMPILER_BARRIER();
        uint32_t index = page->index;
        source->routine = ARMPROF_REGISTER_ROUTINE(index <= ARMPROF_INDEX_CYCLES ? index : 0);
        source->offset = (uint64_t)page->offset;
        source->sequence_and_shift = (uint64_t)sequence << 32 | (64u - page->pmc_width);
        if (times) {
            times->enabled_base = page->time_enabled + page->time_offset;
            times->lost = page->time_enabled - page->time_running;
        }
        ARMPROF_COMPILER_BARRIER();
    } while (armprof_page_sequence(page) != sequence);
}

/* The event's count now, if the lock still says afterwards what it said at the refresh; between the read and that look
 * belongs a compiler barrier. Where the kernel or the core does not let user space have the register, *refused says so and
 * the value means nothing; one look at it serves any number of reads.
 *
 * The register is as wide as pmc_width says and counts up from a negative start (the driver starts a 32-bit counter at
 * -2^31, so that the overflow interrupt comes in time): it must be extended with its sign. A reader that holds it
 * unsigned reads 2^32 too much. */
static inline uint64_t armprof_source_read(const struct armprof_source *source, uint64_t *refused) {
    uint64_t raw = ARMPROF_READ_REGISTER(source->routine, refused);
    return source->offset + armprof_sign_extend(raw, source->sequence_and_shift);
}

/* The kernel's conversion of the clock that the page is kept in: two multiplications instead of one, since ticks times
 * mult does not fit into 64 bits. Mult and shift are set at boot. The page also gives a mask for clocks that wrap
 * (cap_user_time_short); CNTVCT has 56 bits at least and wraps after two years at 1 GHz, so it is not applied. */
static inline uint64_t armprof_ticks_to_ns(uint64_t ticks, uint32_t mult, uint16_t shift) {
    uint64_t quotient = ticks >> shift;
    uint64_t remainder = ticks & (((uint64_t)1 << shift) - 1);
    return quotient * mult + ((remainder * mult) >> shift);
}

#endif
