#include "target_partition.h"

#include <algorithm>
#include <iterator>

namespace heliostat::simulation {
namespace {

constexpr size_t kWindow = 5;
constexpr int16_t kOutOfOrderSequence = 45;
constexpr int64_t kForeignProducer = 7;

}  // namespace

TargetPartition::Answer TargetPartition::Produce(const Batch& batch, int64_t wall_ms) {
    if (refusal != 0) return {.code = refusal};
    const ProducerStamp& stamp = batch.stamp;
    const int32_t last = AddRecords(stamp.base_sequence, batch.record_count - 1);
    Answer answer{.code = complaint, .epoch = epoch()};
    const auto found = producers_.find(stamp.producer_id);
    if (found != producers_.end()) {
        for (const Remembered& seen : found->second) {
            if (seen.first != stamp.base_sequence || seen.last != last) continue;
            answer.base_offset = seen.base_offset;
            answer.end = seen.next_offset;
            return answer;
        }
        if (stamp.base_sequence != AddRecords(found->second.back().last, 1))
            return {.code = kOutOfOrderSequence};
    }
    answer.is_appended = true;
    answer.is_past_expiry = expired_.contains(stamp.producer_id);
    answer.base_offset = end_;
    Batch timed = batch;
    if (is_append_time) timed.max_timestamp = wall_ms;
    Append(timed);
    answer.end = end_;
    auto& window = producers_[stamp.producer_id];
    window.push_back({stamp.base_sequence, last, answer.base_offset, end_, timed.max_timestamp});
    if (window.size() > kWindow) window.pop_front();
    return answer;
}

void TargetPartition::WriteForeign(int32_t record_count, int64_t wall_ms) {
    Append({.stamp = {kForeignProducer, 0, 0},
            .record_count = record_count,
            .max_timestamp = wall_ms,
            .first_piece = kForeign});
}

void TargetPartition::Append(const Batch& batch) {
    log_.push_back({batch, end_});
    end_ += batch.record_count;
}

const TargetPartition::Stored* TargetPartition::BatchAt(int64_t offset) const {
    if (offset < log_start_ || offset >= end_) return nullptr;
    const auto found = std::upper_bound(
        log_.begin(), log_.end(), offset,
        [](int64_t at, const Stored& stored) { return at < stored.next_offset(); });
    return &*found;
}

std::optional<int32_t> TargetPartition::LastSequence(int64_t producer_id) const {
    const auto found = producers_.find(producer_id);
    if (found == producers_.end()) return std::nullopt;
    return found->second.back().last;
}

int64_t TargetPartition::BorderBetween(Random& random, int64_t from, int64_t to) const {
    std::vector<int64_t> borders{from, to};
    for (const Stored& stored : log_)
        if (stored.base_offset > from && stored.base_offset < to)
            borders.push_back(stored.base_offset);
    return borders[Between(random, 0, static_cast<int64_t>(borders.size()) - 1)];
}

void TargetPartition::Replicate(int64_t to) { high_watermark_ = std::max(high_watermark_, to); }

void TargetPartition::DeleteTo(int64_t to) { log_start_ = std::max(log_start_, to); }

void TargetPartition::Elect(int64_t end) {
    ended_at_.push_back(high_watermark_);
    while (!log_.empty() && log_.back().next_offset() > end) log_.pop_back();
    end_ = end;
    high_watermark_ = std::min(high_watermark_, end);
    for (auto at = producers_.begin(); at != producers_.end();) {
        auto& [id, window] = *at;
        while (!window.empty() && window.back().next_offset > end) window.pop_back();
        if (const Stored* last = LastOf(id); window.empty() && last)
            window.push_back({last->stamp.base_sequence, last->last_sequence(), last->base_offset,
                              last->next_offset(), last->max_timestamp});
        at = window.empty() ? producers_.erase(at) : std::next(at);
    }
}

bool TargetPartition::WasToldIn(int epoch, int64_t end) const { return end <= ended_at_[epoch]; }

const TargetPartition::Stored* TargetPartition::LastOf(int64_t producer_id) const {
    for (auto at = log_.rbegin(); at != log_.rend() && at->base_offset >= log_start_; at++)
        if (at->stamp.producer_id == producer_id) return &*at;
    return nullptr;
}

void TargetPartition::ForgetWindow() {
    for (auto& [id, window] : producers_)
        while (window.size() > 1) window.pop_front();
}

void TargetPartition::ForgetDeleted() {
    ForgetWindow();
    for (auto at = producers_.begin(); at != producers_.end();) {
        const bool is_deleted = LastOf(at->first) == nullptr;
        if (is_deleted) expired_.insert(at->first);
        at = is_deleted ? producers_.erase(at) : std::next(at);
    }
}

void TargetPartition::Expire(int64_t wall_ms) {
    for (auto at = producers_.begin(); at != producers_.end();) {
        const bool is_old = at->second.back().max_timestamp < wall_ms - kStateExpiryMs;
        if (is_old) expired_.insert(at->first);
        at = is_old ? producers_.erase(at) : std::next(at);
    }
}

}  // namespace heliostat::simulation
