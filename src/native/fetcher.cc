#include "fetcher.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <unordered_map>
#include <utility>

#include "batch_header.h"
#include "link.h"

namespace heliostat {
namespace {

// A Fetch starts small, so that it fits a slow line's time-out and a fast machine's cache, and
// grows only where the round trip, not the bytes, takes the time.
constexpr int64_t kFirstFetchBytes = 1 << 20;
constexpr int64_t kLeastFetchBytes = 64 << 10;
constexpr int64_t kFarRoundTripUs = 5'000;
// From here on a lane's MiB in each round trip may be less than the target takes.
constexpr int64_t kLongRoundTripUs = 20'000;
// While an answer is on its way from afar, lanes that it does not bring anything for are asked for.
constexpr int kMostOutFar = 4;
constexpr int64_t kLongFetchUs = 500'000;
constexpr int64_t kTooLongFetchUs = 2'000'000;

// Lanes beyond what one answer can hold only make the request longer.
constexpr size_t kLeastLaneCap = 64;
constexpr size_t kNoLaneCap = SIZE_MAX;

// A long poll blocks the connection; with lanes that wait for room it is kept short.
constexpr int32_t kShortWaitMs = 10;
// A broker goes through all that rest each time they are asked for, at a microsecond or two each.
// While others keep the connection busy that may be a small part of its time, and no record of a
// lane at rest waits longer than this.
constexpr int64_t kRestingPerMs = 50;
constexpr int64_t kMostGlanceMs = 100;
// Where something came so lately more is likely to come.
constexpr int64_t kBusyMs = 1'000;
constexpr int32_t kThrottleCapMs = 60'000;

// A broker that answers at once and brings nothing would be asked as fast as the line goes.
constexpr int64_t kAtOnceUs = 5'000;
constexpr int kFutileTries = 8;
constexpr int64_t kLongestFutileMs = 500;

// Offsets that a log cannot have at the same time. A broker reads them one after the other, so the
// last stable one may lie beyond the high watermark.
bool IsPlausible(const FetchAnswer& answer) {
    return answer.high_watermark >= 0 && answer.high_watermark <= kMostOffset &&
           answer.last_stable_offset >= -1 && answer.last_stable_offset <= kMostOffset &&
           answer.log_start >= -1 && answer.log_start <= answer.high_watermark;
}

// Whole batches that all lie before what was asked for.
bool IsOfThePast(const FetchAnswer& answer, const Walk& walk) {
    return answer.records.size > 0 && walk.batches.empty() && !walk.stop;
}

// Brokers without a limit for the answer as a whole cut each partition's messages off anywhere, the
// first one too. Its whole size then; 0 where that one came whole, or nothing did.
int64_t CutHeadBytes(Cursor::Bytes records) {
    if (records.size < kBatchLengthOverhead) return 0;
    const int64_t length = LoadBigEndian<int32_t>(records.data + 8);
    const int64_t size = length + static_cast<int64_t>(kBatchLengthOverhead);
    return size > static_cast<int64_t>(records.size) ? size : 0;
}

// Formats 0 and 1 are all that such a broker has: its age is the reason.
void BlameBroker(Walk& walk) {
    for (FoundBatch& batch : walk.batches)
        if (batch.reason == LaneReason::kOldFormat) batch.reason = LaneReason::kOldBroker;
}

}  // namespace

struct Fetcher::Request {
    Fetcher* fetcher;
    // Those that are named, and behind them those that the answer wakes.
    std::vector<FetchedLane> entries;
    AnswerIndex index;  // of those that are named
    int64_t reserved = 0;
    // It names nothing but lanes that are caught up.
    bool is_poll = true;
    bool is_brief = false;       // it leaves out those that rest, and ends when they are due
    int32_t session_epoch = -1;  // 0: it asks for a session; -1: it is none of its polls
    int32_t partition_bytes = 0;
};

Fetcher::Fetcher(Link& link, wire_connection* connection, int32_t broker_id)
    : link_(link),
      connection_(connection),
      broker_id_(broker_id),
      fetch_bytes_(std::min<int64_t>(kFirstFetchBytes, link.options().fetch_max_bytes)),
      lane_cap_(kNoLaneCap) {}

void Fetcher::List(const RoutedLanePtr& lane) {
    lane->is_listed_to_fetch = true;
    std::lock_guard lock(mutex_);
    auto& list = lane->lane.IsCaughtUp() ? caught_up_ : behind_;
    list.push_back({lane, lane->fetch_listing});
}

void Fetcher::Recall(const RoutedLanePtr& lane) {
    std::lock_guard lock(mutex_);
    recalled_.push_back(lane);
}

void Fetcher::Kick() {
    is_kicked_.store(true);
    if (link_.is_closing() || !Begins()) return;
    link_.RequestBegins();
    const wire_call call{.api = WIRE_FETCH,
                         .min_version = kFetchMin,
                         .max_version = kFetchMax,
                         .timeout_ms = link_.options().request_timeout_ms * 2,
                         .segments = 1,
                         .make = OnMake,
                         .done = OnDone,
                         .opaque = new Request{.fetcher = this, .entries = {}, .index = {}}};
    wire_enqueue(connection_, &call);
}

bool Fetcher::Begins() {
    int out = out_.load();
    while (out < most_out_.load())
        if (out_.compare_exchange_weak(out, out + 1)) return true;
    return false;
}

int Fetcher::OnMake(wire_request* wire, int16_t version, void* opaque) {
    auto& request = *static_cast<Request*>(opaque);
    return request.fetcher->Make(request, wire, version) ? 1 : 0;
}

bool Fetcher::Make(Request& request, wire_request* wire, int16_t version) {
    is_kicked_.store(false);
    const Moment now = Link::Now();
    if (link_.is_closing()) return false;
    if (now.ms < hold_until_ms_) {
        link_.KickAt(hold_until_ms_);
        return false;
    }
    TakeRecalled();
    const bool has_behind = HasBehind();
    if (is_polling_ || (out_.load() > 1 && !has_behind)) return false;
    const bool is_due = session_.HasResting() && !is_session_out_ && now.ms >= glance_at_ms_;
    const bool is_glance = has_behind && is_due && !has_glanced_;
    request.reserved =
        link_.budget()->TryReserve(WantedBytes(is_glance || !has_behind), kLeastFetchBytes);
    if (request.reserved == 0) return false;
    const size_t most_behind = is_glance ? 0 : MostLanes(version, request.reserved);
    if (!Fill(request, most_behind, now) && !session_.HasResting()) return false;
    ReserveNoMore(request);
    is_polling_ = request.is_poll && !is_glance;
    has_glanced_ = is_glance;
    // Those that are busy are asked for alone in between.
    request.is_brief = session_.HasResting() && !is_due && !request.entries.empty();
    Write(request, wire, version, now);
    link_.Count(LinkCount::kFetchRequests, 1);
    return true;
}

// Whether there is a lane to name.
bool Fetcher::Fill(Request& request, size_t most_behind, Moment now) {
    while (request.entries.empty()) {
        const std::vector<ListedLane> listed = TakeListed(most_behind);
        if (listed.empty()) return false;
        request.entries.reserve(listed.size());
        for (const auto& [lane, listing] : listed) {
            std::lock_guard lock(lane->mutex);
            if (listing != lane->fetch_listing) continue;
            lane->is_listed_to_fetch = false;
            if (lane->is_removed || !lane->lane.WantsFetch(now)) continue;
            lane->lane.FetchSent();
            request.is_poll = request.is_poll && lane->lane.IsCaughtUp();
            request.entries.push_back({lane, {lane->lane.position(), lane->lane.position_epoch()}});
        }
    }
    return true;
}

// A long poll holds what it reserves for as long as nothing comes, so it reserves little; and no
// connection takes more than leaves every other one its own.
int64_t Fetcher::WantedBytes(bool is_poll) {
    if (is_poll) return kLeastFetchBytes;
    const int64_t share =
        link_.budget()->limit() / link_.connections().fetcher_count() / most_out_.load();
    return std::max(std::min(fetch_bytes_, share), kLeastFetchBytes);
}

// Few lanes cannot fill what many would: the rest is for the next request, and the answer counts as
// full when each lane's part is.
void Fetcher::ReserveNoMore(Request& request) {
    const int64_t each = std::max({int64_t{MostPartitionBytes()}, 2 * batch_bytes_, head_bytes_});
    const int64_t most =
        std::max(each * static_cast<int64_t>(request.entries.size()), kLeastFetchBytes);
    if (request.reserved <= most) return;
    link_.budget()->Return(request.reserved - most);
    request.reserved = most;
}

int32_t Fetcher::MostPartitionBytes() const {
    const int32_t most = link_.options().max_partition_fetch_bytes;
    const bool is_long = most_out_.load() > 1 && least_round_trip_us_ > kLongRoundTripUs;
    return is_long ? most : std::min(most, kNearPartitionBytes);
}

bool Fetcher::HasBehind() {
    std::lock_guard lock(mutex_);
    return !behind_.empty();
}

// Without a limit for the answer as a whole its size is that of its partitions: no more of those
// that are behind than have room.
size_t Fetcher::MostLanes(int16_t version, int64_t reserved) const {
    if (version >= kFetchWithLimit) return lane_cap_;
    const int64_t least = std::max({kLeastFetchBytes, 2 * batch_bytes_, head_bytes_});
    return std::min(lane_cap_, static_cast<size_t>(std::max(int64_t{1}, reserved / least)));
}

std::vector<ListedLane> Fetcher::TakeListed(size_t most) {
    std::lock_guard lock(mutex_);
    std::vector<ListedLane> taken;
    const auto take = [&taken](std::deque<ListedLane>& list, size_t most) {
        const auto end = list.begin() + static_cast<ptrdiff_t>(std::min(list.size(), most));
        std::move(list.begin(), end, std::back_inserter(taken));
        list.erase(list.begin(), end);
    };
    // Beside a backlog those that are caught up take turns.
    const size_t turns = behind_.empty() ? kNoLaneCap : lane_cap_;
    take(behind_, most);
    take(caught_up_, turns);
    return taken;
}

void Fetcher::Write(Request& request, wire_request* wire, int16_t version, Moment now) {
    auto& entries = request.entries;
    // Where a topic has no id it is named; a topic that was made anew under its name is not
    // noticed.
    const bool is_nameless = std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
        return entry.lane->source_topic_id.empty();
    });
    const bool has_session =
        version >= kFetchSession && request.is_poll && !request.is_brief && !is_session_out_;
    if (has_session && is_nameless && session_.by_id()) Rouse(session_.Close());
    const bool goes_by_name = has_session && session_.is_open() && !session_.by_id();
    if (version >= kFetchByTopicId && (is_nameless || goes_by_name)) {
        version = kFetchByTopicId - 1;
        wire_use_version(wire, version);
    }
    if (version >= kFetchFlexible) wire_flexible(wire);
    const auto topic_of = [version](const FetchedLane& entry) -> const std::string& {
        return version >= kFetchByTopicId ? entry.lane->source_topic_id : entry.lane->source_topic;
    };
    // A topic may stand in a request once. Topics keep the order of their first lane, and so does
    // the right to be served first.
    std::unordered_map<std::string_view, int32_t> counts;
    std::unordered_map<std::string_view, size_t> ranks;
    for (const auto& entry : entries) {
        ranks.try_emplace(topic_of(entry), ranks.size());
        counts[topic_of(entry)]++;
    }
    if (ranks.size() > 1)
        std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
            return ranks[topic_of(a)] < ranks[topic_of(b)];
        });

    const LinkOptions& options = link_.options();
    ForgottenPartitions forgotten;
    if (has_session) {
        forgotten = session_.Poll(entries, version >= kFetchByTopicId);
        request.session_epoch = session_.epoch();
        is_session_out_ = true;
    }
    int64_t wait_ms = options.fetch_max_wait_ms;
    if (roomless.load() > 0) wait_ms = std::min<int64_t>(wait_ms, kShortWaitMs);
    if (request.is_brief) wait_ms = std::clamp<int64_t>(glance_at_ms_ - now.ms, 0, wait_ms);
    if (HasBehind()) wait_ms = 0;
    encoder_.Clear();
    WriteFetchHead(encoder_, version,
                   {.max_wait_ms = static_cast<int32_t>(wait_ms),
                    .min_bytes = options.fetch_min_bytes,
                    .max_bytes = static_cast<int32_t>(request.reserved),
                    .read_committed = options.read_committed,
                    .topic_count = static_cast<int32_t>(ranks.size()),
                    .session_id = has_session ? session_.id() : 0,
                    .session_epoch = request.session_epoch});
    // Even shares bring batches of many lanes, which leave together; but a share below a batch
    // brings nothing at all for any lane but the first. A session keeps what it was told at first.
    const int64_t lanes = std::max<int64_t>(1, static_cast<int64_t>(entries.size()));
    const int64_t share = std::max(request.reserved / lanes, 2 * batch_bytes_);
    const bool is_shared = !has_session && (batch_bytes_ > 0 || version < kFetchWithLimit);
    request.partition_bytes = static_cast<int32_t>(std::min(
        {int64_t{MostPartitionBytes()}, request.reserved, is_shared ? share : request.reserved}));
    if (version < kFetchWithLimit)
        request.partition_bytes = static_cast<int32_t>(
            std::max({int64_t{request.partition_bytes}, kLeastFetchBytes, head_bytes_}));
    const std::string* topic = nullptr;
    for (const auto& entry : entries) {
        if (!topic || *topic != topic_of(entry)) {
            if (topic) EndFetchTopic(encoder_, version);
            topic = &topic_of(entry);
            WriteFetchTopic(encoder_, version, *topic, counts[*topic]);
        }
        WriteFetchPartition(encoder_, version,
                            {.partition = entry.lane->source_partition,
                             .offset = entry.position.offset,
                             .last_epoch = entry.position.epoch,
                             .max_bytes = request.partition_bytes});
        request.index.Add(*topic, entry.lane->source_partition);
    }
    if (topic) EndFetchTopic(encoder_, version);
    WriteFetchTail(encoder_, version, options.client_rack, forgotten);
    wire_reserve(wire, encoder_.size());
    wire_write(wire, encoder_.data(), encoder_.size());
}

void Fetcher::OnDone(const wire_result* result, void* opaque) {
    const std::unique_ptr<Request> request(static_cast<Request*>(opaque));
    Link& link = request->fetcher->link_;
    request->fetcher->Done(*request, *result);
    request->entries.clear();
    link.RequestEnds();
}

void Fetcher::Done(Request& request, const wire_result& result) {
    bool has_more = false;
    if (request.is_poll && result.outcome != WIRE_DROPPED) is_polling_ = false;
    if (result.outcome == WIRE_ANSWERED) {
        Take(request, result);
        std::lock_guard lock(mutex_);
        has_more = !behind_.empty() || !caught_up_.empty() || session_.HasResting();
    } else {
        if (request.reserved > 0) link_.budget()->Return(request.reserved);
        if (result.outcome != WIRE_DROPPED) Lose(request);
    }
    if (request.session_epoch >= 0) {
        is_session_out_ = false;
        const auto resting = static_cast<int64_t>(session_.resting());
        glance_at_ms_ = Link::Now().ms + std::min(resting / kRestingPerMs, kMostGlanceMs);
    }
    out_.fetch_sub(1);
    // A kick while this was under way did nothing; its reason may still be there.
    if (has_more || is_kicked_.load()) Kick();
}

void Fetcher::Lose(Request& request) {
    const Moment now = Link::Now();
    link_.Count(LinkCount::kFetchErrors, 1);
    link_.LostSource();
    // Lanes on the list would ask a connection that is not there: they wait with the others.
    std::deque<ListedLane> listed;
    {
        std::lock_guard lock(mutex_);
        listed.swap(behind_);
        std::move(caught_up_.begin(), caught_up_.end(), std::back_inserter(listed));
        caught_up_.clear();
    }
    Kicks kicks;
    const auto lose = [&](const RoutedLanePtr& lane) {
        lane->preferred_source = -1;
        lane->is_resting = false;
        lane->lane.FetchLost(now);
        link_.Settle(lane, kWishNothing, now, kicks);
    };
    const std::vector<FetchedLane> rested = session_.Close();
    request.entries.insert(request.entries.end(), rested.begin(), rested.end());
    for (auto& entry : request.entries) {
        std::lock_guard lock(entry.lane->mutex);
        lose(entry.lane);
    }
    for (const auto& [lane, listing] : listed) {
        std::lock_guard lock(lane->mutex);
        if (listing != lane->fetch_listing) continue;
        lane->is_listed_to_fetch = false;
        lose(lane);
    }
}

void Fetcher::Take(Request& request, const wire_result& result) {
    const Moment now = Link::Now();
    struct Answered {
        size_t entry;
        FetchAnswer answer;
    };
    std::vector<Answered> answers;
    answers.reserve(request.entries.size());
    size_t record_bytes = 0;
    size_t lanes_with_data = 0;
    TakeRecalled();
    const bool has_session = request.session_epoch >= 0;
    const FetchSummary summary =
        ReadFetch(Cursor(result.body, result.size), result.version, [&](FetchAnswer&& answer) {
            size_t entry = request.index.Take(answer.topic, answer.partition);
            if (entry == request.index.size()) {
                auto woken = has_session ? session_.Wake(answer.topic, answer.partition)
                                         : std::optional<FetchedLane>();
                if (!woken) return;
                std::lock_guard lock(woken->lane->mutex);
                woken->lane->is_resting = false;
                entry = request.entries.size();
                request.entries.push_back(*std::move(woken));
            }
            record_bytes += answer.records.size;
            lanes_with_data += answer.records.size > 0;
            answers.push_back({entry, std::move(answer)});
        });
    link_.Count(LinkCount::kFetchResponseBytes, static_cast<int64_t>(result.size));
    link_.CountRecordBytes(static_cast<int64_t>(record_bytes));
    link_.budget()->Settle(request.reserved, static_cast<int64_t>(result.size));
    const auto response =
        std::make_shared<Response>(result.reply, link_.budget(), static_cast<int64_t>(result.size));
    if (summary.throttle_ms > 0) {
        const int32_t throttle = std::min(summary.throttle_ms, kThrottleCapMs);
        hold_until_ms_ = now.ms + throttle;
        link_.CountThrottle(throttle);
    }
    if (!request.is_poll) Adapt(request, result, record_bytes, lanes_with_data);

    // Those that got nothing go first: next time they stand before the others.
    std::stable_partition(answers.begin(), answers.end(),
                          [](const Answered& a) { return a.answer.records.size == 0; });
    Kicks kicks;
    if (has_session) FollowSession(request, summary);
    const auto rest = [&](const RoutedLanePtr& routed) {
        Lane& lane = routed->lane;
        const bool is_ours = has_session && session_.is_open() && routed->fetcher == this;
        if (!is_ours || now.ms < routed->busy_until_ms || !lane.IsAtRest(now)) return;
        lane.FetchSent();
        routed->is_resting = true;
        session_.Rest({routed, {lane.position(), lane.position_epoch()}});
    };
    size_t batches = 0;
    int64_t records = 0;
    const LinkOptions& options = link_.options();
    // Nothing of the answer counts, and the replica that gave it is not preferred any more.
    const auto refuse = [&](const RoutedLanePtr& routed, const auto& fail) {
        link_.Count(LinkCount::kFetchErrors, 1);
        std::lock_guard lock(routed->mutex);
        routed->preferred_source = -1;
        link_.Settle(routed, fail(routed->lane), now, kicks);
    };
    for (auto& [entry, answer] : answers) {
        const RoutedLanePtr& routed = request.entries[entry].lane;
        const int64_t position = request.entries[entry].position.offset;
        if (answer.error != 0) {
            refuse(routed, [&](Lane& lane) { return lane.FetchFailed(answer.error, now); });
            continue;
        }
        if (answer.diverging_end >= 0) {
            refuse(routed,
                   [&](Lane& lane) { return lane.FetchDiverged(answer.diverging_end, now); });
            continue;
        }
        if (!IsPlausible(answer)) {
            refuse(routed, [&](Lane& lane) { return lane.FetchMalformed(now); });
            continue;
        }
        const int64_t head = result.version < kFetchWithLimit ? CutHeadBytes(answer.records) : 0;
        const int64_t most = std::min<int64_t>(link_.budget()->limit(), INT32_MAX);
        if (head > request.partition_bytes && head <= most) {
            head_bytes_ = std::max(head_bytes_, head);
            std::lock_guard lock(routed->mutex);
            routed->lane.FetchHeld();
            link_.Settle(routed, kWishNothing, now, kicks);
            continue;
        }
        const int64_t stable =
            answer.last_stable_offset >= 0 ? answer.last_stable_offset : answer.high_watermark;
        const int64_t readable_end = options.read_committed ? stable : answer.high_watermark;
        const Lane::Options& lane = routed->lane.options();
        FetchedPartition fetched{
            .high_watermark = answer.high_watermark,
            .last_stable_offset = stable,
            .log_start = answer.log_start,
            .readable_end = readable_end,
            // A broker gives the first partition that has anything a whole batch, whatever the
            // limits.
            .proves_end =
                (entry == 0 && !has_session) || record_bytes == 0 || readable_end <= position,
            .walk = WalkBatches({.data = answer.records.data,
                                 .size = answer.records.size,
                                 .position = position,
                                 .log_start = answer.log_start,
                                 .high_watermark = answer.high_watermark,
                                 .read_committed = options.read_committed,
                                 .aborted = std::move(answer.aborted),
                                 .target_max_batch_bytes = lane.target_max_batch_bytes,
                                 .target_append_time = lane.target_append_time,
                                 .can_reseal = lane.can_reseal,
                                 .opens = lane.opens,
                                 .forced_codec = lane.forced_codec}),
            .owner = response,
            .at = now};
        if (answer.preferred_read_replica >= 0) fetched.proves_end = false;
        if (result.version < kFetchNewFormat) BlameBroker(fetched.walk);
        link_.Count(LinkCount::kDiscardedBytes, static_cast<int64_t>(fetched.walk.discarded_bytes));
        const bool is_past = IsOfThePast(answer, fetched.walk);
        std::lock_guard lock(routed->mutex);
        routed->lane.GiveRoom(static_cast<uint64_t>(MostPartitionBytes()));
        if (is_past) {
            link_.Count(LinkCount::kFetchErrors, 1);
            link_.Settle(routed, routed->lane.FetchMalformed(now), now, kicks);
            continue;
        }
        batches += fetched.walk.batches.size();
        if (!fetched.walk.batches.empty()) routed->busy_until_ms = now.ms + kBusyMs;
        for (const FoundBatch& batch : fetched.walk.batches)
            records += std::max(0, batch.record_count);
        const LaneWish wish = routed->lane.Fetched(std::move(fetched));
        if (answer.preferred_read_replica >= 0 && answer.preferred_read_replica != broker_id_) {
            link_.PreferSource(routed, answer.preferred_read_replica);
        } else {
            rest(routed);
        }
        link_.Settle(routed, wish, now, kicks);
    }
    response->HoldRecords(records);
    NoteFutile(batches == 0 && !answers.empty() && result.round_trip_us < kAtOnceUs, now);
    if (batches > 0) batch_bytes_ = static_cast<int64_t>(record_bytes / batches);
    // A broker that throttles may answer without any topic (KIP-219), and one that has forgotten
    // the session does so.
    const bool is_whole = summary.is_well_formed && summary.error == 0;
    const bool is_told = request.session_epoch > 0 && session_.is_open();
    const bool is_forgotten =
        request.session_epoch > 0 && !session_.is_open() && summary.is_well_formed;
    const bool is_held = (summary.throttle_ms > 0 && is_whole) || is_forgotten;
    if (!summary.is_well_formed) link_.Count(LinkCount::kFetchErrors, 1);
    for (size_t entry = 0; entry < request.index.size(); entry++) {
        if (request.index.WasTaken(entry)) continue;
        const RoutedLanePtr& routed = request.entries[entry].lane;
        std::lock_guard lock(routed->mutex);
        if (is_held) {
            routed->lane.FetchHeld();
        } else if (is_told) {
            routed->lane.FetchedNothing(now);
            rest(routed);
        } else if (!summary.is_well_formed) {
            routed->lane.FetchMalformed(now);
        } else {
            routed->lane.FetchLost(now);
        }
        link_.Settle(routed, is_held || is_told ? kWishNothing : kWishSourceLeader, now, kicks);
    }
}

// Sessions end on the broker's side when it has too many, and with its restart.
void Fetcher::FollowSession(const Request& request, const FetchSummary& summary) {
    const bool is_other = request.session_epoch > 0 && summary.session_id != session_.id();
    if (summary.is_well_formed && summary.error == 0 && !is_other) {
        session_.Answered(summary.session_id);
    } else {
        Rouse(session_.Close());
    }
}

void Fetcher::TakeRecalled() {
    std::vector<RoutedLanePtr> recalled;
    {
        std::lock_guard lock(mutex_);
        recalled.swap(recalled_);
    }
    std::vector<FetchedLane> left;
    for (const RoutedLanePtr& lane : recalled)
        if (session_.Leave(lane)) left.push_back({lane, {}});
    Rouse(left);
}

void Fetcher::Rouse(const std::vector<FetchedLane>& lanes) {
    const Moment now = Link::Now();
    Kicks kicks;
    for (const auto& [lane, position] : lanes) {
        std::lock_guard lock(lane->mutex);
        lane->is_resting = false;
        lane->lane.FetchHeld();
        link_.Settle(lane, kWishNothing, now, kicks);
    }
}

void Fetcher::NoteFutile(bool is_futile, Moment now) {
    futile_ = is_futile ? futile_ + 1 : 0;
    if (futile_ < kFutileTries) return;
    const int64_t pause_ms = int64_t{1} << std::min(futile_ - kFutileTries + 3, 9);
    hold_until_ms_ = std::max(hold_until_ms_, now.ms + std::min(pause_ms, kLongestFutileMs));
}

void Fetcher::Adapt(const Request& request, const wire_result& result, size_t record_bytes,
                    size_t lanes_with_data) {
    const bool is_full = static_cast<int64_t>(record_bytes) >= request.reserved / 4 * 3;
    lane_cap_ = is_full ? std::max(kLeastLaneCap, 2 * lanes_with_data) : kNoLaneCap;
    // The least one is distance; the rest of the others is a busy machine's.
    least_round_trip_us_ = std::min(least_round_trip_us_, result.round_trip_us);
    most_out_.store(least_round_trip_us_ > kFarRoundTripUs ? kMostOutFar : 1);
    if (result.round_trip_us > kTooLongFetchUs && record_bytes > 0) {
        fetch_bytes_ = std::max(fetch_bytes_ / 2, kLeastFetchBytes);
    } else if (is_full && least_round_trip_us_ > kFarRoundTripUs &&
               result.round_trip_us < kLongFetchUs) {
        const int64_t times = std::clamp<int64_t>(kLongFetchUs / result.round_trip_us, 2, 4);
        fetch_bytes_ = std::min<int64_t>(times * fetch_bytes_, link_.options().fetch_max_bytes);
    }
}

}  // namespace heliostat
