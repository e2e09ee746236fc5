/* Volumes of a day by instrument and second, 24 MiB: more than a last level of 8 MiB holds, which is what a core is left
 * of a larger one that others use too. Lots fit into two bytes, and the table then into the last level. */
#include "suite.h"

#include <sys/mman.h>

enum { CELLS = 3 << 20, TRADES = 300000 };

#ifdef FIXED
typedef uint16_t lots;
#else
typedef uint64_t lots;
#endif

static lots *volumes;
static uint32_t cells[TRADES];

static void prepare(void) {
    size_t bytes = (CELLS * sizeof *volumes + (2 << 20) - 1) >> 21 << 21;
    volumes = aligned_alloc(2 << 20, bytes);
    madvise(volumes, bytes, MADV_HUGEPAGE); /* the translations are not the question here */
    memset(volumes, 0, bytes);
    for (int i = 0; i < TRADES; i++) {
        cells[i] = (uint32_t)draw(CELLS);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t before = 0;
    for (int i = 0; i < TRADES; i++) {
        before += volumes[cells[i]]++; /* here: working-set-llc */
    }
    return before;
}
