// The target's side of the data: Produce swallowed through one small buffer, and the raw end of a
// relay.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch_header.h"
#include "broker.h"
#include "protocol.h"
#include "socket.h"

namespace bench {

class TargetEnd {
   public:
    TargetEnd(Broker& broker, int socket) : broker_(broker), socket_(socket), input_(socket) {}

    Input& input() { return input_; }

    // Produce v3–v8, read field by field as it arrives: the batches are never held. False when the
    // peer is gone or sent what cannot be read.
    bool SwallowProduce(int16_t version, int32_t correlation_id, size_t size);

    void SwallowRaw();

   private:
    struct Swallowed {
        int32_t partition;
        BatchHeader header;
        bool whole;  // its CRC was right, or nobody asked
    };

    bool SwallowBatch(int32_t partition, size_t size);
    bool Skip(size_t size);
    void Acknowledge(int16_t version, std::string_view topic);
    int16_t Store(Partitions& partitions, const Swallowed& swallowed, int64_t& base_offset);
    void Capture(const std::string& batch) const;

    Broker& broker_;
    const int socket_;
    Input input_;
    Writer response_;
    std::string topic_;
    std::vector<Swallowed> swallowed_;
};

}  // namespace bench
