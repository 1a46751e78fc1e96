// What is committed for a group, asked by requests of our own.
//
// librdkafka's ListConsumerGroupOffsets ends the process when a coordinator has moved between
// look-up and answer: it tells a consumer group of the handle, which a handle without one does not
// have (2.12.0, rd_kafka_handle_OffsetFetch).
#ifndef HELIOSTAT_GROUP_OFFSETS_H_
#define HELIOSTAT_GROUP_OFFSETS_H_

#include <rdkafka.h>

#include <string>
#include <vector>

#include "failure.h"
#include "topic_partition.h"

// Everything that is committed for the group; it need not have members. A coordinator that moves or
// loads is asked again within the time. Any thread but the JS thread.
Outcome<std::vector<PartitionOffset>> ReadGroupOffsets(rd_kafka_t* rk, const std::string& group,
                                                       int timeout_ms);

#endif  // HELIOSTAT_GROUP_OFFSETS_H_
