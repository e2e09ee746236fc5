/* All kernels, their loops and the clock that times them. */
#ifndef AP_KERNELS_H
#define AP_KERNELS_H

#include "bench_clock.h"
#include "elementary.h"
#include "feed_handler.h"
#include "generator.h"
#include "itch50.h"
#include "loops.h"
#include "memory_bandwidth.h"
#include "memory_latency.h"
#include "object_pool.h"
#include "order_book.h"
#include "ouch50.h"
#include "pacing.h"
#include "risk.h"
#include "spsc_ring.h"
#include "stage_times.h"
#include "strategy.h"
#include "tick_to_trade.h"
#include "timing.h"
#include "treasury.h"

#endif
