/* The four streams: what they compute, what they move, and what a team of threads does where one cannot go on. */
#define _GNU_SOURCE
#include "memory_bandwidth.h"

#include <errno.h>
#include <sched.h>

#include "check.h"

enum { ELEMENTS = 4099, PASSES = 7, GUARD = 64 };

/* One that this process may run on: 0 need not be. */
static int first_cpu(void) {
    cpu_set_t allowed;
    CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    return cpu;
}

static double a[ELEMENTS + GUARD], b[ELEMENTS + GUARD], c[ELEMENTS + GUARD];

static void fill(void) {
    for (int i = 0; i < ELEMENTS + GUARD; i++) {
        a[i] = i + 1;
        b[i] = 2 * i + 1;
        c[i] = 3 * i + 1;
    }
}

static void each_element_is_written_once_and_none_behind_the_last(void) {
    static const double s = 0.41421356237309504880;
    for (size_t n = 0; n <= ELEMENTS; n = n * 2 + 1) {
        for (int stream = 0; stream < AP_STREAMS; stream++) {
            fill();
            ap_stream_pass((ap_stream)stream, a, b, c, n);
            for (size_t i = 0; i < ELEMENTS + GUARD; i++) {
                double x = (double)i + 1, y = 2 * (double)i + 1, z = 3 * (double)i + 1;
                int in = i < n;
                double wanted_a = in && stream == AP_STREAM_TRIAD ? y + s * z : x;
                double wanted_b = in && stream == AP_STREAM_SCALE ? s * z : y;
                double wanted_c = in && stream == AP_STREAM_COPY ? x : in && stream == AP_STREAM_ADD ? x + y : z;
                CHECK(a[i] - wanted_a < 1e-9 && wanted_a - a[i] < 1e-9);
                CHECK(b[i] - wanted_b < 1e-9 && wanted_b - b[i] < 1e-9);
                CHECK(c[i] - wanted_c < 1e-9 && wanted_c - c[i] < 1e-9);
            }
        }
    }
}

static void the_bytes_are_those_of_the_arrays_that_a_kernel_names(void) {
    CHECK_EQUAL(ap_stream_bytes(AP_STREAM_COPY, 1000), 16000);
    CHECK_EQUAL(ap_stream_bytes(AP_STREAM_SCALE, 1000), 16000);
    CHECK_EQUAL(ap_stream_bytes(AP_STREAM_ADD, 1000), 24000);
    CHECK_EQUAL(ap_stream_bytes(AP_STREAM_TRIAD, 1000), 24000);
}

/* A thread's arithmetic is checked inside; EIO would say so. */
static void every_pass_of_a_team_has_a_time(int cpu) {
    int cpus[] = {cpu, cpu, cpu};
    uint64_t ns[PASSES * AP_STREAMS] = {0};
    for (size_t threads = 1; threads <= 3; threads++) {
        CHECK_EQUAL(ap_bandwidth_measure(cpus, threads, ELEMENTS, PASSES, ns), 0);
        for (int i = 0; i < PASSES * AP_STREAMS; i++)
            CHECK(ns[i] > 0 && ns[i] < 60000000000U);
    }
}

static void a_team_that_lacks_one_goes_home(int cpu) {
    int cpus[] = {cpu, cpu, 1 << 20};
    uint64_t ns[PASSES * AP_STREAMS];
    CHECK_EQUAL(ap_bandwidth_measure(cpus, 3, ELEMENTS, PASSES, ns), EINVAL);
    cpus[0] = -1;
    CHECK_EQUAL(ap_bandwidth_measure(cpus, 1, ELEMENTS, PASSES, ns), EINVAL);
}

static void memory_that_is_not_there_is_an_error(int cpu) {
    int cpus[] = {cpu, cpu};
    uint64_t ns[AP_STREAMS];
    CHECK_EQUAL(ap_bandwidth_measure(cpus, 2, (size_t)1 << 58, 1, ns), ENOMEM);
    CHECK_EQUAL(ap_bandwidth_measure(cpus, 2, SIZE_MAX / 8, 1, ns), EINVAL);
    CHECK_EQUAL(ap_bandwidth_measure(cpus, 0, 8, 1, ns), EINVAL);
    CHECK_EQUAL(ap_bandwidth_measure(cpus, 1, 0, 1, ns), EINVAL);
    CHECK_EQUAL(ap_bandwidth_measure(cpus, 1, 8, 0, ns), EINVAL);
}

int main(void) {
    int cpu = first_cpu();
    each_element_is_written_once_and_none_behind_the_last();
    the_bytes_are_those_of_the_arrays_that_a_kernel_names();
    every_pass_of_a_team_has_a_time(cpu);
    a_team_that_lacks_one_goes_home(cpu);
    memory_that_is_not_there_is_an_error(cpu);
    return 0;
}
