// What the leader of a partition knows of the producers that wrote to it (DescribeProducers,
// Kafka 2.8).
#ifndef HELIOSTAT_PRODUCER_STATES_H_
#define HELIOSTAT_PRODUCER_STATES_H_

#include <rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "leader_query.h"
#include "topic_partition.h"

struct ProducerState {
    int64_t producer_id;
    int32_t epoch;
    int32_t last_sequence;      // of the last record appended, be it replicated or not
    int64_t transaction_start;  // offset of its open transaction's first record; -1 without one
};

struct PartitionProducers {
    std::string topic;
    int32_t partition;
    std::vector<ProducerState> producers;
    std::optional<Failure> failure;
};

// In the order asked; needs READ on the topics. A broker without the request fails its partitions
// with _UNSUPPORTED_FEATURE. Any thread but the JS thread.
Outcome<std::vector<PartitionProducers>> DescribeProducers(rd_kafka_t* rk, LeaderCache& leaders,
                                                           const std::vector<TopicPartition>& asked,
                                                           int timeout_ms);

#endif  // HELIOSTAT_PRODUCER_STATES_H_
