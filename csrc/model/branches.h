/* Branch prediction: conditional branches by a tournament of two tables (S. McFarling, Combining Branch Predictors, 1993),
 * targets of indirect branches by the path that led there, returns by a stack. */
#ifndef AP_MODEL_BRANCHES_H
#define AP_MODEL_BRANCHES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    AP_HISTORY_BITS = 14,
    AP_LOCAL_BITS = 12,
    AP_TARGET_BITS = 11,
    AP_MAX_RETURNS = 64,
};

struct ap_branches {
    uint32_t history; /* of conditional branches, the latest in the lowest bit */
    uint32_t path;    /* of indirect branches */
    uint32_t calls;   /* on the stack of returns, which is a ring: the deepest are overwritten */
    uint32_t returns; /* its size */
    uint64_t return_to[AP_MAX_RETURNS];
    struct {
        uint8_t taken;  /* 0 to 3; from 2 on the branch is taken to be taken */
        uint8_t choice; /* 0 to 3; from 2 on the other table is believed */
    } local[1 << AP_LOCAL_BITS];
    uint8_t global[1 << AP_HISTORY_BITS];
    uint64_t targets[1 << AP_TARGET_BITS];
};

/* One step up or down, within 0 to 3. */
static inline uint8_t ap_step(uint8_t counter, bool up) {
    return (uint8_t)(up ? counter + (counter < 3) : counter - (counter > 0));
}

/* Each of these says whether the branch was predicted, and learns. */

static inline bool ap_predict_conditional(struct ap_branches *b, uint64_t address, bool taken) {
    uint32_t low = (uint32_t)(address >> 2);
    uint8_t *global = &b->global[(low ^ b->history) & ((1 << AP_HISTORY_BITS) - 1)];
    uint8_t *local = &b->local[low & ((1 << AP_LOCAL_BITS) - 1)].taken;
    uint8_t *choice = &b->local[low & ((1 << AP_LOCAL_BITS) - 1)].choice;
    bool by_global = *global >> 1, by_local = *local >> 1;
    bool predicted = *choice >> 1 ? by_global : by_local;
    if (by_global != by_local) {
        *choice = ap_step(*choice, by_global == taken);
    }
    *global = ap_step(*global, taken);
    *local = ap_step(*local, taken);
    b->history = b->history << 1 | taken;
    return predicted == taken;
}

static inline bool ap_predict_indirect(struct ap_branches *b, uint64_t address, uint64_t target) {
    uint32_t index = ((uint32_t)(address >> 2) ^ b->path) * 0x9e3779b1u >> (32 - AP_TARGET_BITS);
    bool predicted = b->targets[index] == target;
    b->targets[index] = target;
    b->path = b->path << 5 ^ (uint32_t)(target >> 2);
    return predicted;
}

static inline void ap_call(struct ap_branches *b, uint64_t back) {
    b->return_to[b->calls++ % b->returns] = back;
}

static inline bool ap_predict_return(struct ap_branches *b, uint64_t target) {
    return b->return_to[--b->calls % b->returns] == target;
}

#endif
