/* The chase visits every cell once before it is back where it began, whatever its size, its stride and its seed. */
#include "memory_latency.h"

#include "check.h"

static uint8_t memory[1 << 20] __attribute__((aligned(64)));

static void visits_every_cell_once(size_t cells, size_t stride, uint64_t seed) {
    static uint8_t seen[1 << 16];
    for (size_t i = 0; i < cells; i++)
        seen[i] = 0;
    void **start = ap_chase_lay(memory, cells, stride, seed), **at = start;
    for (size_t i = 0; i < cells; i++) {
        size_t offset = (size_t)((uint8_t *)at - memory);
        CHECK_EQUAL(offset % stride, 0);
        CHECK(offset / stride < cells);
        CHECK_EQUAL(seen[offset / stride], 0);
        seen[offset / stride] = 1;
        at = ap_chase(at, 1);
    }
    CHECK(at == start);
}

static void steps_add_up(void) {
    void **start = ap_chase_lay(memory, 1000, 64, 7), **by_ones = start;
    for (uint64_t steps = 0; steps < 100; steps++, by_ones = ap_chase(by_ones, 1)) {
        CHECK(ap_chase(start, steps) == by_ones);
        void **at = start;
        ap_chase_time(&at, steps);
        CHECK(at == by_ones);
    }
    CHECK(ap_chase(start, 123000) == start);
}

static void a_seed_gives_one_order_and_another_seed_another(void) {
    void **first = ap_chase(ap_chase_lay(memory, 1000, 64, 1), 500);
    CHECK(ap_chase(ap_chase_lay(memory, 1000, 64, 1), 500) == first);
    size_t differ = 0;
    for (uint64_t seed = 2; seed < 12; seed++)
        differ += ap_chase(ap_chase_lay(memory, 1000, 64, seed), 500) != first;
    CHECK(differ >= 8);
}

/* A prefetcher that guesses the next line, or the one before, would be right twice in a thousand times. */
static void neighbours_seldom_follow_each_other(void) {
    enum { CELLS = 10000 };
    void **at = ap_chase_lay(memory, CELLS, 64, 3);
    size_t near = 0;
    for (size_t i = 0; i < CELLS; i++) {
        void **next = ap_chase(at, 1);
        ptrdiff_t step = (uint8_t *)next - (uint8_t *)at;
        near += step == 64 || step == -64;
        at = next;
    }
    CHECK(near < 20);
}

static void mapped_memory_is_aligned_and_all_there(void) {
    static const size_t sizes[] = {1, 4096, (2U << 20) - 1, 2U << 20, (2U << 20) + 1, 9U << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int huge = 0; huge < 2; huge++) {
            uint8_t *mapped = ap_chase_map(sizes[i], huge);
            CHECK(mapped != NULL);
            CHECK_EQUAL((uintptr_t)mapped % (2U << 20), 0);
            mapped[0] = mapped[sizes[i] - 1] = 1;
            ap_chase_unmap(mapped, sizes[i]);
        }
    }
    CHECK(ap_chase_map(0, false) == NULL);
    CHECK(ap_chase_map(SIZE_MAX, false) == NULL);
    CHECK(ap_chase_map((size_t)1 << 60, true) == NULL);
    ap_chase_unmap(NULL, 4096);
}

int main(void) {
    static const size_t cells[] = {1, 2, 3, 7, 8, 64, 1000, 4096};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            visits_every_cell_once(cells[i], 64, seed);
            visits_every_cell_once(cells[i], 128, seed);
            visits_every_cell_once(cells[i], sizeof(void *), seed);
        }
    visits_every_cell_once(252, 4096 + 64, 1);
    steps_add_up();
    a_seed_gives_one_order_and_another_seed_another();
    neighbours_seldom_follow_each_other();
    mapped_memory_is_aligned_and_all_there();
    return 0;
}
