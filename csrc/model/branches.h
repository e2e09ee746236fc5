/* Branch prediction: conditional branches by a tournament of two tables (S. McFarling, Combining Branch Predictors, 1993),
 * one by what the branch itself did last and one by what all branches did; targets of indirect branches by the path that
 * led there; returns by a stack. */
#ifndef AP_MODEL_BRANCHES_H
#define AP_MODEL_BRANCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "counts.h"

enum {
    AP_BRANCH_BITS = 12,  /* branches that are told apart */
    AP_LOCAL_BITS = 12,   /* table by what the branch did in its last AP_LOCAL_HISTORY turns */
    AP_GLOBAL_BITS = 14,  /* table by what all branches did in their last AP_GLOBAL_BITS turns */
    AP_LOCAL_HISTORY = 10,
    AP_TARGET_BITS = 11,
    AP_MAX_RETURNS = 64,
};

struct ap_branches {
    uint32_t history; /* of all conditional branches, the latest in the lowest bit */
    uint32_t path;    /* of indirect branches */
    uint32_t top;     /* of the stack of returns, which is a ring: the deepest are overwritten */
    uint32_t returns; /* its size */
    uint64_t return_to[AP_MAX_RETURNS];
    struct {
        uint16_t history;
        uint16_t choice; /* which table is believed */
    } branch[1 << AP_BRANCH_BITS];
    uint8_t local[1 << AP_LOCAL_BITS];
    uint8_t global[1 << AP_GLOBAL_BITS];
    uint64_t targets[1 << AP_TARGET_BITS];
};

/* Counters go from 0 to 3; from 2 on a branch is taken to be taken, or the global table is believed. What becomes of them
 * is looked up: by all three, and whether the branch was taken. */
struct ap_learned {
    uint8_t local, global, choice, mispredicted;
};
extern AP_HIDDEN struct ap_learned ap_learned[4 * 4 * 4 * 2];

void ap_branches_learn(void); /* fills the table, once */

/* Each of these says whether the branch was predicted, and learns. */

/* Whether the prediction of a conditional branch was wrong. It learns. */
static inline uint32_t ap_mispredicted(struct ap_branches *b, uint64_t address, uint32_t taken) {
    uint32_t low = (uint32_t)(address >> 2), which = low & ((1 << AP_BRANCH_BITS) - 1);
    uint32_t history = b->branch[which].history;
    uint8_t *global = &b->global[(low ^ b->history) & ((1 << AP_GLOBAL_BITS) - 1)];
    uint8_t *local = &b->local[(history ^ low << 5) & ((1 << AP_LOCAL_BITS) - 1)];
    const struct ap_learned *now = &ap_learned[(uint32_t)b->branch[which].choice << 5 | (uint32_t)*local << 3 |
                                               (uint32_t)*global << 1 | taken];
    b->branch[which].history = (uint16_t)((history << 1 | taken) & ((1 << AP_LOCAL_HISTORY) - 1));
    b->branch[which].choice = now->choice;
    b->history = b->history << 1 | taken;
    *global = now->global;
    *local = now->local;
    return now->mispredicted;
}

static inline bool ap_predict_indirect(struct ap_branches *b, uint64_t address, uint64_t target) {
    uint32_t index = ((uint32_t)(address >> 2) ^ b->path) * 0x9e3779b1u >> (32 - AP_TARGET_BITS);
    bool predicted = b->targets[index] == target;
    b->targets[index] = target;
    b->path = b->path << 5 ^ (uint32_t)(target >> 2);
    return predicted;
}

static inline void ap_call(struct ap_branches *b, uint64_t back) {
    b->top = b->top + 1 < b->returns ? b->top + 1 : 0;
    b->return_to[b->top] = back;
}

static inline bool ap_predict_return(struct ap_branches *b, uint64_t target) {
    bool predicted = b->return_to[b->top] == target;
    b->top = b->top ? b->top - 1 : b->returns - 1;
    return predicted;
}

#endif
