// What a lane does beside its path through the simulation: without a producer id, and at a
// takeover.

#include "lane.h"

#include "batch_bytes.h"
#include "check.h"

namespace heliostat::testing {
namespace {

constexpr Moment kNow{.ms = 1'000, .wall_ms = 1'700'000'000'000};

// A lane that holds two batches of three records from offset `base` on.
struct Filled {
    Bytes bytes;
    Lane lane;

    Filled(const Lane::Options& options, int64_t base) : lane(options) {
        for (const int64_t offset : {base, base + 3}) {
            const Bytes batch = MakeBatch(
                {.base_offset = offset, .deltas = {0, 1, 2}, .max_timestamp = kNow.wall_ms});
            bytes.insert(bytes.end(), batch.begin(), batch.end());
        }
        lane.FetchSent();
        lane.Fetched({.high_watermark = base + 6,
                      .last_stable_offset = base + 6,
                      .log_start = 0,
                      .readable_end = base + 6,
                      .proves_end = true,
                      .walk = WalkBatches({.data = bytes.data(),
                                           .size = bytes.size(),
                                           .position = options.position,
                                           .log_start = 0,
                                           .high_watermark = base + 6,
                                           .read_committed = false,
                                           .aborted = {},
                                           .target_max_batch_bytes = 1'000'000,
                                           .target_append_time = false,
                                           .repeats_head = options.repeats_head}),
                      .owner = nullptr});
    }
};

Lane::Options OptionsAt(int64_t position) {
    return {.position = position,
            .max_in_flight = 5,
            .room_bytes = 1'000'000,
            .target_max_batch_bytes = 1'000'000,
            .target_append_time = false,
            .producer_id = -1,
            .producer_epoch = -1};
}

}  // namespace

TEST(
    "without idempotence batches fly alone, unnumbered, and one sent again counts as maybe "
    "double") {
    Lane::Options options = OptionsAt(10);
    options.is_idempotent = false;
    Filled filled(options, 10);
    Lane& lane = filled.lane;
    CHECK(!lane.NeedsProducerId() && lane.CanSend(kNow));
    const Lane::Outgoing first = lane.Send();
    CHECK(first.stamp.producer_id == -1 && first.stamp.epoch == -1);
    CHECK(first.stamp.base_sequence == -1 && !lane.CanSend(kNow));
    lane.Unanswered(first.serial, true, kNow);
    const Moment later{.ms = kNow.ms + 60'000, .wall_ms = kNow.wall_ms + 60'000};
    CHECK(lane.CanSend(later));
    const Lane::Outgoing again = lane.Send();
    CHECK(again.stamp.base_sequence == -1 && lane.counts().maybe_doubled == 1);
    lane.Answered(again.serial, 0, 100, later);
    CHECK(lane.checkpoint() == 13 && lane.CanSend(later));
    lane.Answered(lane.Send().serial, 0, 103, later);
    CHECK(lane.checkpoint() == 16 && lane.checkpoint_sequence() == 0);
}

TEST("a lane taken over inside a batch sends it whole once, and says which records that repeats") {
    Lane::Options options = OptionsAt(11);
    options.repeats_head = true;
    options.producer_id = 7;
    options.producer_epoch = 0;
    Filled filled(options, 10);
    Lane& lane = filled.lane;
    CHECK(lane.TakeRepeatedHead() == 10 && !lane.TakeRepeatedHead());
    CHECK(lane.checkpoint() == 11 && lane.counts().maybe_doubled == 1);
    const Lane::Outgoing first = lane.Send();
    CHECK(first.stamp.producer_id == 7 && first.stamp.base_sequence == 0);
    lane.Answered(first.serial, 0, 100, kNow);
    CHECK(lane.checkpoint() == 13 && lane.counts().records == 3);
}

}  // namespace heliostat::testing
