#include "risk.h"

#define NS_PER_SECOND 1000000000U
#define BAND_ONE (1U << 16)

bool ap_risk_account_init(ap_risk_account *account, const ap_risk_limits *limits) {
    if (limits->orders_per_second == 0 || limits->orders_per_second > NS_PER_SECOND || limits->burst == 0)
        return false;
    *account = (ap_risk_account){
        .limits = *limits,
        .token_ns = (NS_PER_SECOND + limits->orders_per_second - 1) / limits->orders_per_second,
    };
    atomic_init(&account->killed, 0);
    return true;
}

bool ap_risk_symbol_init(ap_risk_symbol *symbol, const ap_risk_symbol_limits *limits, int32_t position) {
    if (limits->band > BAND_ONE || limits->most_position > INT32_MAX)
        return false;
    *symbol = (ap_risk_symbol){.limits = *limits, .lowest = 1, .highest = 0, .position = position};
    return true;
}

void ap_risk_reference(ap_risk_symbol *symbol, uint32_t price) {
    uint64_t reach = (uint64_t)price * symbol->limits.band / BAND_ONE, highest = price + reach;
    symbol->lowest = price - (uint32_t)reach;
    symbol->highest = highest > UINT32_MAX ? UINT32_MAX : (uint32_t)highest;
}

void ap_risk_kill(ap_risk_account *account) {
    atomic_store_explicit(&account->killed, 1, memory_order_relaxed);
}

void ap_risk_revive(ap_risk_account *account) {
    atomic_store_explicit(&account->killed, 0, memory_order_relaxed);
}

static void count_reasons(ap_risk_account *account, unsigned reasons) {
    for (int bit = 0; bit < AP_RISK_REASONS; bit++)
        account->refused[bit] += reasons >> bit & 1;
}

static unsigned reason_if(bool fails, ap_risk_reason reason) {
    return fails ? (unsigned)reason : 0;
}

unsigned ap_risk_check(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint64_t now_ns) {
    const ap_risk_limits *limits = &account->limits;
    bool is_buy = order->side == 'B', is_sell = order->side == 'S';
    uint64_t price = order->price, size = order->size, notional = price * size;
    int64_t worst = is_buy ? symbol->position + (int64_t)(symbol->open_buys + size)
                           : (int64_t)(symbol->open_sells + size) - symbol->position;
    uint64_t now = now_ns > account->latest ? now_ns : account->latest;
    uint64_t to_full = account->full_at > now ? account->full_at - now : 0;

    unsigned reasons =
        reason_if(atomic_load_explicit(&account->killed, memory_order_relaxed) != 0, AP_RISK_KILLED) |
        reason_if(price == 0 || size == 0 || !(is_buy || is_sell), AP_RISK_BAD_ORDER) |
        reason_if(price < symbol->lowest || price > symbol->highest, AP_RISK_PRICE) |
        reason_if(size > symbol->limits.most_size, AP_RISK_SIZE) |
        reason_if(worst > (int64_t)symbol->limits.most_position, AP_RISK_POSITION) |
        reason_if(notional > limits->most_notional, AP_RISK_NOTIONAL) |
        /* What is open is never more than may be. */
        reason_if(notional > limits->most_open_notional - account->open_notional, AP_RISK_OPEN_NOTIONAL) |
        reason_if(to_full > (limits->burst - 1) * account->token_ns, AP_RISK_RATE);
    if (reasons != 0) {
        count_reasons(account, reasons);
        return reasons;
    }
    *(is_buy ? &symbol->open_buys : &symbol->open_sells) += size;
    account->open_notional += notional;
    account->latest = now;
    account->full_at = now + to_full + account->token_ns;
    account->passed++;
    return 0;
}

/* Takes `size` of an order out of what is open. */
static bool take_out(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint32_t size) {
    uint64_t *open = order->side == 'B' ? &symbol->open_buys : &symbol->open_sells;
    uint64_t notional = (uint64_t)order->price * size;
    if (size > order->size || size > *open || notional > account->open_notional)
        return false;
    *open -= size;
    account->open_notional -= notional;
    return true;
}

bool ap_risk_fill(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint32_t size) {
    if (!take_out(account, symbol, order, size))
        return false;
    symbol->position += order->side == 'B' ? (int64_t)size : -(int64_t)size;
    return true;
}

bool ap_risk_release(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint32_t size) {
    return take_out(account, symbol, order, size);
}
