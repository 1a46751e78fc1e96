#include "batch_walk.h"

#include <algorithm>
#include <unordered_set>

#include "batch_header.h"
#include "big_endian.h"
#include "cursor.h"

namespace heliostat {
namespace {

constexpr int8_t kMagic = 2;
constexpr int kMostCodecs = 4;
constexpr int64_t kMostRacedRecords = INT32_MAX;
constexpr int16_t kAbortMarker = 0;
// Up to the magic byte, which lies at the same place in every format.
constexpr size_t kOldHeaderSize = 17;
// crc, magic, attributes, and the lengths of a null key and value.
constexpr int32_t kLeastOldLength = 14;
// Old messages are rebuilt into batches of about this size.
constexpr size_t kMostOldRun = 256 * 1024;

// The producers whose open transaction is known to end in an abort, at the offset the walk has
// reached.
class AbortedProducers {
   public:
    explicit AbortedProducers(std::vector<AbortedTransaction> transactions)
        : transactions_(std::move(transactions)) {
        std::sort(transactions_.begin(), transactions_.end(),
                  [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
    }

    void AdvanceTo(int64_t offset) {
        for (; next_ < transactions_.size() && transactions_[next_].first_offset <= offset; next_++)
            open_.insert(transactions_[next_].producer_id);
    }
    bool Contains(int64_t producer_id) const { return open_.contains(producer_id); }
    // A repeated marker finds nothing to close, and that is fine.
    void Close(int64_t producer_id) { open_.erase(producer_id); }

   private:
    std::vector<AbortedTransaction> transactions_;
    size_t next_ = 0;
    std::unordered_set<int64_t> open_;
};

// A v2 record: length varint · attributes i8 · timestampDelta varlong · offsetDelta varint · key ·
// … Only the walk of uncompressed batches looks into records: a real broker accepts deltas that
// lie.
bool HasDenseDeltas(const uint8_t* batch, const BatchHeader& header) {
    Cursor records(batch + kBatchHeaderSize, header.size() - kBatchHeaderSize);
    for (int32_t expected = 0; expected < header.record_count; expected++) {
        const int64_t length = records.ReadVarint(5);
        if (!records.ok() || length < 0 || static_cast<uint64_t>(length) > records.left())
            return false;
        const size_t left_after = records.left() - static_cast<size_t>(length);
        records.Skip(1);
        records.ReadVarint(10);
        if (records.ReadVarint(5) != expected || !records.ok() || records.left() < left_after)
            return false;
        records.Skip(records.left() - left_after);
    }
    return records.ok() && records.left() == 0;
}

// A marker's key: version i16 · type i16 (0 abort, 1 commit). Markers are never compressed.
bool IsAbortMarker(const uint8_t* batch, const BatchHeader& header) {
    Cursor record(batch + kBatchHeaderSize, header.size() - kBatchHeaderSize);
    record.ReadVarint(5);
    record.Skip(1);
    record.ReadVarint(10);
    record.ReadVarint(5);
    if (record.ReadVarint(5) < 4) return false;
    record.Skip(2);
    const int16_t type = record.Read<int16_t>();
    return record.ok() && type == kAbortMarker;
}

// A broker reads its high watermark before the records, so records may lie beyond the one it tells;
// but not by more than can be written in that moment.
bool IsPlausible(const BatchHeader& header, const WalkTask& task, int64_t previous_end) {
    return header.record_count >= 0 && header.last_offset_delta >= 0 &&
           header.base_offset >= previous_end && header.codec() <= kMostCodecs &&
           header.base_offset <= kMostOffset &&
           header.base_offset - kMostRacedRecords <= task.high_watermark;
}

std::optional<LaneReason> WhyNotShallow(const uint8_t* batch, const BatchHeader& header,
                                        const WalkTask& task) {
    if (task.opens == LaneReason::kHandler) return LaneReason::kHandler;
    if (header.base_offset < std::max(task.position, task.log_start)) return LaneReason::kHeadTrim;
    if (header.record_count != int64_t{header.last_offset_delta} + 1) return LaneReason::kHoles;
    if (header.codec() == 0 && !HasDenseDeltas(batch, header)) return LaneReason::kHoles;
    if (header.is_append_time() && !task.target_append_time) return LaneReason::kAppendTime;
    if (header.size() > task.target_max_batch_bytes) return LaneReason::kTooLarge;
    if (task.opens == LaneReason::kForced && header.codec() != task.forced_codec)
        return LaneReason::kForced;
    return std::nullopt;
}

// Messages of formats 0 and 1 that lie together: offset i64 · size i32 · crc i32 · magic i8 · … A
// compressed one has the offset of its last inner message.
struct OldRun {
    size_t size = 0;  // 0: not even the first is whole
    int64_t first_offset = 0;
    int64_t next_offset = 0;
    bool is_malformed = false;
};

OldRun TakeOldRun(const uint8_t* bytes, size_t left, int64_t reached) {
    OldRun run{.size = 0, .first_offset = reached, .next_offset = reached, .is_malformed = false};
    while (left - run.size >= kOldHeaderSize && run.size < kMostOldRun) {
        const uint8_t* message = bytes + run.size;
        if (static_cast<int8_t>(message[16]) >= kMagic) break;
        const int64_t offset = LoadBigEndian<int64_t>(message);
        const int32_t length = LoadBigEndian<int32_t>(message + 8);
        const bool is_sound =
            length >= kLeastOldLength && offset >= run.next_offset && offset <= kMostOffset;
        if (!is_sound) {
            run.is_malformed = run.size == 0;
            break;
        }
        const size_t size = static_cast<size_t>(length) + kBatchLengthOverhead;
        if (size > left - run.size) break;
        run.size += size;
        run.next_offset = offset + 1;
    }
    return run;
}

}  // namespace

Walk WalkBatches(WalkTask task) {
    Walk walk;
    AbortedProducers aborted(std::move(task.aborted));
    int64_t reached = 0;
    size_t at = 0;
    const auto stop = [&](LaneReason reason, int64_t offset) {
        walk.stop = WalkStop{reason, std::max(offset, task.position)};
        return walk;
    };

    // Magic lies at the same place in every format, and so does the length that old formats have.
    // The first batch comes whole (KIP-74): one that does not has a length that lies.
    const auto is_cut = [&] {
        walk.discarded_bytes += task.size - at;
        return at == 0 && task.size > 0 ? stop(LaneReason::kMalformed, reached) : walk;
    };
    while (task.size - at > kOldHeaderSize - 1) {
        const uint8_t* batch = task.data + at;
        const size_t left = task.size - at;
        const int8_t magic = static_cast<int8_t>(batch[16]);
        if (magic == 0 || magic == 1) {
            if (!task.can_reseal) return stop(LaneReason::kOldFormat, reached);
            const OldRun run = TakeOldRun(batch, left, reached);
            if (run.is_malformed) return stop(LaneReason::kMalformed, reached);
            if (run.size == 0) return is_cut();
            at += run.size;
            reached = run.next_offset;
            if (run.next_offset <= task.position) {
                walk.discarded_bytes += run.size;
                continue;
            }
            walk.batches.push_back({.path = BatchPath::kReseal,
                                    .data = batch,
                                    .size = static_cast<uint32_t>(run.size),
                                    .record_count = -1,
                                    .base_offset = std::max(run.first_offset, task.position),
                                    .next_offset = run.next_offset,
                                    .max_timestamp = -1,
                                    .leader_epoch = -1,
                                    .reason = task.opens == LaneReason::kHandler
                                                  ? LaneReason::kHandler
                                                  : LaneReason::kOldFormat,
                                    .from_offset = std::max(task.position, task.log_start)});
            continue;
        }
        if (magic != kMagic) return stop(LaneReason::kMalformed, reached);
        if (left < kBatchHeaderSize) return is_cut();
        const BatchHeader header = ReadBatchHeader(batch);
        if (header.batch_length < static_cast<int32_t>(kBatchHeaderSize - kBatchLengthOverhead))
            return stop(LaneReason::kMalformed, reached);
        if (header.size() > left) return is_cut();
        if (!IsPlausible(header, task, reached)) return stop(LaneReason::kMalformed, reached);

        at += header.size();
        reached = header.next_offset();
        if (task.read_committed) aborted.AdvanceTo(header.last_offset());
        const bool is_aborted = header.is_transactional() && aborted.Contains(header.producer_id);
        // What is skipped nobody else checks: a flipped bit must not make records vanish.
        const bool is_skipped = header.is_control() || is_aborted || header.record_count == 0;
        if (is_skipped && !IsCrcRight(batch, header.size()))
            return stop(LaneReason::kBadCrc, header.base_offset);
        if (header.is_control() && IsAbortMarker(batch, header)) aborted.Close(header.producer_id);
        if (header.next_offset() <= task.position) {
            walk.discarded_bytes += header.size();
            continue;
        }

        // How many records are sent only whoever opens it can tell.
        const auto is_uncounted = [](LaneReason why) {
            return why == LaneReason::kHeadTrim || why == LaneReason::kHandler;
        };
        BatchPath path = BatchPath::kShallow;
        LaneReason reason = LaneReason::kNone;
        if (header.is_control()) {
            path = BatchPath::kControl;
        } else if (is_aborted) {
            path = BatchPath::kAborted;
        } else if (header.record_count == 0) {
            path = BatchPath::kEmpty;
        } else if (const auto why = WhyNotShallow(batch, header, task)) {
            if (!task.can_reseal) return stop(*why, header.base_offset);
            path = BatchPath::kReseal;
            reason = *why;
        }
        walk.batches.push_back({.path = path,
                                .data = batch,
                                .size = static_cast<uint32_t>(header.size()),
                                .record_count = is_uncounted(reason) ? -1 : header.record_count,
                                .base_offset = path == BatchPath::kReseal
                                                   ? std::max(header.base_offset, task.position)
                                                   : header.base_offset,
                                .next_offset = header.next_offset(),
                                .max_timestamp = header.max_timestamp,
                                .leader_epoch = header.leader_epoch,
                                .reason = reason,
                                .from_offset = std::max(task.position, task.log_start)});
    }
    return is_cut();
}

}  // namespace heliostat
