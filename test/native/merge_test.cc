// Which batches of a lane are merged, when, and what becomes of them.

#include <functional>

#include "batch_bytes.h"
#include "big_endian.h"
#include "check.h"
#include "lane.h"

namespace heliostat::testing {
namespace {

constexpr Moment kStart{.ms = 1'000, .wall_ms = 1'700'000'000'000};
constexpr int16_t kInvalidRecord = 87;

Moment After(int64_t ms) { return {.ms = kStart.ms + ms, .wall_ms = kStart.wall_ms + ms}; }

Lane::Options MergingOptions() {
    return {.position = 10,
            .max_in_flight = 2,
            .can_reseal = true,
            .merges_from = 4,
            .far_answers = 1,
            .room_bytes = 10'000'000,
            .target_max_batch_bytes = 1'000'000,
            .target_append_time = false,
            .producer_id = 7,
            .producer_epoch = 0,
            .sequence = 40,
            .resumes = true};
}

// A lane with batches of one record from offset 10 on. The first was answered after some time, the
// window is full behind it, and the others wait.
struct Waiting {
    Bytes bytes;
    Lane lane;
    std::vector<Lane::Outgoing> window;
    bool has_merged = false;

    explicit Waiting(
        int batches, int64_t round_trip_ms = 20,
        const std::function<void(int, BatchSpec&)>& shape = [](int, BatchSpec&) {},
        const Lane::Options& options = MergingOptions())
        : lane(options) {
        int64_t offset = options.position;
        for (int i = 0; i < batches; i++) {
            BatchSpec spec{.base_offset = offset, .max_timestamp = kStart.wall_ms + i};
            shape(i, spec);
            Append(bytes, MakeBatch(spec));
            offset += static_cast<int64_t>(spec.deltas.size());
        }
        lane.FetchSent();
        lane.Fetched({.high_watermark = offset,
                      .last_stable_offset = offset,
                      .log_start = 0,
                      .readable_end = offset,
                      .proves_end = true,
                      .walk = WalkBatches({.data = bytes.data(),
                                           .size = bytes.size(),
                                           .position = options.position,
                                           .log_start = 0,
                                           .high_watermark = offset,
                                           .read_committed = false,
                                           .aborted = {},
                                           .target_max_batch_bytes = options.target_max_batch_bytes,
                                           .target_append_time = false,
                                           .can_reseal = true}),
                      .owner = nullptr,
                      .at = kStart});
        const Lane::Outgoing first = lane.Send(kStart);
        lane.Answered(first.serial, 0, 100, After(round_trip_ms));
        while (lane.CanSend(After(round_trip_ms))) {
            window.push_back(lane.Send(After(round_trip_ms)));
            has_merged = lane.Merge(After(round_trip_ms)) || has_merged;
        }
    }

    void AnswerWindow() {
        for (const Lane::Outgoing& batch : window)
            lane.Answered(batch.serial, 0, 100 + batch.stamp.base_sequence - 40, After(40));
    }
};

Lane::Resealed Merged(const Lane::ToReseal& task, int32_t records) {
    return {.data = task.data,
            .size = task.size / 2,
            .record_count = records,
            .first_offset = task.from_offset,
            .last_offset = task.from_offset + records - 1,
            .max_timestamp = kStart.wall_ms,
            .owner = task.owner};
}

}  // namespace

TEST("batches that wait behind a full window become one, with the sequences of all") {
    Waiting waiting(9);
    Lane& lane = waiting.lane;
    CHECK(waiting.has_merged && waiting.window.size() == 2);
    const auto task = lane.TakeReseal();
    CHECK(task && task->reason == LaneReason::kTinyBatches && task->from_offset == 13);
    // The six that wait, as they lie in the log.
    const size_t size = waiting.bytes.size() / 9 * 6;
    CHECK(task->size == size &&
          Bytes(task->data, task->data + size) ==
              Bytes(waiting.bytes.end() - static_cast<ptrdiff_t>(size), waiting.bytes.end()));
    CHECK(!lane.HasReseal());
    waiting.AnswerWindow();
    CHECK(lane.checkpoint() == 13 && !lane.CanSend(After(40)));
    lane.GiveResealed(task->ticket, 0, {Merged(*task, 6)});
    const Lane::Outgoing merged = lane.Send(After(40));
    CHECK(merged.stamp.base_sequence == 43);
    lane.Answered(merged.serial, 0, 103, After(60));
    CHECK(lane.checkpoint() == 19 && lane.checkpoint_sequence() == 49 && lane.IsIdle());
    CHECK(lane.counts().merged == 6 && lane.counts().shallow == 3 && lane.counts().records == 9);
    CHECK(lane.last_target() == 108);
}

TEST("near targets, few batches, room in the window or nobody to do it: nothing is merged") {
    CHECK(!Waiting(9, 9).has_merged);
    CHECK(!Waiting(6).has_merged);
    Lane::Options options = MergingOptions();
    options.max_in_flight = 5;
    CHECK(!Waiting(6, 20, [](int, BatchSpec&) {}, options).has_merged);
    options = MergingOptions();
    options.can_reseal = false;
    CHECK(!Waiting(9, 20, [](int, BatchSpec&) {}, options).has_merged);
    options = MergingOptions();
    options.far_answers = 2;
    CHECK(!Waiting(9, 20, [](int, BatchSpec&) {}, options).has_merged);
    options = MergingOptions();
    options.merges_from = 0;
    CHECK(!Waiting(9, 20, [](int, BatchSpec&) {}, options).has_merged);
}

TEST("behind an old batch, where one flies alone, the others are merged at once") {
    constexpr int64_t kTwoDaysMs = 172'800'000;
    Waiting waiting(9, 20, [](int i, BatchSpec& spec) {
        spec.max_timestamp = kStart.wall_ms - kTwoDaysMs + i;
    });
    CHECK(waiting.window.size() == 1 && waiting.has_merged);
    CHECK(waiting.lane.TakeReseal()->from_offset == 12);
}

TEST("large batches, other codecs and the target's limit part what is merged") {
    const auto sizes = [](Waiting& waiting) {
        std::vector<int64_t> from;
        while (const auto task = waiting.lane.TakeReseal()) from.push_back(task->from_offset);
        return from;
    };
    Waiting large(12, 20, [](int i, BatchSpec& spec) { spec.padding = i == 7 ? 5'000 : 0; });
    CHECK(sizes(large) == (std::vector<int64_t>{13, 18}));
    Waiting codecs(12, 20, [](int i, BatchSpec& spec) {
        spec.attributes = i < 8 ? 0 : 3;
        if (i >= 8) spec.payload = "lz4";
    });
    CHECK(sizes(codecs) == (std::vector<int64_t>{13, 18}));
    Lane::Options options = MergingOptions();
    options.target_max_batch_bytes = static_cast<uint32_t>(MakeBatch({}).size()) * 5;
    Waiting limited(14, 20, [](int, BatchSpec&) {}, options);
    CHECK(sizes(limited) == (std::vector<int64_t>{13, 18}));
    // Headers may claim what only decoding would refute.
    Waiting many(12, 20, [](int i, BatchSpec& spec) {
        spec.attributes = 3;
        spec.payload = "lz4";
        if (i != 7) return;
        spec.record_count = 0x7fffffff;
        spec.last_offset_delta = 0x7ffffffe;
    });
    CHECK(sizes(many) == (std::vector<int64_t>{13}));
}

TEST("what cannot be merged stands alone again, and stays so") {
    for (const bool has_failed : {true, false}) {
        Waiting waiting(9);
        Lane& lane = waiting.lane;
        const auto task = lane.TakeReseal();
        const uint64_t queued = lane.queued_bytes();
        if (has_failed) {
            lane.FailReseal(task->ticket, LaneReason::kWorkerFailed);
        } else {
            lane.GiveResealed(task->ticket, 0, {Merged(*task, 3), Merged(*task, 3)});
        }
        CHECK(lane.queued_bytes() == queued && !lane.Merge(After(30)) && !lane.IsOver());
        waiting.AnswerWindow();
        for (int32_t sequence = 43; sequence < 49; sequence++) {
            const Lane::Outgoing batch = lane.Send(After(40));
            CHECK(batch.stamp.base_sequence == sequence && !lane.Merge(After(40)));
            lane.Answered(batch.serial, 0, 60 + sequence, After(60));
        }
        CHECK(lane.checkpoint() == 19 && lane.counts().shallow == 9 && lane.counts().merged == 0);
    }
}

TEST("a merged batch that the target refuses is taken apart, and its parts have its sequences") {
    Waiting waiting(9);
    Lane& lane = waiting.lane;
    const auto task = lane.TakeReseal();
    lane.GiveResealed(task->ticket, 0, {Merged(*task, 6)});
    waiting.AnswerWindow();
    lane.Answered(lane.Send(After(40)).serial, kInvalidRecord, -1, After(60));
    CHECK(!lane.IsOver() && lane.CanSend(After(60)));
    for (int32_t sequence = 43; sequence < 46; sequence++) {
        const Lane::Outgoing batch = lane.Send(After(60));
        CHECK(batch.stamp.base_sequence == sequence);
        lane.Answered(batch.serial, 0, 60 + sequence, After(80));
    }
    // The one that is to blame is rebuilt for itself.
    lane.Answered(lane.Send(After(80)).serial, kInvalidRecord, -1, After(99));
    const auto alone = lane.TakeReseal();
    CHECK(alone && alone->reason == LaneReason::kRefused && alone->from_offset == 16);
}

}  // namespace heliostat::testing
