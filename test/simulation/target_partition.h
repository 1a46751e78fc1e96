// A target partition by a broker's rules, as far as a mirror can notice them: a log with a start
// and a high watermark, the window of five that idempotence rests on, what a restart, an expiry or
// a new leader leaves of it, and other writers in between.
#ifndef HELIOSTAT_TEST_TARGET_PARTITION_H_
#define HELIOSTAT_TEST_TARGET_PARTITION_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "batch_header.h"
#include "source_partition.h"

namespace heliostat::simulation {

inline constexpr int64_t kStateExpiryMs = 86'400'000;

// A sequence so many records later: they go round at 2^31.
inline int32_t AddRecords(int32_t sequence, int64_t records) {
    return static_cast<int32_t>((int64_t{sequence} + records) & 0x7fffffff);
}

class TargetPartition {
   public:
    static constexpr int kForeign = -1;

    struct Batch {
        ProducerStamp stamp;
        int32_t record_count;
        int64_t max_timestamp;
        int first_piece;  // of the source; kForeign for another writer's
        int pieces = 1;
    };
    struct Stored : Batch {
        int64_t base_offset;

        int64_t next_offset() const { return base_offset + record_count; }
        int32_t last_sequence() const { return AddRecords(stamp.base_sequence, record_count - 1); }
    };
    struct Answer {
        int16_t code = 0;
        int64_t base_offset = -1;
        // The high watermark has to reach this before a success is told; -1: at once.
        int64_t end = -1;
        int epoch = 0;  // the leader's
        bool is_appended = false;
        // The broker has forgotten what this producer wrote before, so it cannot know a repeat.
        bool is_past_expiry = false;
    };

    // Answers every batch with this code and takes none, while it is not 0.
    int16_t refusal = 0;
    // Takes batches but answers with this code, while it is not 0.
    int16_t complaint = 0;
    // Batches get the time of their arrival.
    bool is_append_time = false;

    Answer Produce(const Batch& batch, int64_t wall_ms);
    // Another producer's records.
    void WriteForeign(int32_t record_count, int64_t wall_ms);

    int64_t log_start() const { return log_start_; }
    int64_t high_watermark() const { return high_watermark_; }
    int64_t log_end() const { return end_; }
    int epoch() const { return static_cast<int>(ended_at_.size()); }
    // Everything that was ever kept, retention or not, in order.
    const std::vector<Stored>& log() const { return log_; }
    // The batch that holds the offset; nothing outside of the log.
    const Stored* BatchAt(int64_t offset) const;
    // The last sequence that the leader remembers of the producer.
    std::optional<int32_t> LastSequence(int64_t producer_id) const;
    // The start or the end of a batch, between two others.
    int64_t BorderBetween(Random& random, int64_t from, int64_t to) const;

    // The followers have everything before this.
    void Replicate(int64_t to);
    // Retention.
    void DeleteTo(int64_t to);
    // Another leader, whose log ends at `end`.
    void Elect(int64_t end);
    // Whether a batch that the leader of this epoch took was told as written before the next was
    // elected.
    bool WasToldIn(int epoch, int64_t end) const;
    // A restart, or a leader that learns the state from the log: only the last batch is known.
    void ForgetWindow();
    // A leader that has only what lies in the log knows no other producers.
    void ForgetDeleted();
    void Expire(int64_t wall_ms);

   private:
    struct Remembered {
        int32_t first;
        int32_t last;
        int64_t base_offset;
        int64_t next_offset;
        int64_t max_timestamp;
    };

    void Append(const Batch& batch);
    const Stored* LastOf(int64_t producer_id) const;

    std::vector<Stored> log_;
    int64_t log_start_ = 0;
    int64_t high_watermark_ = 0;
    int64_t end_ = 0;
    // The high watermarks at which the epochs before this one ended.
    std::vector<int64_t> ended_at_;
    std::map<int64_t, std::deque<Remembered>> producers_;
    std::set<int64_t> expired_;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_TARGET_PARTITION_H_
