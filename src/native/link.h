// All lanes from one source cluster to one target cluster: routes them to connections, keeps the
// time for back-offs, gets producer ids, counts, and tells JS what happened.
#ifndef HELIOSTAT_LINK_H_
#define HELIOSTAT_LINK_H_

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "budget.h"
#include "connections.h"
#include "leaders.h"
#include "producer_ids.h"
#include "routed_lane.h"

namespace heliostat {

// Of a source that answers within 20 ms a lane needs no more on its way, and more takes memory.
inline constexpr int32_t kNearPartitionBytes = 1 << 20;

struct LinkOptions {
    int streams;
    int producers;
    bool read_committed;
    int32_t fetch_min_bytes;
    int32_t fetch_max_bytes;
    int32_t max_partition_fetch_bytes;
    int32_t fetch_max_wait_ms;
    int64_t budget_bytes;
    int64_t max_request_bytes;
    int max_in_flight;
    int32_t request_timeout_ms;
    bool is_idempotent;
    bool skips_gaps;
    bool merges;
    int64_t max_held_records;  // 0: no limit
    std::string client_rack;
    int64_t producer_expiry_ms;
};

struct LaneStart {
    std::string source_topic;
    std::string source_topic_id;  // kTopicIdSize bytes; empty where the source has none
    int32_t source_partition;
    std::string target_topic;
    int32_t target_partition;
    int64_t offset;
    int32_t leader_epoch;  // of the record before the offset; -1 not known
    uint32_t target_max_batch_bytes;
    bool target_append_time;
    // As in Lane::Options.
    LaneReason opens;
    int forced_codec;
    int64_t producer_id;  // -1: the link's own
    int16_t producer_epoch;
    int32_t sequence;
    int64_t arrived;
    int64_t target_end;
    int64_t arrived_end;
    bool resumes;
};

struct LinkEvent {
    enum class Type : uint8_t {
        kStopped,
        kBackingOff,
        kRecovered,
        kProducerReset,
        kNeedsResume,
        kNeedsRange,
        kGap,
    };
    Type type;
    uint32_t lane;
    LaneReason reason;
    int16_t code;
    int64_t from;  // the stop's offset, or the first one that may be double or was deleted
    int64_t to;
    std::string source;  // topic-partition
    std::string target;
    bool is_skipped = false;  // of a gap
};

// Totals in the order of `linkColumns` in index.ts.
enum class LinkCount : uint8_t {
    kFetchRequests,
    kFetchResponseBytes,
    kProduceRequests,
    kProduceRequestBytes,
    kProduceErrors,
    kFetchErrors,
    kRetriedBatches,
    kBatchesAcknowledged,
    kRecordsAcknowledged,
    kBytesAcknowledged,
    kDiscardedBytes,
    kBudgetUsedBytes,
    kBoundBySourceMs,
    kBoundByTargetMs,
    kBoundByBudgetMs,
    kBoundByQueueSizeMs,
    kThrottledMs,
    kConnections,
    kSize
};

// Connections to wake once no lane's mutex is held: a kick in the middle of an answer would send a
// request with one batch where there will be many.
class Kicks {
   public:
    Kicks() = default;
    Kicks(const Kicks&) = delete;
    Kicks& operator=(const Kicks&) = delete;
    ~Kicks() { Flush(); }
    void Add(Fetcher* fetcher);
    void Add(Packer* packer);
    void Flush();

   private:
    std::vector<Fetcher*> fetchers_;
    std::vector<Packer*> packers_;
};

// Made, used and closed on the JS thread (Start and Close on a libuv worker); in between the broker
// threads of both clusters and the timer thread work on it. Close waits until every request is
// done, so that what requests point to outlives them.
class Link {
   public:
    Link(rd_kafka_t* source, rd_kafka_t* target, const LinkOptions& options);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link();

    // Blocks until the target has granted a producer id. Empty on success, else what was the
    // matter; `code` is Kafka's, 0 when no broker could be asked.
    std::string Start(int timeout_ms, int* code) {
        return options_.is_idempotent ? producer_ids_.Wait(timeout_ms, code) : std::string();
    }
    std::vector<uint32_t> AddLanes(const std::vector<LaneStart>& starts);
    // The link's producer id for a target partition that it has not written under it; -1 when it
    // has.
    Producer ClaimProducer(const std::string& topic, int32_t partition) {
        return producer_ids_.Claim(topic, partition);
    }
    void DrainLanes(const std::vector<uint32_t>& ids);
    void RemoveLanes(const std::vector<uint32_t>& ids);
    void StopLanes(const std::vector<uint32_t>& ids, LaneReason reason);
    // What the source's log holds, for a lane that needs to know.
    void SetRange(uint32_t lane, int64_t log_start, int64_t log_end);
    // The checkpoints of these lanes behind a gap are committed.
    void ReadOn(const std::vector<uint32_t>& ids);
    // One row of kLaneColumns numbers per lane.
    static constexpr size_t kLaneColumns = 34 + kResealReasons.size();
    using Totals = std::array<double, static_cast<size_t>(LinkCount::kSize)>;
    void Snapshot(std::vector<double>* rows, Totals* totals);
    std::vector<LinkEvent> DrainEvents();
    // Batches that cannot pass unchanged wait for somebody who rebuilds them: `wake` runs on any
    // thread, with a lane's mutex held, when the first of them waits. Before any lane is added.
    void RebuildBy(std::function<void()> wake) { wake_rebuilder_ = std::move(wake); }
    struct ToReseal {
        uint32_t lane;
        std::string source;  // topic-partition
        Lane::ToReseal batch;
        bool target_append_time;
        uint32_t target_max_batch_bytes;
    };
    // Up to about `most_bytes`. The rest is to be taken later: only an empty list wakes.
    std::vector<ToReseal> TakeReseals(size_t most_bytes, size_t most_batches);
    struct ResealedBatch {
        std::vector<uint8_t> bytes;
        int32_t record_count;
        int64_t first_offset;
        int64_t last_offset;
        int64_t max_timestamp;
    };
    void GiveUnchanged(uint32_t lane, uint64_t ticket);
    std::optional<Lane::ToReseal> RetakeReseal(uint32_t lane, uint64_t ticket);
    void GiveResealed(uint32_t lane, uint64_t ticket, int64_t skipped,
                      std::vector<ResealedBatch> batches);
    void FailReseal(uint32_t lane, uint64_t ticket, LaneReason reason);

    // Blocks until all requests are done. Idempotent.
    void Close();

    // --- for Fetcher and Packer.
    const LinkOptions& options() const { return options_; }
    const std::shared_ptr<Budget>& budget() const { return budget_; }
    const Connections& connections() const { return connections_; }
    bool is_closing() const { return is_closing_.load(std::memory_order_relaxed); }
    static Moment Now();
    void Count(LinkCount count, int64_t amount) {
        counts_[static_cast<size_t>(count)].fetch_add(amount, std::memory_order_relaxed);
    }
    // After every event of a lane, its mutex held: lists it where it has work, sees to what it
    // wishes and to what JS should know.
    void Settle(const RoutedLanePtr& lane, LaneWish wish, Moment now, Kicks& kicks);
    // The leader named another replica to read from. The lane's mutex is held.
    void PreferSource(const RoutedLanePtr& lane, int32_t broker_id);
    void RequestBegins() { requests_.fetch_add(1); }
    void RequestEnds();
    // A connection that came to nothing: its broker may have gone, or moved.
    void LostSource() { source_leaders_->Wish(); }
    void LostTarget() { target_leaders_->Wish(); }
    // Calls the kick of a held connection when the time has come.
    void KickAt(int64_t at_ms);
    void CountThrottle(int32_t throttle_ms) { Count(LinkCount::kThrottledMs, throttle_ms); }
    // Bytes of records that a Fetch brought: what tells a busy source from a quiet one.
    void CountRecordBytes(int64_t bytes) {
        record_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    }

   private:
    void RunTimer();
    void TickWaiting(Moment now, Kicks& kicks);
    void TickUnrouted(Moment now, Kicks& kicks);
    void TickProducers(Moment now, Kicks& kicks);
    void Sample(int64_t elapsed_ms);
    // The lane's mutex is held. False while a leader is missing or the old one still owes answers.
    bool Route(const RoutedLanePtr& lane, Moment now);
    void LeaveFetcher(const RoutedLanePtr& lane);
    void LeavePacker(RoutedLane& lane);
    void Tell(RoutedLane& lane);
    void TellResume(RoutedLane& lane);
    void TellRange(RoutedLane& lane);
    void TellGap(const RoutedLane& lane, const Lane::Gap& gap);
    void TellReset(const RoutedLane& lane, const Lane::ProducerReset& reset);
    void Push(LinkEvent event);
    std::vector<RoutedLanePtr> AllLanes();
    void FillRow(RoutedLane& lane, Moment now, double* row);
    std::vector<RoutedLanePtr> Find(const std::vector<uint32_t>& ids);

    const LinkOptions options_;
    std::shared_ptr<Budget> budget_;
    std::unique_ptr<Leaders> source_leaders_;
    std::unique_ptr<Leaders> target_leaders_;
    ProducerIds producer_ids_;
    Connections connections_;
    std::array<std::atomic<int64_t>, static_cast<size_t>(LinkCount::kSize)> counts_{};

    std::atomic<int64_t> record_bytes_{0};
    int64_t sampled_record_bytes_ = 0;  // timer thread only

    std::atomic<bool> is_closing_{false};
    std::atomic<int64_t> requests_{0};
    std::mutex ends_mutex_;
    std::condition_variable ends_;

    std::mutex lanes_mutex_;  // taken before any lane's mutex, or alone
    std::unordered_map<uint32_t, RoutedLanePtr> lanes_;
    uint32_t next_lane_id_ = 1;
    Lane::Counts removed_;  // of lanes that are gone

    std::function<void()> wake_rebuilder_;
    std::mutex reseals_mutex_;  // a leaf
    std::deque<RoutedLanePtr> reseals_;

    std::mutex events_mutex_;  // a leaf: nothing is locked under it
    std::vector<LinkEvent> events_;

    std::mutex timer_mutex_;  // a leaf
    std::condition_variable timer_wake_;
    std::vector<RoutedLanePtr> timed_;     // lanes that back off
    std::vector<RoutedLanePtr> unrouted_;  // lanes that need a connection
    std::vector<RoutedLanePtr> producerless_;
    bool has_room_ = false;
    bool has_news_ = false;
    int64_t kick_at_ms_ = INT64_MAX;
    std::thread timer_;
};

}  // namespace heliostat

#endif  // HELIOSTAT_LINK_H_
