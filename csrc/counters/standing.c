#define _GNU_SOURCE
#include "standing.h"

#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of one place: raw, scaled where the counter did not run all the time. */
static double estimate(uint64_t raw, uint64_t enabled, uint64_t running, double whole) {
    return (double)running >= whole * (double)enabled ? (double)raw : (double)raw * ((double)enabled / (double)running);
}

int armprof_standing_difference(armprof_standing *standing, armprof_interval *since) {
    const size_t events = standing->events;
    for (size_t place = 0; place < standing->places; place++) {
        int error = armprof_sample(standing->sets[place], standing->now + place * events);
        if (error) {
            return error;
        }
    }
    memset(since, 0, events * sizeof *since);
    for (size_t i = 0; i < events; i++) {
        armprof_interval *sum = &since[i];
        uint64_t seen = 0; /* enabled where it ran; the rest is taken to be like that */
        for (size_t at = i; at < standing->places * events; at += events) {
            const armprof_count *now = &standing->now[at], *before = &standing->before[at];
            const uint64_t raw = now->value - before->value, enabled = now->enabled_ns - before->enabled_ns,
                           running = now->running_ns - before->running_ns;
            sum->raw += raw;
            sum->enabled_ns += enabled;
            sum->running_ns += running;
            if (running > 0) {
                sum->value += estimate(raw, enabled, running, standing->whole);
                seen += enabled;
            }
        }
        if (sum->running_ns == 0) {
            sum->value = (double)NAN;
        } else if (seen > 0) {
            sum->value *= (double)sum->enabled_ns / (double)seen;
        }
    }
    armprof_count *now = standing->now;
    standing->now = standing->before;
    standing->before = now;
    return 0;
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Whether its moment came, and nothing else before. */
static bool wait_for(const armprof_batch *batch) {
    struct pollfd ends[] = {{.fd = batch->ends[0], .events = POLLIN}, {.fd = batch->ends[1], .events = POLLIN}};
    int64_t left = batch->due_ns - clock_ns(CLOCK_MONOTONIC);
    left = left > 0 ? left : 0; /* of a sample that is due the ends are looked at too */
    const struct timespec timeout = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    return ppoll(ends, 2, &timeout, NULL) == 0 && clock_ns(CLOCK_MONOTONIC) >= batch->due_ns;
}

static bool is_as_listed(const armprof_batch *batch) {
    char now[4096];
    if (batch->listing < 0) {
        return true;
    }
    ssize_t size = pread(batch->listing, now, sizeof now, 0);
    return size == (ssize_t)batch->listed_size && memcmp(now, batch->listed, batch->listed_size) == 0;
}

/* Whether all could be read. */
static bool take(const armprof_batch *batch, armprof_interval *since, int *errors) {
    bool all = true;
    for (size_t i = 0; i < batch->count; i++) {
        errors[i] = armprof_standing_difference(batch->standing[i], since);
        all = all && errors[i] == 0;
        since += batch->standing[i]->events;
    }
    return all;
}

size_t armprof_batch_take(armprof_batch *batch, size_t most, armprof_moment *moments, armprof_interval *since, int *errors) {
    size_t taken = 0, row = 0;
    for (size_t i = 0; i < batch->count; i++) {
        row += batch->standing[i]->events;
        errors[i] = 0;
    }
    while (taken < most && (taken == 0 || batch->due_ns <= batch->until_ns) && wait_for(batch) && is_as_listed(batch)) {
        moments[taken] = (armprof_moment){clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_BOOTTIME)};
        const int64_t late = moments[taken].monotonic_ns - batch->due_ns;
        batch->due_ns += (late / batch->interval_ns + 1) * batch->interval_ns;
        if (!take(batch, since + taken++ * row, errors)) {
            break;
        }
    }
    return taken;
}
