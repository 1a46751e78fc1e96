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
                                           .can_reseal = options.can_reseal}),
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

// A lane at 10 whose first batch [10, 13) waits to be rebuilt.
Lane::Options Rebuilding() {
    Lane::Options options = OptionsAt(11);
    options.can_reseal = true;
    options.producer_id = 7;
    options.producer_epoch = 0;
    return options;
}

Lane::Resealed Part(int64_t first, int64_t last, int32_t records) {
    static const Bytes bytes = MakeBatch({.base_offset = 0, .deltas = {0}});
    return {.data = bytes.data(),
            .size = static_cast<uint32_t>(bytes.size()),
            .record_count = records,
            .first_offset = first,
            .last_offset = last,
            .max_timestamp = kNow.wall_ms,
            .owner = nullptr};
}

TEST("a batch that is rebuilt keeps its place: later ones wait, and the checkpoint is its end") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    CHECK(lane.HasReseal() && !lane.CanSend(kNow));
    const auto task = lane.TakeReseal();
    CHECK(task && task->from_offset == 11 && task->skip == 0);
    CHECK(task->reason == LaneReason::kHeadTrim && !lane.HasReseal() && !lane.CanSend(kNow));
    lane.GiveResealed(task->ticket, 0, {Part(11, 11, 1), Part(12, 12, 1)});
    const Lane::Outgoing first = lane.Send();
    CHECK(first.stamp.base_sequence == 0);
    lane.Answered(first.serial, 0, 100, kNow);
    CHECK(lane.checkpoint() == 11 && lane.checkpoint_sequence() == 0);
    const Lane::Outgoing second = lane.Send();
    CHECK(second.stamp.base_sequence == 1);
    lane.Answered(second.serial, 0, 101, kNow);
    CHECK(lane.checkpoint() == 13 && lane.checkpoint_sequence() == 2);
    CHECK(lane.Send().stamp.base_sequence == 2);
    CHECK(lane.counts().resealed[0] == 2 && lane.counts().shallow == 0);
}

TEST("records that the target has already are cut out of the middle of a batch") {
    Lane::Options options = OptionsAt(10);
    options.can_reseal = true;
    options.producer_id = 7;
    options.producer_epoch = 0;
    options.sequence = 50;
    options.arrived = 4;  // one batch of three, and one record of the next
    Filled filled(options, 10);
    Lane& lane = filled.lane;
    CHECK(lane.checkpoint() == 13 && lane.checkpoint_sequence() == 53);
    const auto task = lane.TakeReseal();
    CHECK(task && task->skip == 1 && task->from_offset == 13);
    lane.GiveResealed(task->ticket, 1, {Part(14, 15, 2)});
    const Lane::Outgoing rest = lane.Send();
    CHECK(rest.stamp.base_sequence == 54);
    lane.Answered(rest.serial, 0, 100, kNow);
    CHECK(lane.checkpoint() == 16 && lane.checkpoint_sequence() == 56);
}

TEST("a batch that cannot be rebuilt stops the lane there, and nothing later is sent") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    const auto task = lane.TakeReseal();
    lane.FailReseal(task->ticket, LaneReason::kBadCrc);
    CHECK(lane.IsOver() && lane.problem() == LaneReason::kBadCrc && lane.stop_offset() == 11);
    CHECK(lane.checkpoint() == 11 && !lane.CanSend(kNow));
    lane.GiveResealed(task->ticket, 0, {Part(11, 12, 2)});
    CHECK(lane.IsIdle());
}

TEST("a batch that turns out to hold nothing moves the checkpoint past it") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    lane.GiveResealed(lane.TakeReseal()->ticket, 0, {});
    CHECK(lane.checkpoint() == 13 && lane.CanSend(kNow));
}

}  // namespace heliostat::testing
