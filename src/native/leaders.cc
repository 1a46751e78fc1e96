#include "leaders.h"

#include <algorithm>
#include <memory>

namespace heliostat {
namespace {

// A leader move is answered at once; a cluster without a leader is not asked more than this often.
constexpr int64_t kFirstPauseMs = 50;
constexpr int64_t kLongestPauseMs = 2'000;
constexpr int64_t kCalmMs = 10'000;
constexpr int64_t kNoBrokerPauseMs = 100;

}  // namespace

struct Leaders::Request {
    Leaders* leaders;
    std::vector<std::string> topics;
};

void Leaders::Watch(const std::string& topic) {
    std::lock_guard lock(mutex_);
    if (topics_.insert(topic).second) is_wished_ = true;
}

int32_t Leaders::Find(const std::string& topic, int32_t partition) {
    std::lock_guard lock(mutex_);
    const auto found = leaders_.find(topic);
    if (found == leaders_.end() || partition < 0 ||
        static_cast<size_t>(partition) >= found->second.size())
        return -1;
    return found->second[static_cast<size_t>(partition)];
}

void Leaders::Wish() {
    std::lock_guard lock(mutex_);
    is_wished_ = true;
}

void Leaders::Tick(int64_t now_ms) {
    std::unique_lock lock(mutex_);
    if (!is_wished_ || is_asking_ || now_ms < due_ms_ || topics_.empty()) return;
    if (now_ms - last_wish_ms_ > kCalmMs) pause_ms_ = 0;
    last_wish_ms_ = now_ms;
    pause_ms_ = std::min(std::max(2 * pause_ms_, kFirstPauseMs), kLongestPauseMs);
    is_wished_ = false;
    is_asking_ = true;
    due_ms_ = now_ms + pause_ms_;
    auto request = std::make_unique<Request>(Request{this, {topics_.begin(), topics_.end()}});
    lock.unlock();

    // librdkafka's own list of brokers tells where a broker lives now; it does not learn from our
    // answers.
    wire_refresh_brokers(handle_);
    hooks_.before();
    const wire_call call{.api = WIRE_METADATA,
                         .min_version = kMetadataMin,
                         .max_version = kMetadataMax,
                         .timeout_ms = timeout_ms_,
                         .segments = 1,
                         .make = OnMake,
                         .done = OnDone,
                         .opaque = request.get()};
    if (wire_enqueue_any(handle_, &call)) {
        request.release();
        return;
    }
    lock.lock();
    is_wished_ = true;
    is_asking_ = false;
    due_ms_ = now_ms + kNoBrokerPauseMs;
    lock.unlock();
    hooks_.after();
}

int Leaders::OnMake(wire_request* request, int16_t version, void* opaque) {
    const auto* asked = static_cast<Request*>(opaque);
    Encoder encoder;
    WriteMetadata(encoder, version, asked->topics);
    wire_write(request, encoder.data(), encoder.size());
    return 1;
}

void Leaders::OnDone(const wire_result* result, void* opaque) {
    const std::unique_ptr<Request> request(static_cast<Request*>(opaque));
    Leaders& self = *request->leaders;
    const Hooks hooks = self.hooks_;
    bool is_good = result->outcome == WIRE_ANSWERED;
    std::unordered_map<std::string, std::vector<int32_t>> found;
    if (is_good) {
        // Those alone that were asked for: a broker cannot make us keep more.
        for (const std::string& topic : request->topics) found[topic];
        is_good = ReadMetadata(Cursor(result->body, result->size), result->version,
                               [&](const PartitionLeader& entry) {
                                   // Partition numbers are dense; one far beyond that is a broker's
                                   // mistake.
                                   constexpr int32_t kMostPartitions = 1'000'000;
                                   if (entry.partition < 0 || entry.partition > kMostPartitions)
                                       return;
                                   const auto asked = found.find(std::string(entry.topic));
                                   if (asked == found.end()) return;
                                   auto& leaders = asked->second;
                                   if (leaders.size() <= static_cast<size_t>(entry.partition))
                                       leaders.resize(static_cast<size_t>(entry.partition) + 1, -1);
                                   leaders[static_cast<size_t>(entry.partition)] = entry.leader;
                               });
    }
    {
        std::lock_guard lock(self.mutex_);
        self.is_asking_ = false;
        if (is_good) {
            for (auto& [topic, leaders] : found) self.leaders_[topic] = std::move(leaders);
        } else {
            self.is_wished_ = true;
        }
    }
    if (is_good) hooks.on_news();
    hooks.after();
}

}  // namespace heliostat
