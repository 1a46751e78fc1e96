// What is true of one lane, kept apart from the lane's own counters: which pieces of the source lie
// on the target, how often they may, and which sequence each record has under each producer.
#ifndef HELIOSTAT_TEST_LEDGER_H_
#define HELIOSTAT_TEST_LEDGER_H_

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "source_partition.h"
#include "target_partition.h"

namespace heliostat::simulation {

// What went wrong, as a sentence; main adds the seed.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What a lane, or a commit, claims to be done.
struct Claim {
    int64_t checkpoint;
    int64_t producer_id;
    int32_t sequence;
    int64_t target_end;
};

class Ledger {
   public:
    // Records are wanted from `position` on.
    Ledger(std::string lane, const SourcePartition& source, int64_t position);

    // The record at the offset gets this sequence under the producer; the first `arrived` ones came
    // under another.
    void BeginProducer(int64_t id, int64_t offset, int32_t sequence, int64_t arrived = 0);
    // It was said that the records of [from, to) may come once more.
    void Announce(int64_t from, int64_t to);
    void NoteSent(int first, int pieces, const ProducerStamp& stamp);
    // `is_excused`: nobody can know a repeat of this one. Returns whether it is one.
    bool NoteAppended(const TargetPartition::Stored& stored, bool is_excused);
    // The source has deleted what lies before: what of it is not on the target need not come.
    void NoteDeleted(int64_t to);
    // Compaction has taken a piece from the source: it need not come, though whoever has fetched it
    // may send it.
    void NoteCompacted(int piece);
    // Nothing of the producer is under way: who goes on under its id counts what is on the target,
    // and what the source still has.
    void Recount(int64_t producer_id);
    // Behind the last piece from the offset on that the source still has and that the producer has
    // brought to the target; the offset itself without any.
    int64_t BehindArrived(int64_t producer_id, int64_t offset) const;
    // The log was cut; what lay before `kept` was acknowledged.
    void NoteCut(const TargetPartition& target, int64_t kept);

    void CheckClaim(const Claim& claim, const TargetPartition& target) const;
    // So many records from the offset on are on the target to stay.
    void CheckArrived(int64_t from, int64_t records, const TargetPartition& target) const;
    // Whoever says that all before `end` is done must find it on the target.
    void CheckComplete(int64_t end) const;

    // Whether the target end is that of the last record before the offset, or of a later one.
    bool IsEndOf(int64_t offset, int64_t target_end) const;

    int64_t position() const { return position_; }
    // Acknowledged records were cut away at some time.
    bool was_cut() const { return was_cut_; }
    int64_t sent_end() const { return sent_end_; }
    [[noreturn]] void Fail(const std::string& what) const;

   private:
    struct Copy {
        int64_t producer_id;
        int64_t base_offset;
        int64_t next_offset;
    };
    struct Entry {
        bool is_wanted;
        bool is_source;
        int64_t base_offset;
        int64_t next_offset;
        int32_t record_count;
        int allowed = 1;
        bool is_lost = false;
        bool is_deleted = false;
        bool is_compacted = false;
        std::vector<Copy> copies;
    };
    struct Producer {
        int64_t offset;
        int32_t sequence;
        int next;  // index of the piece that has to follow in the log
        // Pieces that were sent under it, or had arrived: they have sequences, even when compaction
        // has taken them since.
        std::set<int> numbered = {};
    };

    // It should be on the target and is not.
    static bool IsMissed(const Entry& entry) {
        return IsDue(entry) && !entry.is_deleted && entry.copies.empty();
    }
    static bool IsDue(const Entry& entry) { return entry.is_wanted && !entry.is_compacted; }
    static bool HasCopyOf(const Entry& entry, int64_t producer_id);
    bool IsNumbered(const Producer& producer, int index) const {
        const Entry& entry = entries_[index];
        return entry.is_wanted && (!entry.is_compacted || producer.numbered.count(index) > 0);
    }
    bool NotePiece(int index, const TargetPartition::Stored& stored, bool is_excused);
    int NextWanted(int index) const;
    int IndexAt(int64_t offset) const;
    int32_t SequenceAt(int64_t producer_id, int index) const;
    bool IsSequenceAt(const Claim& claim) const;

    const std::string lane_;
    const int64_t position_;
    int64_t sent_end_;
    bool was_cut_ = false;
    std::vector<Entry> entries_;
    std::map<int64_t, Producer> producers_;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_LEDGER_H_
