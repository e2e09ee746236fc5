/* Regions that the program marks with armprof_enter() and armprof_leave(): within one a thread counts into a bank of its
 * own, so that entering and leaving is an exchange of pointers. */
#include "core.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t names[AP_MAX_REGIONS]; /* of the regions that this process entered: where their names are */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void ap_banks_end(struct ap_core *core) {
    for (uint32_t region = 0; region < ap_counts->regions; region++) {
        if (core->banks[region]) {
            ap_bank_close(core->banks[region]);
        }
    }
}

static bool count_into(struct ap_core *core, uint32_t region) {
    if (!core->banks[region]) {
        core->banks[region] = ap_bank_open(core->order, region);
    }
    struct ap_bank *bank = core->banks[region];
    if (bank) {
        core->bank = bank;
        core->blocks = ap_bank_blocks(bank);
        core->sites = ap_bank_sites(bank);
    }
    return bank != NULL;
}

bool ap_banks_start(struct ap_core *core) {
    free(core->banks); /* of a child of fork: what is there is the parent's */
    core->banks = calloc(AP_MAX_REGIONS, sizeof *core->banks);
    return core->banks && count_into(core, core->depth ? core->frames[core->depth - 1].region : 0);
}

/* The region of this name within that one, of this process or another. 0 where there is no room for more. */
static uint32_t region_named(uint32_t parent, const char *name) {
    struct ap_region_name wanted = {.parent = parent};
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    for (uint32_t number = 1; number < ap_counts->regions; number++) {
        if (ap_regions[number].parent == parent && strcmp(ap_regions[number].name, wanted.name) == 0) {
            return number;
        }
    }
    uint32_t number = ap_take(&ap_counts->regions, 1, AP_MAX_REGIONS);
    if (number == UINT32_MAX) {
        return 0;
    }
    ap_regions[number] = wanted;
    return number;
}

static uint32_t region_of(uint32_t parent, uint64_t name, uint64_t base) {
    pthread_mutex_lock(&lock);
    uint32_t number = 1;
    while (number < ap_counts->regions && !(names[number] == name && ap_regions[number].parent == parent)) {
        number++;
    }
    if (number == ap_counts->regions) {
        number = region_named(parent, (const char *)(uintptr_t)(base + name));
        names[number] = name;
    }
    pthread_mutex_unlock(&lock);
    return number;
}

void ap_region_enter(struct ap_core *core, uint64_t name, uint64_t base) {
    if (core->depth == AP_DEPTH) {
        return;
    }
    uint32_t outer = core->depth ? core->frames[core->depth - 1].region : 0;
    uint32_t region = region_of(outer, name, base);
    core->frames[core->depth++] = (struct ap_frame){name, region};
    if (count_into(core, region)) {
        core->bank->entered++;
    }
}

/* The innermost that bears the name; regions may be left in another order than they were entered in. */
void ap_region_leave(struct ap_core *core, uint64_t name) {
    uint32_t place = core->depth;
    while (place > 0 && core->frames[place - 1].name != name) {
        place--;
    }
    if (place == 0) {
        return;
    }
    memmove(&core->frames[place - 1], &core->frames[place], (core->depth - place) * sizeof *core->frames);
    core->depth--;
    count_into(core, core->depth ? core->frames[core->depth - 1].region : 0);
}
