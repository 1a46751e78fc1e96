// Walks the batches of one partition in a Fetch answer and decides each one's path from its header.
// Pure: bytes in, facts out. The bytes are a broker's and are not trusted.
#ifndef HELIOSTAT_BATCH_WALK_H_
#define HELIOSTAT_BATCH_WALK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lane_reason.h"

namespace heliostat {

enum class BatchPath : uint8_t { kShallow, kReseal, kControl, kAborted, kEmpty };

struct FoundBatch {
    BatchPath path;
    const uint8_t* data;
    uint32_t size;
    int32_t record_count;  // -1 when only decoding tells it
    int64_t base_offset;
    int64_t next_offset;
    int64_t max_timestamp;
    // Of the leader that took the batch; -1 not known, as in formats before 2.
    int32_t leader_epoch;
    // On the path kReseal: why it cannot pass unchanged, and the first source offset that is
    // wanted.
    LaneReason reason = LaneReason::kNone;
    int64_t from_offset = 0;
};

struct AbortedTransaction {
    int64_t producer_id;
    int64_t first_offset;
};

// So that adding a batch's deltas to an offset cannot overflow.
inline constexpr int64_t kMostOffset = INT64_MAX - 2 * int64_t{INT32_MAX};

struct WalkTask {
    const uint8_t* data;
    size_t size;
    // First source offset that is still wanted.
    int64_t position;
    int64_t log_start;
    int64_t high_watermark;
    bool read_committed;
    // In any order; sorted by the walk.
    std::vector<AbortedTransaction> aborted;
    uint32_t target_max_batch_bytes;
    bool target_append_time;
    // What cannot pass unchanged is found as kReseal instead of stopping the walk.
    bool can_reseal = false;
    // So is what could: kHandler, every batch; kForced, those that have another codec.
    LaneReason opens = LaneReason::kNone;
    int forced_codec = 0;
};

// What cannot pass: everything before `offset` was walked, nothing at or after it is passed on.
struct WalkStop {
    LaneReason reason;
    int64_t offset;
};

struct Walk {
    // In source order; all lie at or after the position.
    std::vector<FoundBatch> batches;
    std::optional<WalkStop> stop;
    // Bytes before the position, or of a batch cut off at the end.
    size_t discarded_bytes = 0;
};

Walk WalkBatches(WalkTask task);

}  // namespace heliostat

#endif  // HELIOSTAT_BATCH_WALK_H_
