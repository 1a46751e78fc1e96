// What a lane does beside its path through the simulation: without a producer id, and at a
// takeover.

#include "lane.h"

#include "batch_bytes.h"
#include "big_endian.h"
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
        lane.Fetched(Answer(options.position));
    }
    FetchedPartition Answer(int64_t position) const {
        const int64_t end = LoadBigEndian<int64_t>(bytes.data()) + 6;
        return {.high_watermark = end,
                .last_stable_offset = end,
                .log_start = 0,
                .readable_end = end,
                .proves_end = true,
                .walk = WalkBatches({.data = bytes.data(),
                                     .size = bytes.size(),
                                     .position = position,
                                     .log_start = 0,
                                     .high_watermark = end,
                                     .read_committed = false,
                                     .aborted = {},
                                     .target_max_batch_bytes = 1'000'000,
                                     .target_append_time = false,
                                     .can_reseal = lane.options().can_reseal}),
                .owner = nullptr};
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
    const Lane::Outgoing first = lane.Send(kNow);
    CHECK(first.stamp.producer_id == -1 && first.stamp.epoch == -1);
    CHECK(first.stamp.base_sequence == -1 && !lane.CanSend(kNow));
    lane.Unanswered(first.serial, true, kNow);
    const Moment later{.ms = kNow.ms + 60'000, .wall_ms = kNow.wall_ms + 60'000};
    CHECK(lane.CanSend(later));
    const Lane::Outgoing again = lane.Send(kNow);
    CHECK(again.stamp.base_sequence == -1 && lane.counts().maybe_doubled == 1);
    lane.Answered(again.serial, 0, 100, later);
    CHECK(lane.checkpoint() == 13 && lane.CanSend(later));
    lane.Answered(lane.Send(kNow).serial, 0, 103, later);
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

TEST(
    "a batch that is rebuilt keeps its place: later ones wait, and its parts are done one by one") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    CHECK(lane.HasReseal() && !lane.CanSend(kNow));
    const auto task = lane.TakeReseal();
    CHECK(task && task->from_offset == 11 && task->skip == 0);
    CHECK(task->reason == LaneReason::kHeadTrim && !lane.HasReseal() && !lane.CanSend(kNow));
    lane.GiveResealed(task->ticket, 0, {Part(11, 11, 1), Part(12, 12, 1)});
    const Lane::Outgoing first = lane.Send(kNow);
    CHECK(first.stamp.base_sequence == 0);
    lane.Answered(first.serial, 0, 100, kNow);
    CHECK(lane.checkpoint() == 12 && lane.checkpoint_sequence() == 1);
    const Lane::Outgoing second = lane.Send(kNow);
    CHECK(second.stamp.base_sequence == 1);
    lane.Answered(second.serial, 0, 101, kNow);
    CHECK(lane.checkpoint() == 13 && lane.checkpoint_sequence() == 2);
    CHECK(lane.Send(kNow).stamp.base_sequence == 2);
    CHECK(lane.counts().resealed[0] == 2 && lane.counts().shallow == 0);
}

TEST("records that the target has already are cut out of the middle of a batch") {
    Lane::Options options = OptionsAt(10);
    options.can_reseal = true;
    options.producer_id = 7;
    options.producer_epoch = 0;
    options.sequence = 50;
    options.arrived = 4;  // one batch of three, and one record of the next
    options.target_end = 90;
    options.arrived_end = 94;
    Filled filled(options, 10);
    Lane& lane = filled.lane;
    CHECK(lane.checkpoint() == 13 && lane.checkpoint_sequence() == 53);
    // The fourth lies behind the checkpoint: a restart is to find it again.
    CHECK(lane.target_end() == 90);
    const auto task = lane.TakeReseal();
    CHECK(task && task->skip == 1 && task->from_offset == 13);
    lane.GiveResealed(task->ticket, 1, {Part(14, 15, 2)});
    const Lane::Outgoing rest = lane.Send(kNow);
    CHECK(rest.stamp.base_sequence == 54);
    lane.Answered(rest.serial, 0, 100, kNow);
    CHECK(lane.checkpoint() == 16 && lane.checkpoint_sequence() == 56);
}

// A target that loses them later is then seen to end too early, also by a restart.
TEST("what the target has already counts as acknowledged once it was passed over") {
    Lane::Options options = OptionsAt(10);
    options.producer_id = 7;
    options.producer_epoch = 0;
    options.sequence = 50;
    options.arrived = 3;
    options.target_end = 90;
    options.arrived_end = 94;
    options.resumes = true;
    Filled filled(options, 10);
    Lane& lane = filled.lane;
    CHECK(lane.checkpoint() == 13 && lane.checkpoint_sequence() == 53);
    CHECK(lane.target_end() == 94);
    lane.Answered(lane.Send(kNow).serial, 0, 93, kNow);
    CHECK(lane.IsOver() && lane.problem() == LaneReason::kTargetWentBack);
}

TEST(
    "a target that takes no zstd gets the batch rebuilt in its place, and later ones are told so") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    const auto head = lane.TakeReseal();
    CHECK(head && !head->avoids_zstd);
    lane.GiveResealed(head->ticket, 0, {Part(11, 12, 2)});
    const Lane::Outgoing first = lane.Send(kNow);
    lane.Answered(first.serial, 0, 100, kNow);
    lane.AvoidZstd();
    const auto next = lane.TakeReseal();
    CHECK(next && next->avoids_zstd && next->from_offset == 13);
    CHECK(next->reason == LaneReason::kCodecUnsupported && !lane.CanSend(kNow));
    lane.GiveResealed(next->ticket, 0, {Part(13, 15, 3)});
    lane.Answered(lane.Send(kNow).serial, 0, 102, kNow);
    CHECK(lane.checkpoint() == 16 && lane.counts().resealed[6] == 1);
}

TEST(
    "a batch that was rebuilt before it was known that the target takes no zstd is fetched again") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    const auto head = lane.TakeReseal();
    lane.GiveResealed(head->ticket, 0, {Part(11, 12, 2)});
    lane.AvoidZstd();
    CHECK(lane.IsIdle() && lane.position() == 11 && lane.problem() == LaneReason::kNone);
}

// The answer begins behind the records that are to be fetched again: they would be lost.
TEST("an answer to a Fetch from before the lane went back is dropped") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    const auto head = lane.TakeReseal();
    lane.GiveResealed(head->ticket, 0, {Part(11, 12, 2)});
    CHECK(lane.position() == 16);
    lane.FetchSent();
    lane.AvoidZstd();
    CHECK(lane.position() == 11);
    const Bytes batch =
        MakeBatch({.base_offset = 16, .deltas = {0}, .max_timestamp = kNow.wall_ms});
    FetchedPartition late{};
    late.high_watermark = late.last_stable_offset = late.readable_end = 17;
    late.walk.batches.push_back({});
    late.walk.batches.back().data = batch.data();
    late.walk.batches.back().size = static_cast<uint32_t>(batch.size());
    late.walk.batches.back().base_offset = 16;
    late.walk.batches.back().next_offset = 17;
    lane.Fetched(std::move(late));
    CHECK(lane.IsIdle() && lane.position() == 11 && lane.WantsFetch(kNow));
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

// A lane whose position the source refuses until it is told what the log holds.
void RefusePosition(Lane& lane, int64_t from_ms = kNow.ms) {
    constexpr int16_t kOffsetOutOfRange = 1;
    for (Moment now{from_ms, kNow.wall_ms}; !lane.NeedsRange(); now.ms += 60'000) {
        CHECK(lane.WantsFetch(now));
        lane.FetchSent();
        lane.FetchFailed(kOffsetOutOfRange, now);
    }
    CHECK(!lane.WantsFetch(Moment{.ms = INT64_MAX / 2, .wall_ms = 0}));
}

TEST("a lane before the log's start stops there, with the gap") {
    Lane lane(OptionsAt(10));
    RefusePosition(lane);
    lane.SetRange(50, 90, kNow);
    CHECK(lane.IsOver() && lane.problem() == LaneReason::kSourceGap && lane.stop_offset() == 10);
    const auto gap = lane.TakeGap();
    CHECK(gap && gap->from == 10 && gap->to == 50 && !gap->is_skipped && !lane.TakeGap());
    CHECK(lane.counts().lost == 0 && lane.checkpoint() == 10);
}

Lane::Options Skipping(int64_t position, int64_t arrived) {
    Lane::Options options = OptionsAt(position);
    options.skips_gaps = true;
    options.resumes = true;
    options.producer_id = 7;
    options.producer_epoch = 0;
    options.sequence = 40;
    options.arrived = arrived;
    return options;
}

TEST("a gap is skipped under a fresh producer, and what has arrived of it is not lost") {
    Lane lane(Skipping(10, 15));
    RefusePosition(lane);
    lane.SetRange(50, 90, kNow);
    const auto gap = lane.TakeGap();
    CHECK(gap && gap->from == 25 && gap->to == 50 && gap->is_skipped && gap->assumed == 15);
    CHECK(lane.counts().lost == 25 && lane.checkpoint() == 50 && lane.position() == 50);
    CHECK(lane.NeedsProducerId() && !lane.NeedsResume(kNow) && lane.producer_id() == -1);
    const Lane::ProducerReset reset = lane.SetProducer(8, 0);
    CHECK(reset.from == 50 && reset.to == 50 && reset.sequence == 0);
    CHECK(lane.producer_id() == 8 && lane.checkpoint_sequence() == 0);
}

TEST("of records that have arrived those behind a gap are still passed over") {
    Lane lane(Skipping(10, 15));
    RefusePosition(lane);
    lane.SetRange(20, 90, kNow);
    const auto gap = lane.TakeGap();
    CHECK(gap && gap->from == 20 && gap->to == 20 && lane.counts().lost == 0);
    CHECK(lane.SetProducer(8, 0).sequence == 0x7fffffff - 4);
}

TEST("a gap waits until what was fetched before is settled") {
    Lane::Options options = Skipping(10, 0);
    Filled filled(options, 10);
    Lane& lane = filled.lane;
    RefusePosition(lane);
    lane.SetRange(50, 90, kNow);
    CHECK(lane.NeedsRange() && !lane.TakeGap() && lane.CanSend(kNow));
    for (int i = 0; i < 2; i++) lane.Answered(lane.Send(kNow).serial, 0, 100 + 3 * i, kNow);
    lane.SetRange(50, 90, kNow);
    CHECK(lane.TakeGap()->from == 16 && lane.checkpoint() == 50);
}

TEST("a log that parts before the position stops the lane there") {
    Lane lane(OptionsAt(10));
    for (int i = 0; i < 3; i++) {
        lane.FetchSent();
        lane.FetchDiverged(6, kNow);
    }
    CHECK(lane.IsOver() && lane.problem() == LaneReason::kSourceDiverged);
    CHECK(lane.stop_offset() == 6);
    Lane beyond(OptionsAt(10));
    RefusePosition(beyond);
    beyond.SetRange(0, 5, kNow);
    CHECK(beyond.IsOver() && beyond.stop_offset() == 5);
}

TEST("a position within the log is tried again, and given up when its epoch is not known there") {
    for (const int32_t epoch : {-1, 3}) {
        Lane::Options options = OptionsAt(10);
        options.leader_epoch = epoch;
        Lane lane(options);
        RefusePosition(lane);
        lane.SetRange(0, 90, kNow);
        CHECK(!lane.IsOver() && !lane.NeedsRange());
        RefusePosition(lane, kNow.ms + 3'600'000);
        lane.SetRange(0, 90, kNow);
        CHECK(lane.IsOver() == (epoch >= 0));
    }
}

TEST("the epoch of the record before a place travels with it") {
    Lane::Options options = Skipping(10, 0);
    options.leader_epoch = 2;
    Lane lane(options);
    CHECK(lane.position_epoch() == 2 && lane.checkpoint_epoch() == 2);
    Filled filled(options, 10);
    const int32_t epoch = ReadBatchHeader(filled.bytes.data()).leader_epoch;
    CHECK(filled.lane.position_epoch() == epoch && filled.lane.checkpoint_epoch() == 2);
    filled.lane.Answered(filled.lane.Send(kNow).serial, 0, 100, kNow);
    CHECK(filled.lane.checkpoint_epoch() == epoch);
}

constexpr int16_t kInvalidRecord = 87;
constexpr int16_t kMessageTooLarge = 10;
constexpr int16_t kCorruptMessage = 2;

Lane::Options Refusing(int64_t position) {
    Lane::Options options = Skipping(position, 0);
    options.can_reseal = true;
    return options;
}

TEST("a refused batch is rebuilt once, with the same sequence, and those behind it follow") {
    Filled filled(Refusing(10), 10);
    Lane& lane = filled.lane;
    const Lane::Outgoing first = lane.Send(kNow);
    lane.Answered(first.serial, kInvalidRecord, -1, kNow);
    const auto task = lane.TakeReseal();
    CHECK(task && task->reason == LaneReason::kRefused && task->from_offset == 10);
    CHECK(!lane.CanSend(kNow) && !lane.IsOver());
    lane.GiveResealed(task->ticket, 0, {Part(10, 11, 2), Part(12, 12, 1)});
    for (const int32_t sequence : {40, 42, 43}) {
        const Lane::Outgoing batch = lane.Send(kNow);
        CHECK(batch.stamp.base_sequence == sequence);
        lane.Answered(batch.serial, 0, 60 + sequence, kNow);
    }
    CHECK(lane.checkpoint() == 16 && lane.counts().resealed[5] == 2);
}

TEST("a batch that is refused again, or cannot be rebuilt, stops the lane") {
    Filled filled(Refusing(10), 10);
    Lane& lane = filled.lane;
    lane.Answered(lane.Send(kNow).serial, kInvalidRecord, -1, kNow);
    lane.GiveResealed(lane.TakeReseal()->ticket, 0, {Part(10, 12, 3)});
    lane.Answered(lane.Send(kNow).serial, kInvalidRecord, -1, kNow);
    CHECK(lane.IsOver() && lane.problem() == LaneReason::kRefused && lane.stop_offset() == 10);
    Lane::Options options = Refusing(10);
    options.can_reseal = false;
    Filled other(options, 10);
    other.lane.Answered(other.lane.Send(kNow).serial, kInvalidRecord, -1, kNow);
    CHECK(other.lane.IsOver());
}

TEST("a batch that is too large for the target after all is split into an eighth") {
    Filled filled(Refusing(10), 10);
    Lane& lane = filled.lane;
    const Lane::Outgoing batch = lane.Send(kNow);
    lane.Answered(batch.serial, kMessageTooLarge, -1, kNow);
    const auto task = lane.TakeReseal();
    CHECK(task && task->reason == LaneReason::kTooLarge && task->aim_bytes == batch.size / 8);
}

TEST("the rest of a batch that is too large after all is fetched once more, to be cut for less") {
    Filled filled(Rebuilding(), 10);
    Lane& lane = filled.lane;
    lane.GiveResealed(lane.TakeReseal()->ticket, 0, {Part(11, 12, 2)});
    const Lane::Outgoing rest = lane.Send(kNow);
    lane.Answered(rest.serial, kMessageTooLarge, -1, kNow);
    CHECK(!lane.IsOver() && lane.IsIdle() && lane.position() == 11 && lane.WantsFetch(kNow));
    lane.FetchSent();
    lane.Fetched(filled.Answer(11));
    const auto task = lane.TakeReseal();
    CHECK(task && task->from_offset == 11 && task->aim_bytes == rest.size / 8);
    lane.GiveResealed(task->ticket, 0, {Part(11, 12, 2)});
    lane.Answered(lane.Send(kNow).serial, kMessageTooLarge, -1, kNow);
    CHECK(lane.IsOver() && lane.problem() == LaneReason::kTooLarge && lane.stop_offset() == 11);
}

TEST("an end that is told too early is believed after three answers and half a minute") {
    Lane lane(OptionsAt(10));
    const auto fetch = [&](int64_t end, int64_t ms) {
        lane.FetchSent();
        FetchedPartition found{};
        found.high_watermark = found.last_stable_offset = found.readable_end = end;
        found.proves_end = true;
        found.at = {.ms = kNow.ms + ms, .wall_ms = kNow.wall_ms + ms};
        lane.Fetched(std::move(found));
    };
    // Nothing comes although the log goes on.
    for (const int64_t ms : {0, 10, 20, 29'999}) fetch(12, ms);
    CHECK(!lane.has_reached_end());
    fetch(12, 30'000);
    CHECK(lane.has_reached_end());
}

TEST("a damaged batch is fetched once more before the lane stops at it") {
    Filled filled(Refusing(10), 10);
    Lane& lane = filled.lane;
    filled.bytes[70] ^= 1;
    lane.Answered(lane.Send(kNow).serial, kCorruptMessage, -1, kNow);
    CHECK(!lane.IsOver() && lane.IsIdle() && lane.position() == 10 && lane.WantsFetch(kNow));
    // It comes with the same damage.
    lane.FetchSent();
    lane.Fetched(filled.Answer(10));
    const Lane::Outgoing batch = lane.Send(kNow);
    CHECK(batch.stamp.base_sequence == 40);
    lane.Answered(batch.serial, kCorruptMessage, -1, kNow);
    CHECK(lane.IsOver() && lane.problem() == LaneReason::kBadCrc && lane.stop_offset() == 10);
}

TEST("under a fresh producer the first batch flies alone again") {
    Lane::Options options = OptionsAt(10);
    options.producer_id = 7;
    options.producer_epoch = 0;
    Filled filled(options, 10);
    Lane& lane = filled.lane;
    lane.Answered(lane.Send(kNow).serial, 0, 100, kNow);
    constexpr int16_t kOutOfOrderSequence = 45;
    const Lane::Outgoing second = lane.Send(kNow);
    const Bytes third =
        MakeBatch({.base_offset = 16, .deltas = {0, 1, 2}, .max_timestamp = kNow.wall_ms});
    lane.FetchSent();
    lane.Fetched({.high_watermark = 19,
                  .last_stable_offset = 19,
                  .log_start = 0,
                  .readable_end = 19,
                  .proves_end = true,
                  .walk = WalkBatches({.data = third.data(),
                                       .size = third.size(),
                                       .position = 16,
                                       .log_start = 0,
                                       .high_watermark = 19,
                                       .read_committed = false,
                                       .aborted = {},
                                       .target_max_batch_bytes = 1'000'000,
                                       .target_append_time = false,
                                       .can_reseal = false}),
                  .owner = nullptr});
    CHECK(lane.CanSend(kNow));
    lane.Answered(second.serial, kOutOfOrderSequence, -1, kNow);
    CHECK(lane.NeedsProducerId());
    lane.SetProducer(8, 0);
    CHECK(lane.CanSend(kNow) && lane.Send(kNow).stamp.base_sequence == 0 && !lane.CanSend(kNow));
}

}  // namespace heliostat::testing
