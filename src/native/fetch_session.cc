#include "fetch_session.h"

namespace heliostat {

ForgottenPartitions FetchSession::Poll(const std::vector<FetchedLane>& lanes, bool by_id) {
    if (!is_open()) by_id_ = by_id;
    std::set<Partition> known = std::exchange(loose_, {});
    for (const auto& [lane, position] : lanes) {
        Partition partition = PartitionOf(*lane);
        known.erase(partition);
        loose_.insert(std::move(partition));
    }
    ForgottenPartitions forgotten;
    for (const auto& [topic, partition] : known) forgotten[topic].push_back(partition);
    return forgotten;
}

void FetchSession::Answered(int32_t id) {
    id_ = id;
    epoch_ = epoch_ == INT32_MAX ? 1 : epoch_ + 1;
    if (is_open()) return;
    epoch_ = 0;
    loose_.clear();
}

void FetchSession::Rest(const FetchedLane& lane) {
    Partition partition = PartitionOf(*lane.lane);
    loose_.erase(partition);
    resting_.insert_or_assign(std::move(partition), lane);
}

std::optional<FetchedLane> FetchSession::Wake(std::string_view topic, int32_t partition) {
    auto found = resting_.extract({std::string(topic), partition});
    if (found.empty()) return std::nullopt;
    loose_.insert(std::move(found.key()));
    return std::move(found.mapped());
}

bool FetchSession::Leave(const RoutedLanePtr& lane) {
    const Partition partition = PartitionOf(*lane);
    const auto found = resting_.find(partition);
    if (found == resting_.end() || found->second.lane != lane) return false;
    return Wake(partition.first, partition.second).has_value();
}

std::vector<FetchedLane> FetchSession::Close() {
    std::vector<FetchedLane> rested;
    for (auto& [partition, lane] : resting_) rested.push_back(std::move(lane));
    *this = {};
    return rested;
}

}  // namespace heliostat
