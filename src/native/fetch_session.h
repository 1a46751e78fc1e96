// What a source broker remembers of a connection's long polls (KIP-227). Lanes that wait for
// something new rest in it: a poll names those that come, have moved or leave, and its answer those
// that have news, however many rest.
#ifndef HELIOSTAT_FETCH_SESSION_H_
#define HELIOSTAT_FETCH_SESSION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol.h"
#include "routed_lane.h"

namespace heliostat {

// Owned by Fetcher. Broker thread only.
class FetchSession {
   public:
    // 0 while the broker keeps none for us; the next poll asks for one.
    int32_t id() const { return id_; }
    int32_t epoch() const { return epoch_; }
    bool is_open() const { return id_ != 0; }
    // Topics are named by their ids.
    bool by_id() const { return by_id_; }
    size_t resting() const { return resting_.size(); }
    bool HasResting() const { return !resting_.empty(); }

    // A poll goes out that names `lanes`, by the ids of their topics or by their names. Returns
    // what the broker still knows beside them and those that rest: it is to forget it.
    ForgottenPartitions Poll(const std::vector<FetchedLane>& lanes, bool by_id);
    // The poll's answer came with this id. 0: the broker keeps no session.
    void Answered(int32_t id);

    // A lane that the poll named, or its answer woke, is named no more until it has news.
    void Rest(const FetchedLane& lane);
    // The answer tells something of a partition: the lane that rested there.
    std::optional<FetchedLane> Wake(std::string_view topic, int32_t partition);
    // Whether the lane rested. It does not any more.
    bool Leave(const RoutedLanePtr& lane);
    // Nothing is remembered any more. Returns all that rested.
    std::vector<FetchedLane> Close();

   private:
    using Partition = std::pair<std::string, int32_t>;

    Partition PartitionOf(const RoutedLane& lane) const {
        return {by_id_ ? lane.source_topic_id : lane.source_topic, lane.source_partition};
    }

    int32_t id_ = 0;
    int32_t epoch_ = 0;
    bool by_id_ = false;
    std::map<Partition, FetchedLane> resting_;
    // The others that the broker knows.
    std::set<Partition> loose_;
};

}  // namespace heliostat

#endif  // HELIOSTAT_FETCH_SESSION_H_
