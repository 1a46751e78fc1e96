// What JavaScript sees of a link: its events, and the rows and totals of a snapshot.

#include <utility>

#include "link.h"

namespace heliostat {
namespace {

// More than JavaScript drains in a second means that it does not drain; the newest are the least
// useful.
constexpr size_t kMostEvents = 100'000;

std::string PartitionName(const std::string& topic, int32_t partition) {
    return topic + "-" + std::to_string(partition);
}

LinkEvent EventOf(LinkEvent::Type type, const RoutedLane& lane, int64_t from, int64_t to) {
    return {.type = type,
            .lane = lane.id,
            .reason = LaneReason::kNone,
            .code = 0,
            .from = from,
            .to = to,
            .source = PartitionName(lane.source_topic, lane.source_partition),
            .target = PartitionName(lane.target_topic, lane.target_partition)};
}

}  // namespace

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
    LinkEvent event = EventOf(type, lane, offset, offset);
    event.reason = problem;
    event.code = lane.lane.problem_code();
    Push(std::move(event));
}

void Link::TellReset(const RoutedLane& lane, const Lane::ProducerReset& reset) {
    if (reset.to <= reset.from) return;
    LinkEvent event = EventOf(LinkEvent::Type::kProducerReset, lane, reset.from, reset.to);
    event.code = reset.code;
    Push(std::move(event));
}

void Link::TellResume(RoutedLane& lane) {
    if (std::exchange(lane.has_told_resume, true)) return;
    const int64_t offset = lane.lane.checkpoint();
    LinkEvent event = EventOf(LinkEvent::Type::kNeedsResume, lane, offset, offset);
    event.code = lane.lane.reset_code();
    Push(std::move(event));
}

void Link::TellRange(RoutedLane& lane) {
    if (std::exchange(lane.has_told_range, true)) return;
    const int64_t offset = lane.lane.position();
    Push(EventOf(LinkEvent::Type::kNeedsRange, lane, offset, offset));
}

void Link::TellGap(const RoutedLane& lane, const Lane::Gap& gap) {
    LinkEvent event = EventOf(LinkEvent::Type::kGap, lane, gap.from, gap.to);
    event.is_skipped = gap.is_skipped;
    Push(std::move(event));
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
    uint64_t resealed = 0;
    for (const uint64_t count : sum.resealed) resealed += count;
    set(LinkCount::kBatchesAcknowledged, sum.shallow + resealed + sum.merged);
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
    put(lane.checkpoint_epoch());
    put(lane.position());
    put(lane.high_watermark());
    put(lane.last_stable_offset());
    put(lane.log_start());
    put(lane.end_at_start());
    put(lane.has_reached_end() ? 1 : 0);
    put(counts.records);
    put(counts.bytes);
    put(counts.shallow);
    for (const uint64_t count : counts.resealed) put(count);
    put(counts.merged);
    put(counts.control);
    put(counts.aborted);
    put(counts.empty);
    put(counts.arrived);
    put(lane.first_source());
    put(lane.last_source());
    put(lane.first_target());
    put(lane.last_target());
    put(lane.producer_id());
    put(lane.producer_epoch());
    put(lane.checkpoint_sequence());
    put(lane.target_end());
    put(lane.in_flight());
    put(lane.queued_bytes());
    put(counts.maybe_doubled);
    put(lane.last_timestamp());
    put(routed.fetcher ? routed.fetcher->broker_id() : -1);
    put(routed.packer ? routed.packer->broker_id() : -1);
}

}  // namespace heliostat
