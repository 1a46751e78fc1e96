// Which batches of a Fetch answer pass, which are skipped, and what stops a lane.

#include "batch_walk.h"

#include <string>

#include "batch_bytes.h"
#include "check.h"

namespace heliostat::testing {
namespace {

constexpr int16_t kAppendTime = 0x08, kTransactional = 0x10, kControl = 0x20, kDeleteHorizon = 0x40;

Bytes Join(std::initializer_list<Bytes> batches) {
    Bytes all;
    for (const Bytes& batch : batches) Append(all, batch);
    return all;
}

WalkTask TaskFor(const Bytes& bytes, int64_t position) {
    return {.data = bytes.data(),
            .size = bytes.size(),
            .position = position,
            .log_start = 0,
            .high_watermark = 1'000'000,
            .read_committed = true,
            .aborted = {},
            .target_max_batch_bytes = 1 << 20,
            .target_append_time = false};
}

Walk WalkFrom(const Bytes& bytes, int64_t position) {
    return WalkBatches(TaskFor(bytes, position));
}

// One letter per batch found: shallow, control, aborted, empty; the stop's reason behind them.
std::string PathsOf(const Walk& walk) {
    std::string paths;
    for (const FoundBatch& batch : walk.batches) paths += "srcae"[static_cast<int>(batch.path)];
    if (walk.stop) paths += std::string("!") + NameOf(walk.stop->reason);
    return paths;
}

// Three records at an offset, ready to pass.
Bytes Plain(int64_t base_offset) {
    return MakeBatch({.base_offset = base_offset, .deltas = {0, 1, 2}});
}

Bytes Marker(int64_t offset, int64_t producer_id, int type) {
    return MakeBatch({.base_offset = offset,
                      .attributes = kTransactional | kControl,
                      .producer_id = producer_id,
                      .marker = type});
}

Bytes InTransaction(int64_t offset, int64_t producer_id) {
    return MakeBatch(
        {.base_offset = offset, .attributes = kTransactional, .producer_id = producer_id});
}

std::string PathOfOne(const BatchSpec& spec, int64_t position = 0) {
    return PathsOf(WalkFrom(MakeBatch(spec), position));
}

}  // namespace

TEST("batches that can pass are found in order, with their facts") {
    const Bytes bytes = Join({Plain(10), Plain(13), Plain(20)});
    const Walk walk = WalkFrom(bytes, 10);
    CHECK(PathsOf(walk) == "sss");
    CHECK(walk.batches[1].base_offset == 13 && walk.batches[1].next_offset == 16);
    CHECK(walk.batches[2].record_count == 3 && walk.batches[2].max_timestamp == 1'000);
    CHECK(walk.batches[1].data == bytes.data() + walk.batches[0].size);
    CHECK(walk.discarded_bytes == 0);
}

TEST("an answer without batches is no stop") { CHECK(PathsOf(WalkFrom({}, 5)).empty()); }

TEST("a tail that is cut off anywhere is dropped and counted") {
    const Bytes whole = Plain(10);
    const Bytes next = Plain(13);
    for (size_t cut = 1; cut < next.size(); cut++) {
        Bytes bytes = whole;
        bytes.insert(bytes.end(), next.begin(), next.begin() + static_cast<ptrdiff_t>(cut));
        const Walk walk = WalkFrom(bytes, 10);
        CHECK(PathsOf(walk) == "s");
        CHECK(walk.discarded_bytes == cut);
    }
}

TEST("a first batch never comes cut: its length lies") {
    const Bytes whole = Plain(10);
    for (size_t cut = 1; cut < whole.size(); cut++) {
        const Walk walk =
            WalkFrom(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut)), 10);
        CHECK(PathsOf(walk) == "!malformed");
        CHECK(walk.stop && walk.stop->offset == 10);
    }
}

TEST("what lies below the position is dropped and counted") {
    const Bytes below = Plain(10);
    const Walk walk = WalkFrom(Join({below, Plain(13)}), 13);
    CHECK(PathsOf(walk) == "s");
    CHECK(walk.batches[0].base_offset == 13 && walk.discarded_bytes == below.size());
}

TEST("a position inside a batch stops at the batch, with the position as its offset") {
    const Walk walk = WalkFrom(Join({Plain(10), Plain(13)}), 11);
    CHECK(PathsOf(walk) == "!head-trim");
    CHECK(walk.stop && walk.stop->offset == 11);
}

TEST("what cannot pass unchanged is found for rebuilding where somebody rebuilds") {
    const Bytes cut = Plain(10);
    const Bytes holed = MakeBatch({.base_offset = 13, .deltas = {0, 2}});
    const Bytes bytes = Join({cut, holed, Plain(16)});
    WalkTask task = TaskFor(bytes, 11);
    task.can_reseal = true;
    const Walk walk = WalkBatches(task);
    CHECK(!walk.stop && walk.batches.size() == 3);
    CHECK(walk.batches[0].path == BatchPath::kReseal);
    CHECK(walk.batches[0].reason == LaneReason::kHeadTrim && walk.batches[0].from_offset == 11);
    CHECK(walk.batches[0].record_count == -1 && walk.batches[0].base_offset == 11);
    CHECK(walk.batches[1].reason == LaneReason::kHoles && walk.batches[1].record_count == 2);
    CHECK(walk.batches[2].path == BatchPath::kShallow);
}

TEST(
    "messages of old formats that lie together are found as one, and a damaged one stops the "
    "walk") {
    Bytes bytes;
    for (const int64_t offset : {20, 21, 25}) {
        Bytes message(12 + 14 + 4, 0);
        StoreBigEndian<int64_t>(message.data(), offset);
        StoreBigEndian<int32_t>(message.data() + 8, 14 + 4);
        message[16] = 1;
        bytes.insert(bytes.end(), message.begin(), message.end());
    }
    WalkTask task = TaskFor(bytes, 21);
    CHECK(PathsOf(WalkBatches(task)) == "!old-format");
    task.can_reseal = true;
    const Walk walk = WalkBatches(task);
    CHECK(!walk.stop && walk.batches.size() == 1);
    CHECK(walk.batches[0].size == bytes.size() && walk.batches[0].next_offset == 26);
    CHECK(walk.batches[0].from_offset == 21 && walk.batches[0].base_offset == 21);
    // A length that cannot be.
    StoreBigEndian<int32_t>(bytes.data() + 8, 3);
    CHECK(PathsOf(WalkBatches(task)) == "!malformed");
}

TEST("deleted records at the head of the first batch do not come back") {
    const Bytes bytes = Plain(10);
    WalkTask task = TaskFor(bytes, 10);
    task.log_start = 11;
    CHECK(PathsOf(WalkBatches(task)) == "!head-trim");
}

TEST("old formats stop the lane at what was reached") {
    for (const int8_t magic : {0, 1}) {
        const Walk walk =
            WalkFrom(Join({Plain(10), MakeBatch({.base_offset = 13, .magic = magic})}), 10);
        CHECK(PathsOf(walk) == "s!old-format");
        CHECK(walk.stop && walk.stop->offset == 13);
    }
}

TEST("an unknown magic is malformed") {
    for (const int magic : {-1, 3, 127})
        CHECK(PathOfOne({.magic = static_cast<int8_t>(magic)}) == "!malformed");
}

TEST("lengths that cannot be are malformed") {
    for (const int32_t length : {INT32_MIN, -1, 0, 48, 1'000, INT32_MAX}) {
        Bytes bytes = Plain(10);
        StoreBigEndian<int32_t>(bytes.data() + 8, length);
        CHECK(PathsOf(WalkFrom(bytes, 10)) == "!malformed");
    }
}

TEST("counts and deltas that cannot be are malformed or holes, never passed") {
    const auto with = [](size_t at, int32_t value) {
        Bytes bytes = Plain(10);
        StoreBigEndian<int32_t>(bytes.data() + at, value);
        return PathsOf(WalkFrom(bytes, 10));
    };
    CHECK(with(57, -1) == "!malformed");
    CHECK(with(57, INT32_MIN) == "!malformed");
    CHECK(with(23, -1) == "!malformed");
    CHECK(with(23, INT32_MIN) == "!malformed");
    CHECK(with(57, INT32_MAX) == "!holes");
    CHECK(with(57, 2) == "!holes" && with(57, 4) == "!holes");
    CHECK(with(23, 1) == "!holes" && with(23, 3) == "!holes");
    const std::string huge = with(23, INT32_MAX);
    CHECK(huge == "!holes" || huge == "!malformed");
}

TEST("offsets that jump back, are negative or cannot be are malformed") {
    CHECK(PathsOf(WalkFrom(Join({Plain(10), Plain(12)}), 10)) == "s!malformed");
    CHECK(PathsOf(WalkFrom(Join({Plain(10), Plain(10)}), 10)) == "s!malformed");
    CHECK(PathOfOne({.base_offset = -1}) == "!malformed");
    CHECK(PathOfOne({.base_offset = INT64_MIN}) == "!malformed");
    CHECK(PathOfOne({.base_offset = INT64_MAX}) == "!malformed");
    CHECK(PathOfOne({.base_offset = INT64_MAX - INT32_MAX}) == "!malformed");
    CHECK(PathOfOne({.base_offset = int64_t{1} << 40}) == "!malformed");
}

TEST("codecs 5 to 7 are malformed, 0 to 4 pass") {
    for (int16_t codec = 1; codec <= 4; codec++)
        CHECK(PathOfOne({.attributes = codec, .payload = "block"}) == "s");
    for (int16_t codec = 5; codec <= 7; codec++)
        CHECK(PathOfOne({.attributes = codec, .payload = "block"}) == "!malformed");
}

TEST("markers are skipped, under either isolation") {
    const Bytes bytes = Join({Marker(10, 1, 0), Marker(11, 1, 1), Plain(12)});
    CHECK(PathsOf(WalkFrom(bytes, 10)) == "ccs");
    WalkTask task = TaskFor(bytes, 10);
    task.read_committed = false;
    CHECK(PathsOf(WalkBatches(task)) == "ccs");
}

TEST("an empty batch is skipped but moves the offset") {
    const Walk walk = WalkFrom(
        Join({MakeBatch(
                  {.base_offset = 10, .deltas = {}, .last_offset_delta = 4, .record_count = 0}),
              Plain(15)}),
        10);
    CHECK(PathsOf(walk) == "es");
    CHECK(walk.batches[0].next_offset == 15);
}

TEST("aborted batches are skipped from the first offset to the abort marker") {
    const Bytes bytes = Join({InTransaction(10, 1), InTransaction(11, 2), Marker(12, 1, 0),
                              InTransaction(13, 1), Marker(14, 2, 1), Plain(15)});
    WalkTask task = TaskFor(bytes, 10);
    task.aborted = {{1, 10}};
    CHECK(PathsOf(WalkBatches(task)) == "ascscs");
    task.read_committed = false;
    CHECK(PathsOf(WalkBatches(task)) == "sscscs");
}

TEST("batches of an aborting producer before its transaction or outside of one pass") {
    const Bytes bytes =
        Join({InTransaction(10, 1), MakeBatch({.base_offset = 11, .producer_id = 1}),
              InTransaction(12, 1), Marker(13, 1, 0)});
    WalkTask task = TaskFor(bytes, 10);
    task.aborted = {{1, 12}};
    CHECK(PathsOf(WalkBatches(task)) == "ssac");
}

TEST("the aborted list may come in any order and name strangers") {
    const Bytes bytes = Join({InTransaction(10, 1), Marker(11, 1, 0), InTransaction(12, 2),
                              InTransaction(13, 1), Marker(14, 1, 0), Marker(15, 2, 0), Plain(16)});
    WalkTask task = TaskFor(bytes, 10);
    task.aborted = {{1, 13}, {9, INT64_MIN}, {2, 12}, {7, INT64_MAX}, {1, 10}, {1, 13}};
    CHECK(PathsOf(WalkBatches(task)) == "acaaccs");
}

TEST("a repeated abort marker closes nothing twice") {
    const Bytes bytes = Join({InTransaction(10, 1), Marker(11, 1, 0), Marker(12, 1, 0),
                              InTransaction(13, 1), Plain(14)});
    WalkTask task = TaskFor(bytes, 10);
    task.aborted = {{1, 10}};
    CHECK(PathsOf(WalkBatches(task)) == "accss");
}

TEST("a transaction that began below the position is still aborted at it") {
    const Bytes bytes = Join({InTransaction(10, 1), InTransaction(11, 1), Marker(12, 1, 0)});
    WalkTask task = TaskFor(bytes, 11);
    task.aborted = {{1, 3}};
    CHECK(PathsOf(WalkBatches(task)) == "ac");
}

TEST("holes stop the lane, whichever way the count is wrong") {
    CHECK(PathOfOne({.deltas = {0, 2}}) == "!holes");
    CHECK(PathOfOne({.last_offset_delta = 3, .record_count = 2, .attributes = 1, .payload = "z"}) ==
          "!holes");
}

TEST("uncompressed records whose deltas lie under a dense header are holes") {
    const auto lying = [](std::vector<int32_t> deltas) {
        const auto last = static_cast<int32_t>(deltas.size()) - 1;
        return PathOfOne({.deltas = std::move(deltas), .last_offset_delta = last});
    };
    CHECK(lying({0, 1, 2}) == "s");
    CHECK(lying({0, 2, 3}) == "!holes");
    CHECK(lying({1, 2, 3}) == "!holes");
    CHECK(lying({0, 0, 2}) == "!holes");
    CHECK(lying({0, 2, 1}) == "!holes");
    CHECK(lying({0, -1, 2}) == "!holes");
}

TEST("uncompressed records that do not fill their batch exactly are holes") {
    for (const int change : {-1, 1}) {
        Bytes batch = Plain(10);
        batch.resize(batch.size() + static_cast<size_t>(change));
        StoreBigEndian<int32_t>(batch.data() + 8, static_cast<int32_t>(batch.size()) - 12);
        CHECK(PathsOf(WalkFrom(batch, 10)) == "!holes");
    }
    Bytes batch = Plain(10);
    batch[61] = 0xff;  // a length that goes on and on
    CHECK(PathsOf(WalkFrom(batch, 10)) == "!holes");
}

TEST("compressed records are not looked into") {
    CHECK(PathOfOne({.deltas = {0, 1}, .attributes = 4, .payload = "no block at all"}) == "s");
}

TEST("a delete horizon passes") { CHECK(PathOfOne({.attributes = kDeleteHorizon}) == "s"); }

TEST("append times pass only to a topic that has its own") {
    const Bytes bytes = MakeBatch({.attributes = kAppendTime});
    WalkTask task = TaskFor(bytes, 0);
    CHECK(PathsOf(WalkBatches(task)) == "!append-time");
    task.target_append_time = true;
    CHECK(PathsOf(WalkBatches(task)) == "s");
}

TEST("a batch larger than the target takes stops the lane at its offset") {
    const Bytes large = MakeBatch({.base_offset = 13, .padding = 100});
    const Bytes bytes = Join({Plain(10), large});
    WalkTask task = TaskFor(bytes, 10);
    task.target_max_batch_bytes = static_cast<uint32_t>(large.size());
    CHECK(PathsOf(WalkBatches(task)) == "ss");
    task.target_max_batch_bytes--;
    const Walk walk = WalkBatches(task);
    CHECK(PathsOf(walk) == "s!too-large");
    CHECK(walk.stop && walk.stop->offset == 13);
}

TEST(
    "one flipped bit never makes a batch pass under other facts than its own unnoticed by the "
    "CRC") {
    Random random(4);
    const Bytes clean = Join({Plain(10), Plain(13)});
    for (int i = 0; i < 20'000; i++) {
        Bytes bytes = clean;
        // Bytes 0 to 20 are outside the CRC and judged by plausibility alone: tests above.
        const auto half = static_cast<int64_t>(clean.size() / 2);
        const auto at =
            static_cast<size_t>(Between(random, 21, half - 1) + (random() % 2 ? half : 0));
        bytes[at] ^= static_cast<uint8_t>(1 << Between(random, 0, 7));
        for (const FoundBatch& batch : WalkFrom(bytes, 10).batches) {
            const bool is_hit =
                bytes.data() + at >= batch.data && bytes.data() + at < batch.data + batch.size;
            const bool is_checked_later =
                batch.path == BatchPath::kShallow || batch.path == BatchPath::kReseal;
            CHECK(!is_hit || (is_checked_later && !IsCrcRight(batch.data, batch.size)));
        }
    }
}

}  // namespace heliostat::testing
