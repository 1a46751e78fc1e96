#include "batch_reader.h"

#include "batch_header.h"
#include "big_endian.h"
#include "partition_fetch.h"

namespace {

// Offset and length, which every format begins with.
constexpr size_t kLeastHead = heliostat::kBatchLengthOverhead;

// Bytes of the whole batches at the front.
size_t WholeBatches(const uint8_t* bytes, size_t size) {
    size_t at = 0;
    while (size - at >= kLeastHead) {
        const int64_t length = heliostat::LoadBigEndian<int32_t>(bytes + at + 8);
        if (length < 0 || static_cast<uint64_t>(length) > size - at - kLeastHead) break;
        at += static_cast<size_t>(length) + kLeastHead;
    }
    return at;
}

}  // namespace

Outcome<std::vector<PartitionBatches>> ReadBatches(rd_kafka_t* rk, LeaderCache& leaders,
                                                   const std::vector<PartitionOffset>& asked,
                                                   int max_bytes, bool read_committed,
                                                   int timeout_ms) {
    std::vector<PartitionBatches> results;
    results.reserve(asked.size());
    for (const PartitionOffset& wanted : asked)
        results.push_back({wanted.topic, wanted.partition, -1, -1, -1, {}, {}, std::nullopt});
    const PartitionFetch fetch{
        .max_bytes = max_bytes,
        .read_committed = read_committed,
        .take =
            [&](size_t place, const heliostat::FetchAnswer& answer) {
                PartitionBatches& result = results[place];
                result.log_start = answer.log_start;
                result.high_watermark = answer.high_watermark;
                result.last_stable_offset = answer.last_stable_offset;
                result.aborted = answer.aborted;
                if (answer.error != 0)
                    result.failure = FailureOf(static_cast<rd_kafka_resp_err_t>(answer.error));
                const size_t size = WholeBatches(answer.records.data, answer.records.size);
                result.bytes.assign(answer.records.data, answer.records.data + size);
                return size > 0;
            },
        .fail = [&](size_t place,
                    rd_kafka_resp_err_t code) { results[place].failure = FailureOf(code); }};
    if (auto failure = FetchPartitions(rk, leaders, asked, fetch, timeout_ms))
        return *std::move(failure);
    return results;
}
