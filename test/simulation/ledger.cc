#include "ledger.h"

#include <algorithm>
#include <utility>

namespace heliostat::simulation {

Ledger::Ledger(std::string lane, const SourcePartition& source, int64_t position)
    : lane_(std::move(lane)), position_(position), sent_end_(position) {
    for (const SourcePiece& piece : source.pieces()) {
        const SourceBatch& batch = source.batches()[piece.batch];
        const bool is_wanted = batch.IsWanted() && batch.base_offset >= position;
        entries_.push_back({.is_wanted = is_wanted,
                            .is_source = piece.is_wanted,
                            .base_offset = piece.base_offset,
                            .next_offset = piece.next_offset,
                            .record_count = piece.record_count,
                            .copies = {}});
    }
}

void Ledger::BeginProducer(int64_t id, int64_t offset, int32_t sequence, int64_t arrived) {
    int next = NextWanted(IndexAt(offset));
    for (; arrived > 0 && next < static_cast<int>(entries_.size()); next = NextWanted(next + 1))
        arrived -= entries_[next].record_count;
    producers_[id] = {offset, sequence, next};
}

void Ledger::Announce(int64_t from, int64_t to) {
    for (Entry& entry : entries_)
        if (entry.base_offset >= from && entry.next_offset <= to) entry.allowed++;
}

void Ledger::NoteSent(int first, int pieces, const ProducerStamp& stamp) {
    sent_end_ = std::max(sent_end_, entries_[first + pieces - 1].next_offset);
    const int32_t sequence = SequenceAt(stamp.producer_id, first);
    if (sequence != stamp.base_sequence)
        Fail("sends piece " + std::to_string(first) + " with sequence " +
             std::to_string(stamp.base_sequence) + " instead of " + std::to_string(sequence));
    auto& numbered = producers_.at(stamp.producer_id).numbered;
    for (int i = first; i < first + pieces; i++) numbered.insert(i);
}

bool Ledger::NoteAppended(const TargetPartition::Stored& stored, bool is_excused) {
    bool is_repeat = false;
    for (int i = stored.first_piece; i < stored.first_piece + stored.pieces; i++)
        if (entries_[i].is_source) is_repeat = NotePiece(i, stored, is_excused) || is_repeat;
    return is_repeat;
}

bool Ledger::NotePiece(int index, const TargetPartition::Stored& stored, bool is_excused) {
    Entry& entry = entries_[index];
    Producer& producer = producers_.at(stored.stamp.producer_id);
    const std::string piece = "has piece " + std::to_string(index);
    const bool is_repeat = !entry.copies.empty();
    if (is_repeat && is_excused) entry.allowed++;
    if (is_repeat && static_cast<int>(entry.copies.size()) >= entry.allowed)
        Fail(piece + " twice on the target, unannounced");
    if (index < producer.next && !is_excused)
        Fail(piece + " on the target again under one producer");
    // After a cut a target may know nothing and take anything; the lane has to notice.
    for (int i = 0; i < index && !was_cut_; i++)
        if (IsMissed(entries_[i]) || (IsDue(entries_[i]) && i >= producer.next))
            Fail(piece + " on the target before piece " + std::to_string(i));
    if (index >= producer.next) producer.next = NextWanted(index + 1);
    entry.is_lost = false;
    entry.copies.push_back({stored.stamp.producer_id, stored.base_offset, stored.next_offset()});
    return is_repeat;
}

void Ledger::NoteDeleted(int64_t to) {
    for (Entry& entry : entries_) entry.is_deleted = entry.is_deleted || entry.next_offset <= to;
}

void Ledger::NoteCompacted(int piece) { entries_[piece].is_compacted = true; }

void Ledger::Recount(int64_t producer_id) {
    const auto producer = producers_.find(producer_id);
    if (producer == producers_.end()) return;
    auto& numbered = producer->second.numbered;
    numbered.clear();
    for (int i = 0; i < static_cast<int>(entries_.size()); i++)
        if (HasCopyOf(entries_[i], producer_id)) numbered.insert(i);
}

int64_t Ledger::BehindArrived(int64_t producer_id, int64_t offset) const {
    int64_t behind = offset;
    for (int i = IndexAt(offset); i < static_cast<int>(entries_.size()); i++)
        if (IsDue(entries_[i]) && HasCopyOf(entries_[i], producer_id))
            behind = entries_[i].next_offset;
    return behind;
}

bool Ledger::HasCopyOf(const Entry& entry, int64_t producer_id) {
    return std::any_of(entry.copies.begin(), entry.copies.end(),
                       [&](const Copy& copy) { return copy.producer_id == producer_id; });
}

void Ledger::NoteCut(const TargetPartition& target, int64_t kept) {
    for (Entry& entry : entries_) {
        const bool was_kept =
            std::any_of(entry.copies.begin(), entry.copies.end(),
                        [&](const Copy& copy) { return copy.next_offset <= kept; });
        std::erase_if(entry.copies,
                      [&](const Copy& copy) { return copy.next_offset > target.log_end(); });
        entry.is_lost = entry.is_lost || (was_kept && entry.copies.empty());
    }
    was_cut_ = was_cut_ || target.log_end() < kept;
    for (auto& [id, producer] : producers_) producer.next = NextWanted(IndexAt(producer.offset));
    for (const auto& stored : target.log())
        if (stored.first_piece != TargetPartition::kForeign)
            producers_.at(stored.stamp.producer_id).next =
                NextWanted(stored.first_piece + stored.pieces);
}

void Ledger::CheckClaim(const Claim& claim, const TargetPartition& target) const {
    bool is_end = claim.checkpoint == position_;
    for (size_t i = 0; i < entries_.size(); i++) {
        const Entry& entry = entries_[i];
        const bool is_behind_gap = i > 0 && entries_[i - 1].is_deleted;
        is_end = is_end || (is_behind_gap && entry.base_offset == claim.checkpoint);
        if (entry.next_offset > claim.checkpoint) break;
        is_end = is_end || entry.next_offset == claim.checkpoint;
        if (!IsDue(entry) || entry.is_lost || entry.is_deleted) continue;
        const bool is_there = std::any_of(
            entry.copies.begin(), entry.copies.end(),
            [&](const Copy& copy) { return copy.next_offset <= target.high_watermark(); });
        if (!is_there)
            Fail("has its checkpoint past piece " + std::to_string(i) +
                 ", which is not on the target");
    }
    if (!is_end) Fail("has its checkpoint where no piece ends");
    if (claim.producer_id < 0) return;
    if (!IsSequenceAt(claim))
        Fail("tells sequence " + std::to_string(claim.sequence) + " for its checkpoint " +
             std::to_string(claim.checkpoint) + " instead of " +
             std::to_string(SequenceAt(claim.producer_id, IndexAt(claim.checkpoint))));
    if (was_cut_ || claim.target_end < 0) return;
    if (claim.target_end > target.high_watermark()) Fail("tells a target end that is not reached");
    int next = NextWanted(IndexAt(claim.checkpoint));
    while (next < static_cast<int>(entries_.size()) && entries_[next].is_compacted)
        next = NextWanted(next + 1);
    if (next == static_cast<int>(entries_.size())) return;
    for (const Copy& copy : entries_[next].copies)
        if (copy.producer_id == claim.producer_id && copy.base_offset < claim.target_end)
            Fail("tells a target end behind piece " + std::to_string(next) +
                 ", which its checkpoint has not passed");
}

void Ledger::CheckArrived(int64_t from, int64_t records, const TargetPartition& target) const {
    int64_t left = records;
    for (size_t i = IndexAt(from); i < entries_.size() && left > 0; i++) {
        const Entry& entry = entries_[i];
        if (!entry.is_wanted) continue;
        left -= entry.record_count;
        const bool is_there = std::any_of(
            entry.copies.begin(), entry.copies.end(),
            [&](const Copy& copy) { return copy.next_offset <= target.high_watermark(); });
        if (!is_there && !was_cut_)
            Fail("is to pass over piece " + std::to_string(i) + ", which is not on the target");
    }
    if (left != 0 && !was_cut_) Fail("is to pass over a part of a piece");
}

void Ledger::CheckComplete(int64_t end) const {
    for (size_t i = 0; i < entries_.size() && entries_[i].next_offset <= end; i++) {
        if (!IsMissed(entries_[i])) continue;
        Fail("says it has reached the end without piece " + std::to_string(i));
    }
}

bool Ledger::IsEndOf(int64_t offset, int64_t target_end) const {
    int last = IndexAt(offset) - 1;
    while (last >= 0 && !entries_[last].is_wanted) last--;
    if (last < 0) return true;
    const auto& copies = entries_[last].copies;
    return std::all_of(copies.begin(), copies.end(),
                       [&](const Copy& copy) { return copy.next_offset <= target_end; });
}

int Ledger::NextWanted(int index) const {
    while (index < static_cast<int>(entries_.size()) && !entries_[index].is_wanted) index++;
    return index;
}

int Ledger::IndexAt(int64_t offset) const {
    const auto found =
        std::partition_point(entries_.begin(), entries_.end(),
                             [&](const Entry& entry) { return entry.base_offset < offset; });
    return static_cast<int>(found - entries_.begin());
}

int32_t Ledger::SequenceAt(int64_t producer_id, int index) const {
    const Producer& producer = producers_.at(producer_id);
    const int start = IndexAt(producer.offset);
    int64_t records = 0;
    for (int i = std::min(start, index); i < std::max(start, index); i++)
        if (IsNumbered(producer, i)) records += entries_[i].record_count;
    return AddRecords(producer.sequence, index < start ? -records : records);
}

// Of what compaction has taken behind the checkpoint some may have arrived, and is passed over.
bool Ledger::IsSequenceAt(const Claim& claim) const {
    int index = IndexAt(claim.checkpoint);
    const auto is_taken = [&] {
        return index < static_cast<int>(entries_.size()) && !IsDue(entries_[index]);
    };
    while (claim.sequence != SequenceAt(claim.producer_id, index)) {
        if (!is_taken()) return false;
        index++;
    }
    return true;
}

void Ledger::Fail(const std::string& what) const { throw Violation(lane_ + " " + what); }

}  // namespace heliostat::simulation
