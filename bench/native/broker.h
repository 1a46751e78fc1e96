// A broker that costs almost nothing, in one of two roles: a source that serves one prebuilt batch
// over and over, or a target that swallows what is produced to it.
#pragma once

#include <atomic>
#include <string>

#include "group.h"
#include "source_log.h"
#include "topics.h"
#include "traffic.h"

namespace bench {

enum class Check { kNone, kSequence, kCrc };

struct Broker {
    uint16_t port = 0;
    std::string cluster_id;
    int64_t max_message_bytes = 0;
    const SourceLog* log = nullptr;  // a source has one
    Check check = Check::kNone;
    std::string capture_file;  // a target keeps the largest batch it is sent there

    Topics topics;
    Groups groups;
    Traffic traffic;
    std::atomic<int64_t> next_producer_id{1000};
};

// Serves one Kafka connection until the peer leaves.
void ServeKafka(Broker& broker, int socket);

// A raw end of the relay: a source sends its share of the log, the same parts as in its Fetch
// responses without their fields; a target reads until the end. Share `number` of `shares`.
void ServeRaw(Broker& broker, int socket, int64_t number, int64_t shares, int64_t partitions);

}  // namespace bench
