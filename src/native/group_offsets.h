// What is committed for a group, by requests of our own.
//
// librdkafka holds a commit back, or sends it once more, while the coordinator is gone. When the
// session ends meanwhile, that commit leaves under no member id or under the one from before: the
// coordinator takes a static member for fenced by another process, which ends the client
// (FENCED_INSTANCE_ID), and a group without members takes it from one that is out of it. It also
// gives the error of one partition to all others of the request. Its ListConsumerGroupOffsets ends
// the process when a coordinator has moved between look-up and answer: it tells a consumer group of
// the handle, which a handle without one does not have (2.12.0, rd_kafka_handle_OffsetFetch).
#ifndef HELIOSTAT_GROUP_OFFSETS_H_
#define HELIOSTAT_GROUP_OFFSETS_H_

#include <rdkafka.h>

#include <span>
#include <string>
#include <vector>

#include "failure.h"
#include "topic_partition.h"

// Everything that is committed for the group; it need not have members. A coordinator that moves or
// loads is asked again within the time. Any thread but the JS thread.
Outcome<std::vector<PartitionOffset>> ReadGroupOffsets(rd_kafka_t* rk, const std::string& group,
                                                       int timeout_ms);

// Commits for the group of the handle, a consumer, as the member that it is when each request
// leaves; without `must_be_member` also as nobody, which a group without members takes. Sets the
// failure of each offset. A coordinator that moves or loads is asked again within the time. Any
// thread but the JS thread.
void CommitGroupOffsets(rd_kafka_t* rk, std::span<PartitionOffset> offsets, bool must_be_member,
                        int timeout_ms);

#endif  // HELIOSTAT_GROUP_OFFSETS_H_
