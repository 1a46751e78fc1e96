// The topics that a stub broker says it has, and the log ends of a target's partitions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// One partition of the target: where its log ends, and what its producer has to send next.
struct SwallowedPartition {
    int64_t end_offset = 0;
    int64_t producer_id = -1;
    int16_t producer_epoch = -1;
    int32_t next_sequence = 0;
};

using Partitions = std::vector<SwallowedPartition>;

class Topics {
   public:
    // Adds a topic, or grows one.
    void Add(std::string_view name, int32_t partitions) {
        const std::lock_guard lock(mutex_);
        Partitions& grown = topics_[std::string(name)];
        if (static_cast<size_t>(partitions) > grown.size()) {
            grown.resize(static_cast<size_t>(partitions));
        }
    }
    // 0 when there is no such topic.
    int32_t Count(std::string_view name) const {
        const std::lock_guard lock(mutex_);
        const auto found = topics_.find(name);
        return found == topics_.end() ? 0 : static_cast<int32_t>(found->second.size());
    }
    std::vector<std::string> Names() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const auto& [name, partitions] : topics_) names.push_back(name);
        return names;
    }
    // Runs `use` with the topic's partitions under the lock: once for all of a request, so that
    // connections do not contend for it. No partitions when there is no such topic.
    template <typename Use>
    void With(std::string_view name, Use use) {
        const std::lock_guard lock(mutex_);
        const auto found = topics_.find(name);
        Partitions none;
        use(found == topics_.end() ? none : found->second);
    }

   private:
    mutable std::mutex mutex_;
    std::map<std::string, Partitions, std::less<>> topics_;
};

}  // namespace bench
