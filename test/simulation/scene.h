// What all parts of a history share: chance, time, the lanes' partitions at both ends, and the
// requests that outlive those who sent them.
#ifndef HELIOSTAT_TEST_SCENE_H_
#define HELIOSTAT_TEST_SCENE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "lane.h"
#include "ledger.h"
#include "resume_search.h"
#include "source_partition.h"
#include "target_partition.h"

namespace heliostat::simulation {

inline constexpr size_t kBrokers = 2;

struct Totals {
    uint64_t steps = 0;
    uint64_t batches = 0;
    uint64_t losses = 0;
    uint64_t resets = 0;
    uint64_t doubled = 0;
    uint64_t wraps = 0;
    uint64_t crashes = 0;
    uint64_t exact = 0;
    uint64_t waits = 0;
    uint64_t unknown = 0;
    uint64_t went_back = 0;
    uint64_t passed_over = 0;
    uint64_t anew = 0;
    uint64_t zombies = 0;
    uint64_t unclean = 0;
    uint64_t two_mirrors = 0;
    uint64_t rebuilt = 0;
    uint64_t trimmed = 0;
    uint64_t refused = 0;
    uint64_t damaged = 0;
    uint64_t deletions = 0;
    uint64_t gaps_skipped = 0;
    uint64_t gap_stops = 0;
    uint64_t diverged = 0;
    uint64_t compacted = 0;
    uint64_t begun_behind = 0;
    uint64_t merged = 0;
    uint64_t taken_apart = 0;
};

// A committed source offset with its metadata.
struct Commit {
    int64_t offset;
    Metadata metadata;
    int32_t epoch = -1;  // of the source's record before the offset
};

// The two partitions of a lane, what is committed for it, and what should be true of it.
struct Track {
    SourcePartition source;
    TargetPartition target;
    Ledger ledger;
    std::optional<Commit> committed;
    // Sent by a mirror that is dead, and not there yet.
    std::optional<Commit> late_commit;
    int leader;        // of the target partition
    int stop_at = -1;  // source batch that cannot pass
    // A lane has stopped because the target lost records: the operator knows, and is to decide.
    bool has_told_loss = false;
    bool has_foreign;  // others write into the target partition too
    // Requests without a sender were under way with batches before this source offset.
    int64_t zombies_until = -1;
};

// A Produce request under way.
struct Request {
    struct Entry {
        size_t track;
        Lane::Outgoing batch;
        int first_piece;
        int pieces;
        TargetPartition::Answer answer;
    };
    size_t broker;
    std::vector<Entry> entries;
};

struct Scene {
    Random random;
    const bool is_traced;
    Totals& totals;
    int64_t now_ms = 1'000'000;
    int64_t wall_ms = 1'700'000'000'000;
    // F16: the mirror's clock against the brokers', by less than the lane's margin.
    int64_t skew_ms = 0;
    int64_t next_producer_id = 4'000;
    int fault_per_cent = 0;
    // Lanes ask the target what has arrived, instead of running at least once.
    bool resumes = true;
    // Lanes go on behind what the source deleted.
    bool skips_gaps = false;
    // Lanes merge so many waiting batches or more; 0: none.
    size_t merges_from = 0;
    // A second mirror works on the same lanes.
    bool has_two_mirrors = false;
    std::deque<Track> tracks;
    // Requests of dead connections that a broker still works off.
    std::deque<Request> zombies;

    // As the mirror sees it.
    Moment Now() const { return {now_ms, wall_ms + skew_ms}; }
    bool HasFault() { return Chance(random, fault_per_cent); }
    void Trace(const char* format, ...) __attribute__((format(printf, 2, 3)));
    // The broker works off a request.
    void Produce(Request& request);
    void CarryZombie();
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_SCENE_H_
