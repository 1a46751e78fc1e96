// The source's side of the data: Fetch answered from the repeated batch, and the raw end of a
// relay.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "broker.h"
#include "protocol.h"

namespace bench {

// One for each connection: its lists are used over and over.
class SourceEnd {
   public:
    SourceEnd(Broker& broker, int socket) : broker_(broker), socket_(socket) {}

    // Fetch v4–v11: answers at once when one partition has a batch, else after the wait asked for.
    // Whole batches only, in the order asked, within both byte limits; the first always comes.
    // Grants no session. False when the peer is gone.
    bool AnswerFetch(int16_t version, int32_t correlation_id, Reader& request);

    // Share `number` of `shares` of all partitions' batches, in turns of about a Fetch partition's
    // size.
    void SendRaw(int64_t partitions, int64_t number, int64_t shares);

   private:
    struct Asked {
        int64_t first_batch;
        int64_t batches;
        size_t fields_end;  // of this partition's fields in the response
    };

    int64_t Grant(int64_t offset, int64_t partition_bytes, int64_t response_bytes) const;
    bool Send();
    void Count(int64_t batches);

    Broker& broker_;
    const int socket_;
    Writer response_;
    std::vector<Asked> asked_;
    std::vector<uint64_t> base_offsets_;
    std::vector<iovec> parts_;
};

}  // namespace bench
