// Admin calls on one cluster. Each blocks its thread until it is answered or the time is up, on a
// queue of its own; none of them ever creates a topic that was not asked for. Any thread but the JS
// thread.
#ifndef HELIOSTAT_ADMIN_H_
#define HELIOSTAT_ADMIN_H_

#include <rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "properties.h"
#include "topic_partition.h"

struct BrokerMetadata {
    int32_t id;
    std::string host;
    int port;
};

struct PartitionMetadata {
    int32_t partition;
    int32_t leader;  // -1: none
    std::vector<int32_t> replicas;
    std::vector<int32_t> in_sync_replicas;
    std::optional<Failure> failure;
};

struct TopicMetadata {
    std::string topic;
    std::vector<PartitionMetadata> partitions;
    std::optional<Failure> failure;
    std::string id;  // 32 hex digits; empty where the broker tells none
};

struct ClusterMetadata {
    std::vector<BrokerMetadata> brokers;
    std::vector<TopicMetadata> topics;
};

struct ConfigEntry {
    std::string name;
    std::optional<std::string> value;
    bool is_default;
    bool is_sensitive;
};

struct TopicConfigs {
    std::string topic;
    std::vector<ConfigEntry> entries;
    std::optional<Failure> failure;
};

struct NewTopic {
    std::string topic;
    int partitions;
    int replication_factor;
    Properties configs;
};

struct TopicTotal {
    std::string topic;
    size_t total;
};

struct TopicResult {
    std::string topic;
    std::optional<Failure> failure;
};

struct GroupMemberFacts {
    std::string member_id;
    std::string instance_id;  // empty for a dynamic member
    std::string client_id;
    std::string host;
    std::vector<TopicPartition> partitions;
};

struct GroupDescription {
    std::string state;
    std::string assignor;
    std::optional<BrokerMetadata> coordinator;
    std::vector<GroupMemberFacts> members;
};

// No id within the time is an empty answer, not a failure.
std::optional<std::string> ReadClusterId(rd_kafka_t* rk, int timeout_ms);

// All topics, or those named, in that order. A named one that the cluster does not list has a
// failure.
Outcome<ClusterMetadata> ReadMetadata(rd_kafka_t* rk,
                                      const std::optional<std::vector<std::string>>& topics,
                                      int timeout_ms);

// `at`: RD_KAFKA_OFFSET_SPEC_EARLIEST, _LATEST, or a time in ms. In the order asked.
Outcome<std::vector<PartitionOffset>> ListOffsets(rd_kafka_t* rk,
                                                  const std::vector<TopicPartition>& partitions,
                                                  int64_t at, rd_kafka_IsolationLevel_t isolation,
                                                  int timeout_ms);

Outcome<GroupDescription> DescribeGroup(rd_kafka_t* rk, const std::string& group, int timeout_ms);

// New connections log in with these.
std::optional<Failure> SetCredentials(rd_kafka_t* rk, const std::string& username,
                                      const std::string& password);

Outcome<std::vector<TopicResult>> CreateTopics(rd_kafka_t* rk, const std::vector<NewTopic>& topics,
                                               int timeout_ms);
Outcome<std::vector<TopicResult>> CreatePartitions(rd_kafka_t* rk,
                                                   const std::vector<TopicTotal>& topics,
                                                   int timeout_ms);
Outcome<std::vector<TopicResult>> DeleteTopics(rd_kafka_t* rk,
                                               const std::vector<std::string>& topics,
                                               int timeout_ms);
Outcome<std::vector<TopicConfigs>> DescribeTopicConfigs(rd_kafka_t* rk,
                                                        const std::vector<std::string>& topics,
                                                        int timeout_ms);
// What holds at the broker: its own settings, the cluster's and the defaults.
Outcome<std::vector<ConfigEntry>> DescribeBrokerConfigs(rd_kafka_t* rk, int32_t broker,
                                                        int timeout_ms);

#endif  // HELIOSTAT_ADMIN_H_
