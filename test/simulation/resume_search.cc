#include "resume_search.h"

#include <algorithm>

namespace heliostat::simulation {
namespace {

// Less than in resumes.ts, as the histories are short.
constexpr int kMostReads = 4;
constexpr int kBatchesOfRead = 1;
constexpr int64_t kFirstWindow = 2;
constexpr int64_t kWindowGrowth = 4;

}  // namespace

std::optional<ResumeAnswer> ResumeSearch::Ask(const TargetPartition& target) {
    switch (step_) {
        case Step::kEnds:
            return AskEnds(target);
        case Step::kTail:
            return ReadTail(target);
        case Step::kLeader:
            return AskLeader(target);
        case Step::kAnchor:
            break;
    }
    return ReadAnchor(target);
}

std::optional<ResumeAnswer> ResumeSearch::AskEnds(const TargetPartition& target) {
    facts_.log_start = target.log_start();
    facts_.high_watermark = target.high_watermark();
    if (metadata_.producer_id < 0)
        return facts_.high_watermark == metadata_.target_end ? ResumeAnswer::kFresh
                                                             : ResumeAnswer::kUnproved;
    LookBelow(facts_.high_watermark, 1);
    return std::nullopt;
}

// What is new on the target lies from the pair's end on, and what was deleted cannot be read.
void ResumeSearch::LookBelow(int64_t to, int64_t length) {
    const int64_t oldest = std::max(metadata_.target_end, facts_.log_start);
    facts_.is_tail_known = to <= oldest;
    step_ = to <= oldest ? Step::kLeader : Step::kTail;
    from_ = wanted_ = to <= oldest ? to : std::max(oldest, to - length);
    to_ = to;
}

std::optional<ResumeAnswer> ResumeSearch::ReadTail(const TargetPartition& target) {
    // Offset out of range is a failure, and failures are asked again.
    if (wanted_ < target.log_start() || wanted_ > target.log_end()) return ResumeAnswer::kLater;
    int64_t first = from_;
    int64_t next = to_;
    for (int i = 0; i < kBatchesOfRead; i++) {
        const int64_t offset = i == 0 ? wanted_ : next;
        const auto* batch = offset < target.high_watermark() ? target.BatchAt(offset) : nullptr;
        if (!batch) break;
        if (batch->base_offset < to_ && IsOwn(*batch)) {
            facts_.tail_sequence = batch->last_sequence();
            facts_.tail_end = batch->next_offset();
        }
        if (i == 0) first = batch->base_offset;
        next = batch->next_offset();
    }
    if (next < to_) {
        wanted_ = next;
    } else if (facts_.tail_sequence) {
        step_ = Step::kLeader;
    } else {
        LookBelow(std::min(from_, first), std::max(kFirstWindow, (to_ - from_) * kWindowGrowth));
    }
    if (step_ == Step::kLeader || ++reads_ < kMostReads) return std::nullopt;
    // In a window that was not read to its end the newest batch may not have been seen.
    facts_.tail_sequence.reset();
    step_ = Step::kLeader;
    return std::nullopt;
}

std::optional<ResumeAnswer> ResumeSearch::AskLeader(const TargetPartition& target) {
    facts_.leader_sequence = target.LastSequence(metadata_.producer_id);
    const bool is_newest =
        facts_.leader_sequence == AddRecords(metadata_.next_sequence, 0x7fffffff);
    const bool is_unseen = facts_.is_tail_known && !facts_.tail_sequence && !is_newest;
    const bool is_readable =
        metadata_.target_end > facts_.log_start && facts_.high_watermark >= metadata_.target_end;
    if (!is_unseen || !is_readable || metadata_.next_sequence == 0) return Decide();
    step_ = Step::kAnchor;
    return std::nullopt;
}

// The record that was acknowledged last before the commit.
ResumeAnswer ResumeSearch::ReadAnchor(const TargetPartition& target) {
    const int64_t offset = metadata_.target_end - 1;
    if (offset < target.log_start() || offset > target.log_end()) return ResumeAnswer::kLater;
    const auto* batch = offset < target.high_watermark() ? target.BatchAt(offset) : nullptr;
    if (!batch) return Decide();
    // Of the lane itself nothing can lie there that comes after the commit.
    const int32_t records =
        AddRecords(batch->last_sequence(), 1 - int64_t{metadata_.next_sequence});
    const bool is_ahead = records > 0 && records < 1 << 30;
    return IsOwn(*batch) && !is_ahead ? Decide() : ResumeAnswer::kWentBack;
}

bool ResumeSearch::IsOwn(const TargetPartition::Stored& stored) const {
    return stored.stamp.producer_id == metadata_.producer_id;
}

ResumeAnswer ResumeSearch::Decide() {
    const CommittedPair pair{.next_sequence = metadata_.next_sequence,
                             .target_end = metadata_.target_end};
    const Resume resume = DecideResume(pair, facts_);
    arrived_ = resume.arrived;
    switch (resume.verdict) {
        case ResumeVerdict::kExact:
            return ResumeAnswer::kExact;
        case ResumeVerdict::kWait:
            return ResumeAnswer::kLater;
        case ResumeVerdict::kWentBack:
            return ResumeAnswer::kWentBack;
        case ResumeVerdict::kLookOn:
        case ResumeVerdict::kUnknown:
            break;
    }
    return ResumeAnswer::kUnproved;
}

}  // namespace heliostat::simulation
