/* Usage: seeds FOLDER. Writes what each fuzzer starts from into FOLDER/TARGET, from the generator: the same each time. */
#include <stdio.h>
#include <sys/stat.h>

#include "../c/dwarf_sample.h"
#include "generator.h"
#include "input.h"
#include "ouch50.h"
#include "treasury.h"

enum { FILES = 8, ROOM = 1 << 16, SYMBOLS = 4 };

static const char *folder;

static void write_file(const char *target, int number, const uint8_t *bytes, size_t size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/seed-%d", folder, target, number);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

typedef struct {
    uint8_t bytes[ROOM];
    size_t size;
} buffer;

static void append(buffer *to, const void *bytes, size_t size) {
    CHECK(to->size + size <= ROOM);
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

/* A record of the kind of input.h; its size is filled in by finish(), once its bytes are there. */
static size_t begin(buffer *to, uint8_t kind) {
    size_t at = to->size;
    append(to, (uint8_t[FUZZ_RECORD_HEADER]){kind}, FUZZ_RECORD_HEADER);
    return at;
}

static void finish(buffer *to, size_t record) {
    ap_store_be16(to->bytes + record + 1, (uint16_t)(to->size - record - FUZZ_RECORD_HEADER));
}

/* The next message about one of the symbols that the targets have books for. */
static size_t next_frame(ap_generator *generator, uint8_t *frame) {
    ap_itch_message message;
    do
        ap_generator_next(generator, &message);
    while (message.stock_locate == 0 || message.stock_locate >= SYMBOLS || strchr("RYL", message.type) != NULL);
    size_t length = ap_itch_encode(&message, frame + AP_ITCH_FRAME_HEADER);
    ap_store_be16(frame, (uint16_t)length);
    return AP_ITCH_FRAME_HEADER + length;
}

/* Packets of 1 to 4 messages, now and then out of order, or one of the records that the target knows itself. */
static void write_packets(const char *target, int number, int packets, uint8_t own_kinds) {
    ap_generator generator;
    buffer out = {.size = 0};
    uint8_t frame[AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH];
    uint64_t random = (uint64_t)number;
    ap_generator_init(&generator, (uint64_t)number);
    for (int i = 0; i < packets; i++) {
        uint64_t r = ap_splitmix64(&random);
        size_t record = begin(&out, r % 8 == 0 ? (uint8_t)(FUZZ_IN_ORDER - 4 + r / 8 % 8) : FUZZ_IN_ORDER);
        for (uint64_t left = 1 + r / 64 % 4; left > 0; left--)
            append(&out, frame, next_frame(&generator, frame));
        finish(&out, record);
        if (r >> 32 & 1) {
            record = begin(&out, (uint8_t)((r >> 33) % own_kinds));
            append(&out, (uint8_t[]){0, (uint8_t)(1 + (r >> 40) % (SYMBOLS - 1)), 0, (uint8_t)(r >> 48)}, 4);
            finish(&out, record);
        }
    }
    write_file(target, number, out.bytes, out.size);
}

static void write_itch(int number) {
    ap_generator generator;
    static uint8_t out[ROOM];
    ap_generator_init(&generator, (uint64_t)number);
    /* The opening holds the seldom types, trading the frequent ones. */
    ap_generator_fill(&generator, out, sizeof out, (uint64_t)number * 100);
    write_file("itch50", number, out, ap_generator_fill(&generator, out, sizeof out, 40));
}

static void write_orders(void) {
    static const char types[] = "OUX";
    for (int i = 0; types[i] != '\0'; i++) {
        ap_ouch_message message = {.type = types[i]};
        uint8_t out[AP_OUCH_MAX_LENGTH];
        write_file("ouch50", i, out, ap_ouch_encode(&message, out));
    }
}

static void write_bond(int number) {
    static const char *const texts[] = {"99-16", "99-16+", "100-317", "0-00", "9999-312", "99-32", "99-168", "12345-00"};
    const double terms[] = {0.005 * number, 0.01 * number - 0.01, 90 + 5 * number, AP_TREASURY_NO_GUESS};
    const int32_t dates[] = {ap_date(2027 + 4 * number, 2, 28), ap_date(2026, 11, 23)};
    buffer out = {.size = 0};
    append(&out, terms, sizeof terms);
    append(&out, dates, sizeof dates);
    write_file("treasury", number, out.bytes, out.size);
    write_file("treasury", FILES + number, (const uint8_t *)texts[number], strlen(texts[number]));
}

static void write_random(const char *target, int number, size_t size) {
    static uint8_t out[4096];
    uint64_t random = (uint64_t)number;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(ap_splitmix64(&random) >> 20);
    write_file(target, number, out, size);
}

static void write_texts(void) {
    static const char *const texts[] = {"cpu_cycles", "task_clock", "../type", "l1d_cache_refill", "a \"b\"\\ \xc3\xa9\xff\xed\xa0\x80"};
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        write_file("text", i, (const uint8_t *)texts[i], strlen(texts[i]));
}

/* The sections of a file, each with its number and that of the file. */
static void append_dwarf(buffer *out, const dwarf_file *file, uint8_t of) {
    const struct {
        uint8_t kind;
        dwarf_section section;
    } sections[] = {{0, file->info}, {1, file->abbrev}, {2, file->line}, {3, file->str}, {5, file->ranges}, {6, file->rnglists}};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (sections[i].section.size == 0)
            continue;
        size_t record = begin(out, (uint8_t)(sections[i].kind | of));
        append(out, sections[i].section.bytes, sections[i].section.size);
        finish(out, record);
    }
}

static void write_dwarf(uint8_t version) {
    dwarf_sample sample;
    buffer out = {.size = 0};
    dwarf_sample_make(&sample, version);
    append_dwarf(&out, &sample.file, 0);
    write_file("dwarf", version, out.bytes, out.size);
}

static void write_split_dwarf(void) {
    enum { SPLIT = 0x40, NUMBER = 6 };
    dwarf_sample sample;
    dwarf_file file;
    dwarf_split split;
    buffer out = {.size = 0};
    dwarf_sample_split(&sample, &file, &split);
    append_dwarf(&out, &file, 0);
    append_dwarf(&out, &split.file, SPLIT);
    write_file("dwarf", NUMBER, out.bytes, out.size);
}

/* Samples of growing depth, a mapping and a loss, as the kernel writes them: numbers of 64 bits, least byte first. */
static void write_records(int number) {
    enum { SAMPLE = 9, MAPPING = 10, LOSS = 2, HEADER = 8 };
    const uint64_t sample[] = {1, 0x400100, 8ull << 32 | 7, 123, 2, 1000, (uint64_t)number};
    const uint64_t mapping[] = {8ull << 32 | 7, 0x400000, 0x2000, 0, 0, 0, 0, 2ull << 32 | 5, 0x78, 8ull << 32 | 7, 124, 2, 1};
    const uint64_t loss[] = {1, 3, 8ull << 32 | 7, 125, 2, 1};
    const struct {
        uint8_t type;
        const uint64_t *body;
        size_t size;
    } records[] = {{SAMPLE, sample, sizeof sample}, {MAPPING, mapping, sizeof mapping}, {LOSS, loss, sizeof loss}};
    buffer out = {.size = 0};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        size_t at = begin(&out, records[i].type);
        append(&out, (uint8_t[HEADER]){records[i].type}, HEADER);
        append(&out, records[i].body, records[i].size);
        for (int frame = 0; i == 0 && frame < number; frame++)
            append(&out, (uint64_t[]){0x400100 + 16ull * (uint64_t)frame}, sizeof(uint64_t));
        finish(&out, at);
    }
    write_file("records", number, out.bytes, out.size);
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    folder = arguments[1];
    for (int i = 0; i < FILES; i++) {
        write_itch(i);
        write_packets("feed_handler", i, 20, 1);
        write_packets("tick_to_trade", i, 30, 6);
        write_random("order_book", i, 4000);
        write_bond(i);
        write_random("page", i, 256);
        write_random("api", i, 400);
        write_random("model", i, 2000);
        write_records(i);
    }
    write_orders();
    write_texts();
    write_dwarf(4);
    write_dwarf(5);
    write_split_dwarf();
    return 0;
}
