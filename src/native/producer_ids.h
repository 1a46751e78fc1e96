// The producer ids of a link: asks the target for them, and knows which partitions the newest one
// has written.
#ifndef HELIOSTAT_PRODUCER_IDS_H_
#define HELIOSTAT_PRODUCER_IDS_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "protocol.h"
#include "wire.h"

namespace heliostat {

// A lane's identity on the target. An id of -1: there is none.
struct Producer {
    int64_t id;
    int16_t epoch;
};

// Any thread; answers come on a broker thread.
class ProducerIds {
   public:
    // `begin` and `end` bracket each request that is under way.
    ProducerIds(rd_kafka_t* target, std::function<void()> begin, std::function<void()> end)
        : target_(target), begin_(std::move(begin)), end_(std::move(end)) {}
    ProducerIds(const ProducerIds&) = delete;
    ProducerIds& operator=(const ProducerIds&) = delete;

    // Blocks until there is a first id. Empty on success, else what was the matter; `code` is
    // Kafka's, 0 when no broker could be asked.
    std::string Wait(int timeout_ms, int* code);
    // Ends a Wait; asks no more.
    void Close();

    // The newest id, for a lane on the partition. A sequence begins at 0 once for each id and
    // partition: a second time the target would take its batches for repeats. Then the id is -1.
    Producer Claim(const std::string& topic, int32_t partition);
    // An id that nobody has claimed yet, which is asked for when there is none.
    bool HasFresh(int64_t now_ms);
    void Spend();

   private:
    void Ask();
    static int OnMake(wire_request* request, int16_t version, void* opaque);
    static void OnDone(const wire_result* result, void* opaque);

    rd_kafka_t* const target_;
    const std::function<void()> begin_;
    const std::function<void()> end_;

    std::mutex mutex_;  // guards all below; a leaf
    std::condition_variable news_;
    Producer newest_{-1, -1};
    int error_ = 0;
    bool is_asking_ = false;
    bool is_fresh_ = false;
    bool is_closed_ = false;
    int64_t due_ms_ = 0;
    std::unordered_set<std::string> written_;  // partitions under the newest id
};

}  // namespace heliostat

#endif  // HELIOSTAT_PRODUCER_IDS_H_
