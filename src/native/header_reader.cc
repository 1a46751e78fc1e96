#include "header_reader.h"

#include "batch_header.h"
#include "big_endian.h"
#include "cursor.h"
#include "partition_fetch.h"
#include "protocol.h"

namespace {

using heliostat::Cursor;
using heliostat::LoadBigEndian;

constexpr size_t kOldHeaderSize = 17;

BatchFacts ReadOld(const uint8_t* batch, int64_t size) {
    // v0 and v1: offset i64 · size i32 · crc i32 · magic i8 · attributes i8
    const int64_t offset = LoadBigEndian<int64_t>(batch);
    return {.base_offset = offset,
            .last_offset = offset,
            .records = -1,
            .bytes = size,
            .magic = batch[16],
            .codec = -1,
            .first_timestamp = -1,
            .max_timestamp = -1,
            .is_append_time = false,
            .is_transactional = false,
            .is_control = false,
            .producer_id = -1,
            .producer_epoch = -1,
            .base_sequence = -1};
}

BatchFacts ReadNew(const uint8_t* batch) {
    const heliostat::BatchHeader header = heliostat::ReadBatchHeader(batch);
    return {.base_offset = header.base_offset,
            .last_offset = header.last_offset(),
            .records = header.record_count,
            .bytes = static_cast<int64_t>(header.size()),
            .magic = header.magic,
            .codec = header.codec(),
            .first_timestamp = LoadBigEndian<int64_t>(batch + 27),
            .max_timestamp = header.max_timestamp,
            .is_append_time = header.is_append_time(),
            .is_transactional = header.is_transactional(),
            .is_control = header.is_control(),
            .producer_id = header.producer_id,
            .producer_epoch = LoadBigEndian<int16_t>(batch + 51),
            .base_sequence = LoadBigEndian<int32_t>(batch + 53)};
}

// The batches that end after `offset`; of one that is cut off its header alone.
std::vector<BatchFacts> ReadBatches(Cursor::Bytes records, int64_t offset) {
    std::vector<BatchFacts> batches;
    size_t at = 0;
    while (records.size - at >= kOldHeaderSize) {
        const uint8_t* batch = records.data + at;
        const int64_t size = int64_t{LoadBigEndian<int32_t>(batch + 8)} +
                             static_cast<int64_t>(heliostat::kBatchLengthOverhead);
        if (size < static_cast<int64_t>(kOldHeaderSize)) break;
        const bool is_old = batch[16] < 2;
        if (!is_old && records.size - at < heliostat::kBatchHeaderSize) break;
        BatchFacts facts = is_old ? ReadOld(batch, size) : ReadNew(batch);
        if (facts.last_offset >= offset) batches.push_back(facts);
        if (size > static_cast<int64_t>(records.size - at)) break;
        at += static_cast<size_t>(size);
    }
    return batches;
}

}  // namespace

Outcome<std::vector<PartitionHeaders>> ReadHeaders(rd_kafka_t* rk, LeaderCache& leaders,
                                                   const std::vector<PartitionOffset>& asked,
                                                   int max_bytes, bool read_committed,
                                                   int timeout_ms) {
    std::vector<PartitionHeaders> results;
    results.reserve(asked.size());
    for (const PartitionOffset& wanted : asked)
        results.push_back({wanted.topic, wanted.partition, -1, -1, -1, {}, std::nullopt});
    const PartitionFetch fetch{
        .max_bytes = max_bytes,
        .read_committed = read_committed,
        .take =
            [&](size_t place, const heliostat::FetchAnswer& answer) {
                PartitionHeaders& result = results[place];
                result.log_start = answer.log_start;
                result.high_watermark = answer.high_watermark;
                result.last_stable_offset = answer.last_stable_offset;
                if (answer.error != 0)
                    result.failure = FailureOf(static_cast<rd_kafka_resp_err_t>(answer.error));
                result.batches = ReadBatches(answer.records, asked[place].offset);
                return !result.batches.empty();
            },
        .fail = [&](size_t place,
                    rd_kafka_resp_err_t code) { results[place].failure = FailureOf(code); }};
    if (auto failure = FetchPartitions(rk, leaders, asked, fetch, timeout_ms))
        return *std::move(failure);
    return results;
}
