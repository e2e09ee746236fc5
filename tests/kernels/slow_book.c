/* Tick to trade with a book that is slow: tick_to_trade.c is compiled with -Dap_feed_apply=slow_feed_apply. */
#include "generator.h"
#include "loops.h"
#include "stage_times.h"

ap_book_status slow_feed_apply(ap_book *book, const ap_itch_message *message);

static uint64_t spins, one_in, applied;

ap_book_status slow_feed_apply(ap_book *book, const ap_itch_message *message) {
    if (one_in != 0 && applied++ % one_in == 0)
        for (uint64_t i = 0; i < spins; i++)
            __asm__ volatile("");
    return ap_feed_apply(book, message);
}

/* Stores the stages of up to `room` ticks of a stream of messages, of which one in `slow_one_in` meets a slow book, and
 * those of as many ticks in which nothing is done. Returns how many ticks they are. */
uint64_t slow_book_stages(const uint8_t *data, size_t size, uint64_t slow_one_in, uint64_t slow_spins, uint64_t *ns,
                          uint64_t *nothing_ns, uint64_t room);

uint64_t slow_book_stages(const uint8_t *data, size_t size, uint64_t slow_one_in, uint64_t slow_spins, uint64_t *ns,
                          uint64_t *nothing_ns, uint64_t room) {
    void *state = ap_trade_loop_create(data, size);
    if (state == NULL)
        return 0;
    ap_timing timing;
    ap_timing_init(&timing, AP_TIMING_COUNTER, AP_TIMING_CALIBRATION_NS);
    uint64_t period = ap_trade_loop_period(state);
    ap_trade_loop(state, period); /* warm */
    one_in = slow_one_in;
    spins = slow_spins;
    ap_stage_times times, nothing;
    ap_stage_times_init(&times, &timing, ns, room);
    ap_trade_loop_watched(state, period, &times.watch);
    ap_stage_times_init(&nothing, &timing, nothing_ns, times.rows);
    ap_stage_times_of_nothing(&nothing);
    ap_trade_loop_destroy(state);
    return times.rows;
}
