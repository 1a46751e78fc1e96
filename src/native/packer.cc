#include "packer.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "link.h"

namespace heliostat {
namespace {

// Below this a batch is copied behind its header: cheaper than an iovec of its own, and one TLS
// record instead of many.
constexpr uint32_t kCopyBelow = 4'096;

// A broker works on one request of a connection at a time, so a few keep it busy; over distance the
// line holds more.
constexpr int kNearRequests = 5;
constexpr int kFarRequests = 64;
constexpr int64_t kFarRoundTripUs = 20'000;

// Bytes in flight adapt to what the target takes, so that the last of them is answered well within
// the request's time-out.
constexpr int64_t kFirstWindowBytes = 8 << 20;
constexpr int64_t kLeastWindowBytes = 256 << 10;
constexpr int64_t kMostWindowBytes = 64 << 20;
constexpr int64_t kSlowAnswerUs = 5'000'000;
constexpr int64_t kQuickAnswerUs = 1'000'000;

constexpr int32_t kThrottleCapMs = 60'000;
constexpr size_t kPartitionHeadSize = 8;

}  // namespace

struct Packer::Request {
    struct Entry {
        RoutedLanePtr lane;
        Lane::Outgoing batch;
    };
    Packer* packer;
    // Sorted by topic. Each keeps its batch's bytes alive until done.
    std::vector<Entry> entries;
    AnswerIndex index;
    int64_t bytes = 0;
};

Packer::Packer(Link& link, wire_connection* connection, int32_t broker_id)
    : link_(link),
      connection_(connection),
      broker_id_(broker_id),
      window_bytes_(kFirstWindowBytes) {}

void Packer::List(const RoutedLanePtr& lane) {
    lane->is_listed_to_send = true;
    std::lock_guard lock(mutex_);
    list_.push_back({lane, lane->send_listing});
}

bool Packer::HasWork() {
    std::lock_guard lock(mutex_);
    return !list_.empty();
}

bool Packer::HasRoom() const {
    if (in_flight_requests_ == 0) return true;
    return in_flight_requests_ <
               (round_trip_us_ > kFarRoundTripUs ? kFarRequests : kNearRequests) &&
           in_flight_bytes_ < window_bytes_;
}

void Packer::Kick() {
    if (link_.is_closing() || has_ticket_.exchange(true)) return;
    link_.RequestBegins();
    const wire_call call{.api = WIRE_PRODUCE,
                         .min_version = kProduceMin,
                         .max_version = kProduceMax,
                         .timeout_ms = link_.options().request_timeout_ms * 2,
                         .segments = 16,
                         .make = OnMake,
                         .done = OnDone,
                         .opaque = new Request{.packer = this, .entries = {}, .index = {}}};
    wire_enqueue(connection_, &call);
}

int Packer::OnMake(wire_request* wire, int16_t version, void* opaque) {
    auto& request = *static_cast<Request*>(opaque);
    return request.packer->Make(request, wire, version) ? 1 : 0;
}

bool Packer::Make(Request& request, wire_request* wire, int16_t version) {
    // First, so that a kick from now on brings another ticket.
    has_ticket_.store(false);
    const Moment now = Link::Now();
    if (link_.is_closing()) return false;
    if (now.ms < hold_until_ms_) {
        link_.KickAt(hold_until_ms_);
        return false;
    }
    if (!HasRoom()) {
        is_saturated_.store(true, std::memory_order_relaxed);
        return false;
    }
    Gather(request, version, now);
    if (request.entries.empty()) return false;
    Write(request, wire);
    in_flight_requests_++;
    in_flight_bytes_ += request.bytes;
    link_.Count(LinkCount::kProduceRequests, 1);
    link_.Count(LinkCount::kProduceRequestBytes, request.bytes);
    // On the broker's own thread the next ticket goes straight behind this one.
    if (HasWork()) Kick();
    return true;
}

void Packer::Gather(Request& request, int16_t version, Moment now) {
    std::deque<ListedLane> listed;
    {
        std::lock_guard lock(mutex_);
        listed.swap(list_);
    }
    std::vector<ListedLane> again;
    Kicks kicks;
    while (!listed.empty()) {
        const auto [routed, listing] = std::move(listed.front());
        listed.pop_front();
        std::lock_guard lock(routed->mutex);
        Lane& lane = routed->lane;
        if (listing != routed->send_listing) continue;
        routed->is_listed_to_send = false;
        if (routed->is_removed || !lane.CanSend(now)) continue;
        if (version < kProduceZstd && lane.NextCodec() == static_cast<int>(Codec::kZstd)) {
            lane.AvoidZstd();
            link_.Settle(routed, kWishNothing, now, kicks);
            continue;
        }
        if (request.bytes > 0 &&
            request.bytes + lane.NextSize() > link_.options().max_request_bytes) {
            routed->is_listed_to_send = true;
            listed.push_front({routed, listing});
            break;
        }
        request.entries.push_back({routed, lane.Send(now)});
        request.bytes += request.entries.back().batch.size;
        if (lane.Merge(now)) link_.Settle(routed, kWishNothing, now, kicks);
        if (lane.CanSend(now)) {
            routed->is_listed_to_send = true;
            again.push_back({routed, listing});
        }
    }
    std::lock_guard lock(mutex_);
    list_.insert(list_.begin(), listed.begin(), listed.end());
    list_.insert(list_.end(), again.begin(), again.end());
}

void Packer::Write(Request& request, wire_request* wire) {
    auto& entries = request.entries;
    // A topic may stand in a request once.
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return a.lane->target_topic < b.lane->target_topic;
    });
    int32_t topics = 0;
    size_t size = 64;
    for (size_t i = 0; i < entries.size(); i++) {
        size += kPartitionHeadSize +
                (entries[i].batch.size < kCopyBelow ? entries[i].batch.size : kBatchHeaderSize);
        if (i > 0 && entries[i].lane->target_topic == entries[i - 1].lane->target_topic) continue;
        topics++;
        size += 6 + entries[i].lane->target_topic.size();
    }
    wire_reserve(wire, size);

    encoder_.Clear();
    WriteProduceHead(encoder_, link_.options().request_timeout_ms, topics);
    for (size_t i = 0; i < entries.size(); i++) {
        const std::string& topic = entries[i].lane->target_topic;
        if (i == 0 || topic != entries[i - 1].lane->target_topic) {
            size_t end = i;
            while (end < entries.size() && entries[end].lane->target_topic == topic) end++;
            WriteProduceTopic(encoder_, topic, static_cast<int32_t>(end - i));
        }
        const Lane::Outgoing& batch = entries[i].batch;
        WriteProducePartition(encoder_, entries[i].lane->target_partition, batch.size);
        StampBatchHeader(batch.data, batch.stamp, encoder_.Extend(kBatchHeaderSize));
        const uint8_t* payload = batch.data + kBatchHeaderSize;
        const size_t payload_size = batch.size - kBatchHeaderSize;
        if (batch.size < kCopyBelow) {
            encoder_.WriteBytes(payload, payload_size);
        } else {
            wire_write(wire, encoder_.data(), encoder_.size());
            encoder_.Clear();
            wire_push(wire, payload, payload_size);
        }
        request.index.Add(topic, entries[i].lane->target_partition);
    }
    if (encoder_.size() > 0) wire_write(wire, encoder_.data(), encoder_.size());
}

void Packer::OnDone(const wire_result* result, void* opaque) {
    const std::unique_ptr<Request> request(static_cast<Request*>(opaque));
    Link& link = request->packer->link_;
    request->packer->Done(*request, *result);
    request->entries.clear();
    link.RequestEnds();
}

void Packer::Done(Request& request, const wire_result& result) {
    if (!request.entries.empty()) {
        in_flight_requests_--;
        in_flight_bytes_ -= request.bytes;
    }
    if (result.outcome == WIRE_ANSWERED) {
        Take(request, result);
    } else if (result.outcome != WIRE_DROPPED) {
        // A ticket that was never made is still counted as out.
        if (request.entries.empty()) has_ticket_.store(false);
        Lose(request, result.outcome == WIRE_LOST);
    }
    const bool has_work = HasWork();
    if (!has_work || HasRoom()) is_saturated_.store(false, std::memory_order_relaxed);
    if (has_work && result.outcome == WIRE_ANSWERED) Kick();
}

void Packer::Take(Request& request, const wire_result& result) {
    const Moment now = Link::Now();
    Kicks kicks;
    const ProduceSummary summary = ReadProduce(
        Cursor(result.body, result.size), result.version, [&](const ProduceAnswer& answer) {
            const size_t entry = request.index.Take(answer.topic, answer.partition);
            if (entry == request.index.size()) return;
            const RoutedLanePtr& routed = request.entries[entry].lane;
            if (answer.error != 0) link_.Count(LinkCount::kProduceErrors, 1);
            std::lock_guard lock(routed->mutex);
            const LaneWish wish = routed->lane.Answered(request.entries[entry].batch.serial,
                                                        answer.error, answer.base_offset, now);
            link_.Settle(routed, wish, now, kicks);
        });
    for (size_t entry = 0; entry < request.entries.size(); entry++) {
        if (request.index.WasTaken(entry)) continue;
        const RoutedLanePtr& routed = request.entries[entry].lane;
        std::lock_guard lock(routed->mutex);
        const LaneWish wish =
            routed->lane.Unanswered(request.entries[entry].batch.serial, true, now);
        link_.Settle(routed, wish, now, kicks);
    }
    if (!summary.is_well_formed) link_.Count(LinkCount::kProduceErrors, 1);
    if (summary.is_well_formed && summary.throttle_ms > 0) {
        const int32_t throttle = std::min(summary.throttle_ms, kThrottleCapMs);
        hold_until_ms_ = now.ms + throttle;
        link_.CountThrottle(throttle);
    }
    Adapt(request, result);
}

void Packer::Lose(Request& request, bool may_be_written) {
    const Moment now = Link::Now();
    link_.Count(LinkCount::kProduceErrors, 1);
    link_.LostTarget();
    std::deque<ListedLane> listed;
    {
        std::lock_guard lock(mutex_);
        listed.swap(list_);
    }
    Kicks kicks;
    for (auto& entry : request.entries) {
        std::lock_guard lock(entry.lane->mutex);
        const LaneWish wish = entry.lane->lane.Unanswered(entry.batch.serial, may_be_written, now);
        link_.Settle(entry.lane, wish, now, kicks);
    }
    for (const auto& [lane, listing] : listed) {
        std::lock_guard lock(lane->mutex);
        if (listing != lane->send_listing) continue;
        lane->is_listed_to_send = false;
        lane->lane.SendLost(now);
        link_.Settle(lane, kWishTargetLeader, now, kicks);
    }
}

void Packer::Adapt(const Request& request, const wire_result& result) {
    round_trip_us_ = round_trip_us_ == 0 ? result.round_trip_us
                                         : (7 * round_trip_us_ + result.round_trip_us) / 8;
    if (result.round_trip_us > kSlowAnswerUs) {
        window_bytes_ = std::max(window_bytes_ / 2, kLeastWindowBytes);
    } else if (result.round_trip_us < kQuickAnswerUs) {
        window_bytes_ = std::min(window_bytes_ + request.bytes, kMostWindowBytes);
    }
}

}  // namespace heliostat
