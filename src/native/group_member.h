// Membership of a consumer group that never fetches: the client itself is assigned nothing,
// whatever the group gives. Rebalance events are handed out and wait for their answer; commits
// carry metadata.
#ifndef HELIOSTAT_GROUP_MEMBER_H_
#define HELIOSTAT_GROUP_MEMBER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "client_handle.h"
#include "topic_partition.h"

struct Rebalance {
    bool is_assignment;  // else a revocation
    std::vector<TopicPartition> partitions;
    bool is_lost;
};

using GroupEvent = std::variant<Rebalance, Failure, LogLine>;

class GroupMember final : public ClientHandle {
   public:
    static Outcome<std::shared_ptr<GroupMember>> Open(const Properties& properties);
    ~GroupMember() override;

    // JS thread; these wait for librdkafka's main thread alone, never for a broker.
    std::optional<Failure> Subscribe(const std::vector<std::string>& topics);
    std::vector<GroupEvent> Poll();
    std::optional<Failure> Assign();
    std::optional<Failure> Unassign();
    std::string MemberId() const;

    // These block: any thread but the JS thread.
    Outcome<std::vector<PartitionOffset>> Committed(const std::vector<TopicPartition>& partitions,
                                                    int timeout_ms);
    std::vector<PartitionOffset> Commit(std::vector<PartitionOffset> offsets);
    // Leaves the group, unless the member is static. Bounded: then the group finds out by its
    // session.
    void Leave();

   private:
    GroupMember() = default;
    // Takes the answer over.
    std::optional<Failure> Answered(rd_kafka_error_t* answer);

    QueuePtr
        consumer_queue_;  // rebalances and consumer errors; JS thread polls it until Leave does
    // Rebalances handed out and not answered: the group waits for them, and so would Leave. JS
    // thread writes, the thread that leaves reads.
    std::atomic<int> unanswered_{0};
    // Commits are a member's. JS thread writes, threads that commit read.
    std::atomic<bool> has_subscribed_{false};
};

#endif  // HELIOSTAT_GROUP_MEMBER_H_
