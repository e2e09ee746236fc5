/* The ITCH reader on any bytes, in both framings: what it says of each frame, and that all are counted. */
#include "input.h"
#include "itch50.h"

static void read_all(const uint8_t *data, size_t size, ap_itch_framing framing) {
    ap_itch_reader reader;
    ap_itch_message message;
    ap_itch_status status;
    uint64_t frames = 0, bytes = 0;
    ap_itch_reader_init(&reader, data, size, framing);
    size_t header = framing == AP_ITCH_RAW ? 0 : AP_ITCH_FRAME_HEADER, before = 0;
    while ((status = ap_itch_next(&reader, &message)) != AP_ITCH_END) {
        frames++;
        CHECK(reader.position <= size);
        if (status == AP_ITCH_OK) {
            uint8_t again[AP_ITCH_MAX_LENGTH];
            size_t length = ap_itch_encode(&message, again);
            CHECK_EQUAL(reader.position, before + header + length);
            CHECK(memcmp(again, data + before + header, length) == 0);
        }
        bytes += reader.position - before;
        before = reader.position;
    }
    uint64_t counted = 0;
    for (int i = 0; i < AP_ITCH_END; i++)
        counted += reader.counts[i];
    CHECK_EQUAL(counted, frames);
    CHECK_EQUAL(bytes, reader.position);
    bool stopped = reader.counts[AP_ITCH_TRUNCATED] != 0 ||
                   (framing == AP_ITCH_RAW && reader.counts[AP_ITCH_UNKNOWN_TYPE] != 0);
    CHECK_EQUAL(reader.position == size, !stopped);
    CHECK_EQUAL(ap_itch_next(&reader, &message), AP_ITCH_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = fuzz_copy(data, size, 0);
    ap_itch_message message;
    ap_itch_status status = ap_itch_decode(copy, size, &message);
    CHECK_EQUAL(status == AP_ITCH_OK, size > 0 && ap_itch_length((char)data[0]) == size);
    read_all(copy, size, AP_ITCH_BINARYFILE);
    read_all(copy, size, AP_ITCH_RAW);
    free(copy);
    return 0;
}
