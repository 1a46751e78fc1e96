// A lane with its lock and its place on one source and one target connection.
#ifndef HELIOSTAT_ROUTED_LANE_H_
#define HELIOSTAT_ROUTED_LANE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lane.h"

namespace heliostat {

class Fetcher;
class Packer;

// Everything under `mutex` is touched by the source's and the target's broker threads, the link's
// timer thread and the JS thread. Lock order: a lane's mutex, then a list's inside Fetcher or
// Packer; never two lanes at once.
struct RoutedLane {
    RoutedLane(uint32_t id, std::string source_topic, std::string source_topic_id,
               int32_t source_partition, std::string target_topic, int32_t target_partition,
               const Lane::Options& options)
        : id(id),
          source_topic(std::move(source_topic)),
          source_topic_id(std::move(source_topic_id)),
          source_partition(source_partition),
          target_topic(std::move(target_topic)),
          target_partition(target_partition),
          lane(options) {}

    const uint32_t id;
    const std::string source_topic;
    const std::string source_topic_id;  // kTopicIdSize bytes; empty where the source has none
    const int32_t source_partition;
    const std::string target_topic;
    const int32_t target_partition;

    std::mutex mutex;
    Lane lane;
    Fetcher* fetcher = nullptr;  // null while there is no leader; owned by Link, lives as long
    Packer* packer = nullptr;
    int32_t preferred_source = -1;  // broker the leader sent us to (KIP-392), -1 for none
    // A list entry counts only with the lane's newest number: one that moves to another connection
    // is listed there at once, whatever stands on the old list.
    bool is_listed_to_fetch = false;
    bool is_listed_to_send = false;
    uint32_t fetch_listing = 0;
    uint32_t send_listing = 0;
    bool is_listed_to_reseal = false;
    bool is_timed = false;     // on the timer's list of lanes that back off
    bool is_unrouted = false;  // on the timer's list of lanes that need a connection
    bool has_told_resume = false;
    bool has_told_range = false;
    bool is_producerless = false;  // on the timer's list of lanes that wait for a producer id
    bool is_roomless = false;      // counted by its fetcher as one that waits for room
    bool is_resting = false;       // its fetcher's session remembers it
    int64_t busy_until_ms = 0;     // it does not rest before
    bool is_removed = false;
    LaneReason told = LaneReason::kNone;  // the problem that JS was told last
};

using RoutedLanePtr = std::shared_ptr<RoutedLane>;

// A lane that is asked for, and from where on.
struct FetchedLane {
    RoutedLanePtr lane;
    LogPoint position;
};

struct ListedLane {
    RoutedLanePtr lane;
    uint32_t listing;
};

// Finds a request's entries by topic and partition. Answers mostly come in the order asked, so the
// next entry is tried first; a broker that answers in another order costs one sort.
class AnswerIndex {
   public:
    struct Key {
        std::string_view topic;
        int32_t partition;
        auto operator<=>(const Key&) const = default;
    };

    void Add(std::string_view topic, int32_t partition) { keys_.push_back({topic, partition}); }
    size_t size() const { return keys_.size(); }

    // The entry's position, once; size() when there is none or it was answered before.
    size_t Take(std::string_view topic, int32_t partition);
    bool WasTaken(size_t entry) const { return entry < taken_.size() && taken_[entry]; }

   private:
    std::vector<Key> keys_;
    std::vector<bool> taken_;
    std::vector<uint32_t> sorted_;
    size_t next_ = 0;
};

}  // namespace heliostat

#endif  // HELIOSTAT_ROUTED_LANE_H_
