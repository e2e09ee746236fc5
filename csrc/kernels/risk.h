/*
 * Risk: what an order must pass before it leaves.
 *
 * One account holds what all its orders share: the kill switch, the rate, the notional. One ap_risk_symbol for each
 * symbol holds its price band and its position. An order that passes is open from then on, and counts as if it were
 * going to be filled, until ap_risk_fill() or ap_risk_release() says what became of it.
 *
 * Guarantees
 *   Complexity  a check is O(1): comparisons, one multiplication, no division, no loop. No allocation, no system call.
 *   Reasons     every limit is tried and every one that fails is in the result, so that a refusal tells all its causes.
 *               An order that is refused changes nothing but the counts of reasons: it takes no token and no room.
 *   Bounds      whatever becomes of the open orders, no position goes beyond most_position, or further beyond where it
 *               was there before. No sum overflows.
 *   Rate        a token bucket of `burst` tokens, full at the start, to which one is added every 1 / orders_per_second,
 *               rounded up to a nanosecond. The time is the caller's; where it goes back behind that of an order
 *               that passed, no token is added until it has caught up.
 *   Determinism integers only.
 *   Threads     an account and its symbols belong to one thread at a time, but ap_risk_kill() and ap_risk_revive() may
 *               be called from any: the next check that sees it obeys.
 *   Errors      a fill or a release of more than is open is refused and changes nothing.
 */
#ifndef AP_RISK_H
#define AP_RISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Bits of a result; 0 where the order passed. */
typedef enum ap_risk_reason {
    AP_RISK_KILLED = 1 << 0,
    AP_RISK_BAD_ORDER = 1 << 1,     /* no price, no size, or neither 'B' nor 'S' */
    AP_RISK_PRICE = 1 << 2,         /* outside the band, or there is none yet */
    AP_RISK_SIZE = 1 << 3,          /* more than most_size */
    AP_RISK_POSITION = 1 << 4,      /* with all that is open on its side, beyond most_position */
    AP_RISK_NOTIONAL = 1 << 5,      /* price times size is more than most_notional */
    AP_RISK_OPEN_NOTIONAL = 1 << 6, /* with all that is open, more than most_open_notional */
    AP_RISK_RATE = 1 << 7,          /* no token */
} ap_risk_reason;

enum { AP_RISK_REASONS = 8 };

typedef struct ap_risk_limits {
    uint64_t most_notional;      /* of one order, in units of price times size */
    uint64_t most_open_notional; /* of all open orders */
    uint32_t orders_per_second;  /* 1 to 10^9 */
    uint32_t burst;              /* 1 or more */
} ap_risk_limits;

typedef struct ap_risk_account {
    _Atomic uint32_t killed;
    ap_risk_limits limits;
    uint64_t token_ns;      /* a token is added every so many */
    uint64_t latest;        /* time of the last order that passed */
    uint64_t full_at;       /* when the bucket will be full, if no token is taken */
    uint64_t open_notional; /* at the prices of the orders */
    uint64_t passed;
    uint64_t refused[AP_RISK_REASONS]; /* by bit; an order with two reasons counts for both */
} ap_risk_account;

typedef struct ap_risk_symbol_limits {
    uint32_t band; /* in 2^-16 of the reference price, at most 1, either way */
    uint32_t most_size;
    uint32_t most_position; /* long or short; at most INT32_MAX */
} ap_risk_symbol_limits;

typedef struct ap_risk_symbol {
    ap_risk_symbol_limits limits;
    uint32_t lowest, highest; /* prices of the band */
    int64_t position;
    uint64_t open_buys, open_sells; /* sizes */
} ap_risk_symbol;

typedef struct ap_risk_order {
    uint32_t price;
    uint32_t size;
    char side; /* 'B' or 'S' */
} ap_risk_order;

/* Nothing is open and the bucket is full. False where a limit is outside its range. */
bool ap_risk_account_init(ap_risk_account *account, const ap_risk_limits *limits);

/* `position` is what is held at the start. There is no band before ap_risk_reference(). */
bool ap_risk_symbol_init(ap_risk_symbol *symbol, const ap_risk_symbol_limits *limits, int32_t position);

/* Lays the band around a price, which ends inside it: from price - price band / 2^16, rounded up, to price + price band /
 * 2^16, rounded down. */
void ap_risk_reference(ap_risk_symbol *symbol, uint32_t price);

void ap_risk_kill(ap_risk_account *account);
void ap_risk_revive(ap_risk_account *account);

/* Checks an order at a time in nanoseconds, and where it passes opens it. Returns the reasons, bits of ap_risk_reason. */
unsigned ap_risk_check(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint64_t now_ns);

/* `size` of an open order was executed; `order` is the order as it was checked. False where less is open. */
bool ap_risk_fill(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint32_t size);

/* `size` of an open order is not going to be executed any more: cancelled, rejected, expired. */
bool ap_risk_release(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint32_t size);

#endif
