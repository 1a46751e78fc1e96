// A source partition: batches of every path with gaps between them, and Fetch answers cut from it.
//
// A batch that has to be rebuilt consists of a few pieces, and may become a batch for each of them
// or for several that follow each other; every other batch is one piece. Compaction takes pieces.
// Merged batches hold the pieces of several, and none of the skipped ones between them.
#ifndef HELIOSTAT_TEST_SOURCE_PARTITION_H_
#define HELIOSTAT_TEST_SOURCE_PARTITION_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <utility>
#include <vector>

#include "batch_walk.h"
#include "big_endian.h"

namespace heliostat::simulation {

using Random = std::mt19937_64;
inline int64_t Between(Random& random, int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least + 1));
}
inline bool Chance(Random& random, int per_cent) { return Between(random, 0, 99) < per_cent; }
template <typename Kind, size_t size>
Kind OneOf(Random& random, const Kind (&kinds)[size]) {
    return kinds[Between(random, 0, size - 1)];
}

struct SourceBatch {
    BatchPath path;
    int64_t base_offset;
    int64_t next_offset;
    int32_t record_count;
    int64_t max_timestamp;
    // The target will never take it.
    bool is_refused = false;
    // It takes it only rebuilt.
    bool needs_rebuilding = false;
    // It comes damaged, once.
    bool is_damaged = false;
    bool was_damaged = false;
    int first_piece = 0;
    int pieces = 1;
    uint8_t gone = 0;  // pieces, a bit for each
    // Without a record, and not kept for its producer's sake either.
    bool is_gone = false;
    std::vector<uint8_t> bytes;

    bool IsWanted() const { return path == BatchPath::kShallow || path == BatchPath::kReseal; }
    bool IsPlain() const { return IsWanted() && !is_refused && !needs_rebuilding && !is_damaged; }
};

struct SourcePiece {
    int batch;
    int64_t base_offset;
    int64_t next_offset;
    int32_t record_count;
    bool is_wanted;
};

class SourcePartition {
   public:
    struct Shape {
        int batches;
        int skipped_per_cent;
        int rebuilt_per_cent;
        int gap_per_cent;
        bool is_compacted;
        bool is_huge;  // so many records that sequences wrap within a few batches
        int64_t oldest_ms;
        int64_t newest_ms;
    };

    SourcePartition(Random& random, const Shape& shape) {
        int64_t offset = Between(random, 0, 1'000);
        start_ = offset;
        is_compacted_ = shape.is_compacted;
        is_dense_ = shape.skipped_per_cent == 0 && shape.gap_per_cent == 0 && !shape.is_compacted;
        for (int i = 0; i < shape.batches; i++) {
            SourceBatch batch{};
            static constexpr BatchPath kSkipped[] = {BatchPath::kControl, BatchPath::kAborted,
                                                     BatchPath::kEmpty};
            batch.path = Chance(random, shape.skipped_per_cent)   ? OneOf(random, kSkipped)
                         : Chance(random, shape.rebuilt_per_cent) ? BatchPath::kReseal
                                                                  : BatchPath::kShallow;
            batch.record_count = static_cast<int32_t>(
                !batch.IsWanted() ? 1
                : shape.is_huge   ? Between(random, 1 << 28, 0x7ffffffe)
                                  : Between(random, 1, Chance(random, 50) ? 2 : 500));
            batch.base_offset = offset;
            batch.next_offset = offset + batch.record_count;
            batch.max_timestamp = Between(random, shape.oldest_ms, shape.newest_ms);
            batch.bytes.resize(static_cast<size_t>(Between(random, 70, 400)));
            AddPieces(random, batch, i);
            Mark(batch.bytes, batch.first_piece, batch.pieces);
            offset = batch.next_offset +
                     (Chance(random, shape.gap_per_cent) ? Between(random, 1, 50) : 0);
            batches_.push_back(std::move(batch));
        }
        visible_ = Between(random, 0, shape.batches);
    }

    const std::vector<SourceBatch>& batches() const { return batches_; }
    const std::vector<SourcePiece>& pieces() const { return pieces_; }
    const SourceBatch& BatchOf(int piece) const { return batches_[pieces_[piece].batch]; }
    SourceBatch& BatchOf(int piece) { return batches_[pieces_[piece].batch]; }
    int32_t RecordsOf(int first, int pieces) const {
        int32_t records = 0;
        for (int i = first; i < first + pieces; i++)
            if (pieces_[i].is_wanted) records += pieces_[i].record_count;
        return records;
    }
    int64_t MaxTimestampOf(int first, int pieces) const {
        int64_t latest = INT64_MIN;
        for (int i = first; i < first + pieces; i++)
            if (pieces_[i].is_wanted) latest = std::max(latest, BatchOf(i).max_timestamp);
        return latest;
    }
    // The batches of the pieces that are sent.
    std::vector<SourceBatch*> SentBatches(int first, int pieces) {
        std::vector<SourceBatch*> sent;
        for (int i = first; i < first + pieces; i++)
            if (pieces_[i].is_wanted) sent.push_back(&BatchOf(i));
        return sent;
    }
    std::vector<SourceBatch>& batches() { return batches_; }
    int64_t start() const { return start_; }
    bool is_compacted() const { return is_compacted_; }
    // Every offset is a record.
    bool is_dense() const { return is_dense_; }
    int64_t end() const {
        return visible_ == 0 ? start_ : std::max(start_, batches_[visible_ - 1].next_offset);
    }
    int64_t final_end() const { return batches_.back().next_offset; }

    // Retention, up to the border of a batch.
    void DeleteTo(int64_t offset) { start_ = std::max(start_, offset); }
    // An unclean election cuts the log there; the same records come again, of another leader.
    void CutAt(int64_t offset) { cut_ = offset; }
    // Where the log parts from what a reader has read whose last record was of this epoch; -1 where
    // it does not.
    int64_t Diverges(int64_t position, int32_t epoch) const {
        return cut_ >= 0 && epoch == 0 && position > cut_ ? cut_ : -1;
    }
    int64_t cut() const { return cut_; }
    int64_t SomeBorder(Random& random) const {
        return visible_ == 0 ? start_ : batches_[Between(random, 0, visible_ - 1)].base_offset;
    }

    // Takes some of what one batch holds, and gives the pieces. Whoever has fetched it keeps what
    // it was; the newest batch stays.
    std::vector<int> Compact(Random& random, int stop_at) {
        std::vector<int> taken;
        const auto last = static_cast<int64_t>(visible_) - 2;
        if (last < 0) return taken;
        const auto index = static_cast<int>(Between(random, 0, last));
        SourceBatch& batch = batches_[index];
        if (!batch.IsPlain() || index == stop_at) return taken;
        for (int i = 0; i < batch.pieces; i++) {
            if ((batch.gone >> i & 1) != 0 || !Chance(random, 60)) continue;
            batch.gone = static_cast<uint8_t>(batch.gone | 1 << i);
            taken.push_back(batch.first_piece + i);
        }
        if (taken.empty()) return taken;
        const bool is_empty = batch.gone == (1 << batch.pieces) - 1;
        batch.path = is_empty ? BatchPath::kEmpty : BatchPath::kReseal;
        batch.is_gone = is_empty && Chance(random, 70);
        std::vector<uint8_t> bytes = batch.bytes;
        bytes[kGoneAt] = batch.gone;
        former_.push_back(std::exchange(batch.bytes, std::move(bytes)));
        return taken;
    }
    // Of the record at the offset, or of the one before.
    int32_t EpochAt(int64_t offset) const { return cut_ >= 0 && offset >= cut_ ? 1 : 0; }

    void Grow(int64_t batches) {
        visible_ = std::min(visible_ + static_cast<size_t>(batches), batches_.size());
    }
    void ShowAll() { visible_ = batches_.size(); }

    // At most `most` batches from `position` on; `stop_at` is the index of a batch that cannot
    // pass.
    Walk Fetch(int64_t position, int64_t most, int stop_at) const {
        Walk walk;
        for (size_t i = 0; i < visible_ && walk.batches.size() < static_cast<size_t>(most); i++) {
            const SourceBatch& batch = batches_[i];
            if (batch.next_offset <= position || batch.next_offset <= start_) continue;
            if (batch.is_gone) continue;
            if (static_cast<int>(i) == stop_at) {
                walk.stop = WalkStop{LaneReason::kHoles, batch.base_offset};
                break;
            }
            walk.batches.push_back(
                {.path = batch.path,
                 .data = batch.bytes.data(),
                 .size = static_cast<uint32_t>(batch.bytes.size()),
                 .record_count = batch.path == BatchPath::kReseal ? -1 : batch.record_count,
                 .base_offset = batch.base_offset,
                 .next_offset = batch.next_offset,
                 .max_timestamp = batch.max_timestamp,
                 .leader_epoch = EpochAt(batch.base_offset),
                 .reason =
                     batch.path == BatchPath::kReseal ? LaneReason::kHoles : LaneReason::kNone,
                 .from_offset = std::max(batch.base_offset, position)});
        }
        return walk;
    }

    // Which pieces the bytes of a batch hold; a lane looks at none of this.
    static void Mark(std::vector<uint8_t>& bytes, int first, int pieces) {
        StoreBigEndian<int64_t>(bytes.data(), first);
        StoreBigEndian<int32_t>(bytes.data() + 8, static_cast<int32_t>(bytes.size()) - 12);
        StoreBigEndian<int32_t>(bytes.data() + 12, pieces);
    }
    static int FirstPiece(const uint8_t* data) {
        return static_cast<int>(LoadBigEndian<int64_t>(data));
    }
    static constexpr size_t kRebuiltAt = 16;
    static bool IsRebuilt(const uint8_t* data) { return data[kRebuiltAt] == 1; }
    static int PiecesOf(const uint8_t* data) { return LoadBigEndian<int32_t>(data + 12); }
    static constexpr size_t kGoneAt = 17;
    static bool IsGone(const uint8_t* data, int piece) {
        return (data[kGoneAt] >> (piece - FirstPiece(data)) & 1) != 0;
    }

   private:
    void AddPieces(Random& random, SourceBatch& batch, int index) {
        batch.first_piece = static_cast<int>(pieces_.size());
        batch.pieces = batch.path == BatchPath::kReseal
                           ? static_cast<int>(Between(random, 1, std::min(batch.record_count, 4)))
                           : 1;
        const int32_t share = batch.record_count / batch.pieces;
        for (int i = 0; i < batch.pieces; i++) {
            const bool is_last = i == batch.pieces - 1;
            const int64_t base = batch.base_offset + i * share;
            const int32_t records =
                is_last ? static_cast<int32_t>(batch.next_offset - base) : share;
            pieces_.push_back({index, base, base + records, records, batch.IsWanted()});
        }
    }

    std::vector<SourceBatch> batches_;
    std::vector<SourcePiece> pieces_;
    int64_t start_ = 0;
    int64_t cut_ = -1;
    bool is_compacted_ = false;
    bool is_dense_ = false;
    // Bytes of batches as they were before compaction: a lane may still have them.
    std::deque<std::vector<uint8_t>> former_;
    size_t visible_ = 0;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_SOURCE_PARTITION_H_
