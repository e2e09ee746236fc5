/* Regions that the program marks with armprof_enter() and armprof_leave(): within one a thread counts into a bank of its
 * own, so that entering and leaving is an exchange of pointers. */
#include "core.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t names[AP_MAX_REGIONS]; /* of the regions of this process: where their names are */
static uint32_t processes[AP_MAX_REGIONS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Banks of threads that ended, by region. Only where many threads have come are they used again: until then each thread's
 * counts stay apart. */
static struct spare {
    struct ap_bank *bank;
    struct spare *next;
} *spares[AP_MAX_REGIONS];

enum { KEPT_APART = 256 };

static struct ap_bank *bank_for(struct ap_core *core, uint32_t region) {
    pthread_mutex_lock(&lock);
    struct spare *spare = ap_counts->banks < KEPT_APART ? NULL : spares[region];
    struct ap_bank *bank = spare ? spare->bank : NULL;
    if (spare) {
        spares[region] = spare->next;
        free(spare);
    }
    pthread_mutex_unlock(&lock);
    return bank ? bank : ap_bank_open(core->order, region);
}

void ap_banks_end(struct ap_core *core) {
    pthread_mutex_lock(&lock);
    for (uint32_t region = 0; region < ap_counts->regions; region++) {
        struct spare *spare = core->banks[region] ? malloc(sizeof *spare) : NULL;
        if (spare) {
            *spare = (struct spare){core->banks[region], spares[region]};
            spares[region] = spare;
        }
    }
    pthread_mutex_unlock(&lock);
}

static bool count_into(struct ap_core *core, uint32_t region) {
    if (!core->banks[region]) {
        core->banks[region] = bank_for(core, region);
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
    if (core->banks) { /* a child of fork: what is there is the parent's */
        memset(spares, 0, sizeof spares);
        free(core->banks);
    }
    core->banks = calloc(AP_MAX_REGIONS, sizeof *core->banks);
    return core->banks && count_into(core, core->depth ? core->frames[core->depth - 1].region : 0);
}

/* The region of this name within that one, new or known. 0 where there is no room for more. */
static uint32_t region_of(uint32_t parent, uint64_t name, uint64_t base) {
    pthread_mutex_lock(&lock);
    uint32_t process = (uint32_t)getpid(), number = 1;
    while (number < ap_counts->regions && !(names[number] == name && ap_regions[number].parent == parent &&
                                            processes[number] == process)) {
        number++;
    }
    if (number == ap_counts->regions) {
        number = ap_take(&ap_counts->regions, 1, AP_MAX_REGIONS);
        number = number == UINT32_MAX ? 0 : number;
        names[number] = name;
        processes[number] = process;
        ap_regions[number].parent = parent;
        snprintf(ap_regions[number].name, sizeof ap_regions[number].name, "%s", number ? (char *)(base + name) : "");
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
