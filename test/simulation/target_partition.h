// A target partition by a broker's rules of idempotence, as far as a mirror can notice them: the
// window of five, the state a restart or an expiry leaves, and what is checked before the sequence
// is.
#ifndef HELIOSTAT_TEST_TARGET_PARTITION_H_
#define HELIOSTAT_TEST_TARGET_PARTITION_H_

#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "batch_header.h"

namespace heliostat::simulation {

inline constexpr int64_t kStateExpiryMs = 86'400'000;

class TargetPartition {
   public:
    struct Batch {
        ProducerStamp stamp;
        int32_t record_count;
        int64_t max_timestamp;
        int index;  // of the source batch
    };
    struct Answer {
        int16_t code;
        int64_t base_offset;
        bool is_appended;
        // The broker has forgotten what this producer wrote before, so it cannot know a repeat.
        bool is_past_expiry;
    };

    // Answers every batch with this code and takes none, while it is not 0.
    int16_t refusal = 0;
    // Takes batches but answers with this code, while it is not 0.
    int16_t complaint = 0;

    Answer Produce(const Batch& batch) {
        if (refusal != 0) return {refusal, -1, false, false};
        const ProducerStamp& stamp = batch.stamp;
        const int32_t last = Add(stamp.base_sequence, batch.record_count - 1);
        const auto found = producers_.find(stamp.producer_id);
        if (found != producers_.end()) {
            for (const Remembered& seen : found->second)
                if (seen.first == stamp.base_sequence && seen.last == last)
                    return {complaint, seen.base_offset, false, false};
            if (stamp.base_sequence != Add(found->second.back().last, 1))
                return {45, -1, false, false};
        }
        const bool is_past_expiry = expired_.contains(stamp.producer_id);
        auto& window = producers_[stamp.producer_id];
        window.push_back({stamp.base_sequence, last, end_, batch.max_timestamp});
        if (window.size() > 5) window.pop_front();
        const int64_t base_offset = end_;
        end_ += batch.record_count;
        return {complaint, base_offset, true, is_past_expiry};
    }

    // A restart, or a leader that learns the state from the log: only the last batch is known.
    void ForgetWindow() {
        for (auto& [id, window] : producers_)
            while (window.size() > 1) window.pop_front();
    }

    void Expire(int64_t wall_ms) {
        for (auto at = producers_.begin(); at != producers_.end();) {
            const bool is_old = at->second.back().max_timestamp < wall_ms - kStateExpiryMs;
            if (is_old) expired_.insert(at->first);
            at = is_old ? producers_.erase(at) : std::next(at);
        }
    }

    static int32_t Add(int32_t sequence, int32_t records) {
        return static_cast<int32_t>((int64_t{sequence} + records) & 0x7fffffff);
    }

   private:
    struct Remembered {
        int32_t first;
        int32_t last;
        int64_t base_offset;
        int64_t max_timestamp;
    };

    std::map<int64_t, std::deque<Remembered>> producers_;
    std::set<int64_t> expired_;
    int64_t end_ = 0;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_TARGET_PARTITION_H_
