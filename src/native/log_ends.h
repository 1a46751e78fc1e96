// Where the leaders' logs end, replicated or not (OffsetForLeaderEpoch, Kafka 2.1).
#ifndef HELIOSTAT_LOG_ENDS_H_
#define HELIOSTAT_LOG_ENDS_H_

#include <rdkafka.h>

#include <vector>

#include "failure.h"
#include "leader_query.h"
#include "topic_partition.h"

// In the order asked. Each is asked under the epoch that its leader told: one that has moved since
// answers with an error, as one does that cannot say where its log ends. Any thread but the JS
// thread.
Outcome<std::vector<PartitionOffset>> ReadLogEnds(rd_kafka_t* rk, LeaderCache& leaders,
                                                  const std::vector<PartitionOffset>& asked,
                                                  int timeout_ms);

#endif  // HELIOSTAT_LOG_ENDS_H_
