/* What region.c, which sums, and output.c, which writes the sums down when the program ends, know of each other. */
#ifndef ARMPROF_OUTPUT_H
#define ARMPROF_OUTPUT_H

#include <stdio.h>

#include "armprof.h"

/* Shared libraries may each hold a copy of this library. The linker lets them all call the public functions of one of them;
 * these here it must not mix, so that each copy writes down what it has summed itself. */
#pragma GCC visibility push(hidden)

/* What the set of the first thread with regions is like. */
struct armprof_shape {
    bool known;
    int slot_of[ARMPROF_MAX_EVENTS]; /* by event, as are: */
    uint32_t group_of[ARMPROF_MAX_EVENTS];
    int error[ARMPROF_MAX_EVENTS];
    armprof_access access[ARMPROF_MAX_EVENTS];
};

/* The regions of this process at one moment. */
struct armprof_regions_look {
    const armprof_event *events;
    uint32_t event_count;
    bool chosen; /* by armprof_choose_events() */
    const struct armprof_shape *shape;
    const char *const *names; /* by region, from 1 */
    uint32_t end;             /* one more than the last region */
    bool counts;              /* a thread has sums, or had some */
};

void armprof_regions_look(struct armprof_regions_look *look);

/* Whether ARMPROF_OUTPUT named a file when the program started. */
bool armprof_output_is_wanted(void);

/* To be called where regions are to count other events from now on, and in a thread whose counters have been opened. */
void armprof_output_change(void);
void armprof_output_begin(void);

/* Adds the regions to the file that ARMPROF_OUTPUT names. Does nothing where it names none, nor where nothing was counted. */
void armprof_output_write(void);

/* Fills in what regions count of which nobody says what: the events that ARMPROF_EVENTS names, else those that the most
 * important ratios need, as far as one group of this machine can hold them. How many they are. */
uint32_t armprof_choose_events(armprof_event *events);

/* The events that were to be chosen and could not be, each with the errno. How many they are. */
struct armprof_missing {
    const char *name;
    int error;
};
size_t armprof_missing_events(const struct armprof_missing **missing);

/* The member "host" of the file: the facts of this machine that tell what the counts mean. */
void armprof_write_host(FILE *out);

/* Adds the part, a JSON object, to the file: after the parts that this very process has put there, in place of anything
 * else. A device or a pipe is written to. 0 or an errno. */
int armprof_add_part(const char *path, const char *part);

/* The bytes as a JSON string. Those that are no UTF-8 become lone low surrogates, U+DC80 to U+DCFF, one for each: nothing is
 * lost, and Python reads names of files and arguments in the same way. */
void armprof_write_string(FILE *out, const char *text);

/* The name of an errno ("ENOENT"), whose number differs between systems; NULL for those that this library does not know. */
const char *armprof_error_name(int error);

#pragma GCC visibility pop

#endif
