#define _GNU_SOURCE
#include "registers.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#if defined(__aarch64__)

/* Where the compiler protects branches every indirect call must land on one of these. */
#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define LANDING "hint #34\n" /* bti c */
#define PADDING ""
#else
#define LANDING ""
#define PADDING "nop\n"
#endif

#define ROUTINE(instruction) LANDING instruction "\nret\nnop\n" PADDING

/* One routine of 16 bytes per index of the page. Event counter n is index n + 1, in plain order: the reader that most
 * projects copied has counters 12 and 13 swapped. */
__asm__(".text\n"
        ".balign 16\n"
        ".hidden armprof_register_routines\n"
        ".global armprof_register_routines\n"
        "armprof_register_routines:\n"
        ROUTINE("orr x1, x1, #1") /* 0: ARMPROF_REFUSED_NO_INDEX */
        ".irp counter, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
        ROUTINE("mrs x0, pmevcntr\\counter\\()_el0")
        ".endr\n"
        ROUTINE("mrs x0, pmccntr_el0")
        ".rept 30\n" /* 33..62 */
        ROUTINE("orr x1, x1, #1")
        ".endr\n"
        ROUTINE("mov x0, xzr") /* ARMPROF_INDEX_ZERO */
        ".hidden armprof_register_routines_end\n"
        ".global armprof_register_routines_end\n"
        "armprof_register_routines_end:\n");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned users;
static struct sigaction previous;
static __thread bool handling;

/* Acts as if the handler that was there before had been called by the kernel. */
static void pass_on(int signal_number, siginfo_t *info, void *context) {
    struct sigaction to = previous;
    bool raised_by_software = info->si_code <= 0;
    bool plain = !(to.sa_flags & SA_SIGINFO);
    if (handling || (plain && (to.sa_handler == SIG_DFL || to.sa_handler == SIG_IGN))) {
        if (!handling && plain && to.sa_handler == SIG_IGN && raised_by_software) {
            return;
        }
        /* An illegal instruction cannot be ignored. With the default action back in place the instruction is executed
         * again on return and the process dies at it, with the core file that it would have left without us. */
        struct sigaction fatal;
        memset(&fatal, 0, sizeof fatal);
        fatal.sa_handler = SIG_DFL;
        sigaction(signal_number, &fatal, NULL);
        if (raised_by_software) {
            raise(signal_number);
        }
        return;
    }
    sigset_t old_mask;
    pthread_sigmask(SIG_BLOCK, &to.sa_mask, &old_mask);
    if (to.sa_flags & (int)SA_RESETHAND) {
        memset(&previous, 0, sizeof previous);
        previous.sa_handler = SIG_DFL;
    }
    handling = true; /* two handlers that pass to each other end here, not in a full stack */
    if (plain) {
        to.sa_handler(signal_number);
    } else {
        to.sa_sigaction(signal_number, info, context);
    }
    handling = false;
    pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
}

static void on_illegal_instruction(int signal_number, siginfo_t *info, void *context) {
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    uint64_t pc = machine->pc;
    if (pc >= (uint64_t)armprof_register_routines && pc < (uint64_t)armprof_register_routines_end) {
        machine->regs[0] = 0;
        machine->regs[1] |= ARMPROF_REFUSED_TRAP;
        machine->pc = machine->regs[30];
        return;
    }
    pass_on(signal_number, info, context);
}

static bool is_ours(const struct sigaction *action) {
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_illegal_instruction;
}

void armprof_trap_acquire(void) {
    pthread_mutex_lock(&lock);
    struct sigaction current;
    sigaction(SIGILL, NULL, &current);
    if (users++ == 0 || !is_ours(&current)) { /* somebody may have replaced ours in the meantime: go on top again */
        if (!is_ours(&current)) {
            struct sigaction ours;
            memset(&ours, 0, sizeof ours);
            ours.sa_sigaction = on_illegal_instruction;
            ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | (current.sa_flags & SA_RESTART);
            sigemptyset(&ours.sa_mask);
            previous = current;
            sigaction(SIGILL, &ours, NULL);
        }
    }
    pthread_mutex_unlock(&lock);
}

void armprof_trap_release(void) {
    pthread_mutex_lock(&lock);
    struct sigaction current;
    if (--users == 0) {
        sigaction(SIGILL, NULL, &current);
        if (is_ours(&current)) { /* else somebody put theirs on top and may pass to ours: leave it */
            sigaction(SIGILL, &previous, NULL);
        }
    }
    pthread_mutex_unlock(&lock);
}

#else

void armprof_trap_acquire(void) {}
void armprof_trap_release(void) {}

#endif
