/* Usage: seeds FOLDER. Writes what each fuzzer starts from into FOLDER/TARGET, from the generator: the same each time. */
#include <stdio.h>
#include <sys/stat.h>

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

static void write_operations(int number) {
    static uint8_t out[4000];
    uint64_t random = (uint64_t)number;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(ap_splitmix64(&random) >> 20);
    write_file("order_book", number, out, sizeof out);
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

static void write_page(int number) {
    static uint8_t out[256];
    uint64_t random = (uint64_t)number;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(ap_splitmix64(&random) >> 20);
    write_file("page", number, out, sizeof out);
}

/* A unit with a function, into which another is inlined, and the line program of three rows. */
static void write_dwarf(uint8_t version) {
    const bool new = version == 5;
    const uint8_t abbreviations[] = {
        1, 0x11, 1, 0x03, 0x08, 0x1b, 0x08, 0x10, 0x17, 0x11, 0x01, 0x13, 0x0b, 0, 0, /* compile_unit */
        2, 0x2e, 0, 0x03, 0x0e, 0, 0,                                                 /* subprogram, of the name alone */
        3, 0x2e, 1, 0x6e, 0x08, 0x11, 0x01, 0x12, 0x06, 0, 0,                         /* subprogram */
        4, 0x1d, 0, 0x31, 0x13, 0x55, 0x17, 0x58, 0x0b, 0x59, 0x0b, 0, 0,             /* inlined_subroutine */
        0};
    const uint8_t entries[] = {
        1, 'a', '.', 'c', 0, '/', 'd', 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 12, /* compile_unit */
        2, 0, 0, 0, 0,                                                               /* subprogram inner */
        3, 'o', 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,                         /* subprogram at 0x1000, 0x40 bytes */
        4, (uint8_t)(new ? 33 : 32), 0, 0, 0, (uint8_t)(new ? 12 : 0), 0, 0, 0, 1, 7, /* inlined_subroutine */
        0, 0};
    const uint8_t opcodes[] = {0, 9, 2, 0, 0x10, 0, 0, 0, 0, 0, 0, 1, 0x4b, 0x80, 2, 8, 0, 1, 1};
    const uint8_t old_files[] = {'i', 0, 0, 'a', '.', 'c', 0, 0, 0, 0, 'b', '.', 'h', 0, 1, 0, 0, 0};
    const uint8_t new_files[] = {1, 1, 0x08, 2, '/', 'd', 0, 'i', 0, 2, 1, 0x08, 2, 0x0b, 2, 'a', '.', 'c', 0, 0, 'b', '.', 'h', 0, 1};
    const uint8_t machine[] = {4, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
    const uint8_t new_ranges[] = {20, 0, 0, 0, 5, 0, 8, 0, 0, 0, 0, 0, 4, 0x10, 0x20, 4, 0x30, 0x38, 0};
    const uint8_t old_ranges[32] = {0x10, [8] = 0x20};
    const uint8_t names[] = "inner";
    buffer info = {.size = 0}, lines = {.size = 0}, out = {.size = 0};
    append(&info, (uint8_t[]){0, 0, 0, 0, version, 0}, 6);
    append(&info, new ? (uint8_t[]){1, 8, 0, 0, 0, 0} : (uint8_t[]){0, 0, 0, 0, 8}, new ? 6 : 5);
    append(&info, entries, sizeof entries);
    info.bytes[0] = (uint8_t)(info.size - 4);
    append(&lines, (uint8_t[]){0, 0, 0, 0, version, 0}, 6);
    append(&lines, (uint8_t[]){8, 0}, new ? 2 : 0);
    append(&lines, (uint8_t[]){0, 0, 0, 0}, 4);
    size_t header = lines.size;
    append(&lines, machine, sizeof machine);
    append(&lines, new ? new_files : old_files, new ? sizeof new_files : sizeof old_files);
    lines.bytes[header - 4] = (uint8_t)(lines.size - header);
    append(&lines, opcodes, sizeof opcodes);
    lines.bytes[0] = (uint8_t)(lines.size - 4);
    const struct {
        uint8_t kind;
        const uint8_t *bytes;
        size_t size;
    } sections[] = {{0, info.bytes, info.size}, {1, abbreviations, sizeof abbreviations}, {2, lines.bytes, lines.size},
                    {3, names, sizeof names}, {5, old_ranges, sizeof old_ranges}, {6, new_ranges, sizeof new_ranges}};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        size_t record = begin(&out, sections[i].kind);
        append(&out, sections[i].bytes, sections[i].size);
        finish(&out, record);
    }
    write_file("dwarf", version, out.bytes, out.size);
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
        write_operations(i);
        write_bond(i);
        write_page(i);
    }
    write_orders();
    write_dwarf(4);
    write_dwarf(5);
    return 0;
}
