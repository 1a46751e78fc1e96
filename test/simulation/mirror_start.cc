// How a mirror begins its lanes and commits what they have done, step by step as src/mirror does.

#include <algorithm>
#include <utility>

#include "mirror.h"

namespace heliostat::simulation {
namespace {

// A lane that comes back so often without having moved is stopped: link-run.ts.
constexpr size_t kMostTries = 3;
constexpr int64_t kTriesMs = 60'000;

}  // namespace

void Mirror::Begin(size_t at, bool is_healthy) {
    Runner& runner = runners_[at];
    const bool asks = runner.phase == Phase::kReadCommit || runner.phase == Phase::kAsk ||
                      runner.phase == Phase::kPrepare;
    if (asks && !is_healthy && scene_.HasFault()) {
        runner.phase = Phase::kReadCommit;
        return;
    }
    switch (runner.phase) {
        case Phase::kReadCommit:
            return ReadCommit(at);
        case Phase::kAsk:
            return Ask(at);
        case Phase::kPrepare:
            return Prepare(at);
        case Phase::kCommitFirst:
        case Phase::kRunning:
        case Phase::kRefused:
            return;
    }
}

void Mirror::ReadCommit(size_t at) {
    Runner& runner = runners_[at];
    const Track& track = scene_.tracks[at];
    const auto& committed = track.committed;
    if (IsHeldBack(at)) return;
    runner.committed = committed ? committed->offset : -1;
    if (!committed) {
        runner.plan = {track.ledger.position(), {-1, 0, -1}};
        runner.phase = Phase::kPrepare;
        return;
    }
    const auto& known = runner.own_commits;
    const bool is_own = runner.own && runner.own->offset >= committed->offset &&
                        std::find(known.begin(), known.end(), committed->metadata) != known.end();
    runner.plan = is_own ? *runner.own : *committed;
    if (!scene_.resumes) {
        Announce(at, runner.plan.offset, track.ledger.sent_end());
        runner.phase = Phase::kPrepare;
        return;
    }
    runner.search.emplace(runner.plan.metadata);
    runner.phase = Phase::kAsk;
}

void Mirror::Ask(size_t at) {
    Runner& runner = runners_[at];
    Track& track = scene_.tracks[at];
    const std::optional<ResumeAnswer> answer = runner.search->Ask(track.target);
    if (!answer) return;
    const int64_t arrived = runner.search->arrived();
    scene_.Trace("lane %zu: mirror %d resumes at %ld: answer %d, %ld records arrived", at,
                 is_second_, static_cast<long>(runner.plan.offset), static_cast<int>(*answer),
                 static_cast<long>(arrived));
    switch (*answer) {
        case ResumeAnswer::kExact:
            scene_.totals.exact++;
            scene_.totals.passed_over += arrived;
            if (track.source.is_compacted()) return GoOnBehind(at, arrived);
            track.ledger.CheckArrived(runner.plan.offset, arrived, track.target);
            return RunLane(at, arrived, runner.search->arrived_end());
        case ResumeAnswer::kFresh:
            // What was sent under an id that was never committed may still be on its way.
            Announce(at, runner.plan.offset, track.ledger.sent_end());
            runner.phase = Phase::kPrepare;
            return;
        case ResumeAnswer::kLater:
            scene_.totals.waits++;
            runner.phase = Phase::kReadCommit;
            return;
        case ResumeAnswer::kUnproved:
            scene_.totals.unknown++;
            Announce(at, runner.plan.offset, track.ledger.sent_end());
            runner.phase = Phase::kPrepare;
            return;
        case ResumeAnswer::kWentBack:
            scene_.totals.went_back++;
            if (!track.ledger.was_cut()) track.ledger.Fail("says that the target went back");
            runner.phase = Phase::kRefused;
            track.has_told_loss = true;
            return;
    }
}

// As compacted-arrivals.ts does: what has arrived lies before the start, whatever the source still
// has of it.
void Mirror::GoOnBehind(size_t at, int64_t arrived) {
    auto& [offset, metadata, epoch] = runners_[at].plan;
    Track& track = scene_.tracks[at];
    track.ledger.Recount(metadata.producer_id);
    const int64_t arrived_end = runners_[at].search->arrived_end();
    if (arrived > 0) {
        const int64_t behind = track.ledger.BehindArrived(metadata.producer_id, offset);
        if (behind > offset) epoch = track.source.EpochAt(behind - 1);
        offset = behind;
        metadata.next_sequence = AddRecords(metadata.next_sequence, arrived);
        metadata.target_end = arrived_end;
        scene_.totals.begun_behind++;
    }
    RunLane(at, 0, arrived_end);
}

// A first start is committed before it begins.
void Mirror::Prepare(size_t at) {
    Runner& runner = runners_[at];
    runner.plan.metadata = {ClaimProducer(at), 0, scene_.tracks[at].target.high_watermark()};
    if (runner.plan.metadata.producer_id >= 0)
        scene_.tracks[at].ledger.BeginProducer(runner.plan.metadata.producer_id, runner.plan.offset,
                                               0);
    runner.commits.push_back({.commit = runner.plan, .is_first = true});
    runner.phase = Phase::kCommitFirst;
}

// Of the newest id, where this partition has none of it yet; else a new one is asked for.
int64_t Mirror::ClaimProducer(size_t at) {
    if (is_claimed_[at]) {
        producer_id_ = scene_.next_producer_id++;
        is_claimed_.assign(is_claimed_.size(), false);
    }
    is_claimed_[at] = true;
    return producer_id_;
}

void Mirror::RunLane(size_t at, int64_t arrived, int64_t arrived_end) {
    Runner& runner = runners_[at];
    Random& random = scene_.random;
    const Metadata& metadata = runner.plan.metadata;
    runner.lane = std::make_unique<Lane>(
        Lane::Options{.position = runner.plan.offset,
                      .leader_epoch = runner.plan.epoch,
                      .skips_gaps = scene_.skips_gaps,
                      .max_in_flight = static_cast<int>(Between(random, 1, 5)),
                      .can_reseal = true,
                      .merges_from = scene_.merges_from,
                      .far_answers = 0,
                      .room_bytes = static_cast<uint64_t>(Between(random, 100, 5'000)),
                      .target_max_batch_bytes = 1 << 20,
                      .target_append_time = scene_.tracks[at].target.is_append_time,
                      .producer_id = metadata.producer_id,
                      .producer_epoch = 0,
                      .sequence = metadata.next_sequence,
                      .arrived = arrived,
                      .target_end = metadata.target_end,
                      .arrived_end = arrived_end,
                      .resumes = scene_.resumes});
    runner.phase = Phase::kRunning;
    runner.connection = -1;
    runner.is_fetching = runner.is_draining = runner.has_reached_end = false;
    runner.awaits_commit = false;
    runner.out_of_range = runner.early_ends = 0;
    runner.checked = -1;
    scene_.Trace("lane %zu: mirror %d begins at %ld, producer %ld", at, is_second_,
                 static_cast<long>(runner.plan.offset), static_cast<long>(metadata.producer_id));
}

// --- commits, one at a time

Commit Mirror::Progress(const Lane& lane) const {
    return {lane.checkpoint(),
            {lane.producer_id(), lane.checkpoint_sequence(), lane.target_end()},
            lane.checkpoint_epoch()};
}

void Mirror::Commit(size_t at, bool is_healthy) {
    Runner& runner = runners_[at];
    if (runner.commits.empty()) {
        if (!runner.lane) return;
        const bool is_forced = runner.awaits_commit && runner.lane->producer_id() >= 0;
        if (!is_forced && runner.lane->checkpoint() == runner.committed) return;
        runner.commits.push_back({.commit = Progress(*runner.lane), .is_first = false});
    }
    PendingCommit& pending = runner.commits.front();
    if (pending.is_sent) return FinishCommit(at, is_healthy || !scene_.HasFault());
    pending.is_sent = true;
    // Two of them: the newest may have failed, or have arrived without our knowing.
    runner.own_commits.push_front(pending.commit.metadata);
    if (runner.own_commits.size() > 2) runner.own_commits.pop_back();
}

void Mirror::FinishCommit(size_t at, bool is_told) {
    Runner& runner = runners_[at];
    const auto [commit, is_first, is_sent] = runner.commits.front();
    runner.commits.pop_front();
    const bool has_arrived = is_told || Chance(scene_.random, 50);
    scene_.Trace("lane %zu: mirror %d commits %ld, producer %ld sequence %d end %ld: %s%s", at,
                 is_second_, static_cast<long>(commit.offset),
                 static_cast<long>(commit.metadata.producer_id), commit.metadata.next_sequence,
                 static_cast<long>(commit.metadata.target_end), has_arrived ? "done" : "lost",
                 is_told ? "" : ", unanswered");
    if (has_arrived) scene_.tracks[at].committed = commit;
    if (is_told) runner.committed = commit.offset;
    const bool is_known = is_told && commit.metadata.producer_id >= 0;
    if (is_known && runner.awaits_commit && runner.lane &&
        commit.metadata.producer_id == runner.lane->producer_id()) {
        runner.awaits_commit = false;
        runner.lane->ReadOn();
    }
    if (!is_first) return;
    if (is_told) return RunLane(at, 0, -1);
    runner.phase = Phase::kReadCommit;
}

void Mirror::TakeBack(size_t at) {
    Runner& runner = runners_[at];
    if (!runner.lane) return;
    const bool is_drained = runner.is_draining && runner.lane->IsIdle() && runner.unanswered == 0;
    const bool is_needed = runner.lane->NeedsResume(scene_.Now());
    if (!is_drained && !is_needed) return;
    const bool is_refused = runner.lane->reset_code() != 0;
    scene_.Trace("lane %zu: mirror %d begins it anew", at, is_second_);
    runner.own = Progress(*runner.lane);
    if (is_drained && runner.commits.empty() && runner.own->offset != runner.committed)
        runner.commits.push_back({.commit = *runner.own, .is_first = false});
    runner.lane.reset();
    runner.is_fetching = false;
    runner.reseals.clear();
    runner.phase = Phase::kReadCommit;
    if (!is_needed) return;
    scene_.totals.anew++;
    // A lane that only asks because the target may have forgotten was not refused.
    if (!is_refused) return;
    runner.tries.push_back({scene_.now_ms, runner.own->offset});
    std::erase_if(runner.tries, [&](const Try& earlier) {
        return earlier.offset != runner.own->offset || scene_.now_ms - earlier.at_ms >= kTriesMs;
    });
    if (runner.tries.size() < kMostTries) return;
    Track& track = scene_.tracks[at];
    if (!track.ledger.was_cut()) track.ledger.Fail("is begun anew again and again without moving");
    runner.phase = Phase::kRefused;
    track.has_told_loss = true;
}

}  // namespace heliostat::simulation
