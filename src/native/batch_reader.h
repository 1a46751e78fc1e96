// Reads whole batches of many partitions as they come, for those who look into records.
#ifndef HELIOSTAT_BATCH_READER_H_
#define HELIOSTAT_BATCH_READER_H_

#include <rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch_walk.h"
#include "failure.h"
#include "leader_query.h"
#include "topic_partition.h"

struct PartitionBatches {
    std::string topic;
    int32_t partition;
    int64_t log_start;
    int64_t high_watermark;
    int64_t last_stable_offset;
    std::vector<heliostat::AbortedTransaction> aborted;
    std::vector<uint8_t> bytes;  // whole batches, the last one cut off left out
    std::optional<Failure> failure;
};

// In the order asked. Any thread but the JS thread.
Outcome<std::vector<PartitionBatches>> ReadBatches(rd_kafka_t* rk, LeaderCache& leaders,
                                                   const std::vector<PartitionOffset>& asked,
                                                   int max_bytes, bool read_committed,
                                                   int timeout_ms);

#endif  // HELIOSTAT_BATCH_READER_H_
