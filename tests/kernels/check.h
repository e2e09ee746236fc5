/* CHECK: the tests' own assert, which no NDEBUG can remove and which says what the values were. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                               \
    do {                                                                                               \
        if (!(condition)) {                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                                   \
        }                                                                                              \
    } while (0)

#define CHECK_EQUAL(found, expected)                                                                   \
    do {                                                                                               \
        uint64_t found_ = (uint64_t)(found), expected_ = (uint64_t)(expected);                         \
        if (found_ != expected_) {                                                                     \
            fprintf(stderr, "%s:%d: %s is %" PRIu64 " (0x%016" PRIx64 "), not %" PRIu64                \
                    " (0x%016" PRIx64 ")\n", __FILE__, __LINE__, #found, found_, found_, expected_, expected_); \
            exit(1);                                                                                   \
        }                                                                                              \
    } while (0)

#endif
