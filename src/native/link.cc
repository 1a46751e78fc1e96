#include "link.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace heliostat {
namespace {

constexpr auto kTick = std::chrono::milliseconds(20);
// Lanes without a connection are looked at again this often, and at once when metadata arrives.
constexpr int64_t kRouteEveryMs = 250;
constexpr auto kCutEvery = std::chrono::milliseconds(50);
// A small reservation may fit again although nothing is given back that would say so.
constexpr int64_t kStarvedRetryMs = 100;
constexpr int kControlTimeoutMs = 5'000;

}  // namespace

// --- Kicks

void Kicks::Add(Fetcher* fetcher) {
    if (std::find(fetchers_.begin(), fetchers_.end(), fetcher) == fetchers_.end())
        fetchers_.push_back(fetcher);
}

void Kicks::Add(Packer* packer) {
    if (std::find(packers_.begin(), packers_.end(), packer) == packers_.end())
        packers_.push_back(packer);
}

void Kicks::Flush() {
    for (Packer* packer : packers_) packer->Kick();
    for (Fetcher* fetcher : fetchers_) fetcher->Kick();
    packers_.clear();
    fetchers_.clear();
}

// --- life

Link::Link(rd_kafka_t* source, rd_kafka_t* target, const LinkOptions& options)
    : options_(options),
      producer_ids_(
          target, [this] { RequestBegins(); }, [this] { RequestEnds(); }),
      connections_(*this, source, target) {
    budget_ = std::make_shared<Budget>(options.budget_bytes, options.max_held_records, [this] {
        std::lock_guard lock(timer_mutex_);
        has_room_ = true;
        timer_wake_.notify_one();
    });
    const Leaders::Hooks hooks{.before = [this] { RequestBegins(); },
                               .after = [this] { RequestEnds(); },
                               .on_news =
                                   [this] {
                                       std::lock_guard lock(timer_mutex_);
                                       has_news_ = true;
                                       timer_wake_.notify_one();
                                   }};
    source_leaders_ = std::make_unique<Leaders>(source, kControlTimeoutMs, hooks);
    target_leaders_ = std::make_unique<Leaders>(target, kControlTimeoutMs, hooks);
    timer_ = std::thread([this] { RunTimer(); });
}

Link::~Link() { Close(); }

void Link::Close() {
    {
        std::lock_guard lock(timer_mutex_);
        is_closing_.store(true);
        timer_wake_.notify_one();
    }
    producer_ids_.Close();
    if (timer_.joinable()) timer_.join();
    connections_.Cut();
    {
        // A ticket may reach a connection just after it was cut; it is cut again until all are
        // done.
        std::unique_lock lock(ends_mutex_);
        while (!ends_.wait_for(lock, kCutEvery, [this] { return requests_.load() == 0; })) {
            lock.unlock();
            connections_.Cut();
            lock.lock();
        }
    }
    std::vector<RoutedLanePtr> gone = AllLanes();
    {
        std::lock_guard lock(lanes_mutex_);
        lanes_.clear();
    }
    timed_.clear();
    unrouted_.clear();
    producerless_.clear();
    {
        std::lock_guard lock(reseals_mutex_);
        reseals_.clear();
    }
    gone.clear();
    connections_.Clear();
}

void Link::RequestEnds() {
    // Under the lock, so that Close cannot go on before this is left.
    std::lock_guard lock(ends_mutex_);
    if (requests_.fetch_sub(1) == 1) ends_.notify_all();
}

Moment Link::Now() {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    return {
        .ms = duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
                  .count(),
        .wall_ms = duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
                       .count()};
}

// --- lanes, from JS

std::vector<uint32_t> Link::AddLanes(const std::vector<LaneStart>& starts) {
    // Room for a full window of batches and the next answer behind it, whatever the batch size.
    const auto room =
        static_cast<uint64_t>(std::min(options_.max_partition_fetch_bytes, kNearPartitionBytes));
    std::vector<uint32_t> ids;
    std::vector<RoutedLanePtr> added;
    {
        std::lock_guard lock(lanes_mutex_);
        for (const LaneStart& start : starts) {
            const uint32_t id = next_lane_id_++;
            auto lane = std::make_shared<RoutedLane>(
                id, start.source_topic, start.source_topic_id, start.source_partition,
                start.target_topic, start.target_partition,
                Lane::Options{.position = start.offset,
                              .leader_epoch = start.leader_epoch,
                              .skips_gaps = options_.skips_gaps,
                              .max_in_flight = options_.max_in_flight,
                              .is_idempotent = options_.is_idempotent,
                              .can_reseal = wake_rebuilder_ != nullptr,
                              .opens = start.opens,
                              .forced_codec = start.forced_codec,
                              .merges_from = options_.merges ? kMergesFrom : 0,
                              .room_bytes = room,
                              .target_max_batch_bytes = start.target_max_batch_bytes,
                              .target_append_time = start.target_append_time,
                              .producer_id = start.producer_id,
                              .producer_epoch = start.producer_epoch,
                              .sequence = start.sequence,
                              .arrived = start.arrived,
                              .target_end = start.target_end,
                              .arrived_end = start.arrived_end,
                              .resumes = start.resumes,
                              .producer_expiry_ms = options_.producer_expiry_ms});
            lane->is_unrouted = true;
            lanes_.emplace(id, lane);
            added.push_back(std::move(lane));
            ids.push_back(id);
        }
    }
    for (const RoutedLanePtr& lane : added) {
        source_leaders_->Watch(lane->source_topic);
        target_leaders_->Watch(lane->target_topic);
    }
    std::lock_guard lock(timer_mutex_);
    unrouted_.insert(unrouted_.end(), added.begin(), added.end());
    has_news_ = true;
    timer_wake_.notify_one();
    return ids;
}

std::vector<RoutedLanePtr> Link::Find(const std::vector<uint32_t>& ids) {
    std::vector<RoutedLanePtr> found;
    std::lock_guard lock(lanes_mutex_);
    for (const uint32_t id : ids)
        if (const auto lane = lanes_.find(id); lane != lanes_.end()) found.push_back(lane->second);
    return found;
}

std::vector<RoutedLanePtr> Link::AllLanes() {
    std::vector<RoutedLanePtr> all;
    std::lock_guard lock(lanes_mutex_);
    all.reserve(lanes_.size());
    for (const auto& [id, lane] : lanes_) all.push_back(lane);
    return all;
}

void Link::DrainLanes(const std::vector<uint32_t>& ids) {
    for (const RoutedLanePtr& lane : Find(ids)) {
        std::lock_guard lock(lane->mutex);
        lane->lane.Drain();
    }
}

void Link::RemoveLanes(const std::vector<uint32_t>& ids) {
    for (const RoutedLanePtr& lane : Find(ids)) {
        Lane::Counts counts;
        {
            std::lock_guard lock(lane->mutex);
            lane->is_removed = true;
            LeaveFetcher(lane);
            LeavePacker(*lane);
            counts = lane->lane.counts();
        }
        std::lock_guard lock(lanes_mutex_);
        lanes_.erase(lane->id);
        removed_ += counts;
    }
}

void Link::SetRange(uint32_t id, int64_t log_start, int64_t log_end) {
    const Moment now = Now();
    Kicks kicks;
    for (const RoutedLanePtr& lane : Find({id})) {
        std::lock_guard lock(lane->mutex);
        lane->has_told_range = false;
        lane->lane.SetRange(log_start, log_end, now);
        Settle(lane, kWishNothing, now, kicks);
    }
}

void Link::ReadOn(const std::vector<uint32_t>& ids) {
    const Moment now = Now();
    Kicks kicks;
    for (const RoutedLanePtr& lane : Find(ids)) {
        std::lock_guard lock(lane->mutex);
        lane->lane.ReadOn();
        Settle(lane, kWishNothing, now, kicks);
    }
}

void Link::StopLanes(const std::vector<uint32_t>& ids, LaneReason reason) {
    const Moment now = Now();
    Kicks kicks;
    for (const RoutedLanePtr& lane : Find(ids)) {
        std::lock_guard lock(lane->mutex);
        lane->lane.StopReading(reason);
        Settle(lane, kWishNothing, now, kicks);
    }
}

// --- routing

void Link::LeaveFetcher(const RoutedLanePtr& routed) {
    RoutedLane& lane = *routed;
    if (!lane.fetcher) return;
    if (lane.is_resting) lane.fetcher->Recall(routed);
    if (lane.is_roomless) lane.fetcher->roomless.fetch_sub(1);
    lane.is_roomless = false;
    lane.is_listed_to_fetch = false;
    lane.fetch_listing++;
    connections_.Leave(lane.fetcher);
    lane.fetcher = nullptr;
}

void Link::LeavePacker(RoutedLane& lane) {
    if (!lane.packer) return;
    lane.is_listed_to_send = false;
    lane.send_listing++;
    connections_.Leave(lane.packer);
    lane.packer = nullptr;
}

bool Link::Route(const RoutedLanePtr& routed, Moment now) {
    RoutedLane& lane = *routed;
    const int32_t source_leader = source_leaders_->Find(lane.source_topic, lane.source_partition);
    const int32_t source = lane.preferred_source >= 0 ? lane.preferred_source : source_leader;
    if (source >= 0 && (!lane.fetcher || lane.fetcher->broker_id() != source)) {
        LeaveFetcher(routed);
        lane.fetcher = connections_.PlaceAtSource(source);
        // A replica that is not known is not waited for: next time it is the leader again.
        if (!lane.fetcher) lane.preferred_source = -1;
        if (lane.fetcher) lane.lane.SourceFound();
    }
    const int32_t target = target_leaders_->Find(lane.target_topic, lane.target_partition);
    if (target >= 0 && (!lane.packer || lane.packer->broker_id() != target)) {
        // Batches in flight to the old leader must be answered before one goes to the new leader.
        LeavePacker(lane);
        if (lane.lane.IsQuiet()) lane.packer = connections_.PlaceAtTarget(target);
        if (lane.packer) lane.lane.TargetFound();
    }
    if (source < 0) source_leaders_->Wish();
    if (target < 0) target_leaders_->Wish();
    if (!lane.fetcher) lane.lane.SourceMissing(now);
    if (!lane.packer && lane.lane.IsQuiet()) lane.lane.TargetMissing(now);
    return lane.fetcher && lane.packer;
}

void Link::PreferSource(const RoutedLanePtr& lane, int32_t broker_id) {
    lane->preferred_source = broker_id;
    if (lane->is_unrouted) return;
    lane->is_unrouted = true;
    std::lock_guard lock(timer_mutex_);
    unrouted_.push_back(lane);
    has_news_ = true;
    timer_wake_.notify_one();
}

void Link::Settle(const RoutedLanePtr& routed, LaneWish wish, Moment now, Kicks& kicks) {
    if (wish & kWishSourceLeader) source_leaders_->Wish();
    if (wish & kWishTargetLeader) target_leaders_->Wish();
    RoutedLane& lane = *routed;
    if (lane.is_removed) return;

    if (lane.fetcher && !lane.is_listed_to_fetch && lane.lane.WantsFetch(now)) {
        lane.fetcher->List(routed);
        kicks.Add(lane.fetcher);
    }
    if (lane.packer && !lane.is_listed_to_send && lane.lane.CanSend(now)) {
        lane.packer->List(routed);
        kicks.Add(lane.packer);
    }
    if (lane.fetcher && lane.is_roomless != lane.lane.IsRoomless()) {
        lane.is_roomless = !lane.is_roomless;
        lane.fetcher->roomless.fetch_add(lane.is_roomless ? 1 : -1);
    }
    if (!lane.is_listed_to_reseal && lane.lane.HasReseal()) {
        lane.is_listed_to_reseal = true;
        std::unique_lock lock(reseals_mutex_);
        const bool is_first = reseals_.empty();
        reseals_.push_back(routed);
        lock.unlock();
        if (is_first) wake_rebuilder_();
    }
    const bool needs_time = !lane.is_timed && lane.lane.RetryAtMs(now).has_value();
    const bool needs_producer = !lane.is_producerless && lane.lane.NeedsProducerId();
    if (needs_time || needs_producer) {
        std::lock_guard lock(timer_mutex_);
        if (needs_time) timed_.push_back(routed);
        if (needs_producer) producerless_.push_back(routed);
        lane.is_timed = lane.is_timed || needs_time;
        lane.is_producerless = lane.is_producerless || needs_producer;
    }
    if (const auto gap = lane.lane.TakeGap()) TellGap(lane, *gap);
    Tell(lane);
    if (lane.lane.NeedsResume(now)) TellResume(lane);
    if (lane.lane.NeedsRange()) TellRange(lane);
}

// --- rebuilding

std::vector<Link::ToReseal> Link::TakeReseals(size_t most_bytes, size_t most_batches) {
    std::vector<ToReseal> taken;
    size_t bytes = 0;
    std::deque<RoutedLanePtr> lanes;
    {
        std::lock_guard lock(reseals_mutex_);
        lanes.swap(reseals_);
    }
    const auto has_room = [&] { return bytes < most_bytes && taken.size() < most_batches; };
    while (!lanes.empty() && has_room()) {
        const RoutedLanePtr routed = std::move(lanes.front());
        lanes.pop_front();
        std::lock_guard lock(routed->mutex);
        routed->is_listed_to_reseal = false;
        if (routed->is_removed) continue;
        while (has_room()) {
            std::optional<Lane::ToReseal> batch = routed->lane.TakeReseal();
            if (!batch) break;
            bytes += batch->size;
            taken.push_back(
                {.lane = routed->id,
                 .source = routed->source_topic + "-" + std::to_string(routed->source_partition),
                 .batch = *std::move(batch),
                 .target_append_time = routed->lane.options().target_append_time,
                 .target_max_batch_bytes = routed->lane.options().target_max_batch_bytes});
        }
        if (!routed->lane.HasReseal()) continue;
        routed->is_listed_to_reseal = true;
        lanes.push_back(routed);
    }
    std::lock_guard lock(reseals_mutex_);
    reseals_.insert(reseals_.begin(), lanes.begin(), lanes.end());
    return taken;
}

void Link::GiveResealed(uint32_t lane, uint64_t ticket, int64_t skipped,
                        std::vector<ResealedBatch> batches) {
    std::vector<Lane::Resealed> ready;
    ready.reserve(batches.size());
    for (ResealedBatch& batch : batches) {
        const auto bytes = std::make_shared<BatchCopy>(batch.bytes.data(), batch.bytes.size(),
                                                       batch.record_count, budget_);
        ready.push_back({.data = bytes->data(),
                         .size = static_cast<uint32_t>(batch.bytes.size()),
                         .record_count = batch.record_count,
                         .first_offset = batch.first_offset,
                         .last_offset = batch.last_offset,
                         .max_timestamp = batch.max_timestamp,
                         .owner = bytes});
    }
    const Moment now = Now();
    Kicks kicks;
    for (const RoutedLanePtr& routed : Find({lane})) {
        std::lock_guard lock(routed->mutex);
        routed->lane.GiveResealed(ticket, skipped, std::move(ready));
        Settle(routed, kWishNothing, now, kicks);
    }
}

void Link::GiveUnchanged(uint32_t lane, uint64_t ticket) {
    const Moment now = Now();
    Kicks kicks;
    for (const RoutedLanePtr& routed : Find({lane})) {
        std::lock_guard lock(routed->mutex);
        routed->lane.GiveUnchanged(ticket);
        Settle(routed, kWishNothing, now, kicks);
    }
}

std::optional<Lane::ToReseal> Link::RetakeReseal(uint32_t lane, uint64_t ticket) {
    for (const RoutedLanePtr& routed : Find({lane})) {
        std::lock_guard lock(routed->mutex);
        return routed->lane.RetakeReseal(ticket);
    }
    return std::nullopt;
}

void Link::FailReseal(uint32_t lane, uint64_t ticket, LaneReason reason) {
    const Moment now = Now();
    Kicks kicks;
    for (const RoutedLanePtr& routed : Find({lane})) {
        std::lock_guard lock(routed->mutex);
        routed->lane.FailReseal(ticket, reason);
        Settle(routed, kWishNothing, now, kicks);
    }
}

// --- time

void Link::KickAt(int64_t at_ms) {
    std::lock_guard lock(timer_mutex_);
    kick_at_ms_ = std::min(kick_at_ms_, at_ms);
}

void Link::RunTimer() {
    Moment last = Now();
    int64_t route_at_ms = 0;
    int64_t starved_at_ms = 0;
    for (;;) {
        bool has_news;
        bool must_kick;
        {
            std::unique_lock lock(timer_mutex_);
            timer_wake_.wait_for(lock, kTick,
                                 [this] { return has_room_ || has_news_ || is_closing(); });
            if (is_closing()) return;
            has_news = std::exchange(has_news_, false);
            must_kick = std::exchange(has_room_, false) || Now().ms >= kick_at_ms_;
            if (must_kick) kick_at_ms_ = INT64_MAX;
        }
        const Moment now = Now();
        if (budget_->is_starved() && now.ms >= starved_at_ms) {
            must_kick = true;
            starved_at_ms = now.ms + kStarvedRetryMs;
        }
        Kicks kicks;
        if (must_kick) connections_.KickAll();
        if (has_news) {
            connections_.Follow();
            // A leader that moved without an error being seen, too.
            for (const RoutedLanePtr& lane : AllLanes()) {
                std::lock_guard lane_lock(lane->mutex);
                if (lane->is_removed || lane->is_unrouted) continue;
                if (!Route(lane, now)) {
                    lane->is_unrouted = true;
                    std::lock_guard lock(timer_mutex_);
                    unrouted_.push_back(lane);
                }
                Settle(lane, kWishNothing, now, kicks);
            }
        }
        if (has_news || now.ms >= route_at_ms) {
            TickUnrouted(now, kicks);
            route_at_ms = now.ms + kRouteEveryMs;
        }
        TickWaiting(now, kicks);
        TickProducers(now, kicks);
        source_leaders_->Tick(now.ms);
        target_leaders_->Tick(now.ms);
        Sample(now.ms - last.ms);
        last = now;
    }
}

void Link::TickUnrouted(Moment now, Kicks& kicks) {
    std::vector<RoutedLanePtr> lanes;
    {
        std::lock_guard lock(timer_mutex_);
        lanes.swap(unrouted_);
    }
    std::vector<RoutedLanePtr> still;
    for (const RoutedLanePtr& lane : lanes) {
        std::lock_guard lock(lane->mutex);
        if (lane->is_removed) continue;
        lane->is_unrouted = !Route(lane, now);
        if (lane->is_unrouted) still.push_back(lane);
        Settle(lane, kWishNothing, now, kicks);
    }
    std::lock_guard lock(timer_mutex_);
    unrouted_.insert(unrouted_.end(), still.begin(), still.end());
}

void Link::TickWaiting(Moment now, Kicks& kicks) {
    std::vector<RoutedLanePtr> lanes;
    {
        std::lock_guard lock(timer_mutex_);
        lanes.swap(timed_);
    }
    std::vector<RoutedLanePtr> still;
    for (const RoutedLanePtr& lane : lanes) {
        std::lock_guard lock(lane->mutex);
        lane->is_timed = lane->lane.RetryAtMs(now).has_value() && !lane->is_removed;
        lane->lane.LetGoWhileBlocked([this](const uint8_t* data, size_t size, int64_t records) {
            const auto copy = std::make_shared<BatchCopy>(data, size, records, budget_);
            return std::pair(copy->data(), std::shared_ptr<const void>(copy));
        });
        if (lane->is_timed) still.push_back(lane);
        // One side may be ready while the other still waits.
        Settle(lane, kWishNothing, now, kicks);
    }
    std::lock_guard lock(timer_mutex_);
    timed_.insert(timed_.end(), still.begin(), still.end());
}

void Link::TickProducers(Moment now, Kicks& kicks) {
    std::vector<RoutedLanePtr> lanes;
    {
        std::lock_guard lock(timer_mutex_);
        if (producerless_.empty()) return;
    }
    if (!producer_ids_.HasFresh(now.ms)) return;
    producer_ids_.Spend();
    {
        std::lock_guard lock(timer_mutex_);
        lanes.swap(producerless_);
    }
    for (const RoutedLanePtr& lane : lanes) {
        std::lock_guard lock(lane->mutex);
        lane->is_producerless = false;
        if (lane->is_removed || !lane->lane.NeedsProducerId()) continue;
        const Producer producer = producer_ids_.Claim(lane->target_topic, lane->target_partition);
        // Without one another lane has it for the same partition: the next id is for this lane.
        if (producer.id >= 0) TellReset(*lane, lane->lane.SetProducer(producer.id, producer.epoch));
        Settle(lane, kWishNothing, now, kicks);
    }
}

void Link::Sample(int64_t elapsed_ms) {
    const int64_t record_bytes = record_bytes_.load(std::memory_order_relaxed);
    const bool has_data = record_bytes != std::exchange(sampled_record_bytes_, record_bytes);
    if (connections_.IsTargetFull()) {
        Count(LinkCount::kBoundByTargetMs, elapsed_ms);
    } else if (budget_->is_starved()) {
        Count(LinkCount::kBoundByBudgetMs, elapsed_ms);
        if (budget_->IsFullOfRecords()) Count(LinkCount::kBoundByQueueSizeMs, elapsed_ms);
    } else if (has_data) {
        Count(LinkCount::kBoundBySourceMs, elapsed_ms);
    }
}

}  // namespace heliostat
