#include "source_end.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "socket.h"

namespace bench {

namespace {

constexpr int16_t kNone = 0;
constexpr int16_t kOffsetOutOfRange = 1;
constexpr int16_t kUnknownTopic = 3;
constexpr int64_t kRawTurnBytes = 1 << 20;

}  // namespace

int64_t SourceEnd::Grant(int64_t offset, int64_t partition_bytes, int64_t response_bytes) const {
    const SourceLog& log = *broker_.log;
    const int64_t available = log.batches() - log.BatchAt(offset);
    return std::min(available, std::min(partition_bytes, response_bytes) / log.batch_bytes());
}

bool SourceEnd::AnswerFetch(int16_t version, int32_t correlation_id, Reader& request) {
    const SourceLog& log = *broker_.log;
    request.I32();  // replica
    const int32_t max_wait_ms = request.I32();
    request.I32();  // min bytes: what there is does not grow
    int64_t left_bytes = request.I32();
    request.I8();  // isolation
    if (version >= 7) {
        request.I32();  // session
        request.I32();  // session epoch
    }

    asked_.clear();
    base_offsets_.clear();
    parts_.clear();
    int64_t granted = 0;
    response_.Begin(correlation_id);
    response_.I32(0);  // throttle
    if (version >= 7) {
        response_.I16(kNone);
        response_.I32(0);  // no session
    }
    const int32_t topics = request.Count();
    response_.I32(topics);
    for (int32_t topic = 0; topic < topics; ++topic) {
        const std::string_view name = request.String();
        const int32_t known = broker_.topics.Count(name);
        const int32_t partitions = request.Count();
        response_.String(name);
        response_.I32(partitions);
        for (int32_t number = 0; number < partitions; ++number) {
            const int32_t partition = request.I32();
            if (version >= 9) request.I32();  // current leader epoch
            const int64_t offset = request.I64();
            if (version >= 5) request.I64();  // log start of a follower
            const int64_t partition_bytes = request.I32();

            const bool exists = partition >= 0 && partition < known;
            const bool in_range = offset >= 0 && offset <= log.end_offset();
            int64_t batches = 0;
            if (exists && in_range) {
                batches = Grant(offset, partition_bytes, left_bytes);
                if (granted == 0 && offset < log.end_offset())
                    batches = std::max<int64_t>(1, batches);
            }
            granted += batches;
            left_bytes = std::max<int64_t>(0, left_bytes - batches * log.batch_bytes());
            response_.I32(partition);
            response_.I16(!exists ? kUnknownTopic : in_range ? kNone : kOffsetOutOfRange);
            response_.I64(log.end_offset());       // high watermark
            response_.I64(log.end_offset());       // last stable offset
            if (version >= 5) response_.I64(0);    // log start
            response_.I32(-1);                     // no aborted transactions
            if (version >= 11) response_.I32(-1);  // preferred replica
            response_.I32(static_cast<int32_t>(batches * log.batch_bytes()));
            asked_.push_back({log.BatchAt(offset), batches, response_.size()});
        }
    }
    if (!request.ok()) return false;
    if (granted == 0) std::this_thread::sleep_for(std::chrono::milliseconds(max_wait_ms));

    response_.SetLength(static_cast<size_t>(granted * log.batch_bytes()));
    base_offsets_.reserve(static_cast<size_t>(granted));
    size_t begin = 0;
    char* fields = const_cast<char*>(response_.data());
    for (const Asked& asked : asked_) {
        parts_.push_back({fields + begin, asked.fields_end - begin});
        begin = asked.fields_end;
        log.Append(asked.first_batch, asked.batches, base_offsets_, parts_);
    }
    if (begin < response_.size()) parts_.push_back({fields + begin, response_.size() - begin});
    if (granted > 0) broker_.traffic.SawFirst(MonotonicNs());
    if (!SendParts(socket_, parts_)) return false;
    if (granted > 0) Count(granted);
    return true;
}

void SourceEnd::SendRaw(int64_t partitions, int64_t number, int64_t shares) {
    const SourceLog& log = *broker_.log;
    const int64_t turn = std::max<int64_t>(1, kRawTurnBytes / log.batch_bytes());
    base_offsets_.reserve(static_cast<size_t>(turn));
    for (int64_t first = 0; first < log.batches(); first += turn) {
        const int64_t batches = std::min(turn, log.batches() - first);
        for (int64_t partition = number; partition < partitions; partition += shares) {
            base_offsets_.clear();
            parts_.clear();
            log.Append(first, batches, base_offsets_, parts_);
            broker_.traffic.SawFirst(MonotonicNs());
            if (!SendParts(socket_, parts_)) return;
            Count(batches);
        }
    }
}

void SourceEnd::Count(int64_t batches) {
    Traffic& traffic = broker_.traffic;
    traffic.requests.fetch_add(1, std::memory_order_relaxed);
    traffic.batches.fetch_add(batches, std::memory_order_relaxed);
    traffic.bytes.fetch_add(batches * broker_.log->batch_bytes(), std::memory_order_relaxed);
    traffic.SawLast(MonotonicNs());
}

}  // namespace bench
