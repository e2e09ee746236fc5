/* SIGILL, which tells that user reads were withdrawn, and everybody else's SIGILLs; reads in user space while
 * kernel.perf_user_access changes under them.
 *
 * In substance for ARM64. The handlers need the core alone; the reads need a PMU, and root to change the setting.
 */
#define _GNU_SOURCE
#include "harness.h"
#include "registers.h"

#if !defined(__aarch64__)

static volatile sig_atomic_t handled;

static void on_sigill(int signal_number) {
    (void)signal_number;
    handled++;
}

static void nothing_is_installed_where_there_are_no_user_reads(void) {
    struct sigaction mine = {.sa_handler = on_sigill}, now;
    CHECK(sigaction(SIGILL, &mine, NULL) == 0);
    armprof_trap_acquire();
    CHECK(sigaction(SIGILL, NULL, &now) == 0 && now.sa_handler == on_sigill);
    raise(SIGILL);
    CHECK_EQUAL(handled, 1);
    armprof_trap_release();
    CHECK(sigaction(SIGILL, NULL, &now) == 0 && now.sa_handler == on_sigill);
}

static void user_reads_survive_their_withdrawal(void) { skip("reads in user space are ARM64's"); }

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(nothing_is_installed_where_there_are_no_user_reads),
        TEST(user_reads_survive_their_withdrawal),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}

#else

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stddef.h>
#include <time.h>
#include <ucontext.h>

#include "seccomp.h"
#include "set.h"
#include "software.h"

/* ---- Somebody else's handlers --------------------------------------------------------------------------------------- */

/* An instruction that no core has. */
static void execute_nonsense(void) { __asm__ volatile("udf #0" ::: "memory"); }

static volatile sig_atomic_t calls_of_first, calls_of_second;
static volatile siginfo_t last; /* optimizers take raise() for a call that runs no handler */
static sigset_t mask_within;

/* Goes on behind the instruction, as an emulator of instructions does. */
static void step_over(const siginfo_t *info, void *context) {
    if (info->si_code > 0) {
        ((ucontext_t *)context)->uc_mcontext.pc += 4;
    }
}

static void first(int signal_number, siginfo_t *info, void *context) {
    CHECK_EQUAL(signal_number, SIGILL);
    calls_of_first++;
    last = *info;
    pthread_sigmask(SIG_BLOCK, NULL, &mask_within);
    step_over(info, context);
}

/* raise() is declared so that the compiler may think that no handler ran. */
static void raise_sigill(void) {
    raise(SIGILL);
    __asm__ volatile("" ::: "memory");
}

static void install(void (*handler)(int, siginfo_t *, void *), int flags, struct sigaction *old) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(SIGILL, &action, old) == 0);
}

static struct sigaction on_top(void) {
    struct sigaction now;
    CHECK(sigaction(SIGILL, NULL, &now) == 0);
    return now;
}

static bool is_on_top(void (*handler)(int, siginfo_t *, void *)) { return on_top().sa_sigaction == handler; }

static void a_trap_of_ours_is_a_refusal(void) {
    install(first, 0, NULL);
    armprof_trap_acquire();
    for (uint32_t index = 1; index <= ARMPROF_INDEX_CYCLES; index++) {
        uint64_t refused = 0;
        errno = 4711;
        CHECK_EQUAL(armprof_read_register(armprof_register_routine(index), &refused), 0);
        CHECK_EQUAL(refused, ARMPROF_REFUSED_TRAP);
        CHECK_EQUAL(errno, 4711);
    }
    CHECK_EQUAL(calls_of_first, 0);
    armprof_trap_release();
    CHECK(is_on_top(first));
}

static void a_handler_that_was_there_gets_its_signals_as_before(void) {
    install(first, 0, NULL);
    armprof_trap_acquire();
    execute_nonsense();
    CHECK_EQUAL(calls_of_first, 1);
    CHECK_EQUAL(last.si_code, ILL_ILLOPC);
    CHECK(*(const uint32_t *)last.si_addr == 0); /* udf #0 */
    raise_sigill();
    CHECK_EQUAL(calls_of_first, 2);
    CHECK_EQUAL(last.si_code, SI_TKILL);
    CHECK_EQUAL(last.si_pid, getpid());
    CHECK(sigqueue(getpid(), SIGILL, (union sigval){.sival_int = 99}) == 0);
    __asm__ volatile("" ::: "memory");
    CHECK_EQUAL(calls_of_first, 3);
    CHECK_EQUAL(last.si_value.sival_int, 99);
    armprof_trap_release();
    execute_nonsense();
    CHECK_EQUAL(calls_of_first, 4);
}

static volatile sig_atomic_t plain_signal;

static void on_plain(int signal_number) { plain_signal = signal_number; }

static void a_handler_without_siginfo_gets_the_number(void) {
    struct sigaction action = {.sa_handler = on_plain};
    CHECK(sigaction(SIGILL, &action, NULL) == 0);
    armprof_trap_acquire();
    raise_sigill();
    CHECK_EQUAL(plain_signal, SIGILL);
    armprof_trap_release();
    CHECK(on_top().sa_handler == on_plain);
}


/* What the process dies of that installs `action`, takes the trap and does this. 0: it lives. */
static int signal_that_kills(void (*handler)(int), int flags, void (*what)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
        CHECK(sigaction(SIGILL, &action, NULL) == 0);
        alarm(SECONDS_FOR_A_TEST);
        armprof_trap_acquire();
        what();
        _exit(0);
    }
    int status = wait_for(child);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void raise_twice(void) {
    raise_sigill();
    raise_sigill();
}

static void the_default_and_being_ignored_stay_what_they_are(void) {
    CHECK_EQUAL(signal_that_kills(SIG_DFL, 0, execute_nonsense), SIGILL);
    CHECK_EQUAL(signal_that_kills(SIG_DFL, 0, raise_sigill), SIGILL);
    CHECK_EQUAL(signal_that_kills(SIG_IGN, 0, raise_sigill), 0);
    CHECK_EQUAL(signal_that_kills(SIG_IGN, 0, execute_nonsense), SIGILL); /* an instruction cannot be ignored */
    CHECK_EQUAL(signal_that_kills(on_plain, SA_RESETHAND, raise_sigill), 0);
    CHECK_EQUAL(signal_that_kills(on_plain, SA_RESETHAND, raise_twice), SIGILL);
}

static void the_last_release_puts_back_what_was_there(void) {
    struct sigaction before = {.sa_sigaction = first, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaddset(&before.sa_mask, SIGUSR1);
    CHECK(sigaction(SIGILL, &before, NULL) == 0);
    armprof_trap_acquire();
    CHECK(!is_on_top(first));
    armprof_trap_acquire();
    armprof_trap_release();
    CHECK(!is_on_top(first));
    armprof_trap_release();
    struct sigaction after = on_top();
    CHECK(after.sa_sigaction == first);
    CHECK_EQUAL(after.sa_flags & (SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK), SA_SIGINFO | SA_RESTART);
    CHECK(sigismember(&after.sa_mask, SIGUSR1) == 1 && sigismember(&after.sa_mask, SIGUSR2) == 0);
}

static void a_handler_runs_under_its_own_mask(void) {
    struct sigaction action = {.sa_sigaction = first, .sa_flags = SA_SIGINFO};
    sigaddset(&action.sa_mask, SIGUSR1);
    CHECK(sigaction(SIGILL, &action, NULL) == 0);
    armprof_trap_acquire();
    execute_nonsense();
    CHECK(sigismember(&mask_within, SIGUSR1) == 1 && sigismember(&mask_within, SIGILL) == 1);
    pthread_sigmask(SIG_BLOCK, NULL, &mask_within);
    CHECK(sigismember(&mask_within, SIGUSR1) == 0 && sigismember(&mask_within, SIGILL) == 0);
    armprof_trap_release();

    action.sa_flags |= SA_NODEFER;
    CHECK(sigaction(SIGILL, &action, NULL) == 0);
    armprof_trap_acquire();
    execute_nonsense();
    CHECK(sigismember(&mask_within, SIGILL) == 0);
    armprof_trap_release();
}

static sigjmp_buf rescue;

static void jump_out(int signal_number, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    calls_of_first++;
    siglongjmp(rescue, signal_number);
}

/* As programs do that try out an instruction. */
static void a_handler_may_jump_out(void) {
    install(jump_out, 0, NULL);
    armprof_trap_acquire();
    for (volatile int i = 1; i <= 100; i++) {
        if (sigsetjmp(rescue, 1) == 0) {
            execute_nonsense();
            CHECK(!"executed");
        }
        CHECK_EQUAL(calls_of_first, i);
        uint64_t refused = 0;
        armprof_read_register(armprof_register_routine(1), &refused);
        CHECK_EQUAL(refused, ARMPROF_REFUSED_TRAP);
    }
    armprof_trap_release();
}

static volatile sig_atomic_t depth, deepest;

static void raise_again(int signal_number, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    deepest = ++depth > deepest ? depth : deepest;
    if (++calls_of_first < 3) {
        raise(signal_number); /* stays pending until we return */
    }
    depth--;
}

static void a_signal_within_its_handler_waits_for_the_end_of_it(void) {
    install(raise_again, 0, NULL);
    armprof_trap_acquire();
    raise_sigill();
    CHECK_EQUAL(calls_of_first, 3);
    CHECK_EQUAL(deepest, 1);
    armprof_trap_release();
}

/* ---- Handlers in layers -------------------------------------------------------------------------------------------------- */

static struct sigaction below_second;

static void second_passes_on(int signal_number, siginfo_t *info, void *context) {
    calls_of_second++;
    CHECK(calls_of_second < 1000);
    below_second.sa_sigaction(signal_number, info, context);
}

static void a_handler_on_top_of_ours_is_left_there(void) {
    install(first, 0, NULL);
    armprof_trap_acquire();
    install(second_passes_on, 0, &below_second);
    execute_nonsense();
    CHECK_EQUAL(calls_of_second, 1);
    CHECK_EQUAL(calls_of_first, 1);
    uint64_t refused = 0;
    armprof_read_register(armprof_register_routine(2), &refused);
    CHECK_EQUAL(refused, ARMPROF_REFUSED_TRAP);
    CHECK_EQUAL(calls_of_first, 1);
    armprof_trap_release();
    CHECK(is_on_top(second_passes_on));
    execute_nonsense();
    CHECK_EQUAL(calls_of_first, 2);
}

static void handlers_that_pass_to_each_other_do_not_loop(void) {
    install(first, 0, NULL);
    armprof_trap_acquire();
    install(second_passes_on, 0, &below_second);
    for (int round = 1; round <= 20; round++) {
        armprof_trap_acquire(); /* on top again: there may be others like us who forget to pass on */
        CHECK(!is_on_top(second_passes_on));
        execute_nonsense();
        CHECK_EQUAL(calls_of_second, 3 * round - 2);
        CHECK_EQUAL(calls_of_first, 3 * round - 2);
        raise_sigill();
        CHECK_EQUAL(calls_of_first, 3 * round - 1);
        armprof_trap_release();
        armprof_trap_release();
        CHECK(is_on_top(second_passes_on));
        execute_nonsense(); /* from the second through us to the first */
        CHECK_EQUAL(calls_of_second, 3 * round);
        CHECK_EQUAL(calls_of_first, 3 * round);
        armprof_trap_acquire();
        armprof_trap_release();
        armprof_trap_acquire();
    }
    CHECK(sigaction(SIGILL, &below_second, NULL) == 0); /* the second takes its leave */
}

static void with_the_default_at_the_bottom_layers_end_too(void) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS_FOR_A_TEST);
        armprof_trap_acquire();
        install(second_passes_on, 0, &below_second);
        armprof_trap_acquire();
        execute_nonsense();
        _exit(0);
    }
    int status = wait_for(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
}

static int stop;

static void *acquire_and_release(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        armprof_trap_acquire();
        uint64_t refused = 0;
        armprof_read_register(armprof_register_routine(1), &refused);
        CHECK_EQUAL(refused, ARMPROF_REFUSED_TRAP);
        armprof_trap_release();
        usleep(100); /* a lock that is taken all the time is not given to those who wait for it */
    }
    return unused;
}

static void acquire_once(void) {
    armprof_event event = task_clock(0);
    armprof_set *set = armprof_open(&event, 1, &plain);
    armprof_trap_acquire();
    uint64_t refused = 0;
    armprof_read_register(armprof_register_routine(1), &refused);
    CHECK_EQUAL(refused, ARMPROF_REFUSED_TRAP);
    armprof_trap_release();
    armprof_close(set);
}

static void a_fork_may_come_while_other_threads_acquire_and_release(void) {
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    acquire_once(); /* a set: from now on forks are watched */
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, acquire_and_release, NULL) == 0);
    }
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(in_child(acquire_once), 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(on_top().sa_handler == SIG_DFL);
}

/* ---- User reads ------------------------------------------------------------------------------------------------------------ */

#define USER_ACCESS "/proc/sys/kernel/perf_user_access"

/* -1: the kernel has no such setting. */
static int user_access(void) {
    FILE *file = fopen(USER_ACCESS, "re");
    int value = -1;
    if (file) {
        CHECK(fscanf(file, "%d", &value) == 1);
        fclose(file);
    }
    return value;
}

static bool try_user_access(int value) {
    FILE *file = fopen(USER_ACCESS, "we");
    bool ok = file && fprintf(file, "%d\n", value) > 0;
    return file && fclose(file) == 0 && ok;
}

static void set_user_access(int value) {
    if (!try_user_access(value)) {
        skip("only root can change kernel.perf_user_access");
    }
}

enum { CYCLES, INSTRUCTIONS, EVENTS };
static const armprof_options by_user = {.cpu = -1, .user_reads = true};

/* The two events that every PMU has. Skips where they cannot be read in user space. */
static void need_user_reads(armprof_event *events) {
    if (armprof_event_named("cpu_cycles", &events[CYCLES]) != 0 ||
        armprof_event_named("inst_retired", &events[INSTRUCTIONS]) != 0) {
        skip("this machine has no PMU");
    }
    if (user_access() < 0) {
        skip("this kernel has no kernel.perf_user_access (before 5.17)");
    }
    if (user_access() != 1) {
        set_user_access(1);
    }
    armprof_set *set = armprof_open(events, EVENTS, &by_user);
    for (size_t i = 0; i < EVENTS; i++) {
        CHECK_EQUAL(armprof_event_error(set, i), 0);
        armprof_access access = armprof_event_access(set, i);
        CHECK(access == ARMPROF_USER64 || access == ARMPROF_USER32);
    }
    armprof_close(set);
}

/* Exactly 2 * rounds + 1 instructions. */
static void work(uint64_t rounds) {
    __asm__ volatile("mov x9, %0\n1:\tsubs x9, x9, #1\n\tb.ne 1b" ::"r"(rounds) : "x9", "cc");
}

static void check_between(uint64_t found, uint64_t least, uint64_t most) {
    if (found < least) {
        CHECK_EQUAL(found, least);
    }
    if (found > most) {
        CHECK_EQUAL(found, most);
    }
}

static uint64_t instructions_between(const armprof_count *before, const armprof_count *after) {
    return after[INSTRUCTIONS].value - before[INSTRUCTIONS].value;
}

enum { ROUNDS = 500, WORK = 2 * ROUNDS + 1 };
/* Instructions that a stretch may count beside the work: what samples and traps cost, and interrupts, which leave tens of
 * thousands behind in user mode where two emulated CPUs take turns. Wrong reads are wrong by 2^31 or so, or too small;
 * what a stretch counts without interrupts is tested by the smallest. */
enum { NOISE = 1000000 };

static void samples_need_no_system_call(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    armprof_set *set = armprof_open(events, EVENTS, &by_user);
    armprof_count before[EVENTS], after[EVENTS];
    uint64_t least = UINT64_MAX, most = 0, cost[EVENTS];
    CHECK_EQUAL(armprof_calibrate(set, 100, cost), 0);
    for (int i = 0; i < 12000; i++) {
        CHECK_EQUAL(armprof_sample(set, before), 0);
        work(ROUNDS);
        CHECK_EQUAL(armprof_sample(set, after), 0);
        uint64_t instructions = instructions_between(before, after);
        check_between(instructions, WORK, NOISE);
        least = instructions < least ? instructions : least;
        most = instructions > most ? instructions : most;
        for (size_t event = 0; event < EVENTS; event++) {
            CHECK(after[event].value >= before[event].value);
            CHECK(after[event].enabled_ns >= before[event].enabled_ns);
            CHECK_EQUAL(after[event].running_ns - before[event].running_ns,
                        after[event].enabled_ns - before[event].enabled_ns);
        }
    }
    check_between(least, cost[INSTRUCTIONS] + WORK, cost[INSTRUCTIONS] + WORK + 2);
    CHECK_EQUAL(armprof_samples_by_syscall(set), 0);
    CHECK(!armprof_user_reads_withdrawn(set));
    printf("  %d instructions of work count as %" PRIu64 " to %" PRIu64 "\n", WORK, least, most);
    armprof_close(set);
}

/* Both kinds of read give the same totals: what lies between one and the other is counted as any other stretch is. */
static void samples_go_on_when_user_reads_are_withdrawn(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    for (uint32_t groups = 1; groups <= 2; groups++) {
        enum { SAMPLES = 12000, WITHDRAWN = 5000 };
        set_user_access(1);
        events[INSTRUCTIONS].group = groups - 1;
        armprof_set *set = armprof_open(events, EVENTS, &by_user);
        armprof_count begin[EVENTS], before[EVENTS], now[EVENTS];
        CHECK_EQUAL(armprof_sample(set, begin), 0);
        memcpy(before, begin, sizeof before);
        uint64_t by_syscall = 0, sum = 0;
        for (int i = 1; i <= SAMPLES; i++) {
            bool withdraws = i == WITHDRAWN;
            if (withdraws) {
                CHECK_EQUAL(armprof_samples_by_syscall(set), 0);
                set_user_access(0);
            }
            work(ROUNDS);
            CHECK_EQUAL(armprof_sample(set, now), 0);
            uint64_t instructions = instructions_between(before, now);
            sum += instructions;
            check_between(instructions, WORK, NOISE); /* once with writing the setting */
            for (size_t event = 0; event < EVENTS; event++) {
                CHECK(now[event].value >= before[event].value);
                CHECK(now[event].enabled_ns >= before[event].enabled_ns);
                CHECK(now[event].running_ns >= before[event].running_ns);
            }
            by_syscall += i >= WITHDRAWN;
            memcpy(before, now, sizeof before);
        }
        CHECK_EQUAL(armprof_samples_by_syscall(set), by_syscall);
        CHECK(armprof_user_reads_withdrawn(set));
        CHECK_EQUAL(instructions_between(begin, now), sum);
        armprof_close(set);
        set = armprof_open(events, EVENTS, &by_user); /* a set that is opened now knows it from the start */
        CHECK_EQUAL(armprof_sample(set, before), 0);
        work(ROUNDS);
        CHECK_EQUAL(armprof_sample(set, now), 0);
        check_between(instructions_between(before, now), WORK, NOISE);
        CHECK_EQUAL(armprof_samples_by_syscall(set), 2);
        armprof_close(set);
    }
    set_user_access(1);
}

static void setup(const armprof_event *events) {
    CHECK_EQUAL(armprof_regions_setup(events, EVENTS, &by_user), 0);
    CHECK_EQUAL(armprof_thread_start(), 0);
}

static void regions_go_on_when_user_reads_are_withdrawn(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    setup(events);
    armprof_region region = armprof_region_define("region"), around = armprof_region_define("around");
    armprof_region_totals totals, outer;
    armprof_regions_health health;
    enum { CALLS = 12000, WITHDRAWN = 5000 };
    armprof_enter(around);
    for (int i = 1; i <= CALLS; i++) {
        armprof_enter(region);
        work(ROUNDS);
        if (i == WITHDRAWN) { /* between enter and leave */
            armprof_regions_read_health(&health);
            CHECK_EQUAL(health.by_syscall, 0);
            set_user_access(0);
        }
        armprof_leave(region);
    }
    armprof_leave(around);
    CHECK_EQUAL(armprof_region_read(region, &totals), 0);
    CHECK_EQUAL(armprof_region_read(around, &outer), 0);
    armprof_regions_read_health(&health);
    set_user_access(1);
    const armprof_spread *instructions = &totals.events[INSTRUCTIONS];
    CHECK_EQUAL(totals.calls, CALLS);
    CHECK_EQUAL(totals.counted, CALLS);
    CHECK_EQUAL(totals.lost_ns[0], 0);
    check_between(instructions->smallest, WORK, WORK + 400);
    CHECK(instructions->largest < 1000000);
    check_between(instructions->total, (uint64_t)CALLS * WORK, (uint64_t)CALLS * 2 * WORK);
    CHECK(outer.events[INSTRUCTIONS].total > instructions->total);
    CHECK(outer.events[CYCLES].total > totals.events[CYCLES].total);
    CHECK_EQUAL(health.by_syscall, 1 + 2 * (CALLS - WITHDRAWN) + 1);
    CHECK_EQUAL(health.mismatched, 0);
}

static void stay_on_cpu(unsigned cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

/* One that this process may use, and not `but`. -1: there is none. */
static int any_cpu(int but) {
    cpu_set_t mine;
    CHECK(sched_getaffinity(0, sizeof mine, &mine) == 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (cpu != but && CPU_ISSET((unsigned)cpu, &mine)) {
            return cpu;
        }
    }
    return -1;
}

static int wanted = 1, present = 1; /* what the other thread shall set, has set */

static void *set_what_is_wanted(void *cpu) {
    if (*(int *)cpu >= 0) {
        stay_on_cpu((unsigned)*(int *)cpu);
    }
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        int value = __atomic_load_n(&wanted, __ATOMIC_ACQUIRE);
        if (value != present) {
            CHECK(try_user_access(value));
            __atomic_store_n(&present, value, __ATOMIC_RELEASE);
        }
        sched_yield();
    }
    return cpu;
}

static void sample_and_check(armprof_set *set, armprof_count *before, int times) {
    for (int i = 0; i < times; i++) {
        armprof_count now[EVENTS];
        work(ROUNDS);
        CHECK_EQUAL(armprof_sample(set, now), 0);
        check_between(instructions_between(before, now), WORK, NOISE);
        CHECK(now[0].enabled_ns - before[0].enabled_ns < 60000000000u);
        memcpy(before, now, sizeof now);
    }
}

static void have_set(int value, armprof_set *set, armprof_count *before) {
    __atomic_store_n(&wanted, value, __ATOMIC_RELEASE);
    while (__atomic_load_n(&present, __ATOMIC_ACQUIRE) != value) {
        if (set) {
            sample_and_check(set, before, 20);
        }
        sched_yield();
    }
}

/* Another thread withdraws them. On another core it does so in the midst of samples, and the trap tells; in turns with
 * us the kernel writes the page between, and the index tells. */
static void user_reads_may_be_withdrawn_from_elsewhere(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    set_user_access(1);
    pthread_t thread;
    int here = any_cpu(-1), other = any_cpu(here);
    CHECK(pthread_create(&thread, NULL, set_what_is_wanted, &other) == 0);
    stay_on_cpu((unsigned)here);
    for (int round = 0; round < 20; round++) {
        armprof_count before[EVENTS];
        have_set(1, NULL, NULL);
        armprof_set *set = armprof_open(events, EVENTS, &by_user);
        CHECK_EQUAL(armprof_sample(set, before), 0);
        sample_and_check(set, before, 50);
        CHECK_EQUAL(armprof_samples_by_syscall(set), 0);
        have_set(0, set, before);
        sample_and_check(set, before, 50);
        CHECK(armprof_samples_by_syscall(set) >= 50);
        CHECK(armprof_user_reads_withdrawn(set));
        armprof_close(set);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    set_user_access(1);
}

/* The trap could not be noticed there: the kernel kills a thread that gets a SIGILL it has blocked. */
static void a_thread_that_blocks_sigill_reads_by_system_call(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    sigset_t block;
    sigemptyset(&block);
    sigaddset(&block, SIGILL);
    pthread_sigmask(SIG_BLOCK, &block, NULL);
    armprof_set *set = armprof_open(events, EVENTS, &by_user);
    armprof_count before[EVENTS], after[EVENTS];
    CHECK(on_top().sa_handler == SIG_DFL);
    for (size_t i = 0; i < EVENTS; i++) {
        CHECK_EQUAL(armprof_event_access(set, i), ARMPROF_SYSCALL);
    }
    CHECK_EQUAL(armprof_sample(set, before), 0);
    work(ROUNDS);
    CHECK_EQUAL(armprof_sample(set, after), 0);
    check_between(instructions_between(before, after), WORK, NOISE);
    armprof_close(set);
}

static void a_page_that_cannot_be_mapped_means_system_calls(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    filter(SYS_mmap, ANY_ARGUMENT, 0, false, giving(EPERM));
    armprof_set *set = armprof_open(events, EVENTS, &by_user);
    armprof_count before[EVENTS], after[EVENTS];
    CHECK_EQUAL(armprof_sample(set, before), 0);
    work(ROUNDS);
    CHECK_EQUAL(armprof_sample(set, after), 0);
    for (size_t i = 0; i < EVENTS; i++) {
        CHECK_EQUAL(armprof_event_error(set, i), 0);
        CHECK_EQUAL(armprof_event_access(set, i), ARMPROF_SYSCALL);
    }
    check_between(instructions_between(before, after), WORK, NOISE);
    armprof_close(set);
}

/* Any system call but the last would kill the process. */
static void enter_and_leave_without_system_calls(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    setup(events);
    armprof_region region = armprof_region_define("region"), inner = armprof_region_define("inner");
    armprof_set *set = armprof_open(events, EVENTS, &by_user);
    armprof_count counts[EVENTS];
    filter(SYS_exit_group, ANY_CALL_BUT, 0, false, SECCOMP_RET_KILL_PROCESS);
    for (int i = 0; i < 1000; i++) {
        armprof_enter(region);
        armprof_enter(inner);
        work(ROUNDS);
        armprof_leave(inner);
        armprof_leave(region);
        armprof_sample(set, counts);
    }
    _exit(PASSED);
}

static void regions_and_samples_make_no_system_call(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    CHECK_EQUAL(in_child(enter_and_leave_without_system_calls), 0);
}

/* ---- Whose counters ---------------------------------------------------------------------------------------------------------- */

static armprof_set *set_of_main;
static armprof_count samples_of_other[200][EVENTS];
static pthread_barrier_t meeting;

static void *sample_the_other_thread(void *unused) {
    pthread_barrier_wait(&meeting);
    for (int i = 0; i < 200; i++) {
        CHECK_EQUAL(armprof_sample(set_of_main, samples_of_other[i]), 0);
        work(20000);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    return unused;
}

/* The page of a thread that runs on another core names a register, which is that core's. */
static void another_thread_sees_the_counters_of_the_thread_that_opened_them(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    set_of_main = armprof_open(events, EVENTS, &by_user);
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sample_the_other_thread, NULL) == 0);
    armprof_count begin[EVENTS], end[EVENTS];
    CHECK_EQUAL(armprof_sample(set_of_main, begin), 0);
    pthread_barrier_wait(&meeting);
    uint64_t rounds = 0;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        work(1000);
        rounds++;
    }
    pthread_join(thread, NULL);
    CHECK_EQUAL(armprof_sample(set_of_main, end), 0);
    check_between(instructions_between(begin, end), rounds * 2001, rounds * 4000 + NOISE);
    CHECK_EQUAL(armprof_samples_by_syscall(set_of_main), 200);
    for (size_t event = 0; event < EVENTS; event++) {
        uint64_t last = begin[event].value;
        for (int i = 0; i < 200; i++) {
            check_between(samples_of_other[i][event].value, last, end[event].value);
            last = samples_of_other[i][event].value;
        }
    }
    armprof_close(set_of_main);
}

static void touch_the_parents_set(void) {
    armprof_count counts[EVENTS];
    CHECK_EQUAL(armprof_sample(set_of_main, counts), ESTALE); /* its pages are not mapped here */
    armprof_close(set_of_main);
    CHECK(on_top().sa_handler == SIG_DFL);
    armprof_event events[EVENTS];
    need_user_reads(events);
}

static void a_child_has_no_user_reads_of_its_parent(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    set_of_main = armprof_open(events, EVENTS, &by_user);
    armprof_count before[EVENTS], after[EVENTS];
    CHECK_EQUAL(armprof_sample(set_of_main, before), 0);
    CHECK_EQUAL(in_child(touch_the_parents_set), 0);
    CHECK_EQUAL(armprof_sample(set_of_main, before), 0);
    work(ROUNDS);
    CHECK_EQUAL(armprof_sample(set_of_main, after), 0);
    check_between(instructions_between(before, after), WORK, NOISE);
    CHECK_EQUAL(armprof_samples_by_syscall(set_of_main), 0);
    armprof_close(set_of_main);
    CHECK(on_top().sa_handler == SIG_DFL);
}

static void *spin(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        work(1000);
    }
    return unused;
}

/* Others run on the core in between: what they do is not counted, and time does not go back. */
static void a_thread_that_loses_its_core_counts_itself_alone(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    stay_on_cpu((unsigned)any_cpu(-1)); /* the spinner too */
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, spin, NULL) == 0);
    armprof_set *set = armprof_open(events, EVENTS, &by_user);
    armprof_count before[EVENTS], now[EVENTS], begin[EVENTS];
    uint64_t begin_ns = armprof_ticks();
    CHECK_EQUAL(armprof_sample(set, begin), 0);
    memcpy(before, begin, sizeof before);
    for (int i = 0; i < 3000; i++) {
        work(i % 20 == 0 ? 20000 : ROUNDS);
        if (i % 100 == 0) {
            sched_yield();
        }
        CHECK_EQUAL(armprof_sample(set, now), 0);
        uint64_t least = i % 20 == 0 ? 40001 : WORK;
        check_between(instructions_between(before, now), least, NOISE);
        for (size_t event = 0; event < EVENTS; event++) {
            CHECK(now[event].enabled_ns >= before[event].enabled_ns);
            CHECK(now[event].running_ns >= before[event].running_ns);
        }
        memcpy(before, now, sizeof before);
    }
    uint64_t wall = armprof_elapsed_ns(armprof_ticks() - begin_ns);
    uint64_t enabled = now[0].enabled_ns - begin[0].enabled_ns;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    printf("  enabled for %" PRIu64 " of %" PRIu64 " us\n", enabled / 1000, wall / 1000);
    CHECK(enabled < wall);
    armprof_close(set);
}

/* Two sets that count cycles: one of them cannot have the cycle counter. */
static void sets_that_count_the_same_do_not_take_turns(void) {
    armprof_event events[EVENTS];
    need_user_reads(events);
    armprof_set *sets[2] = {armprof_open(events, EVENTS, &by_user), armprof_open(events, EVENTS, &by_user)};
    armprof_count before[2][EVENTS], after[2][EVENTS];
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(armprof_sample(sets[i], before[i]), 0);
    }
    work(10000000);
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(armprof_sample(sets[i], after[i]), 0);
        check_between(instructions_between(before[i], after[i]), 20000001, 20200000);
        CHECK(after[i][0].enabled_ns > before[i][0].enabled_ns);
        CHECK_EQUAL(after[i][0].running_ns - before[i][0].running_ns, after[i][0].enabled_ns - before[i][0].enabled_ns);
        CHECK_EQUAL(armprof_samples_by_syscall(sets[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        armprof_close(sets[i]);
    }
}

/* More groups than counters: each has them in turn, and says for how long. */
static void multiplexed_groups_say_how_long_they_ran(void) {
    armprof_event known[EVENTS], events[24];
    need_user_reads(known);
    for (uint32_t i = 0; i < 24; i++) {
        events[i] = known[INSTRUCTIONS];
        events[i].group = i / 4;
    }
    armprof_budget budget = armprof_probe_budget(&known[INSTRUCTIONS], &known[CYCLES]);
    CHECK_EQUAL(budget.error, 0);
    if (budget.counters < 4 || budget.counters >= 24) {
        skip("this PMU has too few counters for a group of four, or enough for all");
    }
    armprof_set *set = armprof_open(events, 24, &by_user);
    armprof_count begin[24], before[24], now[24];
    CHECK_EQUAL(armprof_sample(set, begin), 0);
    memcpy(before, begin, sizeof before);
    uint64_t worked = 0;
    unsigned waiting = 0;
    for (int i = 0; i < 2000; i++) {
        work(100000);
        worked += 200001;
        CHECK_EQUAL(armprof_sample(set, now), 0);
        for (size_t event = 0; event < 24; event++) {
            CHECK(now[event].value >= before[event].value);
            CHECK(now[event].enabled_ns >= before[event].enabled_ns);
            CHECK(now[event].running_ns >= before[event].running_ns);
            CHECK(now[event].running_ns <= now[event].enabled_ns);
        }
        memcpy(before, now, sizeof before);
    }
    double least = 1, most = 0;
    for (size_t event = 0; event < 24; event++) {
        uint64_t enabled = now[event].enabled_ns - begin[event].enabled_ns;
        uint64_t running = now[event].running_ns - begin[event].running_ns;
        double share = (double)(now[event].value - begin[event].value) / (double)worked;
        double coverage = (double)running / (double)enabled;
        CHECK(share > coverage - 0.05 && share < coverage + 0.05); /* its count is that of its time */
        least = coverage < least ? coverage : least;
        most = coverage > most ? coverage : most;
        waiting += coverage < 0.9;
    }
    printf("  coverage %.3f to %.3f\n", least, most);
    CHECK(waiting > 0 && least > 0);
    armprof_close(set);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(a_trap_of_ours_is_a_refusal),
        TEST(a_handler_that_was_there_gets_its_signals_as_before),
        TEST(a_handler_without_siginfo_gets_the_number),
        TEST(the_default_and_being_ignored_stay_what_they_are),
        TEST(the_last_release_puts_back_what_was_there),
        TEST(a_handler_runs_under_its_own_mask),
        TEST(a_handler_may_jump_out),
        TEST(a_signal_within_its_handler_waits_for_the_end_of_it),
        TEST(a_handler_on_top_of_ours_is_left_there),
        TEST(handlers_that_pass_to_each_other_do_not_loop),
        TEST(with_the_default_at_the_bottom_layers_end_too),
        TEST(a_fork_may_come_while_other_threads_acquire_and_release),
        TEST(samples_need_no_system_call),
        TEST(samples_go_on_when_user_reads_are_withdrawn),
        TEST(regions_go_on_when_user_reads_are_withdrawn),
        TEST(user_reads_may_be_withdrawn_from_elsewhere),
        TEST(a_thread_that_blocks_sigill_reads_by_system_call),
        TEST(a_page_that_cannot_be_mapped_means_system_calls),
        TEST(regions_and_samples_make_no_system_call),
        TEST(another_thread_sees_the_counters_of_the_thread_that_opened_them),
        TEST(a_child_has_no_user_reads_of_its_parent),
        TEST(a_thread_that_loses_its_core_counts_itself_alone),
        TEST(sets_that_count_the_same_do_not_take_turns),
        TEST(multiplexed_groups_say_how_long_they_ran),
    };
    int before = user_access();
    int status = run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
    if (before >= 0 && user_access() != before) {
        try_user_access(before);
    }
    return status;
}

#endif
