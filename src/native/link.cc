#include "link.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace heliostat {
namespace {

constexpr auto kTick = std::chrono::milliseconds(20);
// Lanes without a connection are looked at again this often, and at once when metadata arrives.
constexpr int64_t kRouteEveryMs = 250;
constexpr int64_t kProducerRetryMs = 500;
constexpr auto kCutEvery = std::chrono::milliseconds(50);
// A small reservation may fit again although nothing is given back that would say so.
constexpr int64_t kStarvedRetryMs = 100;
constexpr int kControlTimeoutMs = 5'000;
// More than JS drains in a second means that it does not drain; the newest are the least useful.
constexpr size_t kMostEvents = 100'000;

std::string PartitionName(const std::string& topic, int32_t partition) {
    return topic + "-" + std::to_string(partition);
}

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
    : source_(source), target_(target), options_(options) {
    budget_ = std::make_shared<Budget>(options.budget_bytes, [this] {
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
    if (timer_.joinable()) timer_.join();
    CutConnections();
    {
        // A ticket may reach a connection just after it was cut; it is cut again until all are
        // done.
        std::unique_lock lock(ends_mutex_);
        while (!ends_.wait_for(lock, kCutEvery, [this] { return requests_.load() == 0; })) {
            lock.unlock();
            CutConnections();
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
    gone.clear();
    fetchers_.clear();
    packers_.clear();
}

void Link::CutConnections() {
    std::lock_guard lock(connections_mutex_);
    for (auto& [broker, fetchers] : fetchers_)
        for (auto& fetcher : fetchers) wire_cut(fetcher->connection());
    for (auto& [broker, packers] : packers_)
        for (auto& packer : packers) wire_cut(packer->connection());
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

// --- producer ids

std::string Link::Start(int timeout_ms, int* code) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    *code = 0;
    while (!is_closing()) {
        AskForProducer();
        std::unique_lock lock(producer_mutex_);
        const bool has_news =
            producer_news_.wait_until(lock, deadline, [this] { return !is_asking_producer_; });
        if (has_fresh_producer_) {
            has_fresh_producer_ = false;
            return {};
        }
        *code = producer_error_;
        if (!has_news || std::chrono::steady_clock::now() >= deadline)
            return producer_error_ == 0 ? "no broker of the target could be asked for a producer id"
                                        : "the target grants no producer id";
        lock.unlock();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return "the link is closed";
}

void Link::AskForProducer() {
    {
        std::lock_guard lock(producer_mutex_);
        if (is_asking_producer_ || is_closing()) return;
        is_asking_producer_ = true;
    }
    RequestBegins();
    const wire_call call{.api = WIRE_INIT_PRODUCER_ID,
                         .min_version = kInitProducerIdMin,
                         .max_version = kInitProducerIdMax,
                         .timeout_ms = kControlTimeoutMs,
                         .segments = 1,
                         .make = OnMakeProducer,
                         .done = OnDoneProducer,
                         .opaque = this};
    if (wire_enqueue_any(target_, &call)) return;
    {
        std::lock_guard lock(producer_mutex_);
        is_asking_producer_ = false;
        producer_due_ms_ = Now().ms + kProducerRetryMs;
        producer_news_.notify_all();
    }
    RequestEnds();
}

int Link::OnMakeProducer(wire_request* request, int16_t, void*) {
    Encoder encoder;
    WriteInitProducerId(encoder);
    wire_write(request, encoder.data(), encoder.size());
    return 1;
}

void Link::OnDoneProducer(const wire_result* result, void* opaque) {
    auto& self = *static_cast<Link*>(opaque);
    {
        std::lock_guard lock(self.producer_mutex_);
        self.is_asking_producer_ = false;
        self.producer_due_ms_ = Now().ms + kProducerRetryMs;
        self.producer_error_ = result->error;
        if (result->outcome == WIRE_ANSWERED) {
            const auto answer = ReadInitProducerId(Cursor(result->body, result->size));
            self.producer_error_ = answer.error;
            if (answer.is_well_formed && answer.error == 0) {
                self.producer_id_ = answer.producer_id;
                self.producer_epoch_ = answer.epoch;
                self.has_fresh_producer_ = true;
                self.used_.clear();
            }
        }
        self.producer_news_.notify_all();
    }
    self.RequestEnds();
}

// --- lanes, from JS

std::vector<uint32_t> Link::AddLanes(const std::vector<LaneStart>& starts) {
    // A second lane on a partition would begin its sequence anew, and the target would take its
    // first batches for repeats: it waits for a producer id of its own.
    std::vector<int64_t> producer_ids;
    int16_t epoch;
    {
        std::lock_guard lock(producer_mutex_);
        epoch = producer_epoch_;
        for (const LaneStart& start : starts) {
            const bool is_unused =
                used_.insert(PartitionName(start.target_topic, start.target_partition)).second;
            producer_ids.push_back(is_unused ? producer_id_ : -1);
        }
    }
    // Room for a full window of batches and the next answer behind it, whatever the batch size.
    const auto room = static_cast<uint64_t>(options_.max_partition_fetch_bytes);
    std::vector<uint32_t> ids;
    std::vector<RoutedLanePtr> added;
    {
        std::lock_guard lock(lanes_mutex_);
        for (size_t i = 0; i < starts.size(); i++) {
            const LaneStart& start = starts[i];
            const uint32_t id = next_lane_id_++;
            auto lane = std::make_shared<RoutedLane>(
                id, start.source_topic, start.source_partition, start.target_topic,
                start.target_partition,
                Lane::Options{.position = start.offset,
                              .max_in_flight = options_.max_in_flight,
                              .room_bytes = room,
                              .target_max_batch_bytes = start.target_max_batch_bytes,
                              .target_append_time = start.target_append_time,
                              .producer_id = producer_ids[i],
                              .producer_epoch = epoch});
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
            LeaveFetcher(*lane);
            LeavePacker(*lane);
            counts = lane->lane.counts();
        }
        std::lock_guard lock(lanes_mutex_);
        lanes_.erase(lane->id);
        removed_ += counts;
    }
}

// --- routing

Fetcher* Link::PlaceAtSource(int32_t broker_id) {
    std::lock_guard lock(connections_mutex_);
    auto& fetchers = fetchers_[broker_id];
    const auto least = std::min_element(fetchers.begin(), fetchers.end(), [](auto& a, auto& b) {
        return a->lane_count < b->lane_count;
    });
    Fetcher* place = least == fetchers.end() ? nullptr : least->get();
    if (fetchers.size() < static_cast<size_t>(options_.streams) &&
        (!place || place->lane_count > 0)) {
        const std::string name =
            "heliostat-source-" + std::to_string(broker_id) + "-" + std::to_string(fetchers.size());
        if (wire_connection* connection = wire_connect(source_, broker_id, name.c_str())) {
            fetchers.push_back(std::make_unique<Fetcher>(*this, connection, broker_id));
            place = fetchers.back().get();
            Count(LinkCount::kConnections, 1);
        }
    }
    if (place) place->lane_count++;
    return place;
}

Packer* Link::PlaceAtTarget(int32_t broker_id) {
    std::lock_guard lock(connections_mutex_);
    auto& packers = packers_[broker_id];
    const auto least = std::min_element(packers.begin(), packers.end(), [](auto& a, auto& b) {
        return a->lane_count < b->lane_count;
    });
    Packer* place = least == packers.end() ? nullptr : least->get();
    if (packers.size() < static_cast<size_t>(options_.producers) &&
        (!place || place->lane_count > 0)) {
        const std::string name =
            "heliostat-target-" + std::to_string(broker_id) + "-" + std::to_string(packers.size());
        if (wire_connection* connection = wire_connect(target_, broker_id, name.c_str())) {
            packers.push_back(std::make_unique<Packer>(*this, connection, broker_id));
            place = packers.back().get();
            Count(LinkCount::kConnections, 1);
        }
    }
    if (place) place->lane_count++;
    return place;
}

void Link::LeaveFetcher(RoutedLane& lane) {
    if (!lane.fetcher) return;
    if (lane.is_roomless) lane.fetcher->roomless.fetch_sub(1);
    lane.is_roomless = false;
    lane.is_listed_to_fetch = false;
    lane.fetch_listing++;
    std::lock_guard lock(connections_mutex_);
    lane.fetcher->lane_count--;
    lane.fetcher = nullptr;
}

void Link::LeavePacker(RoutedLane& lane) {
    if (!lane.packer) return;
    lane.is_listed_to_send = false;
    lane.send_listing++;
    std::lock_guard lock(connections_mutex_);
    lane.packer->lane_count--;
    lane.packer = nullptr;
}

bool Link::Route(const RoutedLanePtr& routed, Moment now) {
    RoutedLane& lane = *routed;
    const int32_t source_leader = source_leaders_->Find(lane.source_topic, lane.source_partition);
    const int32_t source = lane.preferred_source >= 0 ? lane.preferred_source : source_leader;
    if (source >= 0 && (!lane.fetcher || lane.fetcher->broker_id() != source)) {
        LeaveFetcher(lane);
        lane.fetcher = PlaceAtSource(source);
        if (lane.fetcher) lane.lane.SourceFound();
    }
    const int32_t target = target_leaders_->Find(lane.target_topic, lane.target_partition);
    if (target >= 0 && (!lane.packer || lane.packer->broker_id() != target)) {
        // Batches in flight to the old leader must be answered before one goes to the new leader.
        LeavePacker(lane);
        if (lane.lane.IsQuiet()) lane.packer = PlaceAtTarget(target);
        if (lane.packer) lane.lane.TargetFound();
    }
    if (source < 0) source_leaders_->Wish();
    if (target < 0) target_leaders_->Wish();
    if (!lane.fetcher) lane.lane.SourceMissing(now);
    if (!lane.packer && lane.lane.IsQuiet()) lane.lane.TargetMissing(now);
    return lane.fetcher && lane.packer;
}

void Link::PreferSource(const RoutedLanePtr& lane, int32_t broker_id, Moment) {
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
    const bool needs_time = !lane.is_timed && lane.lane.RetryAtMs(now).has_value();
    const bool needs_producer = !lane.is_producerless && lane.lane.NeedsProducerId();
    if (needs_time || needs_producer) {
        std::lock_guard lock(timer_mutex_);
        if (needs_time) timed_.push_back(routed);
        if (needs_producer) producerless_.push_back(routed);
        lane.is_timed = lane.is_timed || needs_time;
        lane.is_producerless = lane.is_producerless || needs_producer;
    }
    Tell(lane);
}

// --- time

void Link::KickAt(int64_t at_ms) {
    std::lock_guard lock(timer_mutex_);
    kick_at_ms_ = std::min(kick_at_ms_, at_ms);
}

void Link::KickAll() {
    std::lock_guard lock(connections_mutex_);
    for (auto& [broker, fetchers] : fetchers_)
        for (auto& fetcher : fetchers) fetcher->Kick();
    for (auto& [broker, packers] : packers_)
        for (auto& packer : packers) packer->Kick();
}

void Link::FollowBrokers() {
    std::lock_guard lock(connections_mutex_);
    for (auto& [broker, fetchers] : fetchers_)
        for (auto& fetcher : fetchers) wire_follow(fetcher->connection(), source_, broker);
    for (auto& [broker, packers] : packers_)
        for (auto& packer : packers) wire_follow(packer->connection(), target_, broker);
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
        if (must_kick) KickAll();
        if (has_news) {
            FollowBrokers();
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
        Sample(now, now.ms - last.ms);
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
        lane->lane.LetGoWhileBlocked([this](const uint8_t* data, size_t size) {
            const auto copy = std::make_shared<BatchCopy>(data, size, budget_);
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
    int64_t producer_id;
    int16_t epoch;
    {
        std::unique_lock lock(producer_mutex_);
        if (!has_fresh_producer_) {
            const bool is_due = !is_asking_producer_ && now.ms >= producer_due_ms_;
            lock.unlock();
            if (is_due) AskForProducer();
            return;
        }
        has_fresh_producer_ = false;
        producer_id = producer_id_;
        epoch = producer_epoch_;
    }
    {
        std::lock_guard lock(timer_mutex_);
        lanes.swap(producerless_);
    }
    for (const RoutedLanePtr& lane : lanes) {
        std::lock_guard lock(lane->mutex);
        lane->is_producerless = false;
        if (lane->is_removed || !lane->lane.NeedsProducerId()) continue;
        if (!MarkUsed(*lane)) {
            // Another lane got this id for the same partition: the next one is for this lane.
            Settle(lane, kWishNothing, now, kicks);
            continue;
        }
        const Lane::ProducerReset reset = lane->lane.SetProducer(producer_id, epoch);
        if (reset.to > reset.from) {
            Push({.type = LinkEvent::Type::kProducerReset,
                  .lane = lane->id,
                  .reason = LaneReason::kNone,
                  .code = reset.code,
                  .from = reset.from,
                  .to = reset.to,
                  .source = PartitionName(lane->source_topic, lane->source_partition),
                  .target = PartitionName(lane->target_topic, lane->target_partition)});
        }
        Settle(lane, kWishNothing, now, kicks);
    }
}

bool Link::MarkUsed(const RoutedLane& lane) {
    std::lock_guard lock(producer_mutex_);
    return used_.insert(PartitionName(lane.target_topic, lane.target_partition)).second;
}

void Link::Sample(Moment, int64_t elapsed_ms) {
    bool is_target_full = false;
    {
        std::lock_guard lock(connections_mutex_);
        for (const auto& [broker, packers] : packers_)
            for (const auto& packer : packers) is_target_full |= packer->is_saturated();
        for (const auto& [broker, fetchers] : fetchers_)
            for (const auto& fetcher : fetchers) is_target_full |= fetcher->roomless.load() > 0;
    }
    const int64_t record_bytes = record_bytes_.load(std::memory_order_relaxed);
    const bool has_data = record_bytes != std::exchange(sampled_record_bytes_, record_bytes);
    if (is_target_full) {
        Count(LinkCount::kBoundByTargetMs, elapsed_ms);
    } else if (budget_->is_starved()) {
        Count(LinkCount::kBoundByBudgetMs, elapsed_ms);
    } else if (has_data) {
        Count(LinkCount::kBoundBySourceMs, elapsed_ms);
    }
}

// --- what JS sees

void Link::Push(LinkEvent event) {
    std::lock_guard lock(events_mutex_);
    if (events_.size() < kMostEvents) events_.push_back(std::move(event));
}

void Link::Tell(RoutedLane& lane) {
    const LaneReason problem = lane.lane.problem();
    if (problem == lane.told) return;
    lane.told = problem;
    const auto type = problem == LaneReason::kNone ? LinkEvent::Type::kRecovered
                      : lane.lane.IsOver()         ? LinkEvent::Type::kStopped
                                                   : LinkEvent::Type::kBackingOff;
    const int64_t offset = lane.lane.IsOver() ? lane.lane.stop_offset() : lane.lane.checkpoint();
    Push({.type = type,
          .lane = lane.id,
          .reason = problem,
          .code = lane.lane.problem_code(),
          .from = offset,
          .to = offset,
          .source = PartitionName(lane.source_topic, lane.source_partition),
          .target = PartitionName(lane.target_topic, lane.target_partition)});
}

std::vector<LinkEvent> Link::DrainEvents() {
    std::lock_guard lock(events_mutex_);
    return std::exchange(events_, {});
}

void Link::Snapshot(std::vector<double>* rows, Totals* totals) {
    const Moment now = Now();
    const std::vector<RoutedLanePtr> lanes = AllLanes();
    Lane::Counts sum;
    rows->resize(lanes.size() * kLaneColumns);
    for (size_t row = 0; row < lanes.size(); row++) {
        std::lock_guard lock(lanes[row]->mutex);
        FillRow(*lanes[row], now, rows->data() + row * kLaneColumns);
        sum += lanes[row]->lane.counts();
    }
    {
        std::lock_guard lock(lanes_mutex_);
        sum += removed_;
    }
    for (size_t i = 0; i < totals->size(); i++)
        (*totals)[i] = static_cast<double>(counts_[i].load());
    const auto set = [&](LinkCount count, auto value) {
        (*totals)[static_cast<size_t>(count)] = static_cast<double>(value);
    };
    set(LinkCount::kRecordsAcknowledged, sum.records);
    set(LinkCount::kBytesAcknowledged, sum.bytes);
    set(LinkCount::kBatchesAcknowledged, sum.shallow);
    set(LinkCount::kRetriedBatches, sum.retried);
    set(LinkCount::kBudgetUsedBytes, budget_->used());
}

void Link::FillRow(RoutedLane& routed, Moment now, double* row) {
    const Lane& lane = routed.lane;
    const Lane::Counts& counts = lane.counts();
    const auto put = [&row](auto value) { *row++ = static_cast<double>(value); };
    put(routed.id);
    put(static_cast<int>(lane.StateAt(now)));
    put(static_cast<int>(lane.problem()));
    put(lane.problem_code());
    put(lane.checkpoint());
    put(lane.position());
    put(lane.high_watermark());
    put(lane.last_stable_offset());
    put(lane.log_start());
    put(lane.end_at_start());
    put(lane.has_reached_end() ? 1 : 0);
    put(counts.records);
    put(counts.bytes);
    put(counts.shallow);
    put(counts.control);
    put(counts.aborted);
    put(counts.empty);
    put(lane.first_source());
    put(lane.last_source());
    put(lane.first_target());
    put(lane.last_target());
    put(lane.producer_id());
    put(lane.producer_epoch());
    put(lane.checkpoint_sequence());
    put(lane.last_target() < 0 ? -1 : lane.last_target() + 1);
    put(lane.in_flight());
    put(lane.queued_bytes());
    put(counts.maybe_doubled);
    put(lane.last_timestamp());
    put(routed.fetcher ? routed.fetcher->broker_id() : -1);
    put(routed.packer ? routed.packer->broker_id() : -1);
}

}  // namespace heliostat
