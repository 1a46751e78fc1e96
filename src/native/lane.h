// The ordered flow of one source partition into its target partition, as a pure state machine: no
// I/O, no clock, no lock, no librdkafka. Whoever drives it hands in what happened and when, and
// asks what may be done next. test/simulation drives it against a model of a broker.
//
// Slots hold source batches in source order. The front ones are in flight, the others wait. A batch
// is popped when it is acknowledged and everything before it is; the checkpoint is the end of the
// last one popped. When one in flight fails, nothing more is sent until all in flight have been
// answered; then the lane sends again from the front, with the same sequences.
//
// Small batches that wait behind a full window become one slot, and a worker makes one batch of
// them. What was sent once is never merged, and a merged batch never changes.
#ifndef HELIOSTAT_LANE_H_
#define HELIOSTAT_LANE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "batch_header.h"
#include "batch_walk.h"
#include "error_rules.h"
#include "lane_reason.h"

namespace heliostat {

// One moment, by both clocks: `ms` only moves forward, `wall_ms` compares with record timestamps.
struct Moment {
    int64_t ms;
    int64_t wall_ms;
};

// The order is that of `laneStates` in index.ts.
enum class LaneState : uint8_t {
    kStarting,
    kRunning,
    kCaughtUp,
    kBackingOff,
    kDraining,
    kDrained,
    kStopped,
};

// A place in the source's log: the offset of the next record, and the leader epoch of the one
// before it; -1 not known.
struct LogPoint {
    int64_t offset;
    int32_t epoch;
};

// Delays between tries, doubling; a success ends it.
class Backoff {
   public:
    void Fail(int64_t now_ms, LaneReason reason, int16_t code);
    void Succeed() { *this = Backoff(); }
    // No leader is known. Looking again is not another failure.
    void Miss(int64_t now_ms);
    // What was waited for may have come: ends the wait, and forgets it if only a leader was
    // missing.
    void Found();
    bool IsWaiting(int64_t now_ms) const { return now_ms < retry_at_ms_; }
    bool HasFailed() const { return delay_ms_ != 0; }
    // Short troubles, as in any leader move, are not worth telling.
    bool IsWorthTelling() const;
    int64_t retry_at_ms() const { return retry_at_ms_; }
    LaneReason reason() const { return reason_; }
    int16_t code() const { return code_; }

   private:
    int64_t retry_at_ms_ = 0;
    int64_t delay_ms_ = 0;
    LaneReason reason_ = LaneReason::kNone;
    int16_t code_ = 0;
};

// What a Fetch answer said of the partition. `owner` keeps the batches' bytes alive.
struct FetchedPartition {
    int64_t high_watermark;
    int64_t last_stable_offset;
    int64_t log_start;
    // First offset that cannot be read yet, under the isolation in use.
    int64_t readable_end;
    // The answer proves that nothing readable is left at or after the position, if it has no
    // batches.
    bool proves_end;
    Walk walk;
    std::shared_ptr<const void> owner;
    Moment at{};
};

// Copies a batch's bytes: where the copy is, and what keeps it alive.
using CopyBatch = std::function<std::pair<const uint8_t*, std::shared_ptr<const void>>(
    const uint8_t* data, size_t size, int64_t records)>;

// What a lane asks for after an event; a set of bits.
using LaneWish = uint32_t;
inline constexpr LaneWish kWishNothing = 0;
inline constexpr LaneWish kWishSourceLeader = 1;
inline constexpr LaneWish kWishTargetLeader = 2;
inline constexpr LaneWish kWishProducerId = 4;

// Why batches are rebuilt, as they are counted.
inline constexpr std::array kResealReasons = {
    LaneReason::kHeadTrim,         LaneReason::kHoles,    LaneReason::kOldFormat,
    LaneReason::kAppendTime,       LaneReason::kTooLarge, LaneReason::kRefused,
    LaneReason::kCodecUnsupported, LaneReason::kForced,   LaneReason::kHandler,
    LaneReason::kOldBroker};

// Fewer that wait behind a full window leave it in as many round trips as merging them takes.
inline constexpr size_t kMergesFrom = 16;

// A target that has answered so many times in a row no sooner is a far one: near, a full window
// brings more than merging does, and a young or busy broker answers late for a while only.
inline constexpr int64_t kFarMs = 10;
inline constexpr int kFarAnswers = 16;

// What brokers do unless they are told otherwise (producer.id.expiration.ms).
inline constexpr int64_t kProducerExpiryMs = 86'400'000;

class Lane {
   public:
    struct Options {
        // Source offset of the first record wanted.
        int64_t position;
        // Leader epoch of the record before it; -1 not known.
        int32_t leader_epoch = -1;
        // Goes on behind records that the source deleted before they were mirrored.
        bool skips_gaps = false;
        int max_in_flight;
        // Without a producer id one batch flies at a time, and one sent again may be there twice.
        bool is_idempotent = true;
        // Batches that cannot pass unchanged wait for somebody who rebuilds them.
        bool can_reseal = false;
        // Batches that could pass are opened too: kHandler, all; kForced, those of another codec.
        LaneReason opens = LaneReason::kNone;
        int forced_codec = 0;
        // So many small batches or more are merged that wait behind a full window; 0: none are.
        size_t merges_from = 0;
        // And only after so many late answers.
        int far_answers = kFarAnswers;
        // No Fetch while more bytes than this wait or are in flight; GiveRoom changes it.
        uint64_t room_bytes;
        uint32_t target_max_batch_bytes;
        bool target_append_time;
        // -1: the lane waits for one. Under a new one nothing may be on the target partition yet.
        int64_t producer_id;
        int16_t producer_epoch;
        // Sequence of the record at the position.
        int32_t sequence = 0;
        // Records from the position on that the target has already: they are passed over.
        int64_t arrived = 0;
        // Target offset behind the last record known to be there; -1 unknown.
        int64_t target_end = -1;
        // Target offset behind the last of the records that have arrived; -1 unknown.
        int64_t arrived_end = -1;
        // When the target forgets the sequence, or cannot be trusted to know it, the lane waits to
        // be begun anew at what the target tells. Without it the lane takes a fresh producer id,
        // and may double records.
        bool resumes = false;
        // How long the target remembers a producer.
        int64_t producer_expiry_ms = kProducerExpiryMs;
    };

    // A batch on its way out: what to send and how to stamp it.
    struct Outgoing {
        uint64_t serial;
        const uint8_t* data;
        uint32_t size;
        ProducerStamp stamp;
        std::shared_ptr<const void> owner;
    };

    // A batch to be rebuilt: the records from `from_offset` on, less the first `skip`. With
    // kTinyBatches several batches that lie together, to become one.
    struct ToReseal {
        uint64_t ticket;
        const uint8_t* data;
        uint32_t size;
        LaneReason reason;
        int64_t from_offset;
        int64_t skip;
        // Where it is split; a single record may be larger, up to the target's limit.
        uint32_t aim_bytes;
        bool avoids_zstd;
        std::shared_ptr<const void> owner;
    };

    // One of the batches that a rebuilt one has become, with dense offset deltas from 0.
    struct Resealed {
        const uint8_t* data;
        uint32_t size;
        int32_t record_count;
        int64_t first_offset;  // of the source
        int64_t last_offset;
        int64_t max_timestamp;
        std::shared_ptr<const void> owner;
    };

    // Source offsets [from, to) that the target may hold twice after a change of producer id.
    struct ProducerReset {
        int64_t from;
        int64_t to;
        int16_t code;
        int32_t sequence;  // of the record at `from`
    };

    // Source offsets [from, to) that were deleted before they were mirrored.
    struct Gap {
        int64_t from;
        int64_t to;
        bool is_skipped;
        // So many offsets before `from` were taken for records that the target has. In a log with
        // holes there may be fewer, and as many records behind the gap come twice.
        int64_t assumed;
    };

    struct Counts {
        uint64_t records = 0;
        uint64_t bytes = 0;
        uint64_t shallow = 0;
        std::array<uint64_t, kResealReasons.size()> resealed{};
        uint64_t merged = 0;  // source batches
        uint64_t control = 0;
        uint64_t aborted = 0;
        uint64_t empty = 0;
        uint64_t arrived = 0;
        uint64_t lost = 0;  // offsets
        uint64_t retried = 0;
        uint64_t maybe_doubled = 0;
        uint64_t discarded_bytes = 0;

        Counts& operator+=(const Counts& other);
    };

    explicit Lane(const Options& options);
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    // --- source side. One Fetch of a lane is out at a time.
    bool WantsFetch(Moment now) const;
    void GiveRoom(uint64_t bytes) { options_.room_bytes = bytes; }
    void FetchSent() {
        is_fetching_ = true;
        is_fetch_stale_ = false;
    }
    LaneWish Fetched(FetchedPartition partition);
    // The answer says that all is as it was told last.
    LaneWish FetchedNothing(Moment now);
    // Nothing of it is on its way, and it waits for something new: only the source can move it on.
    bool IsAtRest(Moment now) const;
    // An error code for the partition.
    LaneWish FetchFailed(int16_t code, Moment now);
    // The source's log parts from what was read at `end`, before the position.
    LaneWish FetchDiverged(int64_t end, Moment now);
    // The request as a whole came to nothing.
    void FetchLost(Moment now);
    // The answer held what cannot be.
    LaneWish FetchMalformed(Moment now);
    // The answer told nothing of the lane, because the broker throttles.
    void FetchHeld() { is_fetching_ = false; }
    // The source refuses the position again and again: the lane waits to be told what its log
    // holds.
    bool NeedsRange() const { return needs_range_ && !IsOver() && !is_draining_; }
    void SetRange(int64_t log_start, int64_t log_end, Moment now);
    // The checkpoint behind a gap that was skipped is committed.
    void ReadOn() { awaits_commit_ = false; }
    // A gap that was found, once.
    std::optional<Gap> TakeGap() { return std::exchange(gap_, std::nullopt); }

    // --- target side.
    bool CanSend(Moment now) const;
    uint32_t NextSize() const { return slots_[next_send_].size; }
    int NextCodec() const;
    Outgoing Send(Moment now);
    // To be called after Send: merges small batches that would have to wait anyway. Whether there
    // are any.
    bool Merge(Moment now);
    LaneWish Answered(uint64_t serial, int16_t code, int64_t base_offset, Moment now);
    // No answer came. `may_be_written`: it had begun to leave.
    LaneWish Unanswered(uint64_t serial, bool may_be_written, Moment now);
    // Nothing more is sent until what is in flight is answered: the lane is to move to another
    // leader.
    bool IsQuiet() const { return in_flight_ == 0; }
    bool NeedsProducerId() const { return IsReset() && (!options_.resumes || producer_id_ < 0); }
    // The lane does nothing more until it is begun anew: its owner is to take it away.
    bool NeedsResume(Moment now) const {
        return MayBeForgotten(now) || (IsReset() && options_.resumes && producer_id_ >= 0);
    }
    // Goes on under a fresh producer id, whose sequence starts at 0.
    ProducerReset SetProducer(int64_t producer_id, int16_t epoch);

    // --- rebuilding. Order holds: a slot waits for its batch, and later ones do not pass it.
    bool HasReseal() const;
    // The next batch to rebuild; nothing while the one before decides what is to be left out.
    std::optional<ToReseal> TakeReseal();
    // `skipped` of its first records were left out, as asked. A ticket of a slot that is gone does
    // nothing.
    void GiveResealed(uint64_t ticket, int64_t skipped, std::vector<Resealed> batches);
    // It was opened, and passes as it came: whole, dense and as the target takes it.
    void GiveUnchanged(uint64_t ticket);
    // The same batch again, for another try.
    std::optional<ToReseal> RetakeReseal(uint64_t ticket) const;
    void FailReseal(uint64_t ticket, LaneReason reason);

    // --- either side.
    void Drain() { is_draining_ = true; }
    void Stop(LaneReason reason, int16_t code, int64_t offset);
    // Nothing that is not in flight is sent any more.
    void StopReading(LaneReason reason);
    // The next batch cannot be sent as it is; what is in flight before it still counts.
    void StopAtNext(LaneReason reason);
    // The target takes no zstd: the next batch, which has it, and those to come are rebuilt
    // without.
    void AvoidZstd();
    // A leader was found: tries again at once.
    void SourceFound() { fetch_backoff_.Found(); }
    void TargetFound() { send_backoff_.Found(); }
    // The target's connection came to nothing before anything of the lane was on it.
    void SendLost(Moment now) { send_backoff_.Fail(now.ms, LaneReason::kConnection, 0); }
    // An acknowledgement that is under way will let it fetch more.
    bool IsRoomless() const {
        return queued_bytes_ >= options_.room_bytes && in_flight_ > 0 && !is_draining_;
    }
    // No leader is known for a side.
    void SourceMissing(Moment now) { fetch_backoff_.Miss(now.ms); }
    void TargetMissing(Moment now) { send_backoff_.Miss(now.ms); }
    // A lane that is held back for long would pin whole answers with its few batches. Forgets what
    // was never sent, to be fetched again, and copies the rest. Does nothing for other lanes.
    void LetGoWhileBlocked(const CopyBatch& copy);
    // When a back-off ends and the lane wants looking at again; nothing when it waits for none.
    std::optional<int64_t> RetryAtMs(Moment now) const;

    // --- facts.
    int16_t reset_code() const { return reset_code_.value_or(0); }
    // Target offset behind the last record before the checkpoint, as far as known; -1 unknown.
    int64_t target_end() const { return target_end_; }
    LaneState StateAt(Moment now) const;
    bool IsOver() const { return stop_reason_ != LaneReason::kNone && slots_.empty(); }
    bool IsIdle() const { return slots_.empty(); }
    // What holds the lane back and is worth telling; kNone when nothing does.
    LaneReason problem() const;
    int16_t problem_code() const;
    int64_t stop_offset() const { return stop_offset_; }
    // Nothing was left to read when the source was last asked.
    bool IsCaughtUp() const { return readable_end_ >= 0 && next_.offset >= readable_end_; }
    int64_t position() const { return next_.offset; }
    int32_t position_epoch() const { return next_.epoch; }
    int64_t checkpoint() const { return checkpoint_.offset; }
    int32_t checkpoint_epoch() const { return checkpoint_.epoch; }
    int64_t high_watermark() const { return high_watermark_; }
    int64_t last_stable_offset() const { return last_stable_offset_; }
    int64_t log_start() const { return log_start_; }
    int64_t end_at_start() const { return end_at_start_; }
    bool has_reached_end() const { return has_reached_end_; }
    int64_t first_source() const { return first_source_; }
    int64_t last_source() const { return last_source_; }
    int64_t first_target() const { return first_target_; }
    int64_t last_target() const { return last_target_; }
    int64_t last_timestamp() const { return last_timestamp_; }
    int64_t producer_id() const { return producer_id_; }
    int16_t producer_epoch() const { return producer_epoch_; }
    // Sequence of the record at the checkpoint.
    int32_t checkpoint_sequence() const { return checkpoint_sequence_; }
    int in_flight() const { return in_flight_; }
    uint64_t queued_bytes() const { return queued_bytes_; }
    const Counts& counts() const { return counts_; }
    const Options& options() const { return options_; }

   private:
    struct Slot {
        const uint8_t* data;
        uint32_t size;
        int32_t record_count;
        int64_t base_offset;
        int64_t last_offset;
        // Where the checkpoint stands once this slot is popped: past skipped batches behind it.
        LogPoint end;
        int32_t leader_epoch;
        int64_t max_timestamp;
        int32_t sequence;  // -1 until it is sent
        bool was_sent;
        int64_t sent_at_ms = 0;
        bool may_be_written;  // an earlier try was not answered, or answered with a doubt
        // Why it was rebuilt, or has to be; kNone on the shallow path.
        LaneReason reason;
        uint64_t ticket;  // of its rebuilding; 0 when it is ready to be sent
        bool is_away;     // somebody rebuilds it
        int64_t from_offset;
        std::shared_ptr<const void> owner;
        // The source batches that it is merged of, kept for the case that it has to be taken apart.
        std::vector<Slot> parts = {};
    };

    // A batch that may be written would go out again, and the target may have forgotten that it
    // was: it would take it for new.
    bool MayBeForgotten(Moment now) const;
    bool IsReset() const { return reset_code_.has_value() && in_flight_ == 0 && !IsOver(); }
    // Takes from the front what the target has already.
    void PassOver();
    // Once all of it lies before the checkpoint, so does its end on the target.
    void NoteArrivedEnd();
    size_t FindTicket(uint64_t ticket) const;
    ToReseal Describe(const Slot& slot) const;
    void DropFrom(size_t index);
    bool IsWindowFull(Moment now) const;
    bool IsMergeable(const Slot& slot) const;
    // Behind the last slot that can be merged with the one at `index`; `index` itself without any.
    size_t FindMergeEnd(size_t index) const;
    void MergeSlots(size_t index, size_t end);
    void GiveMerged(size_t index, std::vector<Resealed> batches);
    // Its parts stand alone again, and stay so.
    void TakeApart(size_t index);
    // The target refused the oldest batch for good.
    void Refused(LaneReason reason, int16_t code);
    bool CanRebuild(const Slot& slot, LaneReason reason) const;
    // Rebuilt, and of several records.
    bool IsDivisible(const Slot& slot) const;
    uint32_t AimFor(const Slot& slot) const;
    // Forgets all that was fetched; stops with the reason where nothing is fetched any more.
    void FetchAgain(LaneReason reason);
    void TakeGap(int64_t log_start);
    LogPoint& End() { return slots_.empty() ? checkpoint_ : slots_.back().end; }
    void TakeEnd(Moment now);
    void TakeIn(const FoundBatch& batch, const std::shared_ptr<const void>& owner);
    void Skip(const FoundBatch& batch);
    void CountPath(LaneReason reason);
    void CountPath(const Slot& slot);
    // An acknowledged batch lies before what was acknowledged earlier: the target lost that.
    bool IsBackwards(int64_t base_offset) const;
    void PopFront(int64_t base_offset, Moment now);
    // One answer less in flight, and it was no good; with the last of them the window is sent
    // again.
    void FailInFlight(bool may_be_written);
    void LookForEnd();
    // Whether the target still remembers a producer whose last batch has this time.
    bool IsFresh(int64_t timestamp, Moment now) const;

    Options options_;

    LogPoint next_;
    int64_t high_watermark_ = -1;
    int64_t last_stable_offset_ = -1;
    int64_t log_start_ = -1;
    int64_t readable_end_ = -1;
    int64_t end_at_start_ = -1;
    bool is_fetching_ = false;
    // What is being fetched lies behind what was forgotten meanwhile.
    bool is_fetch_stale_ = false;
    bool is_end_proved_ = false;
    bool has_reached_end_ = false;
    int out_of_range_ = 0;
    int refused_in_range_ = 0;
    bool needs_range_ = false;
    bool awaits_commit_ = false;
    std::optional<Gap> gap_;
    // Base offset of a batch that came damaged, and was fetched again.
    int64_t damaged_at_ = -1;
    // Why all is to be fetched again once nothing is in flight.
    LaneReason fetches_again_ = LaneReason::kNone;
    // What the target took no larger batches than, whatever its configuration says.
    uint32_t narrowed_to_ = UINT32_MAX;
    int64_t narrowed_at_ = -1;
    // The target takes no zstd.
    bool avoids_zstd_ = false;
    // A merged batch was refused: once nothing is in flight each of its parts is tried alone.
    bool takes_apart_ = false;
    // Nothing before this source offset is merged.
    int64_t merges_behind_ = 0;
    // The next batch is to be fetched again, once what is in flight is answered.
    bool goes_back_ = false;
    int ends_too_early_ = 0;
    int64_t early_since_ms_ = 0;
    int64_t still_arrived_ = 0;  // records that the target has and the walk has not passed yet
    Backoff fetch_backoff_;

    std::deque<Slot> slots_;
    uint64_t next_ticket_ = 1;
    uint64_t front_serial_ = 0;
    size_t next_send_ = 0;
    int in_flight_ = 0;
    int late_answers_ = 0;  // in a row
    uint64_t queued_bytes_ = 0;
    LogPoint checkpoint_;
    Backoff send_backoff_;
    // An answer in the window was a failure: nothing is sent until the window is empty.
    bool has_failed_ = false;
    bool failed_may_be_written_ = false;
    // A batch was taken behind one that was refused: the target must know that one for a repeat.
    bool is_order_in_doubt_ = false;

    int64_t producer_id_;
    int16_t producer_epoch_;
    int32_t next_sequence_ = 0;
    int32_t checkpoint_sequence_ = 0;
    // Time of the last batch acknowledged under this producer: while it is fresh the target notices
    // a gap in the sequence. -1 before the first.
    int64_t known_until_ = -1;
    // The code that made the producer id useless, until there is a fresh one.
    std::optional<int16_t> reset_code_;
    bool has_let_go_ = false;
    int64_t skips_counted_to_ = 0;

    bool is_draining_ = false;
    // Set when the stop is known; the lane is over when what lies before it has left.
    LaneReason stop_reason_ = LaneReason::kNone;
    int16_t stop_code_ = 0;
    int64_t stop_offset_ = -1;

    int64_t first_source_ = -1;
    int64_t last_source_ = -1;
    int64_t first_target_ = -1;
    int64_t last_target_ = -1;
    int64_t target_end_;
    int64_t last_timestamp_ = -1;
    Counts counts_;
};

}  // namespace heliostat

#endif  // HELIOSTAT_LANE_H_
