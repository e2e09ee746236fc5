/*
 * Memory bandwidth: copy, scale, add and triad over arrays that no cache holds, on one CPU or on many at once.
 *
 * Guarantees
 *   Bytes       counted as McCalpin's STREAM does: what a kernel reads and writes by name, 16 or 24 bytes an element. What
 *               a core reads only to overwrite it is not in it, so that the figure is a floor of what crossed the memory
 *               controller, and one machine's figures compare with another's.
 *   Placement   every thread maps its part of the arrays and writes it first, pinned to its CPU: the part lies on that
 *               CPU's NUMA node. Huge pages are asked for.
 *   Time        of a pass, from the first thread that begins to the last that ends; CLOCK_MONOTONIC_RAW. All threads
 *               run a pass together. No allocation and no system call but the clock's within one.
 *   Correct     after the last pass every element is compared with the value that the passes must have given it.
 *   Errors      an errno: EINVAL for arguments, ENOMEM, what pthread_create or pinning says; EIO where an element is wrong.
 */
#ifndef AP_MEMORY_BANDWIDTH_H
#define AP_MEMORY_BANDWIDTH_H

#include <stddef.h>
#include <stdint.h>

typedef enum ap_stream {
    AP_STREAM_COPY = 0, /* c = a */
    AP_STREAM_SCALE,    /* b = s * c */
    AP_STREAM_ADD,      /* c = a + b */
    AP_STREAM_TRIAD,    /* a = b + s * c */
    AP_STREAMS,
} ap_stream;

/* What one pass over arrays of that many elements moves. */
uint64_t ap_stream_bytes(ap_stream stream, size_t elements);

/* One pass over [0, elements). The arrays are apart from each other. */
void ap_stream_pass(ap_stream stream, double *a, double *b, double *c, size_t elements);

/*
 * Runs the four kernels in their order, `passes` times over, with one thread on each of `cpus` and `elements` of each
 * array for every thread. Pass p of kernel k took ns_out[p * AP_STREAMS + k]. Returns 0 or an errno; then ns_out says
 * nothing.
 */
int ap_bandwidth_measure(const int *cpus, size_t threads, size_t elements, size_t passes, uint64_t *ns_out);

#endif
