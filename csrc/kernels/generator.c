#include "generator.h"

#include <stdbool.h>
#include <string.h>

#include "big_endian.h"

enum {
    TICK = 100, /* one cent */
    LOT = 100,
    DEEPEST = 24,   /* ticks between the middle and the worst price an order is added at */
    THIN_BOOK = 16, /* orders below which deletes become adds */
};

#define OPENING_NS 12600000000000U /* 03:30, when a day's feed begins */

/* xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64 as its authors advise. */
static uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static uint64_t random64(ap_generator *g) {
    uint64_t *s = g->random, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* 0 to below - 1. The bias of the multiplication is below 2^-16 for what is drawn here. */
static uint32_t draw(ap_generator *g, uint32_t below) {
    return (uint32_t)((random64(g) >> 32) * below >> 32);
}

static char pick(ap_generator *g, const char *letters) {
    return letters[draw(g, (uint32_t)strlen(letters))];
}

void ap_generator_init(ap_generator *g, uint64_t seed) {
    memset(g, 0, sizeof *g);
    for (int i = 0; i < 4; i++)
        g->random[i] = ap_splitmix64(&seed);
    g->timestamp = OPENING_NS;
    for (int i = 0; i < AP_GENERATOR_SYMBOLS; i++) {
        ap_generator_symbol *symbol = &g->symbols[i];
        symbol->base = symbol->middle = symbol->target = TICK * (2000 + draw(g, 48000)); /* 20 to 500 dollars */
    }
}

/* "SYM00   " to "SYM63   " */
static void name_stock(ap_itch_text8 stock, uint32_t symbol) {
    memcpy(stock, "SYM00   ", sizeof(ap_itch_text8));
    stock[3] = (char)('0' + symbol / 10);
    stock[4] = (char)('0' + symbol % 10);
}

static uint32_t some_shares(ap_generator *g) {
    uint32_t odd = draw(g, 4) == 0 ? draw(g, LOT) : 0; /* a quarter of the orders are odd lots */
    return LOT * (1 + draw(g, 8)) + odd;
}

/* A price on this side: most orders close to the middle, each tick further half as likely, the rest spread out. */
static uint32_t price_on(ap_generator *g, const ap_generator_symbol *symbol, char side) {
    uint32_t depth = 1;
    while (depth < DEEPEST && draw(g, 2) == 0)
        depth++;
    if (draw(g, 8) == 0)
        depth = 1 + draw(g, DEEPEST);
    return side == 'B' ? symbol->middle - TICK * depth : symbol->middle + TICK * depth;
}

/* Takes shares out of an order; an empty order leaves the table. */
static void reduce(ap_generator_symbol *symbol, ap_generator_order *order, uint32_t shares) {
    order->shares -= shares;
    if (order->shares == 0)
        *order = symbol->orders[--symbol->live];
}

/* The order with the best price on this side, NULL where the side is empty. */
static ap_generator_order *best(ap_generator_symbol *symbol, char side) {
    ap_generator_order *found = NULL;
    for (uint32_t i = 0; i < symbol->live; i++) {
        ap_generator_order *order = &symbol->orders[i];
        if (order->side == side &&
            (found == NULL || (side == 'B' ? order->price > found->price : order->price < found->price)))
            found = order;
    }
    return found;
}

/* Draws are made in statements of their own throughout: C leaves the order of evaluation inside an argument list and
 * inside braces to the compiler, and the stream would depend on it. */

static void add_order(ap_generator *g, uint32_t index, bool attributed, ap_itch_message *m) {
    ap_generator_symbol *symbol = &g->symbols[index];
    char side = pick(g, "BS");
    uint32_t price = price_on(g, symbol, side);
    uint32_t shares = some_shares(g);
    symbol->orders[symbol->live++] = (ap_generator_order){++g->reference, price, shares, side};
    m->type = attributed ? 'F' : 'A';
    if (attributed) {
        m->add_order_attributed = (ap_itch_add_order_attributed){
            .reference = g->reference, .side = side, .shares = shares, .price = price, .attribution = "APMM"};
        name_stock(m->add_order_attributed.stock, index);
    } else {
        m->add_order = (ap_itch_add_order){.reference = g->reference, .side = side, .shares = shares, .price = price};
        name_stock(m->add_order.stock, index);
    }
}

static void execute(ap_generator *g, ap_generator_symbol *symbol, ap_generator_order *order, uint32_t shares,
                    bool at_price, ap_itch_message *m) {
    g->match_number++;
    m->type = at_price ? 'C' : 'E';
    if (at_price)
        m->order_executed_at_price = (ap_itch_order_executed_at_price){
            order->reference, shares, g->match_number, pick(g, "YYYN"), order->price};
    else
        m->order_executed = (ap_itch_order_executed){order->reference, shares, g->match_number};
    reduce(symbol, order, shares);
}

/* One step of a moving price: executes an order that stands in its way, true, or arrives, false. */
static bool move(ap_generator *g, ap_generator_symbol *symbol, ap_itch_message *m) {
    bool up = symbol->target > symbol->middle;
    ap_generator_order *order = best(symbol, up ? 'S' : 'B');
    if (order != NULL && (up ? order->price <= symbol->target : order->price >= symbol->target)) {
        execute(g, symbol, order, order->shares, false, m);
        return true;
    }
    symbol->middle = symbol->target;
    return false;
}

/* Messages of each type in 10,000 once the market is open. Executions by a moving price come on top. */
#define MIX(T)                                                                                                 \
    T('A', 4362) T('D', 4222) T('U', 800) T('E', 200) T('I', 130) T('X', 110) T('F', 60) T('P', 45) T('N', 30) \
    T('L', 8) T('C', 5) T('Q', 2) T('H', 2) T('Y', 3) T('J', 3) T('h', 3) T('K', 3) T('W', 3) T('B', 3)        \
    T('O', 3) T('R', 3)
#define WEIGHT(type, weight) +weight
#define ROW(type, weight) {type, weight},
_Static_assert((MIX(WEIGHT)) == 10000, "the mix does not add up");
static const struct {
    char type;
    uint16_t weight;
} mix[] = {MIX(ROW)};

static char draw_type(ap_generator *g) {
    uint32_t left = draw(g, 10000);
    size_t i = 0;
    while (left >= mix[i].weight)
        left -= mix[i++].weight;
    return mix[i].type;
}

/* Trading in one symbol's orders: A, F, D, U, E, C and X. */
static void trade_orders(ap_generator *g, uint32_t index, char type, ap_itch_message *m) {
    ap_generator_symbol *symbol = &g->symbols[index];
    bool adds = type == 'A' || type == 'F';
    /* A full table makes room, a thin book is filled up: so the sides stay balanced whatever the draws. */
    if (adds && symbol->live == AP_GENERATOR_ORDERS)
        type = 'D';
    if (!adds && symbol->live < THIN_BOOK)
        type = 'A';
    if (type == 'A' || type == 'F') {
        add_order(g, index, type == 'F', m);
        return;
    }

    ap_generator_order *order = &symbol->orders[draw(g, symbol->live)];
    m->type = type;
    switch (type) {
    case 'D':
        m->order_delete = (ap_itch_order_delete){order->reference};
        reduce(symbol, order, order->shares);
        break;
    case 'X':
        if (order->shares == 1) { /* nothing to cancel in part */
            m->type = 'D';
            m->order_delete = (ap_itch_order_delete){order->reference};
            reduce(symbol, order, 1);
            break;
        }
        m->order_cancel.reference = order->reference;
        m->order_cancel.shares = 1 + draw(g, order->shares - 1);
        reduce(symbol, order, m->order_cancel.shares);
        break;
    case 'U':
        g->reference++;
        m->order_replace.reference = order->reference;
        m->order_replace.new_reference = order->reference = g->reference;
        m->order_replace.shares = order->shares = some_shares(g);
        m->order_replace.price = order->price = price_on(g, symbol, order->side);
        break;
    default: { /* an execution takes the best price of the order's side, in part or whole */
        order = best(symbol, order->side);
        uint32_t shares = draw(g, 2) == 0 ? order->shares : 1 + draw(g, order->shares);
        execute(g, symbol, order, shares, type == 'C', m);
    }
    }
}

/* Everything that touches no order. */
static void announce(ap_generator *g, uint32_t index, char type, ap_itch_message *m) {
    uint32_t price = g->symbols[index].middle;
    char *stock = NULL;
    m->type = type;
    switch (type) {
    case 'R':
        m->stock_directory = (ap_itch_stock_directory){
            .market_category = 'Q',
            .financial_status = 'N',
            .round_lot_size = LOT,
            .round_lots_only = 'N',
            .issue_classification = 'C',
            .issue_subtype = "Z ",
            .authenticity = 'P',
            .short_sale_threshold = 'N',
            .ipo_flag = 'N',
            .luld_price_tier = '1',
            .etp_flag = 'N',
            .inverse = 'N',
        };
        stock = m->stock_directory.stock;
        break;
    case 'H':
        m->trading_action = (ap_itch_trading_action){.trading_state = 'T', .reserved = ' ', .reason = "    "};
        stock = m->trading_action.stock;
        break;
    case 'Y':
        m->reg_sho.action = pick(g, "0001");
        stock = m->reg_sho.stock;
        break;
    case 'L':
        m->participant_position = (ap_itch_participant_position){
            .participant = "APMM", .primary_market_maker = 'Y', .market_maker_mode = 'N'};
        m->participant_position.participant_state = pick(g, "AAAW");
        stock = m->participant_position.stock;
        break;
    case 'V': /* 7, 13 and 20 % below an index of 5000, in 10^-8 */
        m->mwcb_decline_levels =
            (ap_itch_mwcb_decline_levels){.level1 = 465000000000, .level2 = 435000000000, .level3 = 400000000000};
        break;
    case 'W':
        m->mwcb_status.breached_level = pick(g, "123");
        break;
    case 'K':
        m->quoting_period.release_time_s = 36000 + draw(g, 3600);
        m->quoting_period.release_qualifier = 'A';
        m->quoting_period.price = price;
        stock = m->quoting_period.stock;
        break;
    case 'J':
        m->luld_collar = (ap_itch_luld_collar){
            .reference_price = price, .upper_price = price / 20 * 21, .lower_price = price / 20 * 19};
        m->luld_collar.extension = draw(g, 4);
        stock = m->luld_collar.stock;
        break;
    case 'h':
        m->operational_halt.market_code = pick(g, "QBX");
        m->operational_halt.action = pick(g, "HT");
        stock = m->operational_halt.stock;
        break;
    case 'P': /* a hidden order's match: no reference */
        m->trade.side = 'B';
        m->trade.shares = some_shares(g);
        m->trade.price = price;
        m->trade.match_number = ++g->match_number;
        stock = m->trade.stock;
        break;
    case 'Q':
        m->cross_trade.shares = (uint64_t)LOT * draw(g, 10000);
        m->cross_trade.price = price;
        m->cross_trade.match_number = ++g->match_number;
        m->cross_trade.cross_type = pick(g, "OCH");
        stock = m->cross_trade.stock;
        break;
    case 'B':
        m->broken_trade.match_number = g->match_number;
        break;
    case 'I':
        m->order_imbalance.paired_shares = (uint64_t)LOT * draw(g, 10000);
        m->order_imbalance.imbalance_shares = (uint64_t)LOT * draw(g, 1000);
        m->order_imbalance.direction = pick(g, "BSN");
        m->order_imbalance.far_price = price + TICK;
        m->order_imbalance.near_price = price - TICK;
        m->order_imbalance.reference_price = price;
        m->order_imbalance.cross_type = 'C';
        m->order_imbalance.price_variation = pick(g, "L12");
        stock = m->order_imbalance.stock;
        break;
    case 'N':
        m->retail_interest.interest = pick(g, "BSAN");
        stock = m->retail_interest.stock;
        break;
    default: /* 'O' */
        m->direct_listing = (ap_itch_direct_listing){
            .minimum_price = price / 5 * 4,
            .maximum_price = price / 5 * 9,
            .near_execution_price = price,
            .near_execution_time = g->timestamp,
            .lower_collar = price / 10 * 9,
            .upper_collar = price / 10 * 11,
        };
        m->direct_listing.open_eligibility = pick(g, "NY");
        stock = m->direct_listing.stock;
    }
    if (stock != NULL)
        name_stock(stock, index);
}

/* The opening: system events around one directory, state, sale restriction and market maker per symbol. */
static const char per_symbol[] = {'R', 'H', 'Y', 'L'};
enum {
    FIRST_SYMBOL = 2, /* after 'S' and 'V' */
    AFTER_SYMBOLS = FIRST_SYMBOL + AP_GENERATOR_SYMBOLS * sizeof per_symbol,
    OPENING = AFTER_SYMBOLS + 2, /* start of system hours, start of market hours */
};

/* The symbol that message `sent` of the opening is about; 0 where it is about none. */
static uint32_t open_market(ap_generator *g, ap_itch_message *m) {
    uint64_t step = g->sent;
    if (step >= FIRST_SYMBOL && step < AFTER_SYMBOLS) {
        uint32_t index = (uint32_t)(step - FIRST_SYMBOL) / sizeof per_symbol;
        announce(g, index, per_symbol[(step - FIRST_SYMBOL) % sizeof per_symbol], m);
        return index + 1;
    }
    if (step == 1) {
        announce(g, 0, 'V', m);
    } else {
        m->type = 'S';
        m->system_event = (ap_itch_system_event){step == 0 ? 'O' : step == AFTER_SYMBOLS ? 'S' : 'Q'};
    }
    return 0;
}

static bool is_about_the_market(char type) {
    return type == 'S' || type == 'V' || type == 'W';
}

void ap_generator_next(ap_generator *g, ap_itch_message *m) {
    memset(m, 0, sizeof *m);
    g->timestamp += 1 + draw(g, 1 << 14); /* 8 us on average: 120,000 messages a second */
    if (g->sent < OPENING) {
        m->stock_locate = (uint16_t)open_market(g, m);
    } else {
        /* The smaller of two draws: some symbols trade much, most little. */
        uint32_t index = draw(g, AP_GENERATOR_SYMBOLS), other = draw(g, AP_GENERATOR_SYMBOLS);
        if (other < index)
            index = other;
        ap_generator_symbol *symbol = &g->symbols[index];
        if (symbol->target == symbol->middle && draw(g, 250) == 0) {
            /* One tick, more likely back towards the base than away from it, so that no price runs off. */
            bool up = draw(g, 8) < (symbol->middle < symbol->base ? 5U : 3U);
            symbol->target = up ? symbol->middle + TICK : symbol->middle - TICK;
        }
        if (symbol->target == symbol->middle || !move(g, symbol, m)) {
            char type = draw_type(g);
            if (strchr("AFDUECX", type) != NULL)
                trade_orders(g, index, type, m);
            else
                announce(g, index, type, m);
        }
        m->stock_locate = is_about_the_market(m->type) ? 0 : (uint16_t)(index + 1);
    }
    m->tracking_number = (uint16_t)(g->sent & 1); /* the specification's is NASDAQ's own; two values will do */
    m->timestamp = g->timestamp;
    g->sent++;
}

size_t ap_generator_fill(ap_generator *g, uint8_t *out, size_t room, uint64_t messages) {
    size_t written = 0;
    while (messages-- > 0 && room - written >= AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH) {
        ap_itch_message message;
        ap_generator_next(g, &message);
        size_t length = ap_itch_encode(&message, out + written + AP_ITCH_FRAME_HEADER);
        ap_store_be16(out + written, (uint16_t)length);
        written += AP_ITCH_FRAME_HEADER + length;
    }
    return written;
}
