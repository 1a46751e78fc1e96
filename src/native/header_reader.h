// Reads the headers of a few batches of many partitions: what lies at an offset, without mirroring
// it.
#ifndef HELIOSTAT_HEADER_READER_H_
#define HELIOSTAT_HEADER_READER_H_

#include <rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "leader_query.h"
#include "topic_partition.h"

// A batch as its header tells it. Formats before 2 tell offset, size, magic and codec alone.
struct BatchFacts {
    int64_t base_offset;
    int64_t last_offset;
    int32_t records;  // -1 in formats before 2
    int64_t bytes;    // of the whole batch
    int magic;
    int codec;
    int64_t first_timestamp;
    int64_t max_timestamp;
    bool is_append_time;
    bool is_transactional;
    bool is_control;
    int64_t producer_id;
    int producer_epoch;
    int32_t base_sequence;
};

struct PartitionHeaders {
    std::string topic;
    int32_t partition;
    int64_t log_start;
    int64_t high_watermark;
    int64_t last_stable_offset;
    std::vector<BatchFacts> batches;
    std::optional<Failure> failure;
};

// Fetches about `max_bytes` of each partition from its offset on, and more of those whose first
// batch is larger. Blocks until all is answered or the time is up; in the order asked. Any thread
// but the JS thread.
Outcome<std::vector<PartitionHeaders>> ReadHeaders(rd_kafka_t* rk, LeaderCache& leaders,
                                                   const std::vector<PartitionOffset>& asked,
                                                   int max_bytes, bool read_committed,
                                                   int timeout_ms);

#endif  // HELIOSTAT_HEADER_READER_H_
