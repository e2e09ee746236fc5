/* The file of counts: what the model leaves behind, however the program ends.
 *
 * It is mapped shared, so that the counts are in it from the moment they are counted: a program that crashes or is killed
 * loses nothing, and a child of fork adds banks of its own. It is sparse: each section has room for far more than any
 * program needs, and takes up what is used. Numbers are the host's, the reader is armprof/counters/model/counts.py.
 *
 *   blocks    each stretch of straight code that was translated, once: where it is and how it ends
 *   words     the instructions of the blocks, as they stand in memory
 *   sites     each load and store of the blocks
 *   modules   the files that the code was mapped from
 *   regions   the names of the regions that the program marked
 *   owners    who counts into each bank now
 *   banks     the counts of one thread within one region (or none), and then of the next: one record for each block, one
 *             for each site
 */
#ifndef AP_MODEL_COUNTS_H
#define AP_MODEL_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AP_COUNTS_MAGIC "armprof counts 1"

/* Within the plugin: spares the way through the table of what could be replaced from outside. */
#define AP_HIDDEN __attribute__((visibility("hidden")))

enum {
    AP_MAX_BLOCKS = 1 << 20,
    AP_MAX_WORDS = 1 << 24,
    AP_MAX_SITES = 1 << 22,
    AP_MAX_MODULES = 1 << 10,
    AP_MAX_REGIONS = 1 << 10,
    AP_MAX_BANKS = 1 << 12,
    AP_MAX_LINES = 1 << 10,
};

/* How a block ends. */
enum ap_ending {
    AP_FALLS_THROUGH, /* no branch: the block was cut, or a system call follows */
    AP_CONDITIONAL,
    AP_JUMP,
    AP_CALL,
    AP_INDIRECT_JUMP,
    AP_INDIRECT_CALL,
    AP_RETURN,
};

struct ap_block {
    uint64_t address;
    uint64_t next;   /* the address behind it */
    uint64_t target; /* of its direct branch */
    uint32_t number; /* of this block, and of its record in each bank */
    uint32_t words;  /* number of its first instruction in `words` */
    uint32_t size;   /* instructions */
    uint32_t lines;  /* cache lines that it touches */
    uint32_t ending; /* enum ap_ending */
    uint32_t hash;   /* of its instructions */
    uint32_t sites;  /* number of the first of its sites */
    uint32_t sites_known; /* how many it has */
    uint64_t only_line; /* the line that it lies in; where there are several, no line's address */
};

struct ap_site {
    uint64_t address;
    uint32_t block;
    uint16_t bytes; /* that the instruction reads or writes in all */
    uint16_t store; /* 1: it writes (an atomic does both) */
};

struct ap_module {
    uint64_t start, end; /* addresses in the program */
    uint64_t offset;     /* of start in the file */
    char path[1000];
};

struct ap_region_name {
    uint32_t parent; /* number of the region that it was entered from, 0 is none */
    char name[252];
};

/* In each bank, for each block. */
struct ap_block_counts {
    uint64_t executed;
    uint64_t taken;         /* its conditional branch */
    uint64_t mispredicted;
    uint64_t l1i_refill;
    uint64_t l2_refill;     /* of L2, for instructions */
    uint64_t ll_miss;
    uint64_t itlb_refill;   /* L1 instruction TLB */
    uint64_t itlb_walk;
};

/* In each bank, for each site. */
struct ap_site_counts {
    uint64_t l1d_refill;
    uint64_t l2_refill;
    uint64_t ll_miss;
    uint64_t dtlb_refill;   /* L1 data TLB */
    uint64_t dtlb_walk;
    uint64_t unaligned;     /* bytes, for an instruction may make several accesses */
    uint64_t crossing;      /* accesses across the end of a line */
    uint64_t contended;     /* the line was lost to another thread's write, or had to be taken from another thread */
    uint64_t false_sharing; /* of those, where the two touched different bytes of it */
};

struct ap_bank {
    uint32_t number;
    uint32_t process;       /* that began it, as the next two */
    uint32_t order;         /* of the thread among all that were started */
    uint32_t region;
    uint64_t l1d_wb;        /* lines written back from L1D to L2 */
    uint64_t l2_wb;         /* and from L2 on */
    uint64_t prefetched;    /* lines brought into L1D before they were asked for */
    uint64_t prefetch_l2_refill;
    uint64_t prefetch_ll_miss;
    uint64_t entered;       /* times that the region was */
};

/* A line that two threads took from each other. Unused where `times` is 0. */
struct ap_contention {
    uint64_t line;          /* its address */
    uint64_t times;
    uint64_t touched[2];    /* the bytes of the line that each of them reads or writes, a bit each */
    uint32_t site[2];       /* where each of them did so last */
    uint32_t thread[2];     /* `order` of the thread, plus 1 */
};

struct ap_counts_header {
    char magic[16];
    uint64_t blocks_at, words_at, sites_at, modules_at, regions_at, lines_at, owners_at, banks_at;
    uint64_t bank_size, bank_blocks_at, bank_sites_at;
    uint32_t blocks, words, sites, modules, regions, banks; /* how many there are; taken by atomic addition */
    uint32_t exhausted;  /* blocks for which there was no room: not counted */
    uint32_t threads;    /* that were started, in all processes */
    uint32_t forks;
    uint32_t execs;
    uint32_t zeroed;     /* `dc zva`, whose address was guessed */
};

extern AP_HIDDEN struct ap_counts_header *ap_counts;
extern AP_HIDDEN struct ap_block *ap_blocks;
extern AP_HIDDEN uint32_t *ap_words;
extern AP_HIDDEN struct ap_site *ap_sites;
extern AP_HIDDEN struct ap_region_name *ap_regions;
extern AP_HIDDEN struct ap_contention *ap_lines;

/* Creates the file or, in a program that a counted one became by exec, goes on with it. False with errno. */
bool ap_counts_open(const char *path);

/* Room for so many more: number of the first, UINT32_MAX where there is none. */
uint32_t ap_take(uint32_t *count, uint32_t more, uint32_t capacity);

/* A bank of the region that nobody counts into any more, or a new one. NULL where there is no room for it. */
struct ap_bank *ap_bank_open(uint32_t order, uint32_t region);

/* Leaves it to threads that come later. */
void ap_bank_close(struct ap_bank *bank);
struct ap_block_counts *ap_bank_blocks(struct ap_bank *bank);
struct ap_site_counts *ap_bank_sites(struct ap_bank *bank);

/* Notes the file that the code at this address of the program was mapped from. `base` is where address 0 of the program
 * lies in this process. */
void ap_note_module(uint64_t address, uint64_t base);

#endif
