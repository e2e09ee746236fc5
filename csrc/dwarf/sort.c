/* From what was gathered, in any order and perhaps overlapping, to tables that are searched by address. */
#include "build.h"

#include <stdlib.h>

static int by_start(const void *left, const void *right) {
    const sequence *l = left, *r = right;
    if (l->start != r->start)
        return l->start < r->start ? -1 : 1;
    return (l->first > r->first) - (l->first < r->first);
}

/* The rows of all sequences, each ended by one that tells nothing. What another sequence has told already is left out. */
static bool make_rows(builder *b, dwarf_index *index) {
    size_t count = b->sequences.count;
    if (count > 1)
        qsort(b->sequences.items, count, sizeof *b->sequences.items, by_start);
    index->rows = malloc((b->rows.count + count + 1) * sizeof *index->rows);
    if (index->rows == NULL)
        return false;
    uint64_t told = 0; /* up to this address */
    for (size_t at = 0; at < count; at++) {
        const sequence *s = &b->sequences.items[at];
        if (s->end <= told)
            continue;
        if (index->row_count > 0 && s->start <= told)
            index->row_count--; /* the end of the one before */
        for (size_t i = 0; i < s->count; i++) {
            dwarf_row row = b->rows.items[s->first + i];
            if (i + 1 < s->count && b->rows.items[s->first + i + 1].address <= told)
                continue;
            row.address = row.address < told ? told : row.address;
            if (row.address < s->end)
                index->rows[index->row_count++] = row;
        }
        told = s->end;
        index->rows[index->row_count++] = (dwarf_row){told, DWARF_NONE, 0};
    }
    return true;
}

/* Outer scopes before those in them. */
static int by_start_and_depth(const void *left, const void *right) {
    const piece_of_scope *l = left, *r = right;
    if (l->start != r->start)
        return l->start < r->start ? -1 : 1;
    if (l->depth != r->depth)
        return l->depth < r->depth ? -1 : 1;
    if (l->end != r->end)
        return l->end > r->end ? -1 : 1;
    return (l->scope > r->scope) - (l->scope < r->scope);
}

static void begin(dwarf_index *index, uint64_t address, uint32_t scope) {
    if (index->piece_count > 0 && index->pieces[index->piece_count - 1].start == address)
        index->piece_count--;
    if (index->piece_count > 0 && index->pieces[index->piece_count - 1].scope == scope)
        return;
    index->pieces[index->piece_count++] = (dwarf_piece){address, scope, 0};
}

/* The innermost scope of every address: a walk over the ranges that keeps those that are open. */
static bool make_pieces(builder *b, dwarf_index *index) {
    size_t count = b->pieces.count, open = 0;
    piece_of_scope *pieces = b->pieces.items;
    if (count > 1)
        qsort(pieces, count, sizeof *pieces, by_start_and_depth);
    index->pieces = malloc((2 * count + 1) * sizeof *index->pieces);
    if (index->pieces == NULL)
        return false;
    for (size_t i = 0; i <= count; i++) {
        /* the open ones are kept in pieces[0..open): there are never more than were read */
        while (open > 0 && (i == count || pieces[open - 1].end <= pieces[i].start)) {
            open--;
            begin(index, pieces[open].end, open > 0 ? pieces[open - 1].scope : DWARF_NONE);
        }
        if (i == count)
            break;
        piece_of_scope next = pieces[i];
        if (open > 0 && next.end > pieces[open - 1].end)
            next.end = pieces[open - 1].end;
        begin(index, next.start, next.scope);
        pieces[open++] = next;
    }
    return true;
}

bool tables_make(builder *b, dwarf_index *index) { return make_rows(b, index) && make_pieces(b, index); }
