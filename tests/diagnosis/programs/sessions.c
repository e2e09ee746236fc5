/* 4,000 sessions with a buffer of their own each: a message touches the state at its beginning. That is one line, and one
 * page: more pages than the core keeps translations of. The buffers begin a line further on each page, as a slab's do. */
#include "suite.h"

#include <sys/mman.h>

enum { SESSIONS = 4000, BUFFER = 4096 + 64, MESSAGES = 40000 };

struct session {
    uint64_t expected, bytes, messages;
    char buffer[BUFFER - 24];
};

static struct session *sessions;

static struct {
    uint32_t session, bytes;
} messages[MESSAGES];

static void prepare(void) {
    size_t bytes = (SESSIONS * sizeof *sessions + (2 << 20) - 1) >> 21 << 21;
    sessions = aligned_alloc(2 << 20, bytes);
#ifdef FIXED
    madvise(sessions, bytes, MADV_HUGEPAGE);
#else
    madvise(sessions, bytes, MADV_NOHUGEPAGE);
#endif
    for (int i = 0; i < SESSIONS; i++) {
        memset(&sessions[i], 0, 64);
    }
    for (int i = 0; i < MESSAGES; i++) {
        messages[i].session = (uint32_t)draw(SESSIONS);
        messages[i].bytes = 40 + (uint32_t)draw(1000);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sum = 0;
    for (int i = 0; i < MESSAGES; i++) {
        struct session *session = &sessions[messages[i].session];
        session->messages++; /* here: huge-pages */
        session->bytes += messages[i].bytes;
        sum += session->expected;
        session->expected = session->bytes + session->messages;
    }
    return sum;
}
