#include "fetch_session.h"

namespace heliostat {

ForgottenPartitions FetchSession::Poll(const std::vector<FetchedLane>& lanes, bool by_id) {
    if (!is_open()) by_id_ = by_id;
    std::set<Partition> known = std::exchange(loose_, {});
    for (const auto& [lane, position] : lanes) {
        Partition partition(TopicOf(*lane), lane->source_partition);
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
    const std::string& topic = TopicOf(*lane.lane);
    loose_.erase({topic, lane.lane->source_partition});
    const bool is_new = resting_[topic].insert_or_assign(lane.lane->source_partition, lane).second;
    if (is_new) resting_count_++;
}

std::optional<FetchedLane> FetchSession::Wake(std::string_view topic, int32_t partition) {
    const auto of_topic = resting_.find(topic);
    if (of_topic == resting_.end()) return std::nullopt;
    auto found = of_topic->second.extract(partition);
    if (found.empty()) return std::nullopt;
    resting_count_--;
    loose_.emplace(topic, partition);
    if (of_topic->second.empty()) resting_.erase(of_topic);
    return std::move(found.mapped());
}

bool FetchSession::Leave(const RoutedLanePtr& lane) {
    const auto of_topic = resting_.find(TopicOf(*lane));
    if (of_topic == resting_.end()) return false;
    const auto found = of_topic->second.find(lane->source_partition);
    if (found == of_topic->second.end() || found->second.lane != lane) return false;
    return Wake(of_topic->first, lane->source_partition).has_value();
}

std::vector<FetchedLane> FetchSession::Close() {
    std::vector<FetchedLane> rested;
    for (auto& [topic, lanes] : resting_)
        for (auto& [partition, lane] : lanes) rested.push_back(std::move(lane));
    *this = {};
    return rested;
}

}  // namespace heliostat
