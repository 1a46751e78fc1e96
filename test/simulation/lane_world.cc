#include "lane_world.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace heliostat::simulation {
namespace {

constexpr size_t kBrokers = 2;
constexpr int64_t kHourMs = 3'600'000;
// Answers by which a broker says that it took nothing, all worth another try.
constexpr int16_t kRefusals[] = {3, 5, 6, 8, 9, 19, 29, 74, 75, 89};
// Answers after which the batch may be in the log all the same.
constexpr int16_t kComplaints[] = {7, 13, 20, 56};
constexpr int16_t kNotLeader = 6;
constexpr int16_t kTooLarge = 10;
constexpr int16_t kOffsetOutOfRange = 1;
constexpr int16_t kFetchErrors[] = {-1, 3, 5, 6, 29, 56, 74, 78};

template <size_t size>
int16_t OneOf(Random& random, const int16_t (&codes)[size]) {
    return codes[Between(random, 0, size - 1)];
}

std::pair<const uint8_t*, std::shared_ptr<const void>> CopyOf(const uint8_t* data, size_t size) {
    const auto copy = std::make_shared<std::vector<uint8_t>>(data, data + size);
    return {copy->data(), copy};
}

}  // namespace

LaneWorld::LaneWorld(uint64_t seed, bool is_traced, Totals& totals)
    : random_(seed), is_traced_(is_traced), totals_(totals) {
    fault_per_cent_ = static_cast<int>(Between(random_, 0, 3) * Between(random_, 1, 6));
    connections_.resize(kBrokers);
    const int64_t lanes = Between(random_, 1, 3);
    for (int64_t i = 0; i < lanes; i++) AddTrack();
}

void LaneWorld::AddTrack() {
    // Ages of the batches: fresh, older than the target's memory, around its edge, or all of these.
    static constexpr int64_t kAges[][2] = {{1, 0}, {30 * 24, 2 * 24}, {25, 23}, {72, 0}, {0, -1}};
    const auto& age = kAges[Chance(random_, 60) ? 0 : Between(random_, 0, 4)];
    const SourcePartition::Shape shape{
        .batches = static_cast<int>(Between(random_, 1, 40)),
        .skipped_per_cent = static_cast<int>(Between(random_, 0, 2) * 20),
        .gap_per_cent = static_cast<int>(Between(random_, 0, 2) * 15),
        .is_huge = Chance(random_, 15),
        .oldest_ms = wall_ms_ - age[0] * kHourMs,
        .newest_ms = wall_ms_ - age[1] * kHourMs};
    Track track{.source = SourcePartition(random_, shape),
                .target = {},
                .lane = nullptr,
                .leader = static_cast<int>(Between(random_, 0, kBrokers - 1)),
                .connection = -1,
                .last_checkpoint = 0,
                .is_written = {},
                .sequences = {},
                .resets = {}};
    auto& batches = track.source.batches();
    const auto some = static_cast<int>(Between(random_, 0, shape.batches - 1));
    if (Chance(random_, 8)) track.stop_at = some;
    if (Chance(random_, 8) && batches[some].path == BatchPath::kShallow)
        batches[some].is_refused = true;
    const int64_t position =
        Chance(random_, 80) ? track.source.start() : batches[Between(random_, 0, some)].base_offset;
    if (track.stop_at >= 0 && batches[track.stop_at].base_offset < position) track.stop_at = -1;
    track.lane = std::make_unique<Lane>(
        Lane::Options{.position = position,
                      .max_in_flight = static_cast<int>(Between(random_, 1, 5)),
                      .room_bytes = static_cast<uint64_t>(Between(random_, 100, 5'000)),
                      .target_max_batch_bytes = 1 << 20,
                      .target_append_time = false,
                      .producer_id = next_producer_id_++,
                      .producer_epoch = 0});
    track.last_checkpoint = position;
    track.is_written.resize(batches.size());
    track.sequences.assign(batches.size(), -1);
    tracks_.push_back(std::move(track));
}

void LaneWorld::Run() {
    for (int64_t step = Between(random_, 20, 400); step > 0; step--) {
        Step();
        totals_.steps++;
        for (size_t at = 0; at < tracks_.size(); at++) Check(tracks_[at], at);
    }
    Heal();
}

void LaneWorld::Step() {
    if (Chance(random_, fault_per_cent_)) return Disturb();
    const auto at =
        static_cast<size_t>(Between(random_, 0, static_cast<int64_t>(tracks_.size()) - 1));
    const auto connection = static_cast<size_t>(Between(random_, 0, kBrokers - 1));
    switch (Between(random_, 0, 9)) {
        case 0:
            return SendFetch(at);
        case 1:
            return AnswerFetch(at, false);
        case 2:
        case 3:
            return Pack(connection);
        case 4:
        case 5:
            return Carry(connection);
        case 6:
        case 7:
            return Answer(connection);
        case 8:
            Route(at);
            return GiveProducers();
        default:
            return PassTime();
    }
}

void LaneWorld::Disturb() {
    const auto at =
        static_cast<size_t>(Between(random_, 0, static_cast<int64_t>(tracks_.size()) - 1));
    Track& track = tracks_[at];
    const auto broker = static_cast<size_t>(Between(random_, 0, kBrokers - 1));
    switch (Between(random_, 0, 9)) {
        case 0:
        case 1:
            return Lose(broker);
        case 2:
            return Restart(broker);
        case 3:
            Trace("lane %zu: leader moves from %d", at, track.leader);
            track.leader = 1 - track.leader;
            if (Chance(random_, 30)) track.target.ForgetWindow();
            return;
        case 4:
            track.target.refusal = track.target.refusal ? 0 : OneOf(random_, kRefusals);
            return Trace("lane %zu: target refuses with %d", at, track.target.refusal);
        case 5:
            track.target.complaint = track.target.complaint ? 0 : OneOf(random_, kComplaints);
            return Trace("lane %zu: target complains with %d", at, track.target.complaint);
        case 6:
            Trace("lane %zu: target expires its producers", at);
            return track.target.Expire(wall_ms_);
        case 7:
            track.lane->SourceFound();
            return track.lane->TargetFound();
        case 8:
            return CarryGhost();
        default:
            if (!Chance(random_, 5)) return;
            Trace("lane %zu: drain", at);
            track.is_draining = true;
            return track.lane->Drain();
    }
}

// --- source

void LaneWorld::SendFetch(size_t at) {
    Track& track = tracks_[at];
    if (!track.lane->WantsFetch(Now())) return;
    if (track.is_fetching) Fail(at, "wants a second Fetch while one is out");
    track.is_fetching = true;
    track.fetch_position = track.lane->position();
    track.lane->FetchSent();
}

void LaneWorld::AnswerFetch(size_t at, bool is_healthy) {
    Track& track = tracks_[at];
    if (!track.is_fetching) return;
    track.is_fetching = false;
    if (!is_healthy && Chance(random_, fault_per_cent_)) {
        if (Chance(random_, 50)) return track.lane->FetchLost(Now());
        // The third in a row would stop the lane, and rightly so.
        const bool is_out_of_range = track.out_of_range < 2 && Chance(random_, 20);
        track.out_of_range += is_out_of_range;
        track.lane->FetchFailed(is_out_of_range ? kOffsetOutOfRange : OneOf(random_, kFetchErrors),
                                -1, -1, Now());
        return;
    }
    track.out_of_range = 0;
    if (is_healthy) track.source.ShowAll();
    FetchedPartition fetched{
        .high_watermark = track.source.end(),
        .last_stable_offset = track.source.end(),
        .log_start = track.source.start(),
        .readable_end = track.source.end(),
        .proves_end = Chance(random_, 50),
        .walk = track.source.Fetch(track.fetch_position, Between(random_, 0, 8), track.stop_at),
        .owner = nullptr};
    if (fetched.walk.batches.empty() && track.fetch_position < track.source.end())
        fetched.proves_end = false;
    Trace("lane %zu: fetched %zu batches at %ld", at, fetched.walk.batches.size(),
          static_cast<long>(track.fetch_position));
    track.lane->Fetched(std::move(fetched));
    track.source.Grow(Between(random_, 0, 4));
}

// --- target

void LaneWorld::Pack(size_t connection) {
    Request request;
    for (size_t at = 0; at < tracks_.size(); at++) {
        Track& track = tracks_[at];
        if (track.connection != static_cast<int>(connection) || !track.lane->CanSend(Now()))
            continue;
        if (Chance(random_, 20)) continue;
        const Lane::Outgoing batch = track.lane->Send();
        const int index = track.source.IndexOf(batch.data);
        Trace("lane %zu: sends batch %d to %zu, producer %ld sequence %d", at, index, connection,
              static_cast<long>(batch.stamp.producer_id), batch.stamp.base_sequence);
        track.unanswered++;
        totals_.batches++;
        CheckSend(track, batch, index);
        request.entries.push_back({.track = at, .batch = batch, .index = index, .answer = {}});
    }
    if (!request.entries.empty()) connections_[connection].requests.push_back(std::move(request));
}

// The broker works off the next request of a connection.
void LaneWorld::Carry(size_t at) {
    Connection& connection = connections_[at];
    if (connection.done == connection.requests.size()) return;
    Produce(connection.requests[connection.done++], at);
}

void LaneWorld::Produce(Request& request, size_t broker) {
    for (Request::Entry& entry : request.entries) {
        Track& track = tracks_[entry.track];
        if (track.leader != static_cast<int>(broker)) {
            entry.answer = {kNotLeader, -1, false, false};
        } else if (const SourceBatch& batch = track.source.batches()[entry.index];
                   batch.is_refused) {
            entry.answer = {kTooLarge, -1, false, false};
        } else {
            entry.answer = track.target.Produce({.stamp = entry.batch.stamp,
                                                 .record_count = batch.record_count,
                                                 .max_timestamp = batch.max_timestamp,
                                                 .index = entry.index});
        }
        Trace("lane %zu: broker %zu answers batch %d with %d%s", entry.track, broker, entry.index,
              entry.answer.code, entry.answer.is_appended ? ", appended" : "");
        if (entry.answer.is_appended)
            NoteWritten(track, entry.track, entry.index, entry.answer.is_past_expiry);
    }
}

// The mirror reads the next answer of a connection.
void LaneWorld::Answer(size_t at) {
    Connection& connection = connections_[at];
    if (connection.done == 0) return;
    Request request = std::move(connection.requests.front());
    connection.requests.pop_front();
    connection.done--;
    std::shuffle(request.entries.begin(), request.entries.end(), random_);
    for (const Request::Entry& entry : request.entries) {
        Track& track = tracks_[entry.track];
        track.unanswered--;
        if (Chance(random_, fault_per_cent_) && Chance(random_, 5)) {
            track.lane->Unanswered(entry.batch.serial, true, Now());
        } else {
            track.lane->Answered(entry.batch.serial, entry.answer.code, entry.answer.base_offset,
                                 Now());
        }
    }
}

// The connection drops: some requests are in the broker's hands still, some never left.
void LaneWorld::Lose(size_t at) {
    Connection& connection = connections_[at];
    const auto size = static_cast<int64_t>(connection.requests.size());
    const int64_t left = Between(random_, static_cast<int64_t>(connection.done), size);
    Trace("connection %zu is lost: %zu done, %ld left, %ld in all", at, connection.done,
          static_cast<long>(left), static_cast<long>(size));
    totals_.losses++;
    for (int64_t i = 0; i < size; i++) {
        Request& request = connection.requests[i];
        for (const Request::Entry& entry : request.entries) {
            tracks_[entry.track].unanswered--;
            tracks_[entry.track].lane->Unanswered(entry.batch.serial, i < left, Now());
        }
        const bool is_ghost = i >= static_cast<int64_t>(connection.done) && i < left;
        if (!is_ghost) continue;
        ghosts_.push_back(std::move(request));
        ghost_brokers_.push_back(at);
    }
    connection.requests.clear();
    connection.done = 0;
    // Whole requests that arrived are worked off soon, in order; the rest of them never arrived
    // whole.
    const auto arrived =
        static_cast<size_t>(Between(random_, 0, static_cast<int64_t>(ghosts_.size())));
    ghosts_.resize(arrived);
    ghost_brokers_.resize(arrived);
    if (Chance(random_, 70))
        while (!ghosts_.empty()) CarryGhost();
}

void LaneWorld::CarryGhost() {
    if (ghosts_.empty()) return;
    Produce(ghosts_.front(), ghost_brokers_.front());
    ghosts_.pop_front();
    ghost_brokers_.erase(ghost_brokers_.begin());
}

void LaneWorld::Restart(size_t broker) {
    Trace("broker %zu restarts", broker);
    Lose(broker);
    ghosts_.clear();
    ghost_brokers_.clear();
    for (Track& track : tracks_)
        if (track.leader == static_cast<int>(broker)) track.target.ForgetWindow();
}

// As the link does: a lane leaves at once and arrives when nothing of it is in flight.
void LaneWorld::Route(size_t at) {
    Track& track = tracks_[at];
    if (track.connection == track.leader) return;
    track.connection = -1;
    if (!track.lane->IsQuiet()) return;
    track.connection = track.leader;
    track.lane->TargetFound();
}

void LaneWorld::GiveProducers() {
    for (size_t at = 0; at < tracks_.size(); at++) {
        Track& track = tracks_[at];
        if (!track.lane->NeedsProducerId()) continue;
        const Lane::ProducerReset reset = track.lane->SetProducer(next_producer_id_++, 0);
        Trace("lane %zu: fresh producer, may double [%ld, %ld)", at, static_cast<long>(reset.from),
              static_cast<long>(reset.to));
        track.resets.push_back({reset.from, reset.to});
        track.sequences.assign(track.sequences.size(), -1);
        track.next_sequence = 0;
        totals_.resets++;
    }
}

void LaneWorld::PassTime() {
    int64_t ms = Between(random_, 1, 300);
    const bool is_quiet = ghosts_.empty() && std::all_of(tracks_.begin(), tracks_.end(),
                                                         [](auto& t) { return t.unanswered == 0; });
    // No request lives for hours.
    if (is_quiet && Chance(random_, 5)) ms = Between(random_, 1, 5 * kHourMs);
    now_ms_ += ms;
    wall_ms_ += ms;
    for (Track& track : tracks_) track.lane->LetGoWhileBlocked(CopyOf);
}

// --- the end

void LaneWorld::Heal() {
    Trace("all is well from here");
    while (!ghosts_.empty()) CarryGhost();
    for (Track& track : tracks_) track.target.refusal = track.target.complaint = 0;
    constexpr int kMostRounds = 5'000;
    for (int round = 0; round < kMostRounds; round++) {
        if (Settle()) return;
        for (size_t at = 0; at < tracks_.size(); at++) Check(tracks_[at], at);
    }
    for (size_t at = 0; at < tracks_.size(); at++)
        if (!IsDone(tracks_[at])) Fail(at, "does not get on although all is well");
}

// One round of everything; true when all lanes have arrived.
bool LaneWorld::Settle() {
    bool is_done = true;
    for (size_t at = 0; at < tracks_.size(); at++) {
        Route(at);
        SendFetch(at);
        AnswerFetch(at, true);
        is_done &= IsDone(tracks_[at]);
    }
    for (size_t connection = 0; connection < kBrokers; connection++) {
        Pack(connection);
        Carry(connection);
        Answer(connection);
    }
    GiveProducers();
    now_ms_ += 200;
    wall_ms_ += 200;
    return is_done;
}

bool LaneWorld::IsDone(const Track& track) const {
    const Lane& lane = *track.lane;
    if (!lane.IsIdle() || track.unanswered > 0) return false;
    if (track.is_draining || lane.IsOver()) return true;
    return lane.checkpoint() == track.source.final_end() && lane.has_reached_end();
}

// --- what must hold

void LaneWorld::CheckSend(Track& track, const Lane::Outgoing& batch, int index) {
    const auto at = static_cast<size_t>(&track - tracks_.data());
    if (track.lane->in_flight() > track.lane->options().max_in_flight)
        Fail(at, "has more batches in flight than it may");
    int32_t& sequence = track.sequences[index];
    if (sequence < 0) {
        sequence = track.next_sequence;
        track.next_sequence =
            TargetPartition::Add(sequence, track.source.batches()[index].record_count);
        totals_.wraps += track.next_sequence < sequence;
    }
    if (sequence != batch.stamp.base_sequence)
        Fail(at, "sends batch " + std::to_string(index) + " with sequence " +
                     std::to_string(batch.stamp.base_sequence) + " instead of " +
                     std::to_string(sequence));
}

void LaneWorld::NoteWritten(Track& track, size_t at, int index, bool is_past_expiry) {
    const SourceBatch& batch = track.source.batches()[index];
    if (track.is_written[index]) {
        totals_.doubled++;
        const bool is_named =
            std::any_of(track.resets.begin(), track.resets.end(), [&](const Reset& reset) {
                return reset.from <= batch.base_offset && batch.next_offset <= reset.to;
            });
        if (!is_named && !is_past_expiry)
            Fail(at, "has batch " + std::to_string(index) + " twice on the target, unannounced");
        return;
    }
    track.is_written[index] = true;
    for (int i = 0; i < index; i++) {
        const SourceBatch& before = track.source.batches()[i];
        if (before.path == BatchPath::kShallow &&
            before.base_offset >= track.lane->options().position && !track.is_written[i])
            Fail(at, "has batch " + std::to_string(index) + " on the target before batch " +
                         std::to_string(i));
    }
}

void LaneWorld::Check(const Track& track, size_t at) {
    const Lane& lane = *track.lane;
    const auto& batches = track.source.batches();
    if (lane.checkpoint() < track.last_checkpoint) Fail(at, "moves its checkpoint back");
    if (lane.IsOver()) {
        const auto is_expected = [&](const SourceBatch& batch) {
            return batch.base_offset == lane.stop_offset() &&
                   (batch.is_refused || &batch - batches.data() == track.stop_at);
        };
        if (std::none_of(batches.begin(), batches.end(), is_expected))
            Fail(at, std::string("is stopped, ") + NameOf(lane.problem()) + ", without a reason");
    } else if (lane.in_flight() != track.unanswered) {
        Fail(at, "counts " + std::to_string(lane.in_flight()) + " batches in flight instead of " +
                     std::to_string(track.unanswered));
    }
    if (lane.has_reached_end()) CheckEnd(track, at);
    if (lane.checkpoint() == track.last_checkpoint) return;
    bool is_end = false;
    int32_t sequence = 0;
    for (size_t i = 0; i < batches.size(); i++) {
        if (batches[i].next_offset > lane.checkpoint()) break;
        if (batches[i].base_offset < lane.options().position) continue;
        is_end = batches[i].next_offset == lane.checkpoint();
        if (batches[i].path != BatchPath::kShallow) continue;
        if (!track.is_written[i])
            Fail(at, "has its checkpoint past batch " + std::to_string(i) +
                         ", which is not on the target");
        if (track.sequences[i] >= 0)
            sequence = TargetPartition::Add(track.sequences[i], batches[i].record_count);
    }
    if (!is_end) Fail(at, "has its checkpoint inside a batch");
    if (sequence != lane.checkpoint_sequence())
        Fail(at, "tells a wrong sequence for its checkpoint");
    const_cast<Track&>(track).last_checkpoint = lane.checkpoint();
    totals_.stops += lane.IsOver();
}

// Whoever waits for the end must find all of it on the target.
void LaneWorld::CheckEnd(const Track& track, size_t at) {
    const auto& batches = track.source.batches();
    for (size_t i = 0; i < batches.size(); i++) {
        if (batches[i].next_offset > track.lane->end_at_start()) return;
        if (batches[i].path == BatchPath::kShallow && !track.is_written[i] &&
            batches[i].base_offset >= track.lane->options().position)
            Fail(at, "says it has reached the end without batch " + std::to_string(i));
    }
}

void LaneWorld::Fail(size_t at, const std::string& what) const {
    throw Violation("lane " + std::to_string(at) + " " + what);
}

void LaneWorld::Trace(const char* format, ...) {
    if (!is_traced_) return;
    va_list arguments;
    va_start(arguments, format);
    std::printf("%10ld ms  ", static_cast<long>(now_ms_));
    std::vprintf(format, arguments);
    std::printf("\n");
    va_end(arguments);
}

}  // namespace heliostat::simulation
