/* 1,800 compiled formulas, which generate.py writes: a few instructions of each run, and 4 KiB of it are for cases that do
 * not occur, so that each runs on a page of its own: more pages than the core keeps translations of. In huge pages they
 * are few; in the model that is a setting, and on hardware the text has to be remapped or aligned and advised. */
#include "suite.h"

enum { TIMES = 4 };

static int64_t missing;

#include "formulas.inc"

static int64_t inputs[TIMES];

static void prepare(void) {
    for (int i = 0; i < TIMES; i++) {
        inputs[i] = (int64_t)draw(1000);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sum = 0;
    for (int i = 0; i < TIMES; i++) {
        sum = sum * 31 + (uint64_t)evaluate(inputs[i]);
    }
    return sum;
}
