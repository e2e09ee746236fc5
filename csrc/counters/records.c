#define _GNU_SOURCE
#include "records.h"

#include <stdlib.h>
#include <string.h>

/* A reader of one record: what is asked for beyond its end is zero, and `beyond` remembers. */
struct cursor {
    const char *at, *end;
    bool beyond;
};

static void take_bytes(struct cursor *cursor, void *to, size_t size) {
    if ((size_t)(cursor->end - cursor->at) < size) {
        cursor->beyond = true;
        cursor->at = cursor->end;
        memset(to, 0, size);
        return;
    }
    memcpy(to, cursor->at, size);
    cursor->at += size;
}

static uint64_t take64(struct cursor *cursor) {
    uint64_t value;
    take_bytes(cursor, &value, sizeof value);
    return value;
}

static uint32_t take32(struct cursor *cursor) {
    uint32_t value;
    take_bytes(cursor, &value, sizeof value);
    return value;
}

/* Room for `more` elements behind those that are used; NULL where there is no memory. Numbers of elements are 32 bits wide. */
static void *room_for(struct armprof_growing *array, size_t more, size_t element) {
    size_t needed = array->used + more;
    if (needed > UINT32_MAX) {
        return NULL;
    }
    if (needed > array->room) {
        size_t room = array->room ? 2 * array->room : 256;
        room = room < needed ? needed : room;
        void *data = realloc(array->data, room * element);
        if (!data) {
            return NULL;
        }
        array->data = data;
        array->room = room;
    }
    return (char *)array->data + array->used * element;
}

static uint64_t hash_of(const uint64_t *frames, size_t depth) {
    uint64_t hash = depth;
    for (size_t i = 0; i < depth; i++) {
        hash = (hash ^ frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

static const armprof_stack *stack_at(const struct armprof_records *records, uint32_t number) {
    return (const armprof_stack *)records->stacks.data + number;
}

static const uint64_t *frames_of(const struct armprof_records *records, const armprof_stack *stack) {
    return (const uint64_t *)records->frames.data + stack->first;
}

/* Where in the table the stack stands or would stand. */
static size_t place_of(const struct armprof_records *records, const uint64_t *frames, size_t depth) {
    size_t mask = records->table_size - 1, at = hash_of(frames, depth) & mask;
    while (records->table[at] != 0) {
        const armprof_stack *stack = stack_at(records, records->table[at] - 1);
        if (stack->depth == depth && memcmp(frames_of(records, stack), frames, depth * sizeof *frames) == 0) {
            break;
        }
        at = (at + 1) & mask;
    }
    return at;
}

static bool grow_table(struct armprof_records *records) {
    size_t size = records->table_size ? 2 * records->table_size : 1024;
    uint32_t *table = calloc(size, sizeof *table);
    if (!table) {
        return false;
    }
    free(records->table);
    records->table = table;
    records->table_size = size;
    for (uint32_t number = 0; number < records->stacks.used; number++) {
        const armprof_stack *stack = stack_at(records, number);
        table[place_of(records, frames_of(records, stack), stack->depth)] = number + 1;
    }
    return true;
}

/* The number of the stack, each stack kept once. False: no memory. */
static bool number_of(struct armprof_records *records, const uint64_t *frames, size_t depth, uint32_t *number) {
    if (2 * (records->stacks.used + 1) > records->table_size && !grow_table(records)) {
        return false;
    }
    size_t at = place_of(records, frames, depth);
    if (records->table[at] == 0) {
        armprof_stack *stack = room_for(&records->stacks, 1, sizeof *stack);
        uint64_t *kept = room_for(&records->frames, depth, sizeof *kept);
        if (!stack || !kept) {
            return false;
        }
        memcpy(kept, frames, depth * sizeof *frames);
        *stack = (armprof_stack){(uint32_t)records->frames.used, (uint32_t)depth};
        records->frames.used += depth;
        records->table[at] = (uint32_t)++records->stacks.used;
    }
    *number = records->table[at] - 1;
    return true;
}

static bool event_of(const struct armprof_records *records, uint64_t id, uint16_t *event) {
    size_t low = 0, high = records->events;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (records->ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == records->events || records->ids[low] != id) {
        return false;
    }
    *event = records->event_of[low];
    return true;
}

enum { DEEPEST = 1024 }; /* kernel.perf_event_max_stack is 127 */
enum { LARGEST_GROUP = 32 };

struct counted {
    uint64_t value, id;
};

/* The counts of a group, as ARMPROF_GROUP_FORMAT has them. */
static size_t take_group(struct cursor *cursor, bool with_losses, struct counted *counts) {
    size_t kept = 0;
    uint64_t left = take64(cursor);
    take64(cursor); /* enabled and */
    take64(cursor); /* running: it is told of the whole group at the end */
    for (; left > 0 && !cursor->beyond; left--) {
        struct counted count = {.value = take64(cursor)};
        count.id = take64(cursor);
        if (with_losses) {
            take64(cursor);
        }
        if (kept < LARGEST_GROUP && !cursor->beyond) {
            counts[kept++] = count;
        }
    }
    return kept;
}

/* Keeps the hit. False: no memory. */
static bool keep(struct armprof_records *records, const armprof_hit *hit) {
    armprof_hit *kept = room_for(&records->hits, 1, sizeof *kept);
    if (kept) {
        *kept = *hit;
        records->hits.used++;
    }
    return kept != NULL;
}

/* A hit for each count of the group that grew. False: no memory. */
static bool keep_steps(struct armprof_records *records, armprof_hit hit, const struct counted *counts, size_t number) {
    const uint32_t stack = hit.stack, thread = records->reading == ARMPROF_OF_THREAD ? hit.tid : 0;
    const uint64_t nowhere = ARMPROF_NOWHERE;
    bool ok = true;
    for (size_t i = 0; i < number && ok; i++) {
        struct armprof_step step;
        if (!event_of(records, counts[i].id, &hit.event)) {
            continue;
        }
        ok = armprof_streams_step(&records->streams, counts[i].id, thread, counts[i].value, records->lost_of_ring, &step);
        if (ok && step.count > 0) {
            hit.period = step.count;
            hit.stack = stack;
            ok = (!step.over_a_loss || number_of(records, &nowhere, 1, &hit.stack)) && keep(records, &hit);
        }
    }
    return ok;
}

static bool is_of_the_kernel(uint64_t address) { return address >> 63; }

static void take_sample(struct armprof_records *records, struct cursor *cursor) {
    armprof_hit hit = {0};
    uint64_t frames[DEEPEST];
    bool known = event_of(records, take64(cursor), &hit.event);
    uint64_t place = take64(cursor);
    hit.pid = take32(cursor);
    hit.tid = take32(cursor);
    hit.time = take64(cursor);
    hit.cpu = (uint16_t)take32(cursor);
    take32(cursor);
    hit.period = take64(cursor);
    struct counted counts[LARGEST_GROUP];
    size_t number = records->reading == ARMPROF_ALONE ? 0 : take_group(cursor, records->with_losses, counts);
    size_t depth = 0;
    for (uint64_t left = take64(cursor); left > 0 && !cursor->beyond; left--) {
        uint64_t frame = take64(cursor);
        if (frame < (uint64_t)PERF_CONTEXT_MAX && depth < DEEPEST && !cursor->beyond) { /* else a mark: user mode follows */
            frames[depth++] = frame;
        }
    }
    if (cursor->beyond || !known) {
        records->malformed++;
        return;
    }
    if (depth == 0) {
        frames[depth++] = is_of_the_kernel(place) ? ARMPROF_NOWHERE : place;
    }
    bool ok = number_of(records, frames, depth, &hit.stack);
    if (ok && records->reading == ARMPROF_ALONE) {
        ok = keep(records, &hit);
    } else if (ok) {
        ok = keep_steps(records, hit, counts, number);
    }
    records->no_memory += !ok;
}

/* The rest of the record up to what ends each of them (sample_id_all): a text with zeros behind it. */
enum { TRAILER = 32 }; /* thread, time, CPU, identifier */

static void take_move(struct armprof_records *records, struct cursor *cursor, armprof_move move, bool with_text) {
    size_t length = 0;
    const char *text = cursor->at;
    if (!cursor->beyond && cursor->end - cursor->at >= TRAILER) {
        length = with_text ? strnlen(text, (size_t)(cursor->end - cursor->at) - TRAILER) : 0;
        cursor->at = cursor->end - TRAILER;
        take64(cursor);
        move.time = take64(cursor);
    } else {
        cursor->beyond = true;
    }
    if (cursor->beyond) {
        records->malformed++;
        return;
    }
    armprof_move *kept = room_for(&records->moves, 1, sizeof *kept);
    char *room = room_for(&records->text, length + 1, 1);
    if (!kept || !room) {
        records->no_memory++;
        return;
    }
    memcpy(room, text, length);
    room[length] = 0;
    move.text = (uint32_t)records->text.used;
    records->text.used += length + 1;
    *kept = move;
    records->moves.used++;
}

static void take_mapping(struct armprof_records *records, struct cursor *cursor) {
    armprof_move move = {.kind = ARMPROF_MAPPED};
    uint64_t skipped[4]; /* device, inode and generation, or a build id; protection and flags */
    move.pid = take32(cursor);
    move.tid = take32(cursor);
    move.start = take64(cursor);
    move.length = take64(cursor);
    move.offset = take64(cursor);
    take_bytes(cursor, skipped, sizeof skipped);
    take_move(records, cursor, move, true);
}

static void take_name(struct armprof_records *records, struct cursor *cursor, bool by_exec) {
    armprof_move move = {.kind = by_exec ? ARMPROF_BECAME : ARMPROF_NAMED};
    move.pid = take32(cursor);
    move.tid = take32(cursor);
    take_move(records, cursor, move, true);
}

static void take_life(struct armprof_records *records, struct cursor *cursor, uint32_t kind) {
    armprof_move move = {.kind = kind};
    move.pid = take32(cursor);
    move.parent = take32(cursor);
    move.tid = take32(cursor);
    take32(cursor); /* the parent's thread */
    take64(cursor); /* the time stands in the trailer too */
    take_move(records, cursor, move, false);
}

static void take_loss(struct armprof_records *records, struct cursor *cursor) {
    uint64_t lost = take64(cursor);
    records->lost += lost;
    records->lost_of_ring += lost;
}

void armprof_records_take(struct armprof_records *records, const void *record, size_t size) {
    struct perf_event_header header;
    struct cursor cursor = {record, (const char *)record + size, false};
    take_bytes(&cursor, &header, sizeof header);
    switch (header.type) {
    case PERF_RECORD_SAMPLE: take_sample(records, &cursor); break;
    case PERF_RECORD_MMAP2: take_mapping(records, &cursor); break;
    case PERF_RECORD_COMM: take_name(records, &cursor, header.misc & PERF_RECORD_MISC_COMM_EXEC); break;
    case PERF_RECORD_FORK: take_life(records, &cursor, ARMPROF_FORKED); break;
    case PERF_RECORD_EXIT: take_life(records, &cursor, ARMPROF_ENDED); break;
    case PERF_RECORD_THROTTLE: /* the next sample may be long in coming */
        records->throttled++;
        records->lost_of_ring++;
        break;
    case PERF_RECORD_LOST:
        take64(&cursor); /* of which event */
        take_loss(records, &cursor);
        break;
    case PERF_RECORD_LOST_SAMPLES: take_loss(records, &cursor); break;
    default: break;
    }
}

void armprof_records_free(struct armprof_records *records) {
    struct armprof_growing *arrays[] = {&records->hits, &records->moves, &records->text, &records->stacks,
                                        &records->frames};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        free(arrays[i]->data);
        *arrays[i] = (struct armprof_growing){0};
    }
    free(records->table);
    records->table = NULL;
    records->table_size = 0;
    armprof_streams_free(&records->streams);
}
