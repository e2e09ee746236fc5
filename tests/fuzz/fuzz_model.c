/* The modelled core: what it makes of any instruction, and any accesses through caches of any size that can be set. */
#define _GNU_SOURCE
#include "core.h"
#include "decode.h"
#include "input.h"

static void check_word(uint32_t word) {
    struct ap_access access = ap_access_of(word);
    CHECK(access.memory || !access.store);
    CHECK(access.bytes <= 128 && access.element <= 128); /* of those that exist at most 64 and 16 */
    CHECK(!access.memory || (access.element & (access.element - 1)) == 0);
    struct ap_branch branch = ap_branch_of(word);
    CHECK(branch.offset % 4 == 0 && branch.offset >= -(1 << 27) && branch.offset < 1 << 27);
    CHECK(branch.ending <= AP_RETURN);
}

/* Powers of two within what plugin.c lets pass. */
static struct ap_cache_size cache_of(uint8_t byte, unsigned least) {
    return (struct ap_cache_size){(uint64_t)1 << (least + byte % 6), (uint64_t)1 << (byte >> 6)};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { SETTINGS = 8, STEP = 6, SITES = 4 };
    static struct ap_bank bank;
    if (size < SETTINGS)
        return 0;
    ap_settings = (struct ap_settings){
        .l1i = cache_of(data[0], 12), .l1d = cache_of(data[1], 12), .l2 = cache_of(data[2], 14), .ll = cache_of(data[3], 16),
        .l1i_tlb = AP_MIN_TLB + data[4] % 40, .l1d_tlb = AP_MIN_TLB + data[4] % 60,
        .l2_tlb = {(uint64_t)64 << data[5] % 4, 4}, .page_bits = data[5] & 128 ? 16 : 12, .prefetch = data[6] % 5,
        .inclusive = data[6] >> 7, .returns = 1 + data[7] % 32,
    };
    struct ap_core *core = ap_core_new();
    CHECK(core != NULL);
    memset(&bank, 0, sizeof bank);
    core->bank = &bank;
    core->sites = calloc(SITES, sizeof *core->sites);
    CHECK(core->sites != NULL);
    uint64_t accesses = 0;
    for (data += SETTINGS, size -= SETTINGS; size >= STEP; data += STEP, size -= STEP) {
        uint32_t word = (uint32_t)(data[0] | data[1] << 8 | data[2] << 16) | (uint32_t)data[3] << 24;
        check_word(word);
        uint64_t address = data[4] & 1 ? UINT64_MAX - word : (uint64_t)word << (data[4] & 6);
        ap_data_page_changed(core, address, data[5] % SITES);
        if (data[4] & 64)
            ap_data_cleared(core, address & ~(uint64_t)63);
        else if (!ap_same_line(*ap_l1_set_of(&core->l1d, address), address))
            ap_data_not_first(core, address, data[5] % SITES, data[4] & 8);
        accesses++;
    }
    uint64_t refills = 0, walks = 0;
    for (int site = 0; site < SITES; site++) {
        CHECK(core->sites[site].l2_refill <= core->sites[site].l1d_refill);
        CHECK(core->sites[site].ll_miss <= core->sites[site].l2_refill);
        CHECK(core->sites[site].dtlb_walk <= core->sites[site].dtlb_refill);
        refills += core->sites[site].l1d_refill;
        walks += core->sites[site].dtlb_refill;
    }
    CHECK(refills <= accesses && walks <= accesses);
    free(core->sites);
    ap_core_free(core);
    return 0;
}
