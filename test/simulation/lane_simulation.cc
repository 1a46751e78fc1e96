// Runs many random histories of lanes and prints the first that breaks a rule, by its seed.
//   lane_simulation [--first N] [--count N]    runs seeds N, N+1, ...
//   lane_simulation --seed N                   runs one and tells every step

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "lane_world.h"

namespace {

bool RunSeed(uint64_t seed, bool is_traced, heliostat::simulation::Totals& totals) {
    try {
        heliostat::simulation::LaneWorld(seed, is_traced, totals).Run();
        return true;
    } catch (const heliostat::simulation::Violation& violation) {
        std::printf("seed %" PRIu64 ": %s\n", seed, violation.what());
        return false;
    }
}

}  // namespace

int main(int count, char** words) {
    uint64_t first = 1;
    uint64_t seeds = 10'000;
    bool is_traced = false;
    for (int i = 1; i + 1 < count; i += 2) {
        const uint64_t value = std::strtoull(words[i + 1], nullptr, 10);
        if (std::strcmp(words[i], "--count") == 0) seeds = value;
        if (std::strcmp(words[i], "--first") == 0) first = value;
        if (std::strcmp(words[i], "--seed") == 0) {
            first = value;
            seeds = 1;
            is_traced = true;
            std::setvbuf(stdout, nullptr, _IOLBF, 0);
        }
    }
    heliostat::simulation::Totals totals;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        if (!RunSeed(seed, is_traced, totals)) return 1;
    std::printf("seeds %" PRIu64 " from %" PRIu64 ":", seeds, first);
    const std::pair<const char*, uint64_t> facts[] = {
        {"steps", totals.steps},          {"batches", totals.batches},
        {"losses", totals.losses},        {"resets", totals.resets},
        {"doubled", totals.doubled},      {"wraps", totals.wraps},
        {"crashes", totals.crashes},      {"zombies", totals.zombies},
        {"unclean cuts", totals.unclean}, {"two mirrors", totals.two_mirrors},
        {"rebuilt", totals.rebuilt},      {"trimmed", totals.trimmed},
        {"begun anew", totals.anew},      {"exact", totals.exact},
        {"wait", totals.waits},           {"unknown", totals.unknown},
        {"went back", totals.went_back},  {"passed over", totals.passed_over},
        {"refused", totals.refused},      {"damaged", totals.damaged},
        {"deletions", totals.deletions},  {"gaps skipped", totals.gaps_skipped},
        {"gap stops", totals.gap_stops},  {"diverged", totals.diverged},
        {"compacted", totals.compacted},  {"begun behind", totals.begun_behind},
        {"merged", totals.merged},        {"taken apart", totals.taken_apart}};
    for (const auto& [name, count] : facts) std::printf(" %s %" PRIu64 ",", name, count);
    std::printf("\n");
    return 0;
}
