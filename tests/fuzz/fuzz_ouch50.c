/* OUCH messages of any bytes: decoded or refused by their type and length, and the same bytes when encoded again. */
#include "ouch50.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = fuzz_copy(data, size, 0), again[AP_OUCH_MAX_LENGTH];
    ap_ouch_message message;
    memset(&message, 0x5a, sizeof message);
    ap_ouch_message untouched = message;
    ap_ouch_status status = ap_ouch_decode(copy, size, &message);
    size_t length = size == 0 ? 0 : ap_ouch_length((char)data[0]);
    if (status == AP_OUCH_OK) {
        CHECK_EQUAL(ap_ouch_encode(&message, again), size);
        CHECK(memcmp(again, data, size) == 0);
    } else {
        CHECK(memcmp(&message, &untouched, sizeof message) == 0);
        CHECK_EQUAL(status == AP_OUCH_UNKNOWN_TYPE, size > 0 && length == 0);
        CHECK_EQUAL(status == AP_OUCH_OPTIONS, length > 0 && length == size);
    }
    free(copy);
    return 0;
}
