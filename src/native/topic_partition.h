// A partition by name, as it crosses between JavaScript and librdkafka.
#ifndef HELIOSTAT_TOPIC_PARTITION_H_
#define HELIOSTAT_TOPIC_PARTITION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"

struct TopicPartition {
    std::string topic;
    int32_t partition;
};

struct PartitionOffset {
    std::string topic;
    int32_t partition;
    int64_t offset;  // -1: there is none
    std::string metadata;
    std::optional<Failure> failure;
    int32_t leader_epoch = -1;
};

#endif  // HELIOSTAT_TOPIC_PARTITION_H_
