#include "lane_world.h"

#include <algorithm>
#include <string>
#include <utility>

namespace heliostat::simulation {
namespace {

constexpr int64_t kMostSkewMs = 900'000;
constexpr int64_t kHourMs = 3'600'000;
// Answers by which a broker says that it took nothing, all worth another try.
constexpr int16_t kRefusals[] = {3, 5, 6, 8, 9, 19, 29, 74, 75, 89};
// Answers after which the batch may be in the log all the same.
constexpr int16_t kComplaints[] = {7, 13, 20, 56};

}  // namespace

LaneWorld::LaneWorld(uint64_t seed, bool is_traced, Totals& totals)
    : scene_{.random = Random(seed),
             .is_traced = is_traced,
             .totals = totals,
             .tracks = {},
             .zombies = {}} {
    Random& random = scene_.random;
    scene_.fault_per_cent = static_cast<int>(Between(random, 0, 3) * Between(random, 1, 6));
    scene_.resumes = Chance(random, 70);
    scene_.skips_gaps = Chance(random, 70);
    if (Chance(random, 50)) scene_.merges_from = static_cast<size_t>(Between(random, 2, 6));
    scene_.has_two_mirrors = scene_.resumes && Chance(random, 25);
    if (Chance(random, 20)) scene_.skew_ms = Between(random, -kMostSkewMs, kMostSkewMs);
    const int64_t lanes = Between(random, 1, 3);
    for (int64_t i = 0; i < lanes; i++) AddTrack();
    mirrors_.emplace_back(scene_, false);
    mirrors_.front().Start();
    if (scene_.has_two_mirrors) mirrors_.emplace_back(scene_, true);
    scene_.totals.two_mirrors += scene_.has_two_mirrors;
}

void LaneWorld::AddTrack() {
    Random& random = scene_.random;
    // Ages of the batches: fresh, older than the target's memory, around its edge, or all of these.
    static constexpr int64_t kAges[][2] = {{1, 0}, {30 * 24, 2 * 24}, {25, 23}, {72, 0}, {0, -1}};
    const auto& age = kAges[Chance(random, 60) ? 0 : Between(random, 0, 4)];
    const SourcePartition::Shape shape{
        .batches = static_cast<int>(Between(random, 1, 40)),
        .skipped_per_cent = static_cast<int>(Between(random, 0, 2) * 20),
        .rebuilt_per_cent = static_cast<int>(Between(random, 0, 2) * 15),
        .gap_per_cent = static_cast<int>(Between(random, 0, 2) * 15),
        // Two mirrors may number what follows a record differently when only one has read it.
        .is_compacted = !scene_.has_two_mirrors && Chance(random, 30),
        // Nobody leaves half of all sequences uncommitted, and so many records would do that.
        .is_huge = !scene_.resumes && Chance(random, 30),
        .oldest_ms = scene_.wall_ms - age[0] * kHourMs,
        .newest_ms = scene_.wall_ms - age[1] * kHourMs};
    SourcePartition source(random, shape);
    const auto some = static_cast<int>(Between(random, 0, shape.batches - 1));
    const int64_t position =
        Chance(random, 80) ? source.start() : source.batches()[some].base_offset;
    SourceBatch& last = source.batches()[Between(random, some, shape.batches - 1)];
    if (Chance(random, 8) && last.IsWanted()) last.is_refused = true;
    for (SourceBatch& batch : source.batches()) {
        if (batch.path != BatchPath::kShallow || !Chance(random, 2)) continue;
        (Chance(random, 50) ? batch.needs_rebuilding : batch.is_damaged) = true;
    }
    Ledger ledger("lane " + std::to_string(scene_.tracks.size()), source, position);
    Track track{.source = std::move(source),
                .target = {},
                .ledger = std::move(ledger),
                .committed = {},
                .late_commit = {},
                .leader = static_cast<int>(Between(random, 0, kBrokers - 1)),
                .has_foreign = Chance(random, 30)};
    if (Chance(random, 8))
        track.stop_at = static_cast<int>(Between(random, some, shape.batches - 1));
    track.target.is_append_time = Chance(random, 15);
    if (track.has_foreign) track.target.WriteForeign(3, scene_.wall_ms);
    track.target.Replicate(track.target.log_end());
    if (scene_.resumes && Chance(random, 40)) AddPast(track);
    scene_.tracks.push_back(std::move(track));
}

void LaneWorld::AddPast(Track& track) {
    Random& random = scene_.random;
    const int64_t id = scene_.next_producer_id++;
    const int32_t last = Chance(random, 50) ? 0x7fffffff : static_cast<int32_t>(random() >> 33);
    const int32_t sequence = AddRecords(last, -Between(random, 0, 1'000));
    constexpr int32_t kRecords = 10;
    track.target.Produce({.stamp = {id, 0, AddRecords(sequence, -kRecords)},
                          .record_count = kRecords,
                          .max_timestamp = scene_.wall_ms - Between(random, 0, 30) * kHourMs,
                          .first_piece = TargetPartition::kForeign},
                         scene_.wall_ms);
    track.target.Replicate(track.target.log_end());
    track.ledger.BeginProducer(id, track.ledger.position(), sequence);
    track.committed = Commit{track.ledger.position(), {id, sequence, track.target.log_end()}};
}

void LaneWorld::Run() {
    for (int64_t step = Between(scene_.random, 20, 500); step > 0; step--) {
        Step();
        scene_.totals.steps++;
        Check();
    }
    Heal();
}

Mirror& LaneWorld::AnyMirror() {
    return mirrors_[Between(scene_.random, 0, static_cast<int64_t>(mirrors_.size()) - 1)];
}

size_t LaneWorld::AnyTrack() {
    return Between(scene_.random, 0, static_cast<int64_t>(scene_.tracks.size()) - 1);
}

void LaneWorld::Step() {
    Random& random = scene_.random;
    Mirror& mirror = AnyMirror();
    const size_t at = AnyTrack();
    const auto connection = static_cast<size_t>(Between(random, 0, kBrokers - 1));
    if (scene_.tracks[at].source.is_compacted() && Chance(random, 5)) Compact(at);
    if (scene_.HasFault())
        return Chance(random, 50) ? DisturbTarget(at) : DisturbMirror(mirror, at);
    if (!mirror.is_up()) {
        if (Chance(random, 10)) mirror.Start();
        return PassTime();
    }
    switch (Between(random, 0, 12)) {
        case 0:
            return mirror.SendFetch(at);
        case 1:
            mirror.Rebuild(at);
            mirror.TellRange(at);
            return mirror.AnswerFetch(at, false);
        case 2:
        case 3:
            return mirror.Pack(connection);
        case 4:
        case 5:
            return mirror.Carry(connection);
        case 6:
        case 7:
            return mirror.Answer(connection, false);
        case 8:
            mirror.TakeBack(at);
            mirror.Route(at);
            return mirror.GiveProducers();
        case 9:
        case 10:
            for (int64_t steps = Between(random, 1, 4); steps > 0; steps--) mirror.Begin(at, false);
            return;
        case 11:
            return mirror.Commit(at, false);
        default:
            return PassTime();
    }
}

void LaneWorld::DisturbMirror(Mirror& mirror, size_t at) {
    Random& random = scene_.random;
    if (!mirror.is_up()) return mirror.Start();
    switch (Between(random, 0, 9)) {
        case 0:
        case 1:
        case 2:
            return mirror.Lose(static_cast<size_t>(Between(random, 0, kBrokers - 1)));
        case 3:
            return mirror.LookForLeaders(at);
        case 4:
            return mirror.LoseWay(at);
        case 5:
        case 6:
            return scene_.CarryZombie();
        case 7:
            return LandLateCommit(at);
        case 8:
            return mirror.Crash();
        default:
            if (Chance(random, 10)) mirror.Drain(at);
    }
}

void LaneWorld::DisturbTarget(size_t at) {
    Random& random = scene_.random;
    Track& track = scene_.tracks[at];
    TargetPartition& target = track.target;
    switch (Between(random, 0, 10)) {
        case 0:
            return Restart(static_cast<size_t>(Between(random, 0, kBrokers - 1)));
        case 1:
        case 2:
            return MoveLeader(track, at);
        case 3:
            target.refusal = target.refusal ? 0 : OneOf(random, kRefusals);
            return scene_.Trace("lane %zu: target refuses with %d", at, target.refusal);
        case 4:
            target.complaint = target.complaint ? 0 : OneOf(random, kComplaints);
            return scene_.Trace("lane %zu: target complains with %d", at, target.complaint);
        case 5:
            if (!MayForget(track, at)) return;
            scene_.Trace("lane %zu: target expires its producers", at);
            return target.Expire(scene_.wall_ms);
        case 6:
            if (!track.has_foreign) return;
            scene_.Trace("lane %zu: another writer", at);
            return target.WriteForeign(static_cast<int32_t>(Between(random, 1, 5)), scene_.wall_ms);
        case 7:
            target.Replicate(
                target.BorderBetween(random, target.high_watermark(), target.log_end()));
            return scene_.Trace("lane %zu: replicated to %ld", at,
                                static_cast<long>(target.high_watermark()));
        case 8:
            return DeleteOld(track, at);
        case 9:
            return DisturbSource(track, at);
        default:
            // Lanes that ask nobody cannot notice it after a restart.
            if (scene_.resumes && Chance(random, 15)) CutUnclean(track, at);
    }
}

// Retention passes the lane, or an unclean election cuts the log behind what it has read.
void LaneWorld::DisturbSource(Track& track, size_t at) {
    Random& random = scene_.random;
    // Each of two mirrors would go on behind the gap under an id of its own.
    if (scene_.has_two_mirrors || !Chance(random, 60)) return;
    const int64_t border = track.source.SomeBorder(random);
    if (Chance(random, 70)) {
        // In another log a lane only assumes how much of what was deleted had arrived.
        if (!track.source.is_dense()) return;
        scene_.Trace("lane %zu: source deletes up to %ld", at, static_cast<long>(border));
        scene_.totals.deletions++;
        track.source.DeleteTo(border);
        track.ledger.NoteDeleted(border);
    } else if (track.source.cut() < 0) {
        scene_.Trace("lane %zu: source is cut at %ld", at, static_cast<long>(border));
        track.source.CutAt(border);
    }
}

void LaneWorld::Compact(size_t at) {
    Track& track = scene_.tracks[at];
    for (const int piece : track.source.Compact(scene_.random, track.stop_at)) {
        scene_.Trace("lane %zu: compaction takes piece %d", at, piece);
        track.ledger.NoteCompacted(piece);
        scene_.totals.compacted++;
    }
}

void LaneWorld::MoveLeader(Track& track, size_t at) {
    Random& random = scene_.random;
    TargetPartition& target = track.target;
    const int64_t end = target.BorderBetween(random, target.high_watermark(), target.log_end());
    scene_.Trace("lane %zu: leader moves from %d, log ends at %ld instead of %ld", at, track.leader,
                 static_cast<long>(end), static_cast<long>(target.log_end()));
    track.leader = 1 - track.leader;
    target.Elect(end);
    track.ledger.NoteCut(target, target.high_watermark());
    if (Chance(random, 30)) target.ForgetWindow();
    const bool is_watched =
        std::any_of(mirrors_.begin(), mirrors_.end(),
                    [&](const Mirror& mirror) { return mirror.lane(at) != nullptr; });
    if (!is_watched && Chance(random, 30) && MayForget(track, at)) target.ForgetDeleted();
}

// A leader that was not in sync: what was acknowledged is lost.
void LaneWorld::CutUnclean(Track& track, size_t at) {
    TargetPartition& target = track.target;
    const auto& committed = track.committed;
    // What was cut away as well as compacted would have sequences that nobody can count.
    if (track.source.is_compacted()) return;
    if (committed && !track.ledger.IsEndOf(committed->offset, committed->metadata.target_end))
        return;
    for (const Mirror& mirror : mirrors_) {
        const Lane* lane = mirror.lane(at);
        if (!mirror.is_up()) continue;
        if (track.has_foreign || !lane || lane->counts().records == 0) return;
    }
    const int64_t kept = target.high_watermark();
    const int64_t end = target.BorderBetween(scene_.random, target.log_start(), kept);
    scene_.Trace("lane %zu: unclean election, log ends at %ld", at, static_cast<long>(end));
    scene_.totals.unclean++;
    target.Elect(end);
    track.ledger.NoteCut(target, kept);
    // Others may fill the place before anybody looks.
    const auto& kept_by = track.committed;
    const bool is_known = kept_by && target.LastSequence(kept_by->metadata.producer_id);
    if (!track.has_foreign || !is_known) return;
    while (Chance(scene_.random, 90)) target.WriteForeign(20, scene_.wall_ms);
}

void LaneWorld::DeleteOld(Track& track, size_t at) {
    TargetPartition& target = track.target;
    int64_t most = target.high_watermark();
    for (const Mirror& mirror : mirrors_)
        if (const Lane* lane = mirror.lane(at)) {
            const auto* last = target.BatchAt(lane->target_end() - 1);
            most = std::min(most, last ? last->base_offset : 0);
        }
    if (most <= target.log_start()) return;
    target.DeleteTo(target.BorderBetween(scene_.random, target.log_start(), most));
    scene_.Trace("lane %zu: target's log starts at %ld", at, static_cast<long>(target.log_start()));
}

bool LaneWorld::MayForget(const Track& track, size_t at) {
    const auto lanes = std::count_if(mirrors_.begin(), mirrors_.end(),
                                     [&](const Mirror& mirror) { return mirror.is_up(); });
    const bool is_replicated = track.target.log_end() == track.target.high_watermark();
    const bool has_another = lanes > 0 && scene_.has_two_mirrors;
    if (has_another || !scene_.zombies.empty() || !is_replicated) return false;
    return std::all_of(mirrors_.begin(), mirrors_.end(), [&](const Mirror& mirror) {
        return !mirror.is_up() ||
               (mirror.lane(at) && mirror.lane(at)->checkpoint() >= track.zombies_until);
    });
}

void LaneWorld::Restart(size_t broker) {
    scene_.Trace("broker %zu restarts", broker);
    for (Mirror& mirror : mirrors_) mirror.Lose(broker);
    std::erase_if(scene_.zombies, [&](const Request& request) { return request.broker == broker; });
    for (Track& track : scene_.tracks)
        if (track.leader == static_cast<int>(broker)) track.target.ForgetWindow();
}

// The group refuses it to a member that is long gone, so it finds the same producer still.
void LaneWorld::LandLateCommit(size_t at) {
    Track& track = scene_.tracks[at];
    const auto commit = std::exchange(track.late_commit, std::nullopt);
    if (!commit) return;
    if (!track.committed || track.committed->metadata.producer_id != commit->metadata.producer_id)
        return;
    scene_.Trace("lane %zu: a dead mirror's commit of %ld arrives", at,
                 static_cast<long>(commit->offset));
    track.committed = commit;
}

void LaneWorld::PassTime() {
    Random& random = scene_.random;
    int64_t ms = Between(random, 1, 300);
    // No request lives for hours.
    const bool is_quiet = scene_.zombies.empty() &&
                          std::none_of(mirrors_.begin(), mirrors_.end(),
                                       [](const Mirror& mirror) { return mirror.HasUnanswered(); });
    if (is_quiet && Chance(random, 5)) ms = Between(random, 1, 5 * kHourMs);
    scene_.now_ms += ms;
    scene_.wall_ms += ms;
    for (Mirror& mirror : mirrors_) mirror.LetGo();
}

void LaneWorld::Check() {
    for (Mirror& mirror : mirrors_)
        for (size_t at = 0; at < scene_.tracks.size(); at++) mirror.Check(at);
}

// --- the end

void LaneWorld::Heal() {
    scene_.Trace("all is well from here");
    scene_.fault_per_cent = 0;
    // A lane that has nothing to send does not notice a cut before it is begun anew.
    if (std::any_of(scene_.tracks.begin(), scene_.tracks.end(),
                    [](const Track& track) { return track.ledger.was_cut(); }))
        for (Mirror& mirror : mirrors_)
            if (mirror.is_up()) mirror.Crash();
    while (!scene_.zombies.empty()) scene_.CarryZombie();
    for (size_t at = 0; at < scene_.tracks.size(); at++) {
        LandLateCommit(at);
        scene_.tracks[at].target.refusal = scene_.tracks[at].target.complaint = 0;
    }
    if (!mirrors_.front().is_up()) mirrors_.front().Start();
    constexpr int kMostRounds = 5'000;
    for (int round = 0; round < kMostRounds; round++) {
        if (Settle()) return CheckEnd();
        Check();
    }
    // Whoever waits for records that a cut has taken says so each time.
    for (size_t at = 0; at < scene_.tracks.size(); at++)
        for (Mirror& mirror : mirrors_)
            if (mirror.is_up() && !mirror.IsDone(at) && !scene_.tracks[at].ledger.was_cut())
                scene_.tracks[at].ledger.Fail("does not get on although all is well");
}

// One round of everything; true when all lanes have arrived.
bool LaneWorld::Settle() {
    for (Mirror& mirror : mirrors_) {
        if (!mirror.is_up()) continue;
        for (size_t at = 0; at < scene_.tracks.size(); at++) {
            scene_.tracks[at].target.Replicate(scene_.tracks[at].target.log_end());
            mirror.TakeBack(at);
            mirror.Begin(at, true);
            mirror.Commit(at, true);
            mirror.Route(at);
            mirror.SendFetch(at);
            mirror.AnswerFetch(at, true);
            mirror.TellRange(at);
            mirror.Rebuild(at);
        }
        for (size_t connection = 0; connection < kBrokers; connection++) {
            mirror.Pack(connection);
            mirror.Carry(connection);
            mirror.Answer(connection, true);
        }
        mirror.GiveProducers();
    }
    scene_.now_ms += 200;
    scene_.wall_ms += 200;
    return IsDone();
}

bool LaneWorld::IsDone() {
    for (size_t at = 0; at < scene_.tracks.size(); at++)
        for (const Mirror& mirror : mirrors_)
            if (mirror.is_up() && !mirror.IsDone(at) && !scene_.tracks[at].has_told_loss)
                return false;
    return true;
}

void LaneWorld::CheckEnd() {
    for (size_t at = 0; at < scene_.tracks.size(); at++) {
        const Track& track = scene_.tracks[at];
        for (const Mirror& mirror : mirrors_) {
            if (!mirror.is_up() || track.has_told_loss || !mirror.lane(at)) continue;
            const Lane& lane = *mirror.lane(at);
            track.ledger.CheckComplete(lane.IsOver() ? lane.stop_offset()
                                                     : track.source.final_end());
        }
    }
}

}  // namespace heliostat::simulation
