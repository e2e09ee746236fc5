/*
 * What a region of the counter core costs: region_cost ROUNDS EVENT... enters and leaves an empty region ROUNDS times
 * while a counter of its own counts instructions around it all, and prints
 *
 *     instructions N      in user mode, for one enter and leave: those of the loop around them are subtracted
 *     by_syscall N        samples that needed read(2)
 *
 * region_cost --sealed ROUNDS EVENT... does the same under a filter that kills the process at any system call other than
 * those for writing the result and ending, and prints `calls N`. With ROUNDS = 0 it makes a system call instead, to show
 * that the filter does kill.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "armprof.h"

static void fail(const char *what, int error)
{
    fprintf(stderr, "region_cost: %s: %s\n", what, strerror(error));
    exit(1);
}

/* Opened here and not through armprof: what is tested does not measure itself. */
static int count_instructions(void)
{
    armprof_event event;
    int error = armprof_event_named("inst_retired", &event);
    if (error)
        fail("inst_retired", error);
    struct perf_event_attr attr = {.size = sizeof attr, .type = event.type, .config = event.config, .exclude_kernel = 1};
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
    if (fd < 0)
        fail("perf_event_open", errno);
    return fd;
}

static uint64_t now(int fd)
{
    uint64_t count;
    if (read(fd, &count, sizeof count) != sizeof count)
        fail("reading the instructions", errno);
    return count;
}

static void set_up(char **names, int count)
{
    armprof_event events[ARMPROF_MAX_EVENTS];
    for (int i = 0; i < count; i++) {
        int error = armprof_event_named(names[i], &events[i]);
        if (error)
            fail(names[i], error);
        events[i].group = 0;
    }
    armprof_options options = {.cpu = -1, .user_reads = true};
    int error = armprof_regions_setup(events, (size_t)count, &options);
    error = error ? error : armprof_thread_start();
    if (error)
        fail("setting up the regions", error);
    for (int i = 0; i < count; i++) {
        armprof_access access = armprof_event_access(armprof_thread_set(), (size_t)i);
        if (access != ARMPROF_USER32 && access != ARMPROF_USER64)
            fail(names[i], armprof_event_error(armprof_thread_set(), (size_t)i));
        if (armprof_event_group(armprof_thread_set(), (size_t)i) != 0)
            fail(names[i], ENOSPC);
    }
}

static void seal(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        fail("the filter", errno);
}

static void repeat(armprof_region region, unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++) {
        armprof_enter(region);
        armprof_leave(region);
    }
}

static void repeat_nothing(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++)
        __asm__ volatile("");
}

static int sealed(armprof_region region, unsigned long rounds)
{
    seal();
    repeat(region, rounds);
    if (rounds == 0)
        getppid();
    armprof_region_totals totals;
    armprof_region_read(region, &totals);
    char text[64];
    int length = snprintf(text, sizeof text, "calls %llu\n", (unsigned long long)totals.calls);
    _exit(write(STDOUT_FILENO, text, (size_t)length) == length ? 0 : 1);
}

int main(int argc, char **argv)
{
    bool is_sealed = argc > 1 && strcmp(argv[1], "--sealed") == 0;
    argv += is_sealed;
    argc -= is_sealed;
    if (argc < 3 || argc - 2 > ARMPROF_MAX_EVENTS) {
        fprintf(stderr, "usage: region_cost [--sealed] ROUNDS EVENT...\n");
        return 2;
    }
    unsigned long rounds = strtoul(argv[1], NULL, 10);
    set_up(argv + 2, argc - 2);
    armprof_region region = armprof_region_define("empty");
    if (is_sealed)
        return sealed(region, rounds);
    int fd = count_instructions();
    repeat(region, 10); /* the dynamic linker is done with the functions, and their pages are there */
    uint64_t start = now(fd);
    repeat(region, rounds);
    uint64_t middle = now(fd);
    repeat_nothing(rounds);
    uint64_t end = now(fd);
    armprof_regions_health health;
    armprof_regions_read_health(&health);
    printf("instructions %.1f\nby_syscall %llu\n", (double)((middle - start) - (end - middle)) / (double)rounds,
           (unsigned long long)health.by_syscall);
    return 0;
}
