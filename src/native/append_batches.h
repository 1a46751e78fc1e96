// Writes single batches to many partitions, outside of any link. One without a producer's stamp
// that is sent again may be there twice.
#ifndef HELIOSTAT_APPEND_BATCHES_H_
#define HELIOSTAT_APPEND_BATCHES_H_

#include <rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch_header.h"
#include "failure.h"
#include "leader_query.h"
#include "topic_partition.h"

// A whole batch of format 2 with base offset 0. One with a stamp has a header at least.
struct NewBatch {
    std::string topic;
    int32_t partition;
    std::vector<uint8_t> bytes;
    std::optional<heliostat::ProducerStamp> stamp = std::nullopt;
};

// In the order asked, with the offset that each batch got; of one partition there may be one batch.
// Acknowledged by all in-sync replicas. Any thread but the JS thread.
Outcome<std::vector<PartitionOffset>> AppendBatches(rd_kafka_t* rk, LeaderCache& leaders,
                                                    const std::vector<NewBatch>& batches,
                                                    int timeout_ms);

#endif  // HELIOSTAT_APPEND_BATCHES_H_
