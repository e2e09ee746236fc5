/* Atomic work whose outcome is certain, in a region of its own:
 *
 *     exclusives TIMES    each time a store exclusive that stores, two that fail, four LSE atomics and two prefetches
 */
#include <armprof.h>
#include <stdlib.h>

static _Alignas(64) long place[8];

static void work(long times) {
    for (long i = 0; i < times; i++) {
        __asm__ volatile("1: ldxr x9, [%0]\n\tstxr w10, x9, [%0]\n\tcbnz w10, 1b\n\t"
                         "ldxr x9, [%0]\n\tclrex\n\tstxr w10, x9, [%0]\n\tcbnz w10, 2f\n\tbrk #1\n\t"
                         "2: ldxr x9, [%0]\n\tclrex\n\tstlxr w10, x9, [%0]\n\tcbz w10, 3f\n\t"
                         ".arch armv8.1-a\n\t"
                         "cas x9, x10, [%0]\n\tldadd x9, x10, [%0]\n\tstset x9, [%0]\n\tswpal x9, x10, [%0]\n\t"
                         "prfm pldl1keep, [%0]\n\tprfm pstl1strm, [%0, x10]\n\t3:" ::"r"(place)
                         : "x9", "x10", "memory", "cc");
    }
}

int main(int argc, char **argv) {
    armprof_options options = {.cpu = -1};
    armprof_regions_setup(NULL, 0, &options);
    armprof_region region = armprof_region_define("work");
    if (argc < 2 || !region || armprof_thread_start() != 0) {
        return 1;
    }
    armprof_enter(region);
    work(strtol(argv[1], NULL, 10));
    armprof_leave(region);
    return 0;
}
