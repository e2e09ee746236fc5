#include "streams.h"

#include <stdlib.h>

static struct armprof_stream *place_of(const struct armprof_streams *streams, uint64_t id, uint32_t thread) {
    uint64_t hash = (id * 31 + thread) * UINT64_C(0x9e3779b97f4a7c15);
    size_t mask = streams->size - 1, at = (hash ^ hash >> 32) & mask;
    while (streams->table[at].is_there && (streams->table[at].id != id || streams->table[at].thread != thread)) {
        at = (at + 1) & mask;
    }
    return &streams->table[at];
}

static bool grow(struct armprof_streams *streams) {
    struct armprof_streams larger = {.size = streams->size ? 2 * streams->size : 64, .used = streams->used};
    larger.table = calloc(larger.size, sizeof *larger.table);
    if (!larger.table) {
        return false;
    }
    for (size_t i = 0; i < streams->size; i++) {
        if (streams->table[i].is_there) {
            *place_of(&larger, streams->table[i].id, streams->table[i].thread) = streams->table[i];
        }
    }
    free(streams->table);
    *streams = larger;
    return true;
}

bool armprof_streams_step(struct armprof_streams *streams, uint64_t id, uint32_t thread, uint64_t value, uint64_t lost,
                          struct armprof_step *step) {
    if (2 * (streams->used + 1) > streams->size && !grow(streams)) {
        return false;
    }
    struct armprof_stream *stream = place_of(streams, id, thread);
    if (!stream->is_there) {
        *stream = (struct armprof_stream){.id = id, .thread = thread, .is_there = true};
        streams->used++;
    }
    /* One that has less than before is of another thread, which bears the number of one that ended. */
    uint64_t before = value < stream->value ? 0 : stream->value;
    *step = (struct armprof_step){value - before, lost != stream->lost};
    stream->value = value;
    stream->lost = lost;
    return true;
}

void armprof_streams_free(struct armprof_streams *streams) {
    free(streams->table);
    *streams = (struct armprof_streams){0};
}
