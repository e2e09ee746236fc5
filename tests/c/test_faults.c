/* Whatever the counter core asks of the kernel and of the C library fails once, from some moment on, or always, with each
 * errno in turn; memory runs out at each allocation; reads are short, and interrupted by signals without end.
 *
 * A scenario is one use of the library from the first call to the last, with checks that hold whatever failed: what is
 * told as counted is right, what was not counted has an errno that says why, and nothing stays open or mapped. Each
 * scenario runs once without a fault, which tells how often it makes each call, and then once for each fault. */
#define _GNU_SOURCE
#include <libgen.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "faults.h"

#include "armprof.h"
#include "output.h"
#include "sampler.h"
#include "software.h"
#include "standing.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const int errors[] = {EPERM, EACCES, EINVAL, ENOENT, ENODEV, EOPNOTSUPP, EBUSY, EMFILE, ENFILE,
                             ENOMEM, EINTR, ENOSPC, E2BIG,  EAGAIN, ESRCH,      EIO,   EFAULT};

static const armprof_options counting = {.cpu = -1, .user_reads = true};

/* What a machine without a PMU can count, and where there is one, its cycles and instructions. */
static armprof_event events[5];
static bool is_faults[COUNT(events)];
static size_t event_count;
static bool counted_without_fault[COUNT(events)];

static void choose(void) {
    const armprof_event kernels[] = {page_faults(0), task_clock(0), page_faults(1)};
    memcpy(events, kernels, sizeof kernels);
    is_faults[0] = is_faults[2] = true;
    event_count = COUNT(kernels);
    const char *const names[] = {"cpu_cycles", "inst_retired"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (armprof_event_named(names[i], &events[event_count]) == 0) {
            events[event_count++].group = 2;
        }
    }
}

enum { PAGES = 24 };

static bool interrupted; /* by signals without end */

/* What the core made of a failed call: the errno that was injected; EIO where a read was short; of a group that could not
 * be opened as one, whatever the kernel says then. */
static void is_told(int error) {
    CHECK(error == fault.error || (fault.error == 0 && error == EIO));
    const char *reason = armprof_reason(error);
    CHECK(strlen(reason) > 5 && strchr(reason, '\n') == NULL);
}

/* ---- Scenarios ------------------------------------------------------------------------------------------------------- */

static void a_set(void) {
    armprof_count before[COUNT(events)], after[COUNT(events)];
    armprof_set *set = armprof_open(events, event_count, &counting);
    if (!set) {
        CHECK_EQUAL(errno, ENOMEM);
        CHECK_EQUAL(fault.call, MEMORY);
        return;
    }
    uint64_t smallest[COUNT(events)];
    int error = armprof_sample(set, before);
    touch_pages(PAGES);
    error = error ? error : armprof_sample(set, after);
    int calibrated = armprof_calibrate(set, 2, smallest);
    for (size_t i = 0; i < event_count; i++) {
        if (fault.call == CALLS) {
            counted_without_fault[i] = armprof_event_error(set, i) == 0;
        } else if (counted_without_fault[i] && armprof_event_error(set, i) != 0) {
            is_told(armprof_event_error(set, i));
            CHECK_EQUAL(armprof_event_access(set, i), ARMPROF_CLOSED);
            CHECK(error || (after[i].value | after[i].enabled_ns | after[i].running_ns) == 0);
        } else if (counted_without_fault[i] && !error) {
            uint64_t enabled = after[i].enabled_ns - before[i].enabled_ns;
            CHECK(enabled > 0);
            CHECK(after[i].running_ns - before[i].running_ns <= enabled);
            if (is_faults[i]) {
                check_faults(after[i].value - before[i].value, PAGES);
                CHECK(calibrated || smallest[i] <= OTHER_FAULTS);
            } else if (after[i].running_ns > before[i].running_ns) {
                CHECK(after[i].value > before[i].value);
            }
        }
    }
    if (error) {
        is_told(error);
    }
    if (calibrated) {
        is_told(calibrated);
    }
    armprof_close(set);
}

/* Where files are written, as ARMPROF_OUTPUT says. */
static const char *folder;
enum { FILES = 2 }; /* those of a_file() */

static size_t contents(const char *name, char *text, size_t room) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(text, 1, room - 1, file) : 0;
    text[size] = 0;
    if (file) {
        fclose(file);
    }
    return size;
}

/* How many files are there; of one that is not whole the name begins with a dot. */
static unsigned files(void) {
    DIR *listed = opendir(folder);
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(listed));) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(listed);
    return count;
}

struct visits {
    armprof_region region;
    unsigned started, left;
};

static void visit(struct visits *visits) {
    int error = armprof_thread_start();
    if (error) {
        CHECK_EQUAL(error, ENOMEM);
    }
    for (int i = 0; i < 2; i++) {
        armprof_enter(visits->region);
        touch_pages(PAGES);
        visits->started += armprof_thread_set() != NULL;
        armprof_leave(visits->region);
        visits->left++;
    }
}

static void *visiting_thread(void *visits) {
    visit(visits);
    return NULL;
}

/* What is torn down is written: whole, or not at all. */
static void check_written(const char *name) {
    static const char end[] = "\n]}\n";
    char own[32], path[300], text[1 << 16];
    snprintf(own, sizeof own, "regions-%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/%s", folder, own);
    bool was_armed = armed;
    armed = false;
    size_t size = contents(own, text, sizeof text);
    CHECK(size > 0 || fault.call != CALLS);
    CHECK(size == 0 || (text[0] == '{' && strstr(text, name) && strcmp(text + size - strlen(end), end) == 0));
    unlink(path);
    CHECK_EQUAL(files(), FILES);
    armed = was_armed;
}

static void use_regions(bool with_latencies) {
    static unsigned number;
    char name[32];
    int not_kept = with_latencies ? armprof_regions_keep_latencies() : 0;
    CHECK(not_kept == 0 || (not_kept == ENOMEM && fault.call == MEMORY));
    snprintf(name, sizeof name, "region %u", fault.call == MEMORY ? ++number : 0);
    CHECK_EQUAL(armprof_regions_setup(events, event_count, &counting), 0);
    struct visits here = {.region = armprof_region_define(name)}, there = here;
    if (here.region == 0) {
        CHECK_EQUAL(fault.call, MEMORY);
        CHECK_EQUAL(armprof_regions_teardown(), 0);
        return;
    }
    visit(&here);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, visiting_thread, &there), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);

    armprof_region_totals totals;
    armprof_regions_health health;
    CHECK_EQUAL(armprof_region_read(here.region, &totals), 0);
    armprof_regions_read_health(&health);
    CHECK_EQUAL(totals.calls, here.started + there.started);
    CHECK_EQUAL(totals.calls + health.mismatched, here.left + there.left);
    CHECK_EQUAL(totals.outermost, totals.calls);
    CHECK(totals.counted <= totals.outermost);
    CHECK_EQUAL(health.threads, (here.started > 0) + (there.started > 0));
    const armprof_set *set = armprof_thread_set();
    for (size_t i = 0; set && i < event_count; i++) {
        const armprof_spread *spread = &totals.events[i];
        uint32_t group = armprof_event_group(set, i);
        if (armprof_event_error(set, i) != 0) {
            CHECK_EQUAL(spread->total | spread->smallest | spread->largest, 0);
        } else if (is_faults[i] && totals.counted > 0 && totals.lost_ns[group] == 0) {
            CHECK(totals.enabled_ns > 0);
            CHECK(spread->total >= totals.counted * PAGES && spread->total <= totals.counted * (PAGES + OTHER_FAULTS));
            CHECK(spread->smallest >= PAGES);
        }
    }
    uint64_t buckets[ARMPROF_LATENCY_BUCKETS], timed = 0;
    int untimed = armprof_region_read_latencies(here.region, buckets);
    CHECK_EQUAL(untimed, with_latencies && !not_kept ? 0 : ENODATA);
    for (size_t i = 0; !untimed && i < COUNT(buckets); i++) {
        timed += buckets[i];
    }
    CHECK(untimed || timed == totals.outermost);
    uint64_t ns, smallest[COUNT(events)];
    int error = armprof_regions_calibrate(2, &ns, smallest);
    CHECK(error == 0 || error == EIO || error == ENOMEM || error == ENODATA);
    CHECK_EQUAL(armprof_regions_teardown(), 0);
    check_written(name);
}

static void regions(void) { use_regions(false); }
static void regions_with_latencies(void) { use_regions(true); }

/* Counters that are asked again and again: what one difference failed to take is in the next. */
static void standing(void) {
    enum { FAULTS_AND_CLOCK = 2, MOST = 2 };
    const armprof_event both[FAULTS_AND_CLOCK] = {page_faults(0), task_clock(0)};
    armprof_set *set = armprof_open(both, FAULTS_AND_CLOCK, &counting);
    if (!set) {
        CHECK_EQUAL(fault.call, MEMORY);
        return;
    }
    armprof_count memory[2][FAULTS_AND_CLOCK] = {{{0}}};
    armprof_interval since[FAULTS_AND_CLOCK], taken[MOST][FAULTS_AND_CLOCK];
    armprof_standing one = {&set, 1, FAULTS_AND_CLOCK, memory[0], memory[1], 0.999}, *all[] = {&one};
    armprof_batch batch = {
        .standing = all, .count = 1, .interval_ns = 100000, .until_ns = INT64_MAX, .ends = {-1, -1}, .listing = -1};
    armprof_moment moments[MOST];
    int error, refused = armprof_event_error(set, 0);
    touch_pages(PAGES);
    size_t count = armprof_batch_take(&batch, MOST, moments, taken[0], &error);
    CHECK(count == MOST || error != 0 || fault.call == POLL || interrupted);
    uint64_t faults = 0;
    for (size_t i = 0; i < count - (error != 0); i++) {
        faults += taken[i][0].raw;
    }
    int last = armprof_standing_difference(&one, since);
    if (error) {
        is_told(error);
    }
    if (refused) {
        is_told(refused);
    } else if (last) {
        is_told(last);
    } else {
        check_faults(faults + since[0].raw, PAGES);
    }
    armprof_close(set);
}

static void a_budget(void) {
    static armprof_budget truth;
    armprof_event event = task_clock(0), cycles = page_faults(0);
    armprof_budget budget = armprof_probe_budget(&event, &cycles);
    if (fault.call == CALLS) {
        truth = budget;
    } else if (budget.error) {
        is_told(budget.error);
        CHECK_EQUAL(budget.counters, 0);
    } else if (fault.error != EINVAL) { /* which is how the kernel says that a group is full */
        CHECK_EQUAL(budget.counters, truth.counters);
        CHECK(truth.cycles_besides || !budget.cycles_besides);
    }
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* By themselves: the CPU's clock and the thread's. In a group: pages that were touched are read at the strikes of the clock. */
static const armprof_sampled clocks[] = {
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .by_frequency = true, .rate = 4000},
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_TASK_CLOCK, .by_frequency = true, .rate = 4000}};
static const armprof_sampled group[] = {
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .rate = 200000},
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS}};
enum { SAMPLED = 2, WORK_NS = 1000000 };

static uint64_t sampled_weight(const struct armprof_records *records, uint16_t event) {
    const armprof_hit *hits = records->hits.data;
    uint64_t weight = 0;
    for (size_t i = 0; i < records->hits.used; i++) {
        weight += hits[i].event == event ? hits[i].period : 0;
    }
    return weight;
}

static void check_sampled(const armprof_sampler *sampler, const int *errors, enum armprof_reading reading) {
    const struct armprof_records *records = armprof_sampler_records(sampler);
    CHECK_EQUAL(records->malformed, 0);
    CHECK(records->no_memory == 0 || fault.call == MEMORY);
    for (uint16_t event = 0; event < SAMPLED; event++) {
        armprof_sampled_count count;
        int failed = armprof_sampler_count(sampler, event, &count);
        if (failed || errors[event]) {
            is_told(failed ? failed : errors[event]);
            continue;
        }
        bool gone = fault.error == ESRCH && fault.call == PERF_EVENT_OPEN; /* as of a thread that has ended */
        bool of_pages = reading != ARMPROF_ALONE && event == 1;
        /* A thread that gives way has its own clock going some microseconds longer than its counters, each time. */
        CHECK(gone || count.value >= (of_pages ? PAGES : WORK_NS - WORK_NS / 10));
        CHECK(gone || (count.running_ns > 0 && count.enabled_ns > 0));
        CHECK(count.value >= sampled_weight(records, event));
    }
    armprof_sampler_lost(sampler);
}

static void sample(const armprof_sampled *sampled, pid_t of, enum armprof_reading reading) {
    static bool refused; /* by this kernel; a child that runs cases runs those of one scenario alone */
    static int cpus[1024];
    size_t cpu_count = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    CHECK(cpu_count <= COUNT(cpus));
    for (size_t i = 0; i < cpu_count; i++) {
        cpus[i] = (int)i;
    }
    int errors[SAMPLED];
    armprof_sampler *sampler =
        armprof_sampler_open(sampled, SAMPLED, &of, 1, cpus, cpu_count, 1 << 14, false, reading, errors);
    if (!sampler) {
        refused |= fault.call == CALLS;
        CHECK(refused || (errno != 0 && (errno == fault.error || errno == ENOMEM || errno == ESRCH)));
        return;
    }
    armprof_sampler_start(sampler);
    touch_pages(PAGES);
    for (uint64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + WORK_NS; now_ns(CLOCK_THREAD_CPUTIME_ID) < until;) {
    }
    uint64_t waited = now_ns(CLOCK_MONOTONIC);
    armprof_sampler_wait(sampler, 1);
    waited = now_ns(CLOCK_MONOTONIC) - waited;
    CHECK(fault.call != POLL || fault.error == EINTR || waited >= 1000000); /* else its thread would spin */
    armprof_sampler_stop(sampler);
    armprof_sampler_drain(sampler);
    check_sampled(sampler, errors, reading);
    armprof_sampler_close(sampler);
}

static void a_sampler(void) { sample(clocks, getpid(), ARMPROF_ALONE); }
static void a_group_of_a_thread(void) { sample(group, getpid(), ARMPROF_OF_THREAD); }
static void a_group_of_the_cpus(void) { sample(group, -1, ARMPROF_OF_CPU); }

/* The file of a program's regions is the old one or the new one, whole, with what it held before. */
static void a_file(void) {
    static const char first[] = "{\"part\": 1}", second[] = "{\"part\": 2}", end[] = "\n]}\n";
    char link[300], file[300], before[4096], after[4096];
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(file, sizeof file, "%s/file", folder);
    bool was_armed = armed;
    armed = false;
    CHECK(truncate(file, 0) == 0);
    CHECK_EQUAL(armprof_add_part(link, first), 0);
    size_t size_before = contents("file", before, sizeof before);
    armed = was_armed;
    int error = armprof_add_part(link, second);
    armed = false;
    size_t size = contents("file", after, sizeof after);
    if (error) {
        is_told(error);
        CHECK(size == size_before && memcmp(before, after, size) == 0);
    } else {
        size_t kept = size_before - strlen(end);
        CHECK(size > size_before && memcmp(before, after, kept) == 0 && strstr(after + kept, second));
        CHECK(strcmp(after + size - strlen(end), end) == 0);
    }
    struct stat there;
    CHECK(lstat(link, &there) == 0 && S_ISLNK(there.st_mode));
    CHECK_EQUAL(files(), FILES);
}

static const struct scenario {
    const char *name;
    void (*body)(void);
} scenarios[] = {
    {"a set", a_set},
    {"regions", regions},
    {"regions with latencies", regions_with_latencies},
    {"standing counters", standing},
    {"a budget", a_budget},
    {"a sampler", a_sampler},
    {"a group of a thread", a_group_of_a_thread},
    {"a group of the CPUs", a_group_of_the_cpus},
    {"a file", a_file},
};

/* ---- The matrix ------------------------------------------------------------------------------------------------------ */

static unsigned open_mappings(void) {
    char line[512];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps)) {
        count += strstr(line, "perf_event") != NULL;
    }
    fclose(maps);
    return count;
}

/* Shared with the child that runs the cases of a scenario and a call: which one it was at when it died. */
static struct {
    char at[160];
    unsigned cases;
} *progress;

static void run(const struct scenario *scenario) {
    unsigned descriptors_before = open_descriptors();
    memset(made, 0, sizeof made);
    armed = true;
    scenario->body();
    armed = false;
    CHECK_EQUAL(open_descriptors(), descriptors_before);
    CHECK_EQUAL(open_mappings(), 0);
}

static void run_with(const struct scenario *scenario, enum call call, unsigned first, unsigned last, int error) {
    snprintf(progress->at, sizeof progress->at, "%s: %s number %u to %u: %s", scenario->name, call_names[call], first, last,
             error ? strerror(error) : "a short read");
    progress->cases++;
    fault.call = call;
    fault.first = first;
    fault.last = last;
    fault.error = error;
    run(scenario);
    fault.call = CALLS;
}

/* The first calls each by itself, the last one, and all from some call on. Nothing is interrupted for ever. */
static void run_with_each(const struct scenario *scenario, enum call call, unsigned calls, int error) {
    enum { EACH = 10 };
    for (unsigned number = 1; number <= calls && number <= EACH; number++) {
        run_with(scenario, call, number, number, error);
    }
    if (calls > EACH) {
        run_with(scenario, call, calls, calls, error);
    }
    if (error != EINTR) {
        run_with(scenario, call, 1, UINT_MAX, error);
        run_with(scenario, call, calls / 2 + 1, UINT_MAX, error);
    }
}

static const struct scenario *chosen;
static enum call chosen_call;

static void run_chosen(void) {
    snprintf(progress->at, sizeof progress->at, "%s: without a fault", chosen->name);
    run(chosen);
    unsigned calls = made[chosen_call];
    if (calls == 0) {
        return;
    }
    for (size_t i = 0; i < COUNT(errors); i++) {
        if (chosen_call != MEMORY || errors[i] == ENOMEM) {
            run_with_each(chosen, chosen_call, calls, errors[i]);
        }
    }
    if (chosen_call == READ) {
        run_with_each(chosen, chosen_call, calls, 0);
    }
    CHECK(failures > 0);
}

static void whatever_fails_is_told_and_leaves_nothing_behind(void) {
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        chosen = &scenarios[i];
        unsigned before = progress->cases;
        for (chosen_call = 0; chosen_call < CALLS; chosen_call++) {
            alarm(SECONDS_FOR_A_TEST);
            int status = in_child(run_chosen);
            if (status != 0) {
                printf("  %s (wait status 0x%x)\n", progress->at, (unsigned)status);
                exit(FAILED);
            }
        }
        printf("  %s: %u cases\n", chosen->name, progress->cases - before);
    }
    printf("  %u cases\n", progress->cases);
}

static void on_alarm(int signal_number) { (void)signal_number; }

/* A signal every 50 us, whose handler restarts nothing. */
static void signals_in_every_call_change_nothing(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        run(&scenarios[i]);
        CHECK(sigaction(SIGALRM, &action, NULL) == 0);
        CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
        interrupted = true;
        for (int times = 0; times < 10; times++) {
            run(&scenarios[i]);
        }
        interrupted = false;
        CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    }
}

int main(int argc, char **argv) {
    static char made[] = "/tmp/armprof-faults-XXXXXX";
    char path[300];
    if (!getenv("ARMPROF_OUTPUT")) { /* which is looked at before main(): once more, with it */
        CHECK(mkdtemp(made) != NULL);
        snprintf(path, sizeof path, "%s/regions-%%p", made);
        CHECK(setenv("ARMPROF_OUTPUT", path, 1) == 0);
        execv("/proc/self/exe", argv);
        CHECK(false);
    }
    folder = dirname(strdup(getenv("ARMPROF_OUTPUT")));
    need_counters();
    choose();
    progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(progress != MAP_FAILED);
    snprintf(path, sizeof path, "%s/link", folder);
    CHECK(symlink("file", path) == 0);
    snprintf(path, sizeof path, "%s/file", folder);
    CHECK(close(open(path, O_WRONLY | O_CREAT, 0600)) == 0);
    const struct test tests[] = {
        TEST(whatever_fails_is_told_and_leaves_nothing_behind),
        TEST(signals_in_every_call_change_nothing),
    };
    int outcome = run_tests(tests, COUNT(tests), argc, argv);
    unlink(path);
    snprintf(path, sizeof path, "%s/link", folder);
    unlink(path);
    rmdir(folder);
    return outcome;
}
