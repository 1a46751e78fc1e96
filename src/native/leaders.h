// Which broker leads each partition of one cluster, asked for when somebody needs to know.
#ifndef HELIOSTAT_LEADERS_H_
#define HELIOSTAT_LEADERS_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "protocol.h"
#include "wire.h"

namespace heliostat {

// Find and Wish on any thread; Tick on the link's timer thread; the answer comes on a broker
// thread.
class Leaders {
   public:
    // `before` and `after` bracket each request that is under way; `on_news` runs after an answer.
    struct Hooks {
        std::function<void()> before;
        std::function<void()> after;
        std::function<void()> on_news;
    };
    Leaders(rd_kafka_t* handle, int timeout_ms, Hooks hooks)
        : handle_(handle), timeout_ms_(timeout_ms), hooks_(std::move(hooks)) {}

    void Watch(const std::string& topic);
    // -1 when there is none, or none is known.
    int32_t Find(const std::string& topic, int32_t partition);
    // Asks again soon; wishes that come together are answered by one request.
    void Wish();
    // Sends a request when one is wished and due.
    void Tick(int64_t now_ms);

   private:
    struct Request;

    static int OnMake(wire_request* request, int16_t version, void* opaque);
    static void OnDone(const wire_result* result, void* opaque);

    rd_kafka_t* const handle_;
    const int timeout_ms_;
    const Hooks hooks_;

    std::mutex mutex_;  // guards all below
    std::unordered_map<std::string, std::vector<int32_t>> leaders_;
    std::unordered_set<std::string> topics_;
    bool is_wished_ = false;
    bool is_asking_ = false;
    int64_t due_ms_ = 0;
    int64_t pause_ms_ = 0;
    int64_t last_wish_ms_ = 0;
};

}  // namespace heliostat

#endif  // HELIOSTAT_LEADERS_H_
