#include "header_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "batch_header.h"
#include "cursor.h"
#include "deadline.h"
#include "leader_query.h"
#include "protocol.h"
#include "routed_lane.h"

namespace {

using heliostat::Cursor;
using heliostat::Encoder;
using heliostat::LoadBigEndian;

// An answer of this size is still read at once; more partitions go into the next request.
constexpr int kMostBytes = 32 * 1024 * 1024;
constexpr size_t kMostPartitions = 1000;
// A broker sends no part of a batch, only whole ones: what did not fit is asked for with more room,
// and at last alone, since the first partition of an answer gets its batch however large it is.
constexpr int kMoreRoom = 1024 * 1024;
constexpr size_t kOldHeaderSize = 17;

using Places = LeaderQuery::Places;

void WriteFetch(const std::vector<PartitionOffset>& asked, const Places& places, int limit,
                bool read_committed, int16_t version, Encoder& to) {
    std::map<std::string_view, Places> by_topic;
    for (const size_t place : places) by_topic[asked[place].topic].push_back(place);
    heliostat::WriteFetchHead(to, version,
                              {.max_wait_ms = 0,
                               .min_bytes = 0,
                               .max_bytes = kMostBytes,
                               .read_committed = read_committed,
                               .topic_count = static_cast<int32_t>(by_topic.size())});
    for (const auto& [topic, of_topic] : by_topic) {
        heliostat::WriteFetchTopic(to, topic, static_cast<int32_t>(of_topic.size()));
        for (const size_t place : of_topic) {
            heliostat::WriteFetchPartition(to, version, asked[place].partition, asked[place].offset,
                                           limit);
        }
    }
    heliostat::WriteFetchTail(to, version, "");
}

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

void TakePartition(const heliostat::FetchAnswer& answer, int64_t offset, PartitionHeaders& result) {
    result.log_start = answer.log_start;
    result.high_watermark = answer.high_watermark;
    result.last_stable_offset = answer.last_stable_offset;
    if (answer.error != 0) {
        result.failure = FailureOf(static_cast<rd_kafka_resp_err_t>(answer.error));
    } else {
        result.failure.reset();
        result.batches = ReadBatches(answer.records, offset);
    }
}

// Something can be read there, but did not fit.
bool IsShort(const PartitionHeaders& result, int64_t offset, bool read_committed) {
    const int64_t end = read_committed ? result.last_stable_offset : result.high_watermark;
    return !result.failure && result.batches.empty() && offset < end;
}

}  // namespace

Outcome<std::vector<PartitionHeaders>> ReadHeaders(rd_kafka_t* rk,
                                                   const std::vector<PartitionOffset>& asked,
                                                   int max_bytes, bool read_committed,
                                                   int timeout_ms) {
    const Deadline deadline(timeout_ms);
    std::vector<PartitionHeaders> results;
    if (asked.empty()) return results;
    Outcome<LeaderTable> found = LeaderTable::Read(rk, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&found)) return std::move(*failure);
    const LeaderTable& leaders = std::get<LeaderTable>(found);

    std::vector<PlaceAtLeader> wanted;
    results.reserve(asked.size());
    for (size_t place = 0; place < asked.size(); ++place) {
        const auto& [topic, partition, offset, metadata, none] = asked[place];
        results.push_back({topic, partition, -1, -1, -1, {}, std::nullopt});
        const int32_t leader = leaders.Find(topic, partition);
        if (leader >= 0) {
            wanted.push_back({place, leader});
        } else {
            results.back().failure = FailureOf(leader == LeaderTable::kNoPartition
                                                   ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                                                   : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
        }
    }
    for (const int limit : std::array{max_bytes, std::max(max_bytes, kMoreRoom), kMostBytes}) {
        const auto by_bytes = static_cast<size_t>(std::max(1, kMostBytes / std::max(1, limit)));
        const LeaderQuery query{
            .api = WIRE_FETCH,
            .min_version = heliostat::kFetchMin,
            .max_version = heliostat::kFetchMax,
            .most_partitions = std::min(kMostPartitions, by_bytes),
            .write =
                [&](const Places& places, int16_t version, wire_request*, Encoder& to) {
                    WriteFetch(asked, places, limit, read_committed, version, to);
                },
            .take =
                [&](const Places& places, const wire_result& answer) {
                    heliostat::AnswerIndex index;
                    for (const size_t place : places)
                        index.Add(asked[place].topic, asked[place].partition);
                    const heliostat::FetchSummary summary = heliostat::ReadFetch(
                        Cursor(answer.body, answer.size), answer.version,
                        [&](heliostat::FetchAnswer&& partition) {
                            const size_t at = index.Take(partition.topic, partition.partition);
                            if (at == index.size()) return;
                            const size_t place = places[at];
                            TakePartition(partition, asked[place].offset, results[place]);
                        });
                    return summary.is_well_formed;
                },
            .fail = [&](size_t place,
                        rd_kafka_resp_err_t code) { results[place].failure = FailureOf(code); }};
        AskLeaders(rk, wanted, query, deadline);
        std::erase_if(wanted, [&](const PlaceAtLeader& at) {
            return !IsShort(results[at.place], asked[at.place].offset, read_committed);
        });
        if (wanted.empty()) break;
    }
    return results;
}
