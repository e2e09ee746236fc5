/*
 * What a region costs with PAPI: papi_cost WAY MODE ROUNDS EVENT... prints the instructions of one empty region, with the
 * three or four of the loop around it, as `instructions N`. WAY: `high` is PAPI_hl_region_begin and _end, `low` is PAPI_read twice with the counters
 * left on. MODE: `user`, or `all` for user and kernel mode.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <papi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_EVENTS = 32, INST_RETIRED = 0x08 };

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "papi_cost: %s: %s\n", what, why);
    exit(1);
}

static void check(const char *what, int result)
{
    if (result != PAPI_OK)
        fail(what, PAPI_strerror(result));
}

static int count_instructions(bool kernel)
{
    struct perf_event_attr attr = {
        .size = sizeof attr, .type = PERF_TYPE_RAW, .config = INST_RETIRED, .exclude_kernel = !kernel};
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
    if (fd < 0)
        fail("perf_event_open", strerror(errno));
    return fd;
}

static uint64_t now(int fd)
{
    uint64_t count;
    if (read(fd, &count, sizeof count) != sizeof count)
        fail("reading the instructions", strerror(errno));
    return count;
}

static void high(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++) {
        int begun = PAPI_hl_region_begin("empty");
        int ended = PAPI_hl_region_end("empty");
        if (begun != PAPI_OK || ended != PAPI_OK)
            fail("the region", PAPI_strerror(begun != PAPI_OK ? begun : ended));
    }
}

static void low(int set, unsigned long rounds)
{
    long long begin[MOST_EVENTS], end[MOST_EVENTS];
    for (unsigned long i = 0; i < rounds; i++) {
        if (PAPI_read(set, begin) != PAPI_OK || PAPI_read(set, end) != PAPI_OK)
            fail("PAPI_read", "failed");
    }
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc - 4 > MOST_EVENTS) {
        fprintf(stderr, "usage: papi_cost high|low user|all ROUNDS EVENT...\n");
        return 2;
    }
    bool is_high = strcmp(argv[1], "high") == 0;
    bool kernel = strcmp(argv[2], "all") == 0;
    unsigned long rounds = strtoul(argv[3], NULL, 10);
    int version = PAPI_library_init(PAPI_VER_CURRENT);
    if (version != PAPI_VER_CURRENT)
        fail("PAPI_library_init", PAPI_strerror(version));
    int set = PAPI_NULL;
    if (is_high) { /* takes its events from the environment */
        char events[1024] = "";
        for (int i = 4; i < argc; i++) {
            strncat(events, i > 4 ? "," : "", sizeof events - strlen(events) - 1);
            strncat(events, argv[i], sizeof events - strlen(events) - 1);
        }
        setenv("PAPI_EVENTS", events, 1);
        high(10);
    } else {
        check("PAPI_create_eventset", PAPI_create_eventset(&set));
        for (int i = 4; i < argc; i++)
            check(argv[i], PAPI_add_named_event(set, argv[i]));
        check("PAPI_start", PAPI_start(set));
        low(set, 10);
    }
    int fd = count_instructions(kernel);
    uint64_t before = now(fd);
    if (is_high)
        high(rounds);
    else
        low(set, rounds);
    uint64_t after = now(fd);
    printf("instructions %.1f\n", (double)(after - before) / (double)rounds);
    return 0;
}
