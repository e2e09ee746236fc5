#define _GNU_SOURCE
#include "counts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct ap_counts_header *ap_counts;
struct ap_block *ap_blocks;
uint32_t *ap_words;
struct ap_site *ap_sites;
struct ap_region_name *ap_regions;
struct ap_contention *ap_lines;

static struct ap_module *modules;

/* Of each bank its region plus 1, and the process that has it, 0 where none has: in one word, which changes hands whole. */
static uint64_t *owners;
static char *counts_path;
static pthread_mutex_t modules_lock = PTHREAD_MUTEX_INITIALIZER;

enum { PAGE = 4096 };

static uint64_t place(uint64_t *end, uint64_t bytes) {
    uint64_t start = *end;
    *end = (start + bytes + PAGE - 1) / PAGE * PAGE;
    return start;
}

static struct ap_counts_header layout(uint64_t *size) {
    struct ap_counts_header header = {.magic = AP_COUNTS_MAGIC};
    uint64_t end = PAGE, in_bank = PAGE;
    header.blocks_at = place(&end, AP_MAX_BLOCKS * sizeof(struct ap_block));
    header.words_at = place(&end, AP_MAX_WORDS * sizeof(uint32_t));
    header.sites_at = place(&end, AP_MAX_SITES * sizeof(struct ap_site));
    header.modules_at = place(&end, AP_MAX_MODULES * sizeof(struct ap_module));
    header.regions_at = place(&end, AP_MAX_REGIONS * sizeof(struct ap_region_name));
    header.lines_at = place(&end, AP_MAX_LINES * sizeof(struct ap_contention));
    header.owners_at = place(&end, AP_MAX_BANKS * sizeof *owners);
    header.bank_blocks_at = place(&in_bank, AP_MAX_BLOCKS * sizeof(struct ap_block_counts));
    header.bank_sites_at = place(&in_bank, AP_MAX_SITES * sizeof(struct ap_site_counts));
    header.bank_size = in_bank;
    header.banks_at = end;
    header.regions = 1; /* 0 is no region */
    header.blocks = 1;  /* 0 is no block */
    *size = end + AP_MAX_BANKS * in_bank;
    return header;
}

/* The mapping stays when the descriptor is closed, so that the program finds its own numbers unused. */
static void *map(uint64_t at, uint64_t bytes) {
    int file = open(counts_path, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return NULL;
    }
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, (off_t)at);
    close(file);
    return mapped == MAP_FAILED ? NULL : mapped;
}

bool ap_counts_open(const char *path) {
    counts_path = realpath(path, NULL); /* the program may change its directory */
    int file = counts_path ? open(counts_path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        return false;
    }
    uint64_t size;
    struct ap_counts_header header = layout(&size);
    struct stat found;
    bool ok = fstat(file, &found) == 0;
    if (ok && found.st_size == 0) {
        ok = ftruncate(file, (off_t)size) == 0 && pwrite(file, &header, sizeof header, 0) == sizeof header;
    } else if (ok && (uint64_t)found.st_size != size) {
        errno = EINVAL;
        ok = false;
    }
    close(file);
    char *all = ok ? map(0, header.banks_at) : NULL;
    if (!all) {
        return false;
    }
    ap_counts = (void *)all;
    ap_blocks = (void *)(all + header.blocks_at);
    ap_words = (void *)(all + header.words_at);
    ap_sites = (void *)(all + header.sites_at);
    ap_regions = (void *)(all + header.regions_at);
    ap_lines = (void *)(all + header.lines_at);
    modules = (void *)(all + header.modules_at);
    owners = (void *)(all + header.owners_at);
    return true;
}

uint32_t ap_take(uint32_t *count, uint32_t more, uint32_t capacity) {
    uint32_t first = __atomic_load_n(count, __ATOMIC_RELAXED);
    do {
        if (more > capacity - first) {
            return UINT32_MAX;
        }
    } while (!__atomic_compare_exchange_n(count, &first, first + more, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return first;
}

static uint64_t owned(uint32_t region, uint32_t process) { return (uint64_t)(region + 1) << 32 | process; }

/* Whoever has a bank and is killed does not give it back. */
static bool ended(uint32_t process) {
    return process != (uint32_t)getpid() && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

/* Takes a bank that was counted into before, so that their number follows the threads that live at once, and not those
 * that ever did. UINT32_MAX where there is none. */
static uint32_t take_spare(uint32_t region) {
    uint32_t banks = __atomic_load_n(&ap_counts->banks, __ATOMIC_RELAXED);
    for (uint32_t number = 0; number < banks; number++) {
        uint64_t word = __atomic_load_n(&owners[number], __ATOMIC_ACQUIRE);
        uint32_t process = (uint32_t)word;
        if (word >> 32 == region + 1 && (!process || ended(process)) &&
            __atomic_compare_exchange_n(&owners[number], &word, owned(region, (uint32_t)getpid()), false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return number;
        }
    }
    return UINT32_MAX;
}

struct ap_bank *ap_bank_open(uint32_t order, uint32_t region) {
    uint32_t spare = take_spare(region);
    uint32_t number = spare == UINT32_MAX ? ap_take(&ap_counts->banks, 1, AP_MAX_BANKS) : spare;
    if (number == UINT32_MAX) {
        return NULL;
    }
    struct ap_bank *bank = map(ap_counts->banks_at + number * ap_counts->bank_size, ap_counts->bank_size);
    if (bank && number != spare) {
        bank->number = number;
        bank->process = (uint32_t)getpid();
        bank->order = order;
        bank->region = region;
        __atomic_store_n(&owners[number], owned(region, (uint32_t)getpid()), __ATOMIC_RELEASE);
    }
    return bank;
}

void ap_bank_close(struct ap_bank *bank) {
    uint64_t *owner = &owners[bank->number], word = owned(bank->region, 0);
    munmap(bank, ap_counts->bank_size);
    __atomic_store_n(owner, word, __ATOMIC_RELEASE);
}

struct ap_block_counts *ap_bank_blocks(struct ap_bank *bank) {
    return (void *)((char *)bank + ap_counts->bank_blocks_at);
}

struct ap_site_counts *ap_bank_sites(struct ap_bank *bank) {
    return (void *)((char *)bank + ap_counts->bank_sites_at);
}

static bool noted(uint64_t address) {
    for (uint32_t i = 0; i < ap_counts->modules; i++) {
        if (address - modules[i].start < modules[i].end - modules[i].start) {
            return true;
        }
    }
    return false;
}

void ap_note_module(uint64_t address, uint64_t base) {
    pthread_mutex_lock(&modules_lock);
    FILE *maps = noted(address) ? NULL : fopen("/proc/self/maps", "re");
    char line[1400];
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long start, end, offset;
        int path = 0;
        if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %n", &start, &end, &offset, &path) < 3 || !path ||
            address + base - start >= end - start) {
            continue;
        }
        uint32_t number = ap_take(&ap_counts->modules, 1, AP_MAX_MODULES);
        if (number != UINT32_MAX) {
            struct ap_module *module = &modules[number];
            line[strcspn(line, "\n")] = '\0';
            *module = (struct ap_module){.start = start - base, .end = end - base, .offset = offset};
            snprintf(module->path, sizeof module->path, "%s", line + path);
        }
        break;
    }
    if (maps) {
        fclose(maps);
    }
    pthread_mutex_unlock(&modules_lock);
}
