#include "lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace heliostat {
namespace {

constexpr int64_t kFirstDelayMs = 100;
constexpr int64_t kLongestDelayMs = 30'000;
// A broker that comes back is to be found soon, and asking costs one request for all lanes.
constexpr int64_t kLongestSearchMs = 2'000;
// Rights do not come back within a tenth of a second.
constexpr int64_t kNotAllowedDelayMs = 2'000;
constexpr int64_t kWorthTellingMs = 1'000;

constexpr int32_t kSequenceMask = 0x7fffffff;

// A target forgets a producer some time after the maxTimestamp of its last batch
// (producer.id.expiration.ms, looked at every 10 minutes). Without that state it cannot notice a
// missing batch, so old batches, and those after an old one, fly alone. The margin covers two
// looks.
constexpr int64_t kExpiryMarginMs = 1'200'000;

// A new leader may answer OFFSET_OUT_OF_RANGE until it has learned its high watermark.
constexpr int kOutOfRangeTries = 3;
// A new leader learns its high watermark once its followers have fetched, and one that hangs is
// taken out of the in-sync replicas after as long (replica.lag.time.max.ms).
constexpr int64_t kEarlyEndMs = 30'000;
// Of a batch that was too large for the target although its configuration said otherwise.
constexpr uint32_t kRefusedSizeParts = 8;
// Each after so many tries.
constexpr int kRefusedInRangeTries = 2;

// A batch of more than this is worth its own round trip.
constexpr uint32_t kSmallBatchBytes = 4'096;
// A merged batch: large enough that the round trip counts no more, small enough for a worker's turn
// and for any target.
constexpr uint32_t kMostMergedBytes = 256 << 10;
constexpr int64_t kMostMergedRecords = 1 << 16;

bool IsSearch(LaneReason reason) {
    return reason == LaneReason::kConnection || reason == LaneReason::kNotLeader ||
           reason == LaneReason::kNoLeader;
}

int32_t Advance(int32_t sequence, int64_t records) {
    return static_cast<int32_t>((static_cast<uint32_t>(sequence) + static_cast<uint32_t>(records)) &
                                static_cast<uint32_t>(kSequenceMask));
}

}  // namespace

void Backoff::Fail(int64_t now_ms, LaneReason reason, int16_t code) {
    const int64_t first = reason == LaneReason::kNotAllowed ? kNotAllowedDelayMs : kFirstDelayMs;
    const int64_t longest = IsSearch(reason) ? kLongestSearchMs : kLongestDelayMs;
    delay_ms_ = delay_ms_ == 0 ? first : std::min(2 * delay_ms_, longest);
    retry_at_ms_ = now_ms + delay_ms_;
    reason_ = reason;
    code_ = code;
}

void Backoff::Miss(int64_t now_ms) {
    if (!IsWaiting(now_ms)) Fail(now_ms, LaneReason::kNoLeader, 0);
}

void Backoff::Found() {
    if (reason_ == LaneReason::kNoLeader) Succeed();
    retry_at_ms_ = 0;
}

bool Backoff::IsWorthTelling() const { return delay_ms_ >= kWorthTellingMs; }

Lane::Counts& Lane::Counts::operator+=(const Counts& other) {
    records += other.records;
    bytes += other.bytes;
    shallow += other.shallow;
    for (size_t i = 0; i < resealed.size(); i++) resealed[i] += other.resealed[i];
    merged += other.merged;
    control += other.control;
    aborted += other.aborted;
    empty += other.empty;
    arrived += other.arrived;
    lost += other.lost;
    retried += other.retried;
    maybe_doubled += other.maybe_doubled;
    discarded_bytes += other.discarded_bytes;
    return *this;
}

Lane::Lane(const Options& options)
    : options_(options),
      next_{options.position, options.leader_epoch},
      checkpoint_(next_),
      producer_id_(options.producer_id),
      producer_epoch_(options.producer_epoch) {
    if (producer_id_ < 0 && options.is_idempotent) reset_code_ = 0;
    next_sequence_ = Advance(options.sequence, options.arrived);
    checkpoint_sequence_ = options.sequence;
    still_arrived_ = options.arrived;
    target_end_ = options.target_end;
}

// --- source side

bool Lane::WantsFetch(Moment now) const {
    // Held back on the target's side, a lane fetches no more than what it can try.
    if (send_backoff_.HasFailed() && (!slots_.empty() || send_backoff_.IsWaiting(now.ms)))
        return false;
    return !is_fetching_ && !is_draining_ && !needs_range_ && !awaits_commit_ &&
           stop_reason_ == LaneReason::kNone && queued_bytes_ < options_.room_bytes &&
           !fetch_backoff_.IsWaiting(now.ms);
}

LaneWish Lane::Fetched(FetchedPartition partition) {
    is_fetching_ = false;
    if (is_fetch_stale_) return kWishNothing;
    out_of_range_ = 0;
    refused_in_range_ = 0;
    fetch_backoff_.Succeed();
    high_watermark_ = partition.high_watermark;
    last_stable_offset_ = partition.last_stable_offset;
    log_start_ = partition.log_start;
    readable_end_ = partition.readable_end;
    if (end_at_start_ < 0) end_at_start_ = readable_end_;
    counts_.discarded_bytes += partition.walk.discarded_bytes;
    if (is_draining_ || stop_reason_ != LaneReason::kNone) return kWishNothing;

    for (const FoundBatch& batch : partition.walk.batches) {
        if (batch.path == BatchPath::kShallow || batch.path == BatchPath::kReseal) {
            TakeIn(batch, partition.owner);
        } else {
            Skip(batch);
        }
        next_ = {batch.next_offset, batch.leader_epoch};
    }
    PassOver();
    if (partition.walk.stop) {
        stop_reason_ = partition.walk.stop->reason;
        stop_offset_ = partition.walk.stop->offset;
    } else if (partition.walk.batches.empty() && partition.proves_end) {
        TakeEnd(partition.at);
    } else {
        ends_too_early_ = 0;
    }
    Merge(partition.at);
    LookForEnd();
    return kWishNothing;
}

LaneWish Lane::FetchedNothing(Moment now) {
    return Fetched({.high_watermark = high_watermark_,
                    .last_stable_offset = last_stable_offset_,
                    .log_start = log_start_,
                    .readable_end = readable_end_,
                    .proves_end = IsCaughtUp(),
                    .walk = {},
                    .owner = nullptr,
                    .at = now});
}

bool Lane::IsAtRest(Moment now) const {
    return IsCaughtUp() && has_reached_end_ && still_arrived_ == 0 && slots_.empty() &&
           WantsFetch(now);
}

// Nothing is left. A new leader may tell an end that is too early for a moment. Where it stays so
// the source lost records, and when the target has more of this lane than the source, the lane
// stops.
void Lane::TakeEnd(Moment now) {
    const bool is_short = still_arrived_ > 0 && slots_.empty() && next_.offset >= readable_end_;
    const bool is_early = is_short || readable_end_ < end_at_start_ || next_.offset < end_at_start_;
    if (!is_early) {
        ends_too_early_ = 0;
    } else {
        if (ends_too_early_++ == 0) early_since_ms_ = now.ms;
        const bool is_lasting = now.ms - early_since_ms_ >= kEarlyEndMs;
        if (ends_too_early_ < kOutOfRangeTries || !is_lasting) return;
    }
    is_end_proved_ = true;
    if (!is_short) return;
    stop_reason_ = LaneReason::kSourceDiverged;
    stop_offset_ = next_.offset;
}

void Lane::TakeIn(const FoundBatch& batch, const std::shared_ptr<const void>& owner) {
    const bool is_whole = batch.path == BatchPath::kShallow;
    slots_.push_back({.data = batch.data,
                      .size = batch.size,
                      .record_count = batch.record_count,
                      .base_offset = batch.base_offset,
                      .last_offset = batch.next_offset - 1,
                      .end = {batch.next_offset, batch.leader_epoch},
                      .leader_epoch = batch.leader_epoch,
                      .max_timestamp = batch.max_timestamp,
                      .sequence = -1,
                      .was_sent = false,
                      .may_be_written = false,
                      .reason = batch.reason,
                      .ticket = is_whole ? 0 : next_ticket_++,
                      .is_away = false,
                      .from_offset = batch.from_offset,
                      .owner = owner});
    queued_bytes_ += batch.size;
    has_let_go_ = false;
}

void Lane::PassOver() {
    while (still_arrived_ > 0 && !slots_.empty() && slots_.front().ticket == 0) {
        Slot& slot = slots_.front();
        if (still_arrived_ < slot.record_count) {
            // The target has some of its records: the rest is to be cut out.
            slot.reason = LaneReason::kHeadTrim;
            slot.ticket = next_ticket_++;
            slot.is_away = false;
            slot.from_offset = slot.base_offset;
            return;
        }
        still_arrived_ -= slot.record_count;
        checkpoint_ = slot.end;
        checkpoint_sequence_ = Advance(checkpoint_sequence_, slot.record_count);
        counts_.arrived++;
        queued_bytes_ -= slot.size;
        slots_.pop_front();
        front_serial_++;
        NoteArrivedEnd();
    }
}

void Lane::NoteArrivedEnd() {
    if (still_arrived_ == 0) target_end_ = std::max(target_end_, options_.arrived_end);
}

void Lane::Skip(const FoundBatch& batch) {
    End() = {batch.next_offset, batch.leader_epoch};
    // A lane that let go fetches again what it has counted before.
    if (batch.base_offset < skips_counted_to_) return;
    skips_counted_to_ = batch.next_offset;
    switch (batch.path) {
        case BatchPath::kControl:
            counts_.control++;
            break;
        case BatchPath::kAborted:
            counts_.aborted++;
            break;
        case BatchPath::kEmpty:
        case BatchPath::kShallow:
        case BatchPath::kReseal:
            counts_.empty++;
            break;
    }
}

LaneWish Lane::FetchFailed(int16_t code, Moment now) {
    is_fetching_ = false;
    const FetchRule rule = RuleForFetch(code);
    if (rule.action != FetchAction::kOutOfRange) {
        fetch_backoff_.Fail(now.ms, rule.reason, code);
        return rule.refresh_leader ? kWishSourceLeader : kWishNothing;
    }
    if (++out_of_range_ < kOutOfRangeTries) {
        fetch_backoff_.Fail(now.ms, LaneReason::kNotLeader, code);
        return kWishSourceLeader;
    }
    needs_range_ = true;
    return kWishNothing;
}

LaneWish Lane::FetchDiverged(int64_t end, Moment now) {
    is_fetching_ = false;
    if (++out_of_range_ < kOutOfRangeTries) {
        fetch_backoff_.Fail(now.ms, LaneReason::kNotLeader, 0);
        return kWishSourceLeader;
    }
    stop_reason_ = LaneReason::kSourceDiverged;
    stop_offset_ = end;
    return kWishNothing;
}

void Lane::SetRange(int64_t log_start, int64_t log_end, Moment now) {
    if (!needs_range_) return;
    needs_range_ = false;
    out_of_range_ = 0;
    if (is_draining_ || stop_reason_ != LaneReason::kNone) return;
    if (next_.offset < log_start) return TakeGap(log_start);
    // Within the log a position is refused when the broker does not know the epoch before it.
    const bool is_unknown = next_.epoch >= 0 && ++refused_in_range_ >= kRefusedInRangeTries;
    if (next_.offset > log_end || is_unknown) {
        stop_reason_ = LaneReason::kSourceDiverged;
        stop_offset_ = std::min(next_.offset, log_end);
        return;
    }
    fetch_backoff_.Fail(now.ms, LaneReason::kNotLeader, 0);
}

void Lane::TakeGap(int64_t log_start) {
    // What is on its way is settled first: the lane asks again.
    if (options_.skips_gaps && !slots_.empty()) {
        needs_range_ = true;
        return;
    }
    // What has arrived on the target comes first of all that was deleted: it is not lost.
    const int64_t assumed = std::min(still_arrived_, log_start - next_.offset);
    gap_ = Gap{next_.offset + assumed, log_start, options_.skips_gaps, assumed};
    if (!options_.skips_gaps) {
        stop_reason_ = LaneReason::kSourceGap;
        stop_offset_ = gap_->from;
        return;
    }
    counts_.lost += static_cast<uint64_t>(gap_->to - gap_->from);
    still_arrived_ -= assumed;
    checkpoint_sequence_ = Advance(checkpoint_sequence_, assumed);
    checkpoint_ = next_ = {log_start, -1};
    // A request that outlived its sender may still bring what was deleted. Under the same id its
    // sequence would be that of the first record behind the gap, which would be taken for a repeat.
    if (options_.is_idempotent) {
        producer_id_ = -1;
        reset_code_ = 0;
    }
    // A crash before the next commit would find the gap again, and would not know what has come
    // from behind it since.
    awaits_commit_ = options_.resumes;
    LookForEnd();
}

LaneWish Lane::FetchMalformed(Moment now) {
    is_fetching_ = false;
    fetch_backoff_.Fail(now.ms, LaneReason::kMalformed, 0);
    return kWishSourceLeader;
}

void Lane::FetchLost(Moment now) {
    is_fetching_ = false;
    fetch_backoff_.Fail(now.ms, LaneReason::kConnection, 0);
}

// --- target side

bool Lane::IsFresh(int64_t timestamp, Moment now) const {
    return timestamp > now.wall_ms - (options_.producer_expiry_ms - kExpiryMarginMs);
}

bool Lane::MayBeForgotten(Moment now) const {
    if (!options_.resumes || options_.target_append_time || in_flight_ > 0) return false;
    for (const Slot& slot : slots_) {
        if (!slot.may_be_written) return false;
        if (!IsFresh(slot.max_timestamp, now)) return true;
    }
    return false;
}

bool Lane::CanSend(Moment now) const {
    if (next_send_ >= slots_.size() || has_failed_ || goes_back_ || reset_code_ ||
        send_backoff_.IsWaiting(now.ms))
        return false;
    if (slots_[next_send_].ticket != 0 || still_arrived_ > 0 || MayBeForgotten(now)) return false;
    if (in_flight_ == 0) return true;
    if (in_flight_ >= options_.max_in_flight || !options_.is_idempotent) return false;
    const bool is_known = known_until_ >= 0 && IsFresh(known_until_, now);
    return is_known &&
           (options_.target_append_time || (IsFresh(slots_[0].max_timestamp, now) &&
                                            IsFresh(slots_[next_send_].max_timestamp, now)));
}

int Lane::NextCodec() const { return ReadBatchHeader(slots_[next_send_].data).codec(); }

Lane::Outgoing Lane::Send(Moment now) {
    Slot& slot = slots_[next_send_];
    if (slot.sequence < 0 && options_.is_idempotent) {
        slot.sequence = next_sequence_;
        next_sequence_ = Advance(next_sequence_, slot.record_count);
    }
    if (slot.was_sent) counts_.retried++;
    if (slot.may_be_written && !options_.is_idempotent) counts_.maybe_doubled++;
    slot.was_sent = true;
    slot.sent_at_ms = now.ms;
    in_flight_++;
    return {.serial = front_serial_ + next_send_++,
            .data = slot.data,
            .size = slot.size,
            .stamp = {producer_id_, producer_epoch_, slot.sequence},
            .owner = slot.owner};
}

LaneWish Lane::Answered(uint64_t serial, int16_t code, int64_t base_offset, Moment now) {
    // A stopped lane has let its slots go; their answers say nothing any more.
    if (serial < front_serial_) return kWishNothing;
    const bool is_oldest = serial == front_serial_ && !has_failed_;
    const AckRule rule = RuleForAck(code);

    if (rule.action == AckAction::kWritten) {
        if (IsBackwards(base_offset)) {
            Stop(LaneReason::kTargetWentBack, code, slots_.front().base_offset);
            return kWishNothing;
        }
        in_flight_--;
        if (is_oldest) {
            PopFront(base_offset, now);
        } else if (has_failed_ && !failed_may_be_written_ && !slots_.front().may_be_written) {
            // The one before it was refused and this one taken: the target does not check our
            // sequence, or another mirror has brought the one before it meanwhile.
            if (!options_.resumes) {
                Stop(LaneReason::kOrderLost, code, slots_.front().base_offset);
                return kWishNothing;
            }
            is_order_in_doubt_ = true;
            FailInFlight(true);
        } else {
            FailInFlight(true);
        }
        return kWishNothing;
    }
    if (!is_oldest) {
        // Behind a failure every answer is a consequence of it; the whole window is sent again.
        in_flight_--;
        FailInFlight(rule.may_be_written);
        return kWishNothing;
    }
    in_flight_--;
    switch (rule.action) {
        case AckAction::kSequence:
            if (is_order_in_doubt_) {
                Stop(LaneReason::kOrderLost, code, slots_.front().base_offset);
                return kWishNothing;
            }
            reset_code_ = code;
            FailInFlight(true);
            return kWishProducerId;
        case AckAction::kStop:
            Refused(rule.reason, code);
            return kWishNothing;
        case AckAction::kRetry:
        case AckAction::kWritten:
            break;
    }
    send_backoff_.Fail(now.ms, rule.reason, code);
    FailInFlight(rule.may_be_written);
    return rule.refresh_leader ? kWishTargetLeader : kWishNothing;
}

LaneWish Lane::Unanswered(uint64_t serial, bool may_be_written, Moment now) {
    if (serial < front_serial_) return kWishNothing;
    if (!has_failed_) send_backoff_.Fail(now.ms, LaneReason::kConnection, 0);
    in_flight_--;
    FailInFlight(may_be_written);
    return kWishTargetLeader;
}

void Lane::FailInFlight(bool may_be_written) {
    has_failed_ = true;
    goes_back_ = false;
    failed_may_be_written_ = failed_may_be_written_ || may_be_written;
    if (in_flight_ > 0) return;
    for (size_t i = 0; i < next_send_; i++) slots_[i].may_be_written |= failed_may_be_written_;
    has_failed_ = false;
    failed_may_be_written_ = false;
    next_send_ = 0;
    if (std::exchange(takes_apart_, false)) TakeApart(0);
    const LaneReason why = std::exchange(fetches_again_, LaneReason::kNone);
    if (why != LaneReason::kNone) FetchAgain(why);
}

void Lane::Refused(LaneReason reason, int16_t code) {
    Slot& slot = slots_.front();
    // Brokers before 2.4 call every refusal corruption: the batch itself tells which it is.
    if (reason == LaneReason::kBadCrc && IsCrcRight(slot.data, slot.size))
        reason = LaneReason::kRefused;
    const bool may_fetch = !is_draining_ && stop_reason_ == LaneReason::kNone;
    if (!slot.parts.empty()) {
        // Which of them it was the target does not tell.
        takes_apart_ = true;
        if (reason == LaneReason::kTooLarge) narrowed_to_ = slot.size / kRefusedSizeParts;
    } else if (reason == LaneReason::kBadCrc && may_fetch && damaged_at_ != slot.base_offset) {
        damaged_at_ = slot.base_offset;
        fetches_again_ = reason;
    } else if (reason == LaneReason::kTooLarge && may_fetch && IsDivisible(slot) &&
               narrowed_at_ != slot.base_offset) {
        // The rest of a batch, begun anew after its first parts were taken: it is cut for less.
        narrowed_at_ = slot.base_offset;
        narrowed_to_ = slot.size / kRefusedSizeParts;
        fetches_again_ = reason;
    } else if (CanRebuild(slot, reason)) {
        slot.reason = reason;
        slot.ticket = next_ticket_++;
        slot.is_away = false;
        slot.from_offset = slot.base_offset;
    } else {
        Stop(reason, code, slot.base_offset);
        return;
    }
    // It took no sequence, and so nothing behind it did.
    if (options_.is_idempotent) next_sequence_ = slot.sequence;
    for (Slot& later : slots_) later.sequence = -1;
    FailInFlight(false);
}

bool Lane::IsDivisible(const Slot& slot) const {
    return options_.can_reseal && slot.reason != LaneReason::kNone && slot.record_count > 1;
}

// Only what came as it is: a rebuilt batch no longer tells the source's offsets.
bool Lane::CanRebuild(const Slot& slot, LaneReason reason) const {
    const bool may_help = reason == LaneReason::kRefused ||
                          (reason == LaneReason::kTooLarge && slot.record_count > 1);
    return options_.can_reseal && slot.reason == LaneReason::kNone && may_help;
}

void Lane::FetchAgain(LaneReason reason) {
    // What was to be fetched again is not, where the end came in between.
    if (!slots_.empty() && (is_draining_ || stop_reason_ != LaneReason::kNone)) {
        Stop(reason, 0, slots_.front().base_offset);
        return;
    }
    is_fetch_stale_ = is_fetching_;
    front_serial_ += slots_.size();
    DropFrom(0);
    next_ = checkpoint_;
    is_end_proved_ = false;
}

void Lane::LetGoWhileBlocked(const CopyBatch& copy) {
    if (has_let_go_ || in_flight_ > 0 || is_fetching_ || !send_backoff_.IsWorthTelling()) return;
    has_let_go_ = true;
    // Once draining or stopping, what was fetched is all that there will be.
    const bool may_fetch_again = !is_draining_ && stop_reason_ == LaneReason::kNone;
    while (may_fetch_again && !slots_.empty() && !slots_.back().was_sent) {
        queued_bytes_ -= slots_.back().size;
        slots_.pop_back();
        next_ = End();
        is_end_proved_ = false;
    }
    const auto keep = [&copy](Slot& slot) {
        if (slot.data == nullptr) return;
        auto [data, owner] = copy(slot.data, slot.size, std::max(0, slot.record_count));
        slot.data = data;
        slot.owner = std::move(owner);
    };
    for (Slot& slot : slots_) {
        keep(slot);
        for (Slot& part : slot.parts) keep(part);
    }
}

void Lane::CountPath(LaneReason reason) {
    const auto found = std::find(kResealReasons.begin(), kResealReasons.end(), reason);
    if (found == kResealReasons.end()) {
        counts_.shallow++;
    } else {
        counts_.resealed[static_cast<size_t>(found - kResealReasons.begin())]++;
    }
}

void Lane::CountPath(const Slot& slot) {
    if (slot.parts.empty()) return CountPath(slot.reason);
    counts_.merged += slot.parts.size();
}

bool Lane::IsBackwards(int64_t base_offset) const {
    return base_offset >= 0 && base_offset < std::max(target_end_, last_target_ + 1);
}

void Lane::PopFront(int64_t base_offset, Moment now) {
    const Slot& slot = slots_.front();
    const bool is_late = now.ms - slot.sent_at_ms >= kFarMs;
    late_answers_ = is_late ? std::min(late_answers_ + 1, options_.far_answers) : 0;
    send_backoff_.Succeed();
    has_let_go_ = false;
    is_order_in_doubt_ = false;
    known_until_ = options_.target_append_time ? now.wall_ms : slot.max_timestamp;
    checkpoint_ = slot.end;
    if (options_.is_idempotent) checkpoint_sequence_ = Advance(slot.sequence, slot.record_count);
    if (first_source_ < 0) first_source_ = slot.base_offset;
    last_source_ = slot.last_offset;
    if (base_offset >= 0) {
        if (first_target_ < 0) first_target_ = base_offset;
        last_target_ = base_offset + slot.record_count - 1;
    }
    target_end_ = std::max(target_end_, last_target_ + 1);
    last_timestamp_ = slot.max_timestamp;
    counts_.records += static_cast<uint64_t>(slot.record_count);
    counts_.bytes += slot.size;
    CountPath(slot);
    queued_bytes_ -= slot.size;
    slots_.pop_front();
    front_serial_++;
    next_send_--;
    if (goes_back_ && in_flight_ == 0) {
        goes_back_ = false;
        FetchAgain(LaneReason::kCodecUnsupported);
    }
    LookForEnd();
}

Lane::ProducerReset Lane::SetProducer(int64_t producer_id, int16_t epoch) {
    const int64_t from = slots_.empty() ? checkpoint_.offset : slots_.front().base_offset;
    ProducerReset reset{from, from, *reset_code_, Advance(0, -still_arrived_)};
    for (Slot& slot : slots_) {
        if (slot.was_sent) {
            reset.to = slot.last_offset + 1;
            counts_.maybe_doubled++;
        }
        slot.sequence = -1;
        slot.was_sent = false;
        slot.may_be_written = false;
    }
    producer_id_ = producer_id;
    producer_epoch_ = epoch;
    next_sequence_ = 0;
    // What has arrived under an earlier id lies behind the checkpoint, before sequence 0.
    checkpoint_sequence_ = Advance(0, -still_arrived_);
    known_until_ = -1;
    reset_code_.reset();
    return reset;
}

// --- rebuilding

bool Lane::HasReseal() const {
    // Behind a refused batch every answer is awaited first.
    if ((stop_reason_ != LaneReason::kNone && slots_.empty()) || has_failed_) return false;
    for (const Slot& slot : slots_) {
        if (slot.ticket != 0 && !slot.is_away) return true;
        // What the target has already is counted slot by slot.
        if (still_arrived_ > 0) return false;
    }
    return false;
}

std::optional<Lane::ToReseal> Lane::TakeReseal() {
    if (!HasReseal()) return std::nullopt;
    for (Slot& slot : slots_) {
        if (slot.ticket != 0 && !slot.is_away) {
            slot.is_away = true;
            return Describe(slot);
        }
        if (still_arrived_ > 0) return std::nullopt;
    }
    return std::nullopt;
}

Lane::ToReseal Lane::Describe(const Slot& slot) const {
    const uint8_t* data = slot.data;
    std::shared_ptr<const void> owner = slot.owner;
    if (!slot.parts.empty()) {
        const auto bytes = std::make_shared<std::vector<uint8_t>>();
        bytes->reserve(slot.size);
        for (const Slot& part : slot.parts)
            bytes->insert(bytes->end(), part.data, part.data + part.size);
        data = bytes->data();
        owner = bytes;
    }
    return {.ticket = slot.ticket,
            .data = data,
            .size = slot.size,
            .reason = slot.reason,
            .from_offset = slot.from_offset,
            .skip = still_arrived_,
            .aim_bytes = std::min(narrowed_to_, AimFor(slot)),
            .avoids_zstd = avoids_zstd_,
            .owner = std::move(owner)};
}

// While it is away nothing changes how much is to be skipped: what would be is behind it.
std::optional<Lane::ToReseal> Lane::RetakeReseal(uint64_t ticket) const {
    const size_t index = FindTicket(ticket);
    if (index == slots_.size()) return std::nullopt;
    return Describe(slots_[index]);
}

uint32_t Lane::AimFor(const Slot& slot) const {
    const bool was_refused = slot.was_sent && slot.reason == LaneReason::kTooLarge;
    return was_refused ? slot.size / kRefusedSizeParts : options_.target_max_batch_bytes;
}

size_t Lane::FindTicket(uint64_t ticket) const {
    size_t index = 0;
    while (index < slots_.size() && slots_[index].ticket != ticket) index++;
    return index;
}

void Lane::GiveResealed(uint64_t ticket, int64_t skipped, std::vector<Resealed> batches) {
    const size_t index = FindTicket(ticket);
    if (index == slots_.size()) return;
    if (!slots_[index].parts.empty()) return GiveMerged(index, std::move(batches));
    const Slot old = slots_[index];
    queued_bytes_ -= old.size;
    still_arrived_ -= skipped;
    checkpoint_sequence_ = Advance(checkpoint_sequence_, skipped);
    if (skipped > 0) NoteArrivedEnd();
    if (batches.empty()) {
        counts_.arrived += skipped > 0;
        // What a handler dropped has been through it all the same.
        if (skipped == 0 && old.reason == LaneReason::kHandler) CountPath(old.reason);
        (index == 0 ? checkpoint_ : slots_[index - 1].end) = old.end;
        slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(index));
    } else {
        if (skipped > 0) checkpoint_ = {batches.front().first_offset, old.leader_epoch};
        std::vector<Slot> ready;
        ready.reserve(batches.size());
        for (Resealed& batch : batches) {
            Slot slot = old;
            slot.data = batch.data;
            slot.size = batch.size;
            slot.record_count = batch.record_count;
            slot.base_offset = batch.first_offset;
            slot.last_offset = batch.last_offset;
            slot.end = {batch.last_offset + 1, old.leader_epoch};
            slot.max_timestamp = batch.max_timestamp;
            slot.ticket = 0;
            slot.is_away = false;
            slot.owner = std::move(batch.owner);
            queued_bytes_ += slot.size;
            ready.push_back(std::move(slot));
        }
        ready.back().end = old.end;
        const auto at = slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(index));
        slots_.insert(at, ready.begin(), ready.end());
    }
    PassOver();
    LookForEnd();
}

void Lane::GiveUnchanged(uint64_t ticket) {
    const size_t index = FindTicket(ticket);
    if (index == slots_.size()) return;
    Slot& slot = slots_[index];
    slot.record_count = ReadBatchHeader(slot.data).record_count;
    slot.ticket = 0;
    slot.is_away = false;
    PassOver();
}

void Lane::FailReseal(uint64_t ticket, LaneReason reason) {
    const size_t index = FindTicket(ticket);
    if (index == slots_.size()) return;
    // The target is to judge each of them.
    if (!slots_[index].parts.empty()) return TakeApart(index);
    stop_reason_ = reason;
    stop_offset_ = slots_[index].base_offset;
    DropFrom(index);
}

// --- merging

bool Lane::IsWindowFull(Moment now) const {
    if (in_flight_ == 0) return false;
    if (in_flight_ >= options_.max_in_flight || !options_.is_idempotent) return true;
    // Behind an old batch the next one waits for its answer.
    return known_until_ >= 0 && !IsFresh(known_until_, now);
}

bool Lane::IsMergeable(const Slot& slot) const {
    return slot.ticket == 0 && slot.reason == LaneReason::kNone && !slot.was_sent &&
           slot.size <= kSmallBatchBytes && slot.base_offset >= merges_behind_;
}

size_t Lane::FindMergeEnd(size_t index) const {
    const uint32_t most_bytes =
        std::min({kMostMergedBytes, options_.target_max_batch_bytes, narrowed_to_});
    const auto codec_of = [](const Slot& slot) { return ReadBatchHeader(slot.data).codec(); };
    uint32_t bytes = 0;
    int64_t records = 0;
    size_t end = index;
    for (; end < slots_.size() && IsMergeable(slots_[end]); end++) {
        bytes += slots_[end].size;
        records += slots_[end].record_count;
        if (bytes > most_bytes || records > kMostMergedRecords) break;
        if (codec_of(slots_[end]) != codec_of(slots_[index])) break;
    }
    return end;
}

bool Lane::Merge(Moment now) {
    const bool may_merge = options_.merges_from > 0 && options_.can_reseal;
    if (!may_merge || late_answers_ < options_.far_answers || !IsWindowFull(now)) return false;
    bool has_merged = false;
    for (size_t index = next_send_; index < slots_.size();) {
        const size_t end = FindMergeEnd(index);
        if (end - index < options_.merges_from) {
            index = std::max(index + 1, end);
            continue;
        }
        MergeSlots(index++, end);
        has_merged = true;
    }
    return has_merged;
}

void Lane::MergeSlots(size_t index, size_t end) {
    Slot merged = slots_[index];
    merged.data = nullptr;
    merged.owner = nullptr;
    merged.reason = LaneReason::kTinyBatches;
    merged.ticket = next_ticket_++;
    merged.from_offset = merged.base_offset;
    merged.parts.reserve(end - index);
    merged.parts.push_back(std::move(slots_[index]));
    for (size_t i = index + 1; i < end; i++) {
        Slot& slot = slots_[i];
        merged.size += slot.size;
        merged.record_count += slot.record_count;
        merged.last_offset = slot.last_offset;
        merged.end = slot.end;
        merged.leader_epoch = slot.leader_epoch;
        merged.max_timestamp = std::max(merged.max_timestamp, slot.max_timestamp);
        merged.parts.push_back(std::move(slot));
    }
    slots_[index] = std::move(merged);
    const auto first = slots_.begin() + static_cast<std::ptrdiff_t>(index);
    slots_.erase(first + 1, first + static_cast<std::ptrdiff_t>(end - index));
}

void Lane::GiveMerged(size_t index, std::vector<Resealed> batches) {
    Slot& slot = slots_[index];
    // What compresses worse than its parts, or holds what their headers do not tell.
    if (batches.size() != 1 || batches.front().record_count != slot.record_count)
        return TakeApart(index);
    Resealed& batch = batches.front();
    queued_bytes_ -= slot.size;
    queued_bytes_ += batch.size;
    slot.data = batch.data;
    slot.size = batch.size;
    slot.max_timestamp = batch.max_timestamp;
    slot.owner = std::move(batch.owner);
    slot.ticket = 0;
    slot.is_away = false;
}

void Lane::TakeApart(size_t index) {
    Slot merged = std::move(slots_[index]);
    merges_behind_ = merged.end.offset;
    // Skipped batches may have been found behind it since.
    merged.parts.back().end = merged.end;
    queued_bytes_ -= merged.size;
    for (Slot& part : merged.parts) {
        part.was_sent = merged.was_sent;
        part.may_be_written = merged.may_be_written;
        queued_bytes_ += part.size;
    }
    const auto at = slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(index));
    slots_.insert(at, std::make_move_iterator(merged.parts.begin()),
                  std::make_move_iterator(merged.parts.end()));
}

void Lane::DropFrom(size_t index) {
    while (slots_.size() > index) {
        queued_bytes_ -= slots_.back().size;
        slots_.pop_back();
    }
}

// --- either side

void Lane::Stop(LaneReason reason, int16_t code, int64_t offset) {
    stop_reason_ = reason;
    stop_code_ = code;
    stop_offset_ = offset;
    front_serial_ += slots_.size();
    slots_.clear();
    queued_bytes_ = 0;
    in_flight_ = 0;
    next_send_ = 0;
    has_failed_ = false;
}

void Lane::StopReading(LaneReason reason) {
    if (stop_reason_ != LaneReason::kNone) return;
    stop_reason_ = reason;
    stop_offset_ = next_send_ < slots_.size() ? slots_[next_send_].base_offset : next_.offset;
    DropFrom(next_send_);
}

void Lane::StopAtNext(LaneReason reason) {
    stop_reason_ = reason;
    stop_offset_ = slots_[next_send_].base_offset;
    DropFrom(next_send_);
}

void Lane::AvoidZstd() {
    if (!slots_[next_send_].parts.empty() && slots_[next_send_].sequence < 0) TakeApart(next_send_);
    Slot& slot = slots_[next_send_];
    const bool may_fetch = !is_draining_ && stop_reason_ == LaneReason::kNone;
    // One that was sent may be there, by a leader that took it: its sequence is that of its
    // records.
    const bool is_new = slot.sequence < 0 && !slot.may_be_written;
    avoids_zstd_ = true;
    if (options_.can_reseal && is_new && slot.reason == LaneReason::kNone) {
        slot.reason = LaneReason::kCodecUnsupported;
        slot.ticket = next_ticket_++;
        slot.is_away = false;
        slot.from_offset = slot.base_offset;
    } else if (options_.can_reseal && is_new && may_fetch) {
        // Rebuilt for another reason, before this was known: it no longer tells the source's
        // offsets. Once what is in flight is answered it is rebuilt anew.
        goes_back_ = in_flight_ > 0;
        if (!goes_back_) FetchAgain(LaneReason::kCodecUnsupported);
    } else {
        StopAtNext(LaneReason::kCodecUnsupported);
    }
}

void Lane::LookForEnd() {
    if (end_at_start_ < 0 || has_reached_end_) return;
    if (still_arrived_ > 0) return;
    has_reached_end_ = checkpoint_.offset >= end_at_start_ || (is_end_proved_ && slots_.empty());
}

std::optional<int64_t> Lane::RetryAtMs(Moment now) const {
    std::optional<int64_t> at;
    for (const Backoff* backoff : {&fetch_backoff_, &send_backoff_})
        if (backoff->IsWaiting(now.ms))
            at = std::min(at.value_or(INT64_MAX), backoff->retry_at_ms());
    return at;
}

// --- facts

LaneState Lane::StateAt(Moment now) const {
    if (IsOver()) return LaneState::kStopped;
    if (is_draining_) return slots_.empty() ? LaneState::kDrained : LaneState::kDraining;
    if (send_backoff_.IsWaiting(now.ms) || fetch_backoff_.IsWaiting(now.ms))
        return LaneState::kBackingOff;
    if (high_watermark_ < 0) return LaneState::kStarting;
    if (slots_.empty() && IsCaughtUp()) return LaneState::kCaughtUp;
    return LaneState::kRunning;
}

LaneReason Lane::problem() const {
    if (IsOver()) return stop_reason_;
    if (send_backoff_.IsWorthTelling()) return send_backoff_.reason();
    if (fetch_backoff_.IsWorthTelling()) return fetch_backoff_.reason();
    return LaneReason::kNone;
}

int16_t Lane::problem_code() const {
    if (IsOver()) return stop_code_;
    return send_backoff_.IsWorthTelling() ? send_backoff_.code() : fetch_backoff_.code();
}

}  // namespace heliostat
