// Fetches a little of many partitions from their leaders, outside of any link.
#ifndef HELIOSTAT_PARTITION_FETCH_H_
#define HELIOSTAT_PARTITION_FETCH_H_

#include <rdkafka.h>

#include <functional>
#include <optional>
#include <vector>

#include "failure.h"
#include "leader_query.h"
#include "protocol.h"
#include "topic_partition.h"

struct PartitionFetch {
    int max_bytes;  // of each partition; a first batch that is larger comes whole
    bool read_committed;
    // Hears each answer, also one with an error code, on a broker thread, one at a time. False when
    // it found no whole batch, though there may be one.
    std::function<bool(size_t place, const heliostat::FetchAnswer& answer)> take;
    std::function<void(size_t place, rd_kafka_resp_err_t code)> fail;
};

// Blocks until all is answered or the time is up. A failure is one of the call as a whole. Any
// thread but the JS thread.
std::optional<Failure> FetchPartitions(rd_kafka_t* rk, LeaderCache& leaders,
                                       const std::vector<PartitionOffset>& asked,
                                       const PartitionFetch& fetch, int timeout_ms);

#endif  // HELIOSTAT_PARTITION_FETCH_H_
