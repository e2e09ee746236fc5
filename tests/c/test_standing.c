/* Counters that are asked again and again: one difference after the other, and several in one call. */
#define _GNU_SOURCE
#include "standing.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/time.h>
#include <time.h>

#include "software.h"

enum { MS = 1000000, EVENTS = 2, MOST = 6 };

static armprof_count memory[2][2][EVENTS];
static armprof_set *sets[2];
static armprof_standing me = {.sets = sets, .events = EVENTS, .before = memory[0][0], .now = memory[1][0], .whole = 0.999};

/* This process, as so many places. */
static void stand(size_t places) {
    const armprof_event events[EVENTS] = {page_faults(0), task_clock(0)};
    const armprof_options of_me = {.cpu = -1, .inherit = true, .unfenced = true};
    armprof_interval since[EVENTS];
    need_counters();
    for (me.places = 0; me.places < places; me.places++) {
        sets[me.places] = armprof_open(events, EVENTS, &of_me);
        CHECK(sets[me.places] && armprof_event_error(sets[me.places], 0) == 0);
    }
    CHECK_EQUAL(armprof_standing_difference(&me, since), 0);
}

static void fall(void) {
    for (size_t place = 0; place < me.places; place++) {
        armprof_close(sets[place]);
    }
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void a_difference_is_what_all_places_counted_since_the_last_one(void) {
    stand(2);
    for (uint64_t pages = 1000; pages <= 3000; pages += 1000) {
        armprof_interval since[EVENTS];
        touch_pages(pages);
        CHECK_EQUAL(armprof_standing_difference(&me, since), 0);
        CHECK(since[0].raw >= 2 * pages && since[0].raw <= 2 * (pages + OTHER_FAULTS));
        CHECK(since[1].raw > 0 && since[1].enabled_ns > 0 && since[1].running_ns == since[1].enabled_ns);
        CHECK(since[0].value == (double)since[0].raw && since[1].value == (double)since[1].raw);
    }
    fall();
}

/* Threads differ: of one that hardly ran a tenth was seen, of the other all. */
static void each_place_is_scaled_by_its_own_times(void) {
    enum { S = 1000 * MS };
    armprof_interval since[EVENTS];
    stand(2);
    touch_pages(1000);
    armprof_count *second = &me.before[EVENTS]; /* as if it had been so much less before */
    second->value += 970;
    second->enabled_ns -= UINT64_C(10) * S;
    second->running_ns -= UINT64_C(1) * S;
    CHECK_EQUAL(armprof_standing_difference(&me, since), 0);
    CHECK(since[0].raw >= 1030 && since[0].raw <= 1030 + 2 * OTHER_FAULTS);
    CHECK(since[0].value > 1290 && since[0].value < 1300 + 11 * OTHER_FAULTS);
    fall();
}

static void in_a_child_that_has_no_counters(void) {
    armprof_interval since[EVENTS] = {{7, 7, 7, 7}}, taken[MOST][EVENTS];
    CHECK_EQUAL(armprof_standing_difference(&me, since), ESTALE);
    CHECK_EQUAL(since[0].raw, 7);
    armprof_standing *all[] = {&me};
    armprof_moment moments[MOST];
    int errors[1];
    armprof_batch batch = {.standing = all, .count = 1, .due_ns = 0, .interval_ns = MS, .ends = {-1, -1}, .listing = -1};
    CHECK_EQUAL(armprof_batch_take(&batch, MOST, moments, taken[0], errors), 1);
    CHECK_EQUAL(errors[0], ESTALE);
}

static void what_cannot_be_read_is_told_and_nothing_is_taken(void) {
    stand(1);
    touch_pages(1000);
    CHECK_EQUAL(in_child(in_a_child_that_has_no_counters), 0);
    armprof_interval since[EVENTS];
    CHECK_EQUAL(armprof_standing_difference(&me, since), 0);
    CHECK(since[0].raw >= 1000);
    fall();
}

static armprof_moment moments[MOST];
static armprof_interval since[MOST][EVENTS];
static int errors[2];

static armprof_batch batch_of(int64_t due_ns, int64_t interval_ns) {
    static armprof_standing *all[] = {&me};
    return (armprof_batch){
        .standing = all, .count = 1, .due_ns = due_ns, .interval_ns = interval_ns, .until_ns = INT64_MAX,
        .ends = {-1, -1}, .listing = -1};
}

static void each_sample_of_a_batch_has_its_own_interval(void) {
    stand(1);
    const int64_t begin = now_ns();
    armprof_batch batch = batch_of(begin + 20 * MS, 20 * MS);
    CHECK_EQUAL(armprof_batch_take(&batch, MOST, moments, since[0], errors), MOST);
    CHECK_EQUAL(errors[0], 0);
    uint64_t slept = 0;
    for (int n = 0; n < MOST; n++) {
        CHECK(moments[n].monotonic_ns >= begin + (n + 1) * 20 * MS);
        CHECK(n == 0 || moments[n].monotonic_ns > moments[n - 1].monotonic_ns);
        CHECK(moments[n].boot_ns >= moments[n].monotonic_ns && moments[n].wall_ns > 0);
        slept += since[n][1].raw;
    }
    CHECK(slept < (uint64_t)(now_ns() - begin)); /* the clock of a task that waits stands still */
    CHECK((batch.due_ns - begin) % (20 * MS) == 0 && batch.due_ns > moments[MOST - 1].monotonic_ns);
    fall();
}

static void none_is_taken_that_is_due_after_the_end_but_for_the_first(void) {
    stand(1);
    armprof_batch batch = batch_of(now_ns(), MS);
    batch.until_ns = batch.due_ns + 2 * MS;
    size_t taken = armprof_batch_take(&batch, MOST, moments, since[0], errors);
    CHECK(taken >= 1 && taken <= 3); /* fewer where one came late */
    CHECK(batch.due_ns > batch.until_ns);
    batch.until_ns = 0;
    CHECK_EQUAL(armprof_batch_take(&batch, MOST, moments, since[0], errors), 1);
    fall();
}

static void a_sample_that_is_late_covers_those_that_it_missed(void) {
    stand(1);
    const int64_t begin = now_ns(), hour = 3600 * INT64_C(1000000000);
    armprof_batch batch = batch_of(begin - 2 * hour - 1, hour);
    CHECK_EQUAL(armprof_batch_take(&batch, 1, moments, since[0], errors), 1);
    CHECK_EQUAL(batch.due_ns, begin + hour - 1);
    fall();
}

static void an_end_that_can_be_read_ends_it_before_a_sample_that_is_due(void) {
    int ends[2];
    stand(1);
    CHECK(pipe(ends) == 0 && write(ends[1], "!", 1) == 1);
    for (int which = 0; which < 2; which++) {
        armprof_batch batch = batch_of(now_ns() - 1, MS);
        batch.ends[which] = ends[0];
        CHECK_EQUAL(armprof_batch_take(&batch, MOST, moments, since[0], errors), 0);
    }
    fall();
}

static void *write_soon(void *end) {
    usleep(50000);
    CHECK(write(*(const int *)end, "!", 1) == 1);
    return NULL;
}

static void what_ends_it_meanwhile_leaves_the_samples_that_were_taken(void) {
    int ends[2];
    pthread_t writer;
    stand(1);
    CHECK(pipe(ends) == 0);
    armprof_batch batch = batch_of(now_ns() + MS, 3600 * INT64_C(1000000000)); /* the second one is due in an hour */
    batch.ends[1] = ends[0];
    CHECK_EQUAL(pthread_create(&writer, NULL, write_soon, &ends[1]), 0);
    CHECK_EQUAL(armprof_batch_take(&batch, MOST, moments, since[0], errors), 1);
    pthread_join(writer, NULL);
    fall();
}

static void a_list_that_reads_otherwise_ends_it(void) {
    char name[] = "/tmp/armprof-standing-XXXXXX";
    stand(1);
    int file = mkstemp(name);
    CHECK(file >= 0 && unlink(name) == 0 && write(file, "0-1\n", 4) == 4);
    armprof_batch batch = batch_of(0, MS);
    batch.listing = file;
    batch.listed = "0-1\n";
    batch.listed_size = 4;
    CHECK_EQUAL(armprof_batch_take(&batch, 2, moments, since[0], errors), 2);
    batch.listed = "0-2\n";
    CHECK_EQUAL(armprof_batch_take(&batch, 2, moments, since[0], errors), 0);
    batch.listed = "0\n";
    batch.listed_size = 2;
    CHECK_EQUAL(armprof_batch_take(&batch, 2, moments, since[0], errors), 0);
    close(file);
    CHECK_EQUAL(armprof_batch_take(&batch, 2, moments, since[0], errors), 0);
    fall();
}

static void heard(int signal) { (void)signal; }

static void a_signal_ends_it(void) {
    stand(1);
    struct sigaction action = {.sa_handler = heard, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}, .it_interval = {.tv_usec = 20000}};
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    armprof_batch batch = batch_of(now_ns() + 3600 * INT64_C(1000000000), MS);
    CHECK_EQUAL(armprof_batch_take(&batch, MOST, moments, since[0], errors), 0);
    const struct itimerval never = {0};
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    fall();
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(a_difference_is_what_all_places_counted_since_the_last_one),
        TEST(each_place_is_scaled_by_its_own_times),
        TEST(what_cannot_be_read_is_told_and_nothing_is_taken),
        TEST(each_sample_of_a_batch_has_its_own_interval),
        TEST(none_is_taken_that_is_due_after_the_end_but_for_the_first),
        TEST(a_sample_that_is_late_covers_those_that_it_missed),
        TEST(an_end_that_can_be_read_ends_it_before_a_sample_that_is_due),
        TEST(what_ends_it_meanwhile_leaves_the_samples_that_were_taken),
        TEST(a_list_that_reads_otherwise_ends_it),
        TEST(a_signal_ends_it),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
