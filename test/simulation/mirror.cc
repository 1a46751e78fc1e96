#include "mirror.h"

#include <algorithm>
#include <utility>

namespace heliostat::simulation {
namespace {

constexpr int16_t kNotLeader = 6;
constexpr int16_t kRequestTimedOut = 7;
constexpr int16_t kNotEnoughReplicasAfterAppend = 20;
constexpr int16_t kOffsetOutOfRange = 1;
constexpr int16_t kFetchErrors[] = {-1, 3, 5, 6, 29, 56, 74, 78};

std::pair<const uint8_t*, std::shared_ptr<const void>> CopyOf(const uint8_t* data, size_t size,
                                                              int64_t) {
    const auto copy = std::make_shared<std::vector<uint8_t>>(data, data + size);
    return {copy->data(), copy};
}

}  // namespace

Mirror::Mirror(Scene& scene, bool is_second)
    : scene_(scene),
      is_second_(is_second),
      is_claimed_(scene.tracks.size()),
      runners_(scene.tracks.size()),
      connections_(kBrokers) {}

void Mirror::Start() {
    is_up_ = true;
    producer_id_ = scene_.next_producer_id++;
    is_claimed_.assign(is_claimed_.size(), false);
}

void Mirror::Crash() {
    scene_.Trace("mirror %d dies", is_second_);
    scene_.totals.crashes++;
    for (size_t connection = 0; connection < kBrokers; connection++) Drop(connection, false);
    for (size_t at = 0; at < runners_.size(); at++) {
        Track& track = scene_.tracks[at];
        auto& commits = runners_[at].commits;
        if (!commits.empty() && commits.front().is_sent) {
            const int64_t fate = Between(scene_.random, 0, 2);
            if (fate == 0) track.committed = commits.front().commit;
            if (fate == 1) track.late_commit = commits.front().commit;
        }
        runners_[at] = Runner();
    }
    is_up_ = false;
}

// --- source

void Mirror::SendFetch(size_t at) {
    Runner& runner = runners_[at];
    if (!runner.lane || !runner.lane->WantsFetch(scene_.Now())) return;
    if (runner.is_fetching) scene_.tracks[at].ledger.Fail("wants a second Fetch while one is out");
    // What is fetched again, because it came damaged, may be gone by now.
    if (runner.unanswered == 0) scene_.tracks[at].ledger.Recount(runner.lane->producer_id());
    runner.is_fetching = true;
    runner.fetch_position = runner.lane->position();
    runner.fetch_epoch = runner.lane->position_epoch();
    runner.lane->FetchSent();
}

void Mirror::AnswerFetch(size_t at, bool is_healthy) {
    Runner& runner = runners_[at];
    Track& track = scene_.tracks[at];
    Random& random = scene_.random;
    if (!runner.is_fetching) return;
    runner.is_fetching = false;
    if (!is_healthy && scene_.HasFault()) {
        if (Chance(random, 50)) return runner.lane->FetchLost(scene_.Now());
        // So many in a row would be a log without the lane's epoch.
        const bool is_out_of_range = runner.out_of_range < 5 && Chance(random, 20);
        runner.out_of_range += is_out_of_range;
        runner.lane->FetchFailed(is_out_of_range ? kOffsetOutOfRange : OneOf(random, kFetchErrors),
                                 scene_.Now());
        return;
    }
    if (runner.fetch_position < track.source.start())
        return void(runner.lane->FetchFailed(kOffsetOutOfRange, scene_.Now()));
    const int64_t cut = track.source.Diverges(runner.fetch_position, runner.fetch_epoch);
    if (cut >= 0) return void(runner.lane->FetchDiverged(cut, scene_.Now()));
    runner.out_of_range = 0;
    if (is_healthy) track.source.ShowAll();
    FetchedPartition fetched{.high_watermark = track.source.end(),
                             .last_stable_offset = track.source.end(),
                             .log_start = track.source.start(),
                             .readable_end = track.source.end(),
                             .proves_end = Chance(random, 50),
                             .walk = {},
                             .owner = nullptr,
                             .at = scene_.Now()};
    // A new leader that does not know its high watermark yet; a third such answer would stop the
    // lane.
    const bool is_early = !is_healthy && runner.early_ends < 2 && scene_.HasFault();
    runner.early_ends = is_early ? runner.early_ends + 1 : 0;
    if (is_early) {
        fetched.high_watermark = fetched.last_stable_offset = fetched.readable_end =
            std::min(runner.fetch_position, track.source.end());
    } else {
        fetched.walk =
            track.source.Fetch(runner.fetch_position, Between(random, 0, 8), track.stop_at);
        if (fetched.walk.batches.empty() && runner.fetch_position < track.source.end())
            fetched.proves_end = false;
    }
    scene_.Trace("lane %zu: fetched %zu batches at %ld", at, fetched.walk.batches.size(),
                 static_cast<long>(runner.fetch_position));
    runner.lane->Fetched(std::move(fetched));
    track.source.Grow(Between(random, 0, 4));
}

void Mirror::TellRange(size_t at) {
    Runner& runner = runners_[at];
    if (!runner.lane || !runner.lane->NeedsRange()) return;
    Track& track = scene_.tracks[at];
    runner.lane->SetRange(track.source.start(), track.source.end(), scene_.Now());
    const auto gap = runner.lane->TakeGap();
    if (!gap) return;
    scene_.Trace("lane %zu: gap [%ld, %ld), %ld assumed", at, static_cast<long>(gap->from),
                 static_cast<long>(gap->to), static_cast<long>(gap->assumed));
    (gap->is_skipped ? scene_.totals.gaps_skipped : scene_.totals.gap_stops)++;
    runner.awaits_commit = gap->is_skipped;
    if (gap->assumed > 0) Announce(at, gap->to, track.ledger.sent_end());
}

// Whoever rebuilds batches takes some and gives them back in any order, each as one or more.
void Mirror::Rebuild(size_t at) {
    Runner& runner = runners_[at];
    if (!runner.lane) return;
    if (runner.lane->HasReseal())
        if (auto batch = runner.lane->TakeReseal()) runner.reseals.push_back(std::move(*batch));
    if (runner.reseals.empty()) return;
    const auto last = static_cast<int64_t>(runner.reseals.size()) - 1;
    const auto chosen = runner.reseals.begin() + Between(scene_.random, 0, last);
    const Lane::ToReseal batch = std::move(*chosen);
    runner.reseals.erase(chosen);
    batch.reason == LaneReason::kTinyBatches ? GiveMerged(at, batch) : GiveRebuilt(at, batch);
}

// Several batches become one. What compaction has taken between them cannot be told from what lies
// in it, and a worker may fail: they are given back as they were.
void Mirror::GiveMerged(size_t at, const Lane::ToReseal& batch) {
    SourcePartition& source = scene_.tracks[at].source;
    const int first = source.FirstPiece(batch.data);
    int end = first;
    bool is_sound = Chance(scene_.random, 90);
    for (const uint8_t* data = batch.data; data < batch.data + batch.size;) {
        const int piece = source.FirstPiece(data);
        while (end < piece && !source.pieces()[end].is_wanted) end++;
        is_sound = is_sound && end == piece && !source.BatchOf(piece).is_damaged;
        end = piece + 1;
        data += ReadBatchHeader(data).size();
    }
    scene_.Trace("lane %zu: mirror %d merges pieces %d to %d: %s", at, is_second_, first, end - 1,
                 is_sound ? "done" : "failed");
    if (!is_sound) {
        scene_.totals.taken_apart++;
        return runners_[at].lane->FailReseal(batch.ticket, LaneReason::kWorkerFailed);
    }
    scene_.totals.merged++;
    const auto bytes = std::make_shared<std::vector<uint8_t>>(80);
    SourcePartition::Mark(*bytes, first, end - first);
    std::vector<Lane::Resealed> merged;
    merged.push_back({.data = bytes->data(),
                      .size = static_cast<uint32_t>(bytes->size()),
                      .record_count = source.RecordsOf(first, end - first),
                      .first_offset = source.pieces()[first].base_offset,
                      .last_offset = source.pieces()[end - 1].next_offset - 1,
                      .max_timestamp = source.MaxTimestampOf(first, end - first),
                      .owner = bytes});
    runners_[at].lane->GiveResealed(batch.ticket, 0, std::move(merged));
}

void Mirror::GiveRebuilt(size_t at, const Lane::ToReseal& batch) {
    const SourcePartition& source = scene_.tracks[at].source;
    int piece = source.FirstPiece(batch.data);
    const int end = piece + source.PiecesOf(batch.data);
    while (source.pieces()[piece].base_offset < batch.from_offset) piece++;
    int64_t skipped = 0;
    const auto is_gone = [&](int at) { return SourcePartition::IsGone(batch.data, at); };
    for (; piece < end && skipped < batch.skip; piece++)
        if (!is_gone(piece)) skipped += source.pieces()[piece].record_count;
    std::vector<Lane::Resealed> rebuilt;
    while (piece < end) {
        if (is_gone(piece)) {
            piece++;
            continue;
        }
        int run_end = piece + 1;
        while (run_end < end && !is_gone(run_end)) run_end++;
        const auto pieces = static_cast<int>(Between(scene_.random, 1, run_end - piece));
        const auto bytes = std::make_shared<std::vector<uint8_t>>(80);
        SourcePartition::Mark(*bytes, piece, pieces);
        (*bytes)[SourcePartition::kRebuiltAt] = 1;
        rebuilt.push_back({.data = bytes->data(),
                           .size = static_cast<uint32_t>(bytes->size()),
                           .record_count = source.RecordsOf(piece, pieces),
                           .first_offset = source.pieces()[piece].base_offset,
                           .last_offset = source.pieces()[piece + pieces - 1].next_offset - 1,
                           .max_timestamp = source.BatchOf(piece).max_timestamp,
                           .owner = bytes});
        piece += pieces;
    }
    scene_.Trace("lane %zu: mirror %d rebuilds piece %d as %zu batches, %ld records left out", at,
                 is_second_, source.FirstPiece(batch.data), rebuilt.size(),
                 static_cast<long>(skipped));
    scene_.totals.rebuilt++;
    scene_.totals.trimmed += skipped > 0 && !rebuilt.empty();
    runners_[at].lane->GiveResealed(batch.ticket, skipped, std::move(rebuilt));
}

// --- target

void Mirror::Pack(size_t connection) {
    Request request{.broker = connection, .entries = {}};
    for (size_t at = 0; at < runners_.size(); at++) {
        Runner& runner = runners_[at];
        Track& track = scene_.tracks[at];
        if (runner.connection != static_cast<int>(connection) || !runner.lane ||
            !runner.lane->CanSend(scene_.Now()) || Chance(scene_.random, 20))
            continue;
        const Lane::Outgoing batch = runner.lane->Send(scene_.Now());
        runner.lane->Merge(scene_.Now());
        const int first = track.source.FirstPiece(batch.data);
        const int pieces = track.source.PiecesOf(batch.data);
        scene_.Trace("lane %zu: mirror %d sends piece %d to %zu, producer %ld sequence %d", at,
                     is_second_, first, connection, static_cast<long>(batch.stamp.producer_id),
                     batch.stamp.base_sequence);
        runner.unanswered++;
        scene_.totals.batches++;
        const int32_t records = track.source.RecordsOf(first, pieces);
        scene_.totals.wraps +=
            AddRecords(batch.stamp.base_sequence, records) < batch.stamp.base_sequence;
        if (runner.lane->in_flight() > runner.lane->options().max_in_flight)
            track.ledger.Fail("has more batches in flight than it may");
        track.ledger.NoteSent(first, pieces, batch.stamp);
        request.entries.push_back(
            {.track = at, .batch = batch, .first_piece = first, .pieces = pieces, .answer = {}});
    }
    if (!request.entries.empty()) connections_[connection].requests.push_back(std::move(request));
}

void Mirror::Carry(size_t at) {
    Connection& connection = connections_[at];
    if (connection.done == connection.requests.size()) return;
    scene_.Produce(connection.requests[connection.done++]);
}

void Mirror::Answer(size_t at, bool is_healthy) {
    Connection& connection = connections_[at];
    if (connection.done == 0) return;
    Request request = std::move(connection.requests.front());
    connection.requests.pop_front();
    connection.done--;
    std::shuffle(request.entries.begin(), request.entries.end(), scene_.random);
    for (Request::Entry& entry : request.entries) {
        Runner& runner = runners_[entry.track];
        WaitForFollowers(scene_.tracks[entry.track], entry.answer, is_healthy);
        runner.unanswered--;
        const TargetPartition::Answer& answer = entry.answer;
        scene_.Trace("lane %zu: hears %d for piece %d", entry.track, answer.code,
                     entry.first_piece);
        if (!is_healthy && scene_.HasFault() && Chance(scene_.random, 5)) {
            runner.lane->Unanswered(entry.batch.serial, true, scene_.Now());
        } else {
            runner.lane->Answered(entry.batch.serial, answer.code, answer.base_offset,
                                  scene_.Now());
        }
    }
}

// A success is told when all replicas have the batch. One who is no leader any more tells that
// instead, also of what he has appended.
void Mirror::WaitForFollowers(Track& track, TargetPartition::Answer& answer, bool is_healthy) {
    if (answer.code != 0 || answer.end < 0) return;
    TargetPartition& target = track.target;
    if (answer.epoch != target.epoch()) {
        if (!target.WasToldIn(answer.epoch, answer.end)) answer = {.code = kNotLeader};
        return;
    }
    if (answer.end <= target.high_watermark()) return;
    if (is_healthy || !scene_.HasFault()) return target.Replicate(answer.end);
    answer = {.code = Chance(scene_.random, 50) ? kRequestTimedOut : kNotEnoughReplicasAfterAppend};
}

void Mirror::Lose(size_t connection) { Drop(connection, true); }

void Mirror::Drop(size_t at, bool is_told) {
    Connection& connection = connections_[at];
    Random& random = scene_.random;
    const auto size = static_cast<int64_t>(connection.requests.size());
    const auto done = static_cast<int64_t>(connection.done);
    const int64_t left = Between(random, done, size);
    scene_.Trace("mirror %d loses connection %zu: %ld done, %ld left, %ld in all", is_second_, at,
                 static_cast<long>(done), static_cast<long>(left), static_cast<long>(size));
    scene_.totals.losses++;
    for (int64_t i = 0; i < size; i++) {
        Request& request = connection.requests[i];
        const bool is_zombie = i >= done && i < left;
        for (const Request::Entry& entry : request.entries) {
            Track& track = scene_.tracks[entry.track];
            if (is_zombie)
                track.zombies_until = std::max(
                    track.zombies_until,
                    track.source.BatchOf(entry.first_piece + entry.pieces - 1).next_offset);
            if (!is_told) continue;
            runners_[entry.track].unanswered--;
            runners_[entry.track].lane->Unanswered(entry.batch.serial, i < left, scene_.Now());
        }
        if (is_zombie) scene_.zombies.push_back(std::move(request));
    }
    connection.requests.clear();
    connection.done = 0;
    // Requests that arrived whole are worked off soon, in order; the rest of them never did.
    scene_.zombies.resize(Between(random, 0, static_cast<int64_t>(scene_.zombies.size())));
    // Compaction does not come to a segment so soon: who takes over finds them there.
    const bool has_compaction =
        std::any_of(scene_.tracks.begin(), scene_.tracks.end(),
                    [](const Track& track) { return track.source.is_compacted(); });
    if (has_compaction || Chance(random, 70))
        while (!scene_.zombies.empty()) scene_.CarryZombie();
}

// As the link does: a lane leaves at once and arrives when nothing of it is in flight.
void Mirror::Route(size_t at) {
    Runner& runner = runners_[at];
    const int leader = scene_.tracks[at].leader;
    if (!runner.lane || runner.connection == leader) return;
    runner.connection = -1;
    if (!runner.lane->IsQuiet()) return;
    runner.connection = leader;
    runner.lane->TargetFound();
}

void Mirror::GiveProducers() {
    for (size_t at = 0; at < runners_.size(); at++) {
        Runner& runner = runners_[at];
        if (!runner.lane || !runner.lane->NeedsProducerId()) continue;
        producer_id_ = scene_.next_producer_id++;
        is_claimed_.assign(is_claimed_.size(), false);
        const int64_t id = ClaimProducer(at);
        const Lane::ProducerReset reset = runner.lane->SetProducer(id, 0);
        scene_.Trace("lane %zu: fresh producer %ld", at, static_cast<long>(id));
        const int64_t arrived = reset.sequence == 0 ? 0 : (int64_t{1} << 31) - reset.sequence;
        scene_.tracks[at].ledger.BeginProducer(id, reset.from, reset.sequence, arrived);
        Announce(at, reset.from, reset.to);
        runner.checked = -1;
        scene_.totals.resets++;
    }
}

void Mirror::Announce(size_t at, int64_t from, int64_t to) {
    Ledger& ledger = scene_.tracks[at].ledger;
    scene_.Trace("lane %zu: may double [%ld, %ld)", at, static_cast<long>(from),
                 static_cast<long>(to));
    // With two at work it holds for what the other is going to send, too.
    ledger.Announce(from, scene_.has_two_mirrors ? INT64_MAX : to);
}

void Mirror::Drain(size_t at) {
    Runner& runner = runners_[at];
    if (!runner.lane) return;
    scene_.Trace("lane %zu: drain", at);
    runner.is_draining = true;
    runner.lane->Drain();
}

void Mirror::LookForLeaders(size_t at) {
    if (!runners_[at].lane) return;
    runners_[at].lane->SourceFound();
    runners_[at].lane->TargetFound();
}

void Mirror::LoseWay(size_t at) {
    if (!runners_[at].lane) return;
    for (int64_t i = Between(scene_.random, 1, 5); i > 0; i--)
        runners_[at].lane->SendLost(scene_.Now());
}

void Mirror::LetGo() {
    for (Runner& runner : runners_)
        if (runner.lane) runner.lane->LetGoWhileBlocked(CopyOf);
}

// --- what must hold

bool Mirror::HasUnanswered() const {
    return std::any_of(runners_.begin(), runners_.end(),
                       [](const Runner& runner) { return runner.unanswered > 0; });
}

bool Mirror::IsHeldBack(size_t at) const {
    const auto& committed = scene_.tracks[at].committed;
    return is_second_ && runners_[at].phase == Phase::kReadCommit &&
           (!committed || committed->metadata.producer_id < 0);
}

bool Mirror::IsDone(size_t at) const {
    const Runner& runner = runners_[at];
    if (runner.phase == Phase::kRefused || IsHeldBack(at)) return true;
    if (!runner.lane || !runner.lane->IsIdle() || runner.unanswered > 0 || runner.is_draining)
        return false;
    const Lane& lane = *runner.lane;
    return lane.IsOver() ||
           (lane.checkpoint() == scene_.tracks[at].source.final_end() && lane.has_reached_end());
}

void Mirror::Check(size_t at) {
    Runner& runner = runners_[at];
    if (!runner.lane) return;
    const Lane& lane = *runner.lane;
    Track& track = scene_.tracks[at];
    const bool has_gone_back =
        lane.IsOver() && lane.problem() == LaneReason::kTargetWentBack && track.ledger.was_cut();
    track.has_told_loss = track.has_told_loss || has_gone_back;
    if (track.has_told_loss) return;
    if (lane.IsOver()) {
        CheckStop(at);
    } else if (lane.in_flight() != runner.unanswered) {
        track.ledger.Fail("counts " + std::to_string(lane.in_flight()) +
                          " batches in flight instead of " + std::to_string(runner.unanswered));
    }
    if (lane.has_reached_end() && !runner.has_reached_end) {
        runner.has_reached_end = true;
        if (!track.ledger.was_cut()) track.ledger.CheckComplete(lane.end_at_start());
    }
    if (lane.checkpoint() == runner.checked) return;
    if (lane.checkpoint() < runner.checked) track.ledger.Fail("moves its checkpoint back");
    runner.checked = lane.checkpoint();
    track.ledger.CheckClaim(
        {lane.checkpoint(), lane.producer_id(), lane.checkpoint_sequence(), lane.target_end()},
        track.target);
}

void Mirror::CheckStop(size_t at) const {
    const Lane& lane = *runners_[at].lane;
    const Track& track = scene_.tracks[at];
    const auto& pieces = track.source.pieces();
    // A lane that fetches no more cannot look at a damaged batch again.
    const bool is_final = runners_[at].is_draining || track.stop_at >= 0 ||
                          track.source.cut() >= 0 || lane.stop_offset() < track.source.start();
    const auto is_expected = [&](const SourcePiece& piece) {
        const SourceBatch& batch = track.source.batches()[piece.batch];
        return piece.base_offset == lane.stop_offset() &&
               (batch.is_refused || piece.batch == track.stop_at ||
                (batch.was_damaged && is_final));
    };
    // Of two mirrors one may see the other's batch behind its own that was refused, and no more.
    const bool is_overtaken = scene_.has_two_mirrors && lane.problem() == LaneReason::kOrderLost;
    const bool is_gap =
        lane.problem() == LaneReason::kSourceGap && lane.stop_offset() <= track.source.start();
    const bool is_cut = lane.problem() == LaneReason::kSourceDiverged && track.source.cut() >= 0;
    scene_.totals.diverged += is_cut;
    const bool is_allowed = track.ledger.was_cut() || is_overtaken || is_gap || is_cut;
    if (!is_allowed && std::none_of(pieces.begin(), pieces.end(), is_expected))
        track.ledger.Fail(std::string("is stopped, ") + NameOf(lane.problem()) +
                          ", without a reason");
}

}  // namespace heliostat::simulation
