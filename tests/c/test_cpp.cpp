// The header is one for C++ too, and a scope leaves its region by whatever way the block is left.
#include "armprof.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <type_traits>

static void check(bool holds, const char *what) {
    if (!holds) {
        std::fprintf(stderr, "%s does not hold\n", what);
        std::exit(1);
    }
}
#define CHECK(condition) check(condition, #condition)

static_assert(!std::is_copy_constructible<armprof::scope>::value, "a copy would leave twice");
static_assert(!std::is_copy_assignable<armprof::scope>::value, "a copy would leave twice");
static_assert(!std::is_convertible<armprof_region, armprof::scope>::value, "not by accident");

static int returns_early(armprof_region region) {
    armprof::scope scope{region};
    return 1;
}

static void throws(armprof_region region) {
    armprof::scope scope{region};
    throw std::runtime_error("out");
}

static void recurses(armprof_region region, int depth) {
    const armprof::scope scope{region};
    if (depth > 1) {
        recurses(region, depth - 1);
    }
}

int main() {
    armprof_event event{};
    armprof_options options{};
    options.cpu = -1;
    CHECK(armprof_event_named("task_clock", &event) == 0);
    CHECK(armprof_regions_setup(&event, 1, &options) == 0);
    armprof_region region = armprof_region_define("scope");
    CHECK(region != 0);
    CHECK(returns_early(region) == 1);
    try {
        throws(region);
        CHECK(!"thrown");
    } catch (const std::runtime_error &) {
    }
    recurses(region, 5);
    {
        armprof::scope outer{region};
        armprof::scope none{0};
    }
    armprof_region_totals totals;
    CHECK(armprof_region_read(region, &totals) == 0);
    CHECK(totals.calls == 8);
    CHECK(totals.outermost == 4);
    CHECK(totals.ns.total > 0);
    armprof_regions_health health;
    armprof_regions_read_health(&health);
    CHECK(health.mismatched == 0 && health.dropped == 0);
    CHECK(armprof_regions_teardown() == 0);
    return 0;
}
