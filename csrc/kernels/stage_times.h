/*
 * Stage times: the watch that takes the time of each stage of the ticks that send orders.
 *
 * Guarantees
 *   Clock       fenced stamps (timing.h): a stage ends when its instructions are done, and the next begins then. So the
 *               stages do not overlap as they do where nobody looks on, and their sum is more than the time of the whole.
 *   Cost        every stage holds the cost of one stamp and of the call for it; ap_stage_times_of_nothing() measures it.
 *   Complexity  O(1) a point. No allocation, no system call but for the clock's where that is one.
 *   Errors      none: ticks beyond the room are not recorded.
 */
#ifndef AP_STAGE_TIMES_H
#define AP_STAGE_TIMES_H

#include <stdint.h>

#include "tick_to_trade.h"
#include "timing.h"

typedef struct ap_stage_times {
    ap_watch watch; /* to be given to the trader */
    const ap_timing *timing;
    uint64_t *ns; /* rows of AP_STAGES */
    uint64_t rows, room;
    uint64_t stamps[AP_STAGES + 1];
} ap_stage_times;

/* For up to `room` ticks, whose times go into ns[0 .. room * AP_STAGES). Stays where it is: its watch points to it. */
void ap_stage_times_init(ap_stage_times *times, const ap_timing *timing, uint64_t *ns, uint64_t room);

/* Fills the rest of the room with ticks in which nothing is done. */
void ap_stage_times_of_nothing(ap_stage_times *times);

#endif
