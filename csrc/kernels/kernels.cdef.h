/* What Python may call: the declarations of kernels.h, as cffi takes them. The C compiler checks each against its
 * header, so that one that differs stops the build or the import. */

/* object_pool.h */
typedef enum ap_pool_status { AP_POOL_OK, AP_POOL_FOREIGN, AP_POOL_DOUBLE_PUT, ... } ap_pool_status;
typedef struct ap_pool { size_t stride; size_t capacity; ...; } ap_pool;
size_t ap_pool_bytes(size_t object_size, size_t capacity);
ap_pool *ap_pool_init(void *memory, size_t bytes, size_t object_size, size_t capacity);
ap_pool *ap_pool_create(size_t object_size, size_t capacity);
void ap_pool_destroy(ap_pool *pool);
size_t ap_pool_index(const ap_pool *pool, const void *object);
void *ap_pool_get(ap_pool *pool);
ap_pool_status ap_pool_put(ap_pool *pool, void *object);

/* spsc_ring.h */
typedef struct ap_ring ap_ring;
size_t ap_ring_bytes(uint64_t capacity);
ap_ring *ap_ring_init(void *memory, size_t bytes, uint64_t capacity);
ap_ring *ap_ring_create(uint64_t capacity);
void ap_ring_destroy(ap_ring *ring);
bool ap_ring_push(ap_ring *ring, uint64_t word);
bool ap_ring_pop(ap_ring *ring, uint64_t *word);
uint64_t ap_ring_push_many(ap_ring *ring, const uint64_t *words, uint64_t count);
uint64_t ap_ring_pop_many(ap_ring *ring, uint64_t *words, uint64_t count);

/* itch50.h */
typedef char ap_itch_letter;
typedef char ap_itch_text2[2];
typedef char ap_itch_text4[4];
typedef char ap_itch_text8[8];
typedef uint16_t ap_itch_u16;
typedef uint32_t ap_itch_u32;
typedef uint64_t ap_itch_u48;
typedef uint64_t ap_itch_u64;
typedef uint32_t ap_itch_price4;
typedef uint64_t ap_itch_price8;
typedef struct { ap_itch_letter event_code; } ap_itch_system_event;
typedef struct {
    ap_itch_text8 stock; ap_itch_letter market_category; ap_itch_letter financial_status; ap_itch_u32 round_lot_size;
    ap_itch_letter round_lots_only; ap_itch_letter issue_classification; ap_itch_text2 issue_subtype;
    ap_itch_letter authenticity; ap_itch_letter short_sale_threshold; ap_itch_letter ipo_flag;
    ap_itch_letter luld_price_tier; ap_itch_letter etp_flag; ap_itch_u32 etp_leverage; ap_itch_letter inverse;
} ap_itch_stock_directory;
typedef struct {
    ap_itch_text8 stock; ap_itch_letter trading_state; ap_itch_letter reserved; ap_itch_text4 reason;
} ap_itch_trading_action;
typedef struct { ap_itch_text8 stock; ap_itch_letter action; } ap_itch_reg_sho;
typedef struct {
    ap_itch_text4 participant; ap_itch_text8 stock; ap_itch_letter primary_market_maker;
    ap_itch_letter market_maker_mode; ap_itch_letter participant_state;
} ap_itch_participant_position;
typedef struct { ap_itch_price8 level1; ap_itch_price8 level2; ap_itch_price8 level3; } ap_itch_mwcb_decline_levels;
typedef struct { ap_itch_letter breached_level; } ap_itch_mwcb_status;
typedef struct {
    ap_itch_text8 stock; ap_itch_u32 release_time_s; ap_itch_letter release_qualifier; ap_itch_price4 price;
} ap_itch_quoting_period;
typedef struct {
    ap_itch_text8 stock; ap_itch_price4 reference_price; ap_itch_price4 upper_price; ap_itch_price4 lower_price;
    ap_itch_u32 extension;
} ap_itch_luld_collar;
typedef struct { ap_itch_text8 stock; ap_itch_letter market_code; ap_itch_letter action; } ap_itch_operational_halt;
typedef struct {
    ap_itch_u64 reference; ap_itch_letter side; ap_itch_u32 shares; ap_itch_text8 stock; ap_itch_price4 price;
} ap_itch_add_order;
typedef struct {
    ap_itch_u64 reference; ap_itch_letter side; ap_itch_u32 shares; ap_itch_text8 stock; ap_itch_price4 price;
    ap_itch_text4 attribution;
} ap_itch_add_order_attributed;
typedef struct { ap_itch_u64 reference; ap_itch_u32 shares; ap_itch_u64 match_number; } ap_itch_order_executed;
typedef struct {
    ap_itch_u64 reference; ap_itch_u32 shares; ap_itch_u64 match_number; ap_itch_letter printable;
    ap_itch_price4 price;
} ap_itch_order_executed_at_price;
typedef struct { ap_itch_u64 reference; ap_itch_u32 shares; } ap_itch_order_cancel;
typedef struct { ap_itch_u64 reference; } ap_itch_order_delete;
typedef struct {
    ap_itch_u64 reference; ap_itch_u64 new_reference; ap_itch_u32 shares; ap_itch_price4 price;
} ap_itch_order_replace;
typedef struct {
    ap_itch_u64 reference; ap_itch_letter side; ap_itch_u32 shares; ap_itch_text8 stock; ap_itch_price4 price;
    ap_itch_u64 match_number;
} ap_itch_trade;
typedef struct {
    ap_itch_u64 shares; ap_itch_text8 stock; ap_itch_price4 price; ap_itch_u64 match_number;
    ap_itch_letter cross_type;
} ap_itch_cross_trade;
typedef struct { ap_itch_u64 match_number; } ap_itch_broken_trade;
typedef struct {
    ap_itch_u64 paired_shares; ap_itch_u64 imbalance_shares; ap_itch_letter direction; ap_itch_text8 stock;
    ap_itch_price4 far_price; ap_itch_price4 near_price; ap_itch_price4 reference_price; ap_itch_letter cross_type;
    ap_itch_letter price_variation;
} ap_itch_order_imbalance;
typedef struct { ap_itch_text8 stock; ap_itch_letter interest; } ap_itch_retail_interest;
typedef struct {
    ap_itch_text8 stock; ap_itch_letter open_eligibility; ap_itch_price4 minimum_price; ap_itch_price4 maximum_price;
    ap_itch_price4 near_execution_price; ap_itch_u64 near_execution_time; ap_itch_price4 lower_collar;
    ap_itch_price4 upper_collar;
} ap_itch_direct_listing;
typedef struct ap_itch_message {
    char type;
    ap_itch_u16 stock_locate; ap_itch_u16 tracking_number; ap_itch_u48 timestamp;
    union {
        ap_itch_system_event system_event;
        ap_itch_stock_directory stock_directory;
        ap_itch_trading_action trading_action;
        ap_itch_reg_sho reg_sho;
        ap_itch_participant_position participant_position;
        ap_itch_mwcb_decline_levels mwcb_decline_levels;
        ap_itch_mwcb_status mwcb_status;
        ap_itch_quoting_period quoting_period;
        ap_itch_luld_collar luld_collar;
        ap_itch_operational_halt operational_halt;
        ap_itch_add_order add_order;
        ap_itch_add_order_attributed add_order_attributed;
        ap_itch_order_executed order_executed;
        ap_itch_order_executed_at_price order_executed_at_price;
        ap_itch_order_cancel order_cancel;
        ap_itch_order_delete order_delete;
        ap_itch_order_replace order_replace;
        ap_itch_trade trade;
        ap_itch_cross_trade cross_trade;
        ap_itch_broken_trade broken_trade;
        ap_itch_order_imbalance order_imbalance;
        ap_itch_retail_interest retail_interest;
        ap_itch_direct_listing direct_listing;
    };
} ap_itch_message;
typedef enum ap_itch_status {
    AP_ITCH_OK, AP_ITCH_UNKNOWN_TYPE, AP_ITCH_BAD_LENGTH, AP_ITCH_TRUNCATED, AP_ITCH_END, ...
} ap_itch_status;
typedef enum ap_itch_framing { AP_ITCH_BINARYFILE, AP_ITCH_RAW, ... } ap_itch_framing;
#define AP_ITCH_MAX_LENGTH ...
#define AP_ITCH_FRAME_HEADER ...
size_t ap_itch_length(char type);
ap_itch_status ap_itch_decode(const uint8_t *payload, size_t length, ap_itch_message *message);
size_t ap_itch_encode(const ap_itch_message *message, uint8_t *out);
typedef struct ap_itch_reader { size_t size; size_t position; uint64_t counts[...]; ...; } ap_itch_reader;
void ap_itch_reader_init(ap_itch_reader *reader, const uint8_t *data, size_t size, ap_itch_framing framing);
ap_itch_status ap_itch_next(ap_itch_reader *reader, ap_itch_message *message);
void ap_itch_drain(ap_itch_reader *reader);

/* generator.h */
#define AP_GENERATOR_SYMBOLS ...
typedef struct ap_generator { uint64_t sent; ...; } ap_generator;
void ap_generator_init(ap_generator *generator, uint64_t seed);
void ap_generator_next(ap_generator *generator, ap_itch_message *message);
size_t ap_generator_fill(ap_generator *generator, uint8_t *out, size_t room, uint64_t messages);

/* order_book.h */
typedef enum ap_book_status {
    AP_BOOK_OK, AP_BOOK_MOVED, AP_BOOK_UNKNOWN_SYMBOL, AP_BOOK_UNKNOWN_REFERENCE, AP_BOOK_KNOWN_REFERENCE,
    AP_BOOK_OVER_EXECUTION, AP_BOOK_NO_SHARES, AP_BOOK_BAD_SIDE, AP_BOOK_FULL, AP_BOOK_STATUSES, ...
} ap_book_status;
typedef struct ap_book_level { uint32_t price; uint32_t orders; uint64_t shares; } ap_book_level;
typedef struct ap_book_bbo { ap_book_level bid, offer; } ap_book_bbo;
typedef struct ap_book_order { uint32_t symbol; uint32_t price; uint32_t shares; char side; } ap_book_order;
typedef struct ap_book { uint32_t symbols; uint32_t capacity; uint32_t orders; uint64_t counts[...]; ...; } ap_book;
size_t ap_book_bytes(uint32_t symbols, uint32_t orders);
ap_book *ap_book_create(uint32_t symbols, uint32_t orders);
void ap_book_destroy(ap_book *book);
void ap_book_clear(ap_book *book);
ap_book_status ap_book_add(ap_book *book, uint32_t symbol, uint64_t reference, char side, uint32_t shares,
                           uint32_t price);
ap_book_status ap_book_reduce(ap_book *book, uint32_t symbol, uint64_t reference, uint32_t shares);
ap_book_status ap_book_delete(ap_book *book, uint32_t symbol, uint64_t reference);
ap_book_status ap_book_replace(ap_book *book, uint32_t symbol, uint64_t reference, uint64_t new_reference,
                               uint32_t shares, uint32_t price);
bool ap_book_find(const ap_book *book, uint64_t reference, ap_book_order *order);
size_t ap_book_depth(const ap_book *book, uint32_t symbol, char side, ap_book_level *levels, size_t most);
ap_book_bbo ap_book_top(const ap_book *book, uint32_t symbol);

/* feed_handler.h */
#define AP_FEED_SESSION ...
#define AP_FEED_HEADER ...
#define AP_FEED_END_OF_SESSION ...
typedef enum ap_feed_status {
    AP_FEED_OK, AP_FEED_GAP, AP_FEED_OLD, AP_FEED_SHORT, AP_FEED_FOREIGN, AP_FEED_IMPOSSIBLE, ...
} ap_feed_status;
typedef enum ap_feed_count {
    AP_FEED_PACKETS, AP_FEED_MESSAGES, AP_FEED_DUPLICATES, AP_FEED_GAPS, AP_FEED_MISSED, AP_FEED_BAD_HEADERS,
    AP_FEED_CUT_PACKETS, AP_FEED_LONG_PACKETS, AP_FEED_COUNTS, ...
} ap_feed_count;
typedef struct ap_feed {
    uint64_t next; uint64_t gap_first; uint64_t gap_count; uint64_t counts[...]; ap_itch_reader reader; bool has_ended;
    char session[...]; ...;
} ap_feed;
void ap_feed_init(ap_feed *feed, ap_book *book);
ap_feed_status ap_feed_open(ap_feed *feed, const uint8_t *packet, size_t size);
void ap_feed_open_file(ap_feed *feed, const uint8_t *data, size_t size);
ap_itch_status ap_feed_next(ap_feed *feed, ap_itch_message *message);
ap_book_status ap_feed_apply(ap_book *book, const ap_itch_message *message);
ap_feed_status ap_feed_packet(ap_feed *feed, const uint8_t *packet, size_t size);
void ap_feed_file(ap_feed *feed, const uint8_t *data, size_t size);
size_t ap_feed_pack(const char session[], uint64_t sequence, const uint8_t *frames, size_t size, uint8_t *packet,
                    size_t room, size_t *packet_size);

/* ouch50.h */
typedef char ap_ouch_letter;
typedef char ap_ouch_text8[8];
typedef char ap_ouch_text14[14];
typedef uint32_t ap_ouch_u32;
typedef uint64_t ap_ouch_price;
typedef struct {
    ap_ouch_u32 user_reference; ap_ouch_letter side; ap_ouch_u32 quantity; ap_ouch_text8 symbol; ap_ouch_price price;
    ap_ouch_letter time_in_force; ap_ouch_letter display; ap_ouch_letter capacity; ap_ouch_letter sweep;
    ap_ouch_letter cross_type; ap_ouch_text14 client_order_id;
} ap_ouch_enter_order;
typedef struct {
    ap_ouch_u32 original_user_reference; ap_ouch_u32 user_reference; ap_ouch_u32 quantity; ap_ouch_price price;
    ap_ouch_letter time_in_force; ap_ouch_letter display; ap_ouch_letter sweep; ap_ouch_text14 client_order_id;
} ap_ouch_replace_order;
typedef struct { ap_ouch_u32 user_reference; ap_ouch_u32 quantity; } ap_ouch_cancel_order;
typedef struct ap_ouch_message {
    char type;
    union {
        ap_ouch_enter_order enter_order;
        ap_ouch_replace_order replace_order;
        ap_ouch_cancel_order cancel_order;
    };
} ap_ouch_message;
typedef enum ap_ouch_status {
    AP_OUCH_OK, AP_OUCH_UNKNOWN_TYPE, AP_OUCH_BAD_LENGTH, AP_OUCH_OPTIONS, ...
} ap_ouch_status;
#define AP_OUCH_MAX_LENGTH ...
size_t ap_ouch_length(char type);
size_t ap_ouch_encode(const ap_ouch_message *message, uint8_t *out);
ap_ouch_status ap_ouch_decode(const uint8_t *data, size_t length, ap_ouch_message *message);

/* timing.h */
typedef enum ap_timing_source { AP_TIMING_COUNTER, AP_TIMING_SYSTEM, ... } ap_timing_source;
typedef struct ap_timing {
    ap_timing_source source; uint64_t base_ticks; uint64_t base_ns; uint64_t multiplier;
    double ticks_per_second; double error_ppm; double offset_ns; double resolution_ns; const char *why;
} ap_timing;
typedef struct ap_timing_cost {
    double instruction_ns; double stamp_ns; double fenced_ns; double system_ns;
} ap_timing_cost;
typedef struct ap_timing_anchor { uint64_t ticks, ns, width; } ap_timing_anchor;
#define AP_TIMING_SHIFT ...
#define AP_TIMING_CALIBRATION_NS ...
void ap_timing_init(ap_timing *timing, ap_timing_source wanted, uint64_t calibration_ns);
void ap_timing_fit(ap_timing *timing, const ap_timing_anchor moments[], uint64_t stated_frequency);
uint64_t ap_timing_step(const uint64_t *stamps, size_t count, bool is_rounded);
ap_timing_cost ap_timing_measure(const ap_timing *timing);
uint64_t ap_timing_system_ns(void);
uint64_t ap_timing_counter(void);
uint64_t ap_timing_stamp(const ap_timing *timing);
uint64_t ap_timing_stamp_fenced(const ap_timing *timing);
uint64_t ap_timing_elapsed_ns(const ap_timing *timing, uint64_t from, uint64_t to);
uint64_t ap_timing_ns(const ap_timing *timing, uint64_t stamp);

/* treasury.h */
typedef enum ap_treasury_status {
    AP_TREASURY_OK, AP_TREASURY_BAD_DATE, AP_TREASURY_BAD_COUPON, AP_TREASURY_MATURED, AP_TREASURY_TOO_LONG,
    AP_TREASURY_BAD_PRICE, AP_TREASURY_BAD_YIELD, AP_TREASURY_NO_YIELD, AP_TREASURY_BAD_TEXT, ...
} ap_treasury_status;
typedef struct ap_bond {
    double half_coupon; double elapsed; int32_t periods; int32_t period_days; int32_t elapsed_days;
    int32_t maturity, settlement, next_coupon;
} ap_bond;
typedef struct ap_bond_risk {
    double price; double accrued; double duration; double dv01; double convexity;
} ap_bond_risk;
#define AP_TREASURY_PERIODS ...
#define AP_TREASURY_TICKS ...
#define AP_TREASURY_TEXT ...
#define AP_DATE_NONE ...
static const double AP_TREASURY_LEAST_YIELD;
static const double AP_TREASURY_GREATEST_YIELD;
static const double AP_TREASURY_NO_GUESS;
int32_t ap_date(int32_t year, int32_t month, int32_t day);
ap_treasury_status ap_bond_init(ap_bond *bond, double coupon, int32_t maturity, int32_t settlement);
double ap_bond_accrued(const ap_bond *bond);
ap_treasury_status ap_bond_price(const ap_bond *bond, double yield, double *price);
ap_treasury_status ap_bond_yield(const ap_bond *bond, double price, double guess, double *yield);
ap_treasury_status ap_bond_risk_at(const ap_bond *bond, double yield, ap_bond_risk *risk);
ap_treasury_status ap_treasury_parse(const char *text, size_t length, int32_t *ticks);
size_t ap_treasury_format(int32_t ticks, char *text);

/* strategy.h */
typedef enum ap_strategy_status {
    AP_STRATEGY_QUOTES, AP_STRATEGY_ONE_SIDED, AP_STRATEGY_CROSSED, AP_STRATEGY_WIDE, AP_STRATEGY_NO_VALUE,
    AP_STRATEGY_NO_ROOM, ...
} ap_strategy_status;
#define AP_CURVE_KNOTS ...
typedef struct ap_curve { int32_t knots; int32_t days[...]; double yields[...]; } ap_curve;
typedef struct ap_curve_place { int32_t knot, next; double weight; } ap_curve_place;
ap_curve_place ap_curve_find(const ap_curve *curve, int32_t days);
double ap_curve_at(const ap_curve *curve, ap_curve_place place);
typedef struct ap_strategy_terms {
    uint32_t tick; uint32_t half_spread; uint32_t most_spread; uint32_t skew; uint32_t most_value;
    uint32_t imbalance_weight; uint32_t value_weight; uint32_t order_size; uint32_t most_position;
    double premium; double units_per_point;
} ap_strategy_terms;
#define AP_STRATEGY_MOST ...
#define AP_STRATEGY_ONE ...
typedef struct ap_strategy { ...; } ap_strategy;
typedef struct ap_strategy_market { uint32_t bid, offer; uint64_t bid_shares, offer_shares; } ap_strategy_market;
typedef struct ap_strategy_quotes { uint32_t bid, offer; uint32_t bid_size, offer_size; } ap_strategy_quotes;
bool ap_strategy_init(ap_strategy *strategy, const ap_strategy_terms *terms, const ap_bond *bond,
                      const ap_curve *curve, double yield);
bool ap_strategy_value(ap_strategy *strategy, const ap_curve *curve, const ap_strategy_market *market,
                       int64_t *value);
ap_strategy_status ap_strategy_decide(ap_strategy *strategy, const ap_curve *curve,
                                      const ap_strategy_market *market, int32_t inventory,
                                      ap_strategy_quotes *quotes);

/* risk.h */
typedef enum ap_risk_reason {
    AP_RISK_KILLED, AP_RISK_BAD_ORDER, AP_RISK_PRICE, AP_RISK_SIZE, AP_RISK_POSITION, AP_RISK_NOTIONAL,
    AP_RISK_OPEN_NOTIONAL, AP_RISK_RATE, ...
} ap_risk_reason;
typedef struct ap_risk_limits {
    uint64_t most_notional; uint64_t most_open_notional; uint32_t orders_per_second; uint32_t burst;
} ap_risk_limits;
typedef struct ap_risk_account { uint64_t open_notional; uint64_t passed; uint64_t refused[...]; ...; } ap_risk_account;
typedef struct ap_risk_symbol_limits { uint32_t band; uint32_t most_size; uint32_t most_position; } ap_risk_symbol_limits;
typedef struct ap_risk_symbol {
    uint32_t lowest, highest; int64_t position; uint64_t open_buys, open_sells; ...;
} ap_risk_symbol;
typedef struct ap_risk_order { uint32_t price; uint32_t size; char side; } ap_risk_order;
bool ap_risk_account_init(ap_risk_account *account, const ap_risk_limits *limits);
bool ap_risk_symbol_init(ap_risk_symbol *symbol, const ap_risk_symbol_limits *limits, int32_t position);
void ap_risk_reference(ap_risk_symbol *symbol, uint32_t price);
void ap_risk_kill(ap_risk_account *account);
void ap_risk_revive(ap_risk_account *account);
unsigned ap_risk_check(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint64_t now_ns);
bool ap_risk_fill(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint32_t size);
bool ap_risk_release(ap_risk_account *account, ap_risk_symbol *symbol, const ap_risk_order *order, uint32_t size);

/* elementary.h */
double ap_log(double x);
double ap_log1p(double x);
double ap_exp(double x);
double ap_expm1(double x);

/* tick_to_trade.h */
typedef enum ap_stage {
    AP_STAGE_FEED, AP_STAGE_BOOK, AP_STAGE_DECISION, AP_STAGE_RISK, AP_STAGE_ORDER, AP_STAGES, ...
} ap_stage;
typedef struct ap_watch { void (*at)(void *context, int point); void *context; } ap_watch;
typedef struct ap_quote { ap_risk_order order; uint32_t executed; uint32_t user_reference; } ap_quote;
typedef struct ap_instrument {
    bool is_quoted; char symbol[8]; ap_strategy strategy; ap_risk_symbol risk; bool is_halted; bool has_band;
    ap_quote bid, offer; ...;
} ap_instrument;
typedef struct ap_trader {
    ap_feed feed; const ap_watch *watch; uint32_t user_reference; bool is_stopped; uint64_t entered, replaced, cancelled; ...;
} ap_trader;
typedef struct ap_tick {
    uint32_t symbol; ap_book_status book; ap_strategy_status decision; unsigned refused; size_t size; uint8_t orders[...]; ...;
} ap_tick;
void ap_trader_init(ap_trader *trader, ap_book *book, ap_instrument *instruments, uint32_t instrument_count,
                    const ap_curve *curve, ap_risk_account *account);
ap_feed_status ap_trader_open(ap_trader *trader, const uint8_t *packet, size_t size);
ap_itch_status ap_trader_next(ap_trader *trader, ap_tick *tick);
void ap_trader_pull(ap_trader *trader, uint32_t symbol, ap_tick *tick);
void ap_trader_resume(ap_trader *trader);
bool ap_trader_fill(ap_trader *trader, uint32_t symbol, char side, uint32_t size);

/* stage_times.h */
typedef struct ap_stage_times { ap_watch watch; uint64_t rows; ...; } ap_stage_times;
void ap_stage_times_init(ap_stage_times *times, const ap_timing *timing, uint64_t *ns, uint64_t room);
void ap_stage_times_of_nothing(ap_stage_times *times);

/* pacing.h */
typedef struct ap_pace_clock { uint64_t (*now_ns)(void *context); void *context; } ap_pace_clock;
ap_pace_clock ap_pace_clock_of(ap_timing *timing);
typedef struct ap_service { bool (*serve)(void *state); void (*settle)(void *state); void *state; } ap_service;
typedef struct ap_pace {
    uint64_t operations; uint64_t kept; uint64_t elapsed_ns; uint64_t on_time_ns; uint64_t behind_ns; uint64_t most_behind_ns;
} ap_pace;
ap_pace ap_pace_closed(const ap_service *service, const ap_pace_clock *clock, uint64_t operations, uint64_t *ns,
                       uint64_t room);
ap_pace ap_pace_open(const ap_service *service, const ap_pace_clock *clock, double interval_ns, uint64_t duration_ns,
                     uint64_t *ns, uint64_t room);
double ap_pace_cost_ns(const ap_pace_clock *clock);

/* loops.h */
typedef uint64_t (*ap_loop)(void *state, uint64_t operations);
void *ap_pool_loop_create(uint64_t seed);
void ap_pool_loop_destroy(void *state);
uint64_t ap_pool_loop(void *state, uint64_t operations);
void *ap_ring_loop_create(uint64_t seed);
void ap_ring_loop_destroy(void *state);
uint64_t ap_ring_loop(void *state, uint64_t operations);
void *ap_itch_loop_create(const uint8_t *data, size_t size);
void ap_itch_loop_destroy(void *state);
uint64_t ap_itch_loop(void *state, uint64_t operations);
void *ap_book_loop_create(const uint8_t *data, size_t size);
void ap_book_loop_destroy(void *state);
uint64_t ap_book_loop(void *state, uint64_t operations);
uint64_t ap_book_loop_period(const void *state);
void *ap_feed_loop_create(const uint8_t *data, size_t size);
void ap_feed_loop_destroy(void *state);
uint64_t ap_feed_loop(void *state, uint64_t operations);
uint64_t ap_feed_loop_period(const void *state);
void *ap_trade_loop_create(const uint8_t *data, size_t size);
void ap_trade_loop_destroy(void *state);
uint64_t ap_trade_loop(void *state, uint64_t operations);
uint64_t ap_trade_loop_period(const void *state);
uint64_t ap_trade_loop_watched(void *state, uint64_t operations, const ap_watch *watch);
ap_service ap_trade_loop_service(void *state);
void *ap_timing_loop_create(uint64_t seed);
void ap_timing_loop_destroy(void *state);
uint64_t ap_timing_loop(void *state, uint64_t operations);
void *ap_treasury_loop_create(uint64_t seed);
void ap_treasury_loop_destroy(void *state);
uint64_t ap_treasury_loop(void *state, uint64_t operations);
void *ap_strategy_loop_create(uint64_t seed);
void ap_strategy_loop_destroy(void *state);
uint64_t ap_strategy_loop(void *state, uint64_t operations);
void *ap_risk_loop_create(uint64_t seed);
void ap_risk_loop_destroy(void *state);
uint64_t ap_risk_loop(void *state, uint64_t operations);

/* bench_clock.h */
typedef struct ap_clock { double cost_ns; uint64_t resolution_ns; } ap_clock;
ap_clock ap_clock_measure(void);
uint64_t ap_time_batches(ap_loop loop, void *state, uint64_t batch, uint64_t samples, uint64_t *ns_out);
typedef void (*ap_function)(void);
uint64_t ap_call_loop(void *state, uint64_t operations);

/* memory_bandwidth.h */
typedef enum ap_stream { AP_STREAM_COPY, AP_STREAM_SCALE, AP_STREAM_ADD, AP_STREAM_TRIAD, AP_STREAMS, ... } ap_stream;
uint64_t ap_stream_bytes(ap_stream stream, size_t elements);
void ap_stream_pass(ap_stream stream, double *a, double *b, double *c, size_t elements);
int ap_bandwidth_measure(const int *cpus, size_t threads, size_t elements, size_t passes, uint64_t *ns_out);

/* memory_latency.h */
void *ap_chase_map(size_t bytes, bool huge);
void ap_chase_unmap(void *memory, size_t bytes);
void **ap_chase_lay(void *memory, size_t cells, size_t stride, uint64_t seed);
void **ap_chase(void **at, uint64_t steps);
uint64_t ap_chase_time(void ***at, uint64_t steps);
