/*
 * Memory latency: a chase through memory in which every load needs the one before it.
 *
 * Guarantees
 *   Order       one random cycle through all cells (Sattolo's shuffle), so that a chase of as many steps as there are cells
 *               loads each of them once, and no prefetcher knows the next. The same seed gives the same cycle.
 *   Cells       one pointer, at the start of every `stride` bytes: with the length of a cache line every line is visited,
 *               with that of a page and a line more, one line of every page.
 *   Pages       huge ones, with which address translation costs little, or small ones, as programs have them. Small ones
 *               are had for certain; which ones the kernel gave is in /proc/self/smaps.
 *   Time        of a chase by CLOCK_MONOTONIC_RAW; no allocation and no system call but the clock's within one.
 *   Errors      NULL where there is no memory.
 */
#ifndef AP_MEMORY_LATENCY_H
#define AP_MEMORY_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that the kernel has given already, being all zeros, at a boundary of 2 MiB. */
void *ap_chase_map(size_t bytes, bool huge);
void ap_chase_unmap(void *memory, size_t bytes);

/* Lays the cycle through `cells` cells of `stride` bytes; `memory` and `stride` are aligned to pointers. Returns its start. */
void **ap_chase_lay(void *memory, size_t cells, size_t stride, uint64_t seed);

/* Follows the chain for that many steps and returns where it stands. */
void **ap_chase(void **at, uint64_t steps);

/* Follows it from *at, leaves there where it stands, and returns how long that took in ns. */
uint64_t ap_chase_time(void ***at, uint64_t steps);

#endif
