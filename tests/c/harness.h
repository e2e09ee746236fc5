/* Runs tests, each in a process of its own: regions begin anew, a crash or a hang is one test's, and the next goes on.
 *
 * A test ends by returning, by a CHECK that does not hold, or by skip() with the reason.
 */
#ifndef HARNESS_H
#define HARNESS_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before anything is included"
#endif

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kernels/check.h"

enum { PASSED = 0, FAILED = 1, SKIPPED = 77, SECONDS_FOR_A_TEST = 20 };

struct test {
    const char *name;
    void (*body)(void);
};

#define TEST(function) {#function, function}

static inline _Noreturn void skip(const char *why) {
    printf("  skipped: %s\n", why);
    exit(SKIPPED);
}

/* GCC 12's address sanitizer does not hold its allocator's locks over a fork: a child of many threads hangs in its first
 * malloc(), one run in three. The builds without it run these tests. */
static inline void skip_forks_of_many_threads_under_asan(void) {
#if defined(__SANITIZE_ADDRESS__)
    skip("the address sanitizer may hang in a child of many threads");
#endif
}

static inline int wait_for(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0) {
        CHECK_EQUAL(errno, EINTR);
    }
    return status;
}

/* Runs the function in a child. Its wait status: 0 when it returned. */
static inline int in_child(void (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(SECONDS_FOR_A_TEST); /* alarms are not inherited */
        body();
        fflush(NULL);
        _exit(PASSED); /* not exit(): what other threads held at the fork is lost in the child, and no leak of ours */
    }
    return wait_for(child);
}

/* Runs a test in a process group of its own, of which nothing is left behind: a child may hang in the midst of fork(). */
static inline int in_group(void (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        setpgid(0, 0);
        alarm(SECONDS_FOR_A_TEST);
        body();
        exit(PASSED);
    }
    setpgid(child, child); /* whoever comes first */
    siginfo_t ended;
    while (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) < 0) {
        CHECK_EQUAL(errno, EINTR);
    }
    kill(-child, SIGKILL); /* while its number is still taken */
    return wait_for(child);
}

/* All tests, or those whose names are given. */
static inline int run_tests(const struct test *tests, size_t count, int argc, char **argv) {
    size_t passed = 0, failed = 0, skipped = 0;
    for (size_t i = 0; i < count; i++) {
        int chosen = argc < 2;
        for (int at = 1; at < argc; at++) {
            chosen |= strcmp(argv[at], tests[i].name) == 0;
        }
        if (!chosen) {
            continue;
        }
        printf("%s\n", tests[i].name);
        int status = in_group(tests[i].body);
        if (WIFEXITED(status) && WEXITSTATUS(status) == PASSED) {
            passed++;
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
            skipped++;
        } else {
            failed++;
            const char *how = !WIFSIGNALED(status) ? "failed" : WTERMSIG(status) == SIGALRM ? "hung" : "was killed";
            printf("  %s (wait status 0x%x)\n", how, (unsigned)status);
        }
    }
    printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
    return failed > 0 || passed + skipped == 0 ? FAILED : passed > 0 ? PASSED : SKIPPED;
}

#endif
