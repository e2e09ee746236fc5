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
        ROUTINE("mov x0, xzr") /* 33: ARMPROF_INDEX_ZERO */
        ".hidden armprof_register_routines_end\n"
        ".global armprof_register_routines_end\n"
        "armprof_register_routines_end:\n");

/* Our handler may stand in the chain more than once: whoever put theirs on top of it may pass to it or not, so that the
 * next set goes on top again. For each place, lowest first, what was there before. */
enum { MOST_PLACES = 8 };
static struct sigaction below[MOST_PLACES];
static int places;
static unsigned users;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The signal that the calling thread passes on right now: of two handlers that pass to each other, each is called again
 * with the same context, deeper in the stack. (At the same depth it is a later signal: the handler had jumped out.) */
struct passing {
    const void *context;
    const char *frame;
    int place;
};
static ARMPROF_THREAD_LOCAL struct passing passing;

static void pass_to(const struct sigaction *to, int signal_number, siginfo_t *info, void *context) {
    sigset_t mask = to->sa_mask, old_mask;
    if (!(to->sa_flags & SA_NODEFER)) {
        sigaddset(&mask, signal_number);
    }
    pthread_sigmask(SIG_BLOCK, &mask, &old_mask);
    if (to->sa_flags & SA_SIGINFO) {
        to->sa_sigaction(signal_number, info, context);
    } else {
        to->sa_handler(signal_number);
    }
    pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
}

/* With the default action back in place an illegal instruction is executed again on return, and the process dies at it,
 * with the core file that it would have left without us. */
static void act_by_default(int signal_number, bool raised_by_software) {
    struct sigaction fatal;
    memset(&fatal, 0, sizeof fatal);
    fatal.sa_handler = SIG_DFL;
    sigaction(signal_number, &fatal, NULL);
    if (raised_by_software) {
        raise(signal_number);
    }
}

/* Acts as if the handler that was there before had been called by the kernel. */
static void pass_on(int signal_number, siginfo_t *info, void *context) {
    const char *frame = __builtin_frame_address(0);
    bool again = passing.context == context && frame < passing.frame;
    int place = (again ? passing.place : places) - 1;
    struct sigaction to = {.sa_handler = SIG_DFL};
    if (place >= 0) {
        to = below[place];
        if (to.sa_flags & (int)SA_RESETHAND) {
            below[place] = (struct sigaction){.sa_handler = SIG_DFL};
        }
    }
    bool raised_by_software = info->si_code <= 0;
    bool plain = !(to.sa_flags & SA_SIGINFO);
    if (plain && to.sa_handler == SIG_IGN && raised_by_software) {
        return;
    }
    if (plain && (to.sa_handler == SIG_DFL || to.sa_handler == SIG_IGN)) { /* an instruction cannot be ignored */
        act_by_default(signal_number, raised_by_software);
        return;
    }
    struct passing outer = passing;
    passing = (struct passing){context, frame, place};
    pass_to(&to, signal_number, info, context);
    passing = outer;
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
    users++;
    if (!is_ours(&current) && places < MOST_PLACES) {
        struct sigaction ours;
        memset(&ours, 0, sizeof ours);
        ours.sa_sigaction = on_illegal_instruction;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | (current.sa_flags & SA_RESTART);
        sigemptyset(&ours.sa_mask);
        below[places++] = current;
        sigaction(SIGILL, &ours, NULL);
    }
    pthread_mutex_unlock(&lock);
}

void armprof_trap_release(void) {
    pthread_mutex_lock(&lock);
    struct sigaction current;
    if (--users == 0) {
        sigaction(SIGILL, NULL, &current);
        if (is_ours(&current) && places > 0) { /* else somebody put theirs on top and may pass to ours: leave it */
            sigaction(SIGILL, &below[--places], NULL);
        }
    }
    pthread_mutex_unlock(&lock);
}

void armprof_trap_before_fork(void) { pthread_mutex_lock(&lock); }
void armprof_trap_after_fork(void) { pthread_mutex_unlock(&lock); }

#else

void armprof_trap_acquire(void) {}
void armprof_trap_release(void) {}
void armprof_trap_before_fork(void) {}
void armprof_trap_after_fork(void) {}

#endif
