/* Writes what the regions of a program have summed into the file that ARMPROF_OUTPUT names, when the program ends.
 *
 * What is written are the sums as they are; what they mean is said once, in armprof/run/regions.py. The file is one JSON
 * object, {"format": ..., "process": ..., "parts": [...]}. Each copy of this library that a process holds (shared libraries
 * may each have their own) adds a part to it, and armprof_regions_teardown() adds what it forgets.
 *
 * Nothing of it happens in a program that is killed, aborts, or calls _exit() or quick_exit().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

enum { CALIBRATION_ROUNDS = 64 };

static char wanted[PATH_MAX]; /* ARMPROF_OUTPUT, absolute; "" where there is none */
static pid_t first_process;   /* that we were loaded in: its children by fork have others */
static pid_t written_by;      /* a process that has added a part */

static pthread_mutex_t empty_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool known;
    uint64_t ns, events[ARMPROF_MAX_EVENTS];
} empty; /* what an empty region counts: the least that was ever seen */

static void hold(void) { pthread_mutex_lock(&empty_lock); }
static void let_go(void) { pthread_mutex_unlock(&empty_lock); }

/* All that a program pays that has no such variable. The folder is that of the start, wherever the program goes then. */
__attribute__((constructor)) static void remember(void) {
    const char *name = secure_getenv("ARMPROF_OUTPUT"); /* none for a program with other rights than its user */
    char folder[PATH_MAX];
    if (!name || !*name) {
        return;
    }
    first_process = getpid();
    bool relative = *name != '/' && getcwd(folder, sizeof folder) != NULL;
    int length = snprintf(wanted, sizeof wanted, "%s%s%s", relative ? folder : "", relative ? "/" : "", name);
    if (length >= (int)sizeof wanted) {
        dprintf(STDERR_FILENO, "armprof: ARMPROF_OUTPUT: %s\n", strerror(ENAMETOOLONG));
        *wanted = 0;
    }
    pthread_atfork(hold, let_go, let_go);
}

bool armprof_output_is_wanted(void) { return *wanted != 0; }

/* Seen when the first thread starts, too: once user reads are withdrawn an empty region takes ten times as long, and that
 * times the calls from before would be more than these took. */
static void calibrate(void) {
    uint64_t ns, events[ARMPROF_MAX_EVENTS] = {0};
    if (armprof_regions_calibrate(CALIBRATION_ROUNDS, &ns, events) != 0) {
        return;
    }
    hold();
    bool better = !empty.known;
    empty.ns = better || ns < empty.ns ? ns : empty.ns;
    for (uint32_t i = 0; i < ARMPROF_MAX_EVENTS; i++) {
        empty.events[i] = better || events[i] < empty.events[i] ? events[i] : empty.events[i];
    }
    empty.known = true;
    let_go();
}

static bool is_calibrated(void) {
    hold();
    bool known = empty.known;
    let_go();
    return known;
}

void armprof_output_change(void) {
    hold();
    empty.known = false;
    let_go();
}

void armprof_output_begin(void) {
    if (armprof_output_is_wanted() && !is_calibrated()) {
        calibrate();
    }
}

/* ---- What is written -------------------------------------------------------------------------------------------- */

static void write_spread(FILE *out, const armprof_spread *spread) {
    fprintf(out, "{\"total\": %" PRIu64 ", \"smallest\": %" PRIu64 ", \"largest\": %" PRIu64 "}", spread->total,
            spread->smallest, spread->largest);
}

static void write_numbers(FILE *out, const char *key, const uint64_t *numbers, uint32_t count) {
    fprintf(out, ", \"%s\": [", key);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "%s%" PRIu64, i > 0 ? ", " : "", numbers[i]);
    }
    fputc(']', out);
}

static void write_error(FILE *out, int error) {
    const char *name = armprof_error_name(error);
    fputs(", \"error\": ", out);
    if (error == 0) {
        fputs("null", out);
    } else if (name) {
        armprof_write_string(out, name);
    } else {
        fprintf(out, "\"%d\"", error);
    }
}

static void write_events(FILE *out, const struct armprof_regions_look *look) {
    static const char *const access[] = {"closed", "user64", "user32", "syscall"};
    fputs(",\n  \"events\": [", out);
    for (uint32_t i = 0; i < look->event_count; i++) {
        const armprof_event *event = &look->events[i];
        fputs(i > 0 ? ",\n   {" : "\n   {", out);
        fprintf(out, "\"type\": %" PRIu32 ", \"config\": %" PRIu64 ", \"kernel\": %s", event->type, event->config,
                event->kernel ? "true" : "false");
        fprintf(out, ", \"group\": %" PRIu32 ", \"access\": \"%s\"", look->shape->group_of[i],
                access[look->shape->access[i]]);
        write_error(out, look->shape->error[i]);
        fputc('}', out);
    }
    fputs("],\n  \"missing\": [", out);
    const struct armprof_missing *missing;
    size_t count = look->chosen ? armprof_missing_events(&missing) : 0;
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",\n   {\"name\": " : "\n   {\"name\": ", out);
        armprof_write_string(out, missing[i].name);
        write_error(out, missing[i].error);
        fputc('}', out);
    }
    fputc(']', out);
}

static void write_regions(FILE *out, const struct armprof_regions_look *look) {
    fputs(",\n  \"regions\": [", out);
    for (armprof_region region = 1; region < look->end; region++) {
        armprof_region_totals totals;
        armprof_region_read(region, &totals);
        fputs(region > 1 ? ",\n   {\"name\": " : "\n   {\"name\": ", out);
        armprof_write_string(out, look->names[region]);
        fprintf(out, ", \"calls\": %" PRIu64 ", \"outermost\": %" PRIu64 ", \"counted\": %" PRIu64, totals.calls,
                totals.outermost, totals.counted);
        fputs(", \"ns\": ", out);
        write_spread(out, &totals.ns);
        fprintf(out, ", \"enabled_ns\": %" PRIu64, totals.enabled_ns);
        write_numbers(out, "lost_ns", totals.lost_ns, ARMPROF_MAX_GROUPS);
        fputs(", \"events\": [", out);
        for (uint32_t i = 0; i < look->event_count; i++) {
            fputs(i > 0 ? ", " : "", out);
            write_spread(out, &totals.events[i]);
        }
        fputs("]}", out);
    }
    fputc(']', out);
}

static void write_health(FILE *out, const armprof_regions_health *health) {
    fprintf(out, ",\n  \"health\": {\"threads\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"dropped\": %" PRIu64, health->threads,
            health->failed, health->dropped);
    fprintf(out, ", \"mismatched\": %" PRIu64 ", \"inside\": %" PRIu64 ", \"withdrawn\": %" PRIu64 "}", health->mismatched,
            health->inside, health->withdrawn);
}

static void write_part(FILE *out, const struct armprof_regions_look *look, const armprof_regions_health *health) {
    char now[32];
    time_t seconds = time(NULL);
    struct tm parts;
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%S+00:00", gmtime_r(&seconds, &parts));
    fputs(" {", out);
    armprof_write_host(out);
    fprintf(out, ",\n  \"created\": \"%s\", \"program\": ", now);
    armprof_write_string(out, program_invocation_short_name);
    fprintf(out, ", \"pid\": %ld", (long)getpid());
    write_health(out, health);
    write_events(out, look);
    fputs(",\n  \"empty\": ", out);
    hold();
    if (empty.known) {
        fprintf(out, "{\"ns\": %" PRIu64, empty.ns);
        write_numbers(out, "events", empty.events, look->event_count);
        fputc('}', out);
    } else {
        fputs("null", out);
    }
    let_go();
    write_regions(out, look);
    fputc('}', out);
}

/* ---- Where to --------------------------------------------------------------------------------------------------- */

/* ARMPROF_OUTPUT with the number of the process for %p. A child after fork that would have the name of its parent's file
 * gets one of its own, as nothing else of it would be left. False where it is too long. */
static bool name_file(char *path, size_t room, pid_t process) {
    char number[32];
    size_t length = 0;
    bool numbered = false;
    snprintf(number, sizeof number, "%ld", (long)process);
    for (const char *at = wanted; *at; at++) {
        bool here = at[0] == '%' && at[1] == 'p';
        size_t adds = here ? strlen(number) : 1;
        if (length + adds >= room) {
            return false;
        }
        memcpy(path + length, here ? number : at, adds);
        length += adds;
        at += here;
        numbered |= here;
    }
    path[length] = 0;
    bool own = process != first_process && !numbered;
    return !own || snprintf(path + length, room - length, ".%s", number) < (int)(room - length);
}

void armprof_output_write(void) {
    if (!armprof_output_is_wanted()) {
        return;
    }
    pid_t process = getpid();
    struct armprof_regions_look look;
    armprof_regions_look(&look);
    /* Regions that were never entered are worth telling of, once and not of every child. */
    if (!look.counts && (look.end <= 1 || process != first_process || written_by == process)) {
        return;
    }
    armprof_regions_health health;
    armprof_regions_read_health(&health);
    if (armprof_thread_set() || !is_calibrated()) {
        calibrate(); /* opens this thread's counters where it has none */
        armprof_regions_look(&look);
    }
    char path[PATH_MAX], *part = NULL;
    size_t size;
    bool named = name_file(path, sizeof path, process);
    FILE *out = open_memstream(&part, &size);
    if (out) {
        write_part(out, &look, &health);
        if (fclose(out) != 0) { /* it is cut */
            free(part);
            part = NULL;
        }
    }
    int error = !named ? ENAMETOOLONG : part ? armprof_add_part(path, part) : ENOMEM;
    free(part);
    if (error) {
        dprintf(STDERR_FILENO, "armprof: cannot write %s: %s\n", named ? path : wanted, strerror(error));
    }
    written_by = process;
}

__attribute__((destructor)) static void end(void) { armprof_output_write(); }
