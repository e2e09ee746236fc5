/* Growing arrays, maps and numbered texts, and the beginning and end of it all. */
#include "build.h"

#include <stdlib.h>

bool array_grow(void **items, size_t *room, size_t wanted, size_t item_size) {
    size_t larger = *room < 16 ? 16 : *room + *room / 2;
    if (larger < wanted)
        larger = wanted;
    void *moved = larger > SIZE_MAX / item_size ? NULL : realloc(*items, larger * item_size);
    if (moved == NULL)
        return false;
    *items = moved;
    *room = larger;
    return true;
}

static size_t spread(uint64_t key) { return (size_t)(key * 0x9e3779b97f4a7c15u >> 20); }

static map_slot *slot_of(const map *map, uint64_t key) {
    size_t at = spread(key) & (map->room - 1);
    while (map->slots[at].value != DWARF_NONE && map->slots[at].key != key)
        at = (at + 1) & (map->room - 1);
    return &map->slots[at];
}

uint32_t map_get(const map *map, uint64_t key) { return map->room == 0 ? DWARF_NONE : slot_of(map, key)->value; }

bool map_put(map *to, uint64_t key, uint32_t value) {
    if (2 * to->count >= to->room) {
        map larger = {.count = to->count, .room = to->room == 0 ? 64 : 2 * to->room};
        larger.slots = malloc(larger.room * sizeof *larger.slots);
        if (larger.slots == NULL)
            return false;
        memset(larger.slots, 0xff, larger.room * sizeof *larger.slots);
        for (size_t i = 0; i < to->room; i++)
            if (to->slots[i].value != DWARF_NONE)
                *slot_of(&larger, to->slots[i].key) = to->slots[i];
        free(to->slots);
        *to = larger;
    }
    *slot_of(to, key) = (map_slot){key, value};
    to->count++;
    return true;
}

static uint64_t hash_of(const char *text, size_t size) {
    uint64_t hash = size;
    for (; size >= 8; text += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    for (; size > 0; text++, size--)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

static bool same(const builder *b, uint32_t number, const char *text, size_t size) {
    const char *other = b->texts.items + b->text_starts.items[number];
    return strncmp(other, text, size) == 0 && other[size] == 0;
}

/* Each step is work: texts may have been made to fall together. */
static uint32_t *text_slot(builder *b, const char *text, size_t size) {
    size_t at = hash_of(text, size) & (b->text_room - 1);
    while (burn(b, 1) && b->text_slots[at] != DWARF_NONE && !same(b, b->text_slots[at], text, size))
        at = (at + 1) & (b->text_room - 1);
    return b->fuel == 0 ? NULL : &b->text_slots[at];
}

static bool more_text_slots(builder *b) {
    size_t room = b->text_room == 0 ? 1024 : 2 * b->text_room;
    uint32_t *slots = malloc(room * sizeof *slots);
    if (slots == NULL)
        return false;
    memset(slots, 0xff, room * sizeof *slots);
    free(b->text_slots);
    b->text_slots = slots;
    b->text_room = room;
    for (uint32_t i = 0; i < b->text_starts.count; i++) {
        const char *text = b->texts.items + b->text_starts.items[i];
        uint32_t *slot = text_slot(b, text, strlen(text));
        if (slot == NULL)
            return false;
        *slot = i;
    }
    return true;
}

uint32_t text_number(builder *b, const char *text, size_t size) {
    if (!burn(b, size + 1))
        return DWARF_NONE;
    if (2 * b->text_starts.count >= b->text_room && !more_text_slots(b)) {
        b->short_of_memory = b->fuel > 0;
        return DWARF_NONE;
    }
    uint32_t *slot = text_slot(b, text, size);
    if (slot == NULL)
        return DWARF_NONE;
    if (*slot != DWARF_NONE)
        return *slot;
    if (!ARRAY_RESERVE(&b->texts, size + 1) || !ARRAY_RESERVE(&b->text_starts, 1)) {
        b->short_of_memory = true;
        return DWARF_NONE;
    }
    *slot = (uint32_t)b->text_starts.count;
    b->text_starts.items[b->text_starts.count++] = b->texts.count;
    memcpy(b->texts.items + b->texts.count, text, size);
    b->texts.count += size;
    b->texts.items[b->texts.count++] = 0;
    return *slot;
}

enum { FUEL_PER_BYTE = 32, FUEL_AT_LEAST = 1 << 20 };

static uint64_t size_of(const dwarf_file *f) {
    return (uint64_t)f->info.size + f->abbrev.size + f->line.size + f->str.size + f->line_str.size + f->ranges.size +
           f->rnglists.size + f->addr.size + f->str_offsets.size;
}

static void free_source(source *s) {
    free(s->units.items);
    free(s->tables.slots);
}

/* Split units have their addresses, and before DWARF 5 their ranges, in the main file. In a .dwp all share their texts. */
static bool begin_splits(builder *b, const dwarf_files *files, uint64_t place) {
    if (files->split_count == 0)
        return true;
    b->splits = calloc(files->split_count, sizeof *b->splits);
    if (b->splits == NULL)
        return false;
    const uint8_t *texts = NULL;
    for (size_t i = 0; i < files->split_count; i++) {
        const dwarf_split *split = &files->splits[i];
        b->fuel += FUEL_PER_BYTE * (size_of(&split->file) - (split->file.str.bytes == texts ? split->file.str.size : 0));
        texts = split->file.str.bytes;
        source *made = &b->splits[b->split_count++];
        *made = (source){.sections = split->file, .first_place = place, .is_split = true};
        made->sections.addr = files->main.addr;
        made->sections.ranges = files->main.ranges;
        place += made->sections.info.size;
        if (map_get(&b->split_at, split->id) == DWARF_NONE && !map_put(&b->split_at, split->id, (uint32_t)i))
            return false;
        units_find(b, made);
    }
    return true;
}

void builder_begin(builder *b, const dwarf_files *files) {
    *b = (builder){.main = {.sections = files->main, .first_place = 1},
                   .alternate = {.sections = files->alternate, .first_place = 1 + files->main.info.size}};
    b->fuel = FUEL_AT_LEAST + FUEL_PER_BYTE * (size_of(&files->main) + size_of(&files->alternate));
    units_find(b, &b->main);
    units_find(b, &b->alternate);
    if (!begin_splits(b, files, b->alternate.first_place + files->alternate.info.size))
        b->short_of_memory = true;
}

void builder_end(builder *b) {
    free_source(&b->main);
    free_source(&b->alternate);
    for (size_t i = 0; i < b->split_count; i++)
        free_source(&b->splits[i]);
    free(b->splits);
    free(b->split_at.slots);
    for (size_t i = 0; i < b->tables.count; i++) {
        free(b->tables.items[i].entries.items);
        free(b->tables.items[i].attributes.items);
    }
    for (size_t i = 0; i < b->programs.count; i++) {
        free(b->programs.items[i].directories.items);
        free(b->programs.items[i].files.items);
    }
    free(b->tables.items);
    free(b->programs.items);
    free(b->program_at.slots);
    free(b->name_at.slots);
    free(b->texts.items);
    free(b->text_starts.items);
    free(b->text_slots);
    free(b->rows.items);
    free(b->sequences.items);
    free(b->scopes.items);
    free(b->scope_origins.items);
    free(b->pieces.items);
    free(b->open.items);
    free(b->units.items);
    free(b->skeletons.items);
}
