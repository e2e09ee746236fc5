#include "branches.h"

struct ap_learned ap_learned[4 * 4 * 4 * 2];

/* One step up or down, within 0 to 3. */
static uint8_t step(uint8_t counter, bool up) {
    return (uint8_t)(up ? counter + (counter < 3) : counter - (counter > 0));
}

void ap_branches_learn(void) {
    for (unsigned i = 0; i < sizeof ap_learned / sizeof *ap_learned; i++) {
        bool taken = i & 1;
        uint8_t global = i >> 1 & 3, local = i >> 3 & 3, choice = (uint8_t)(i >> 5);
        bool by_global = global >> 1, by_local = local >> 1;
        bool predicted = choice >> 1 ? by_global : by_local;
        ap_learned[i] = (struct ap_learned){
            .local = step(local, taken),
            .global = step(global, taken),
            .choice = by_global == by_local ? choice : step(choice, by_global == taken),
            .mispredicted = predicted != taken,
        };
    }
}
