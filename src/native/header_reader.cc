#include "header_reader.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "admin.h"
#include "batch_header.h"
#include "cursor.h"
#include "deadline.h"
#include "protocol.h"
#include "wire.h"

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

struct Sought {
    size_t at;  // place in the result
    int32_t leader;
};

// One request under way. The pool thread makes it and waits; the broker thread fills the results.
struct Wave {
    std::mutex mutex;  // guards `open` and all results
    std::condition_variable news;
    int open = 0;
};

struct Request {
    Wave* wave;
    const std::vector<PartitionOffset>* asked;
    std::vector<PartitionHeaders>* results;
    std::vector<Sought> part;
    int limit;
    bool read_committed;
};

void WriteFetch(const Request& request, int16_t version, Encoder& to) {
    std::map<std::string_view, std::vector<size_t>> by_topic;
    for (const Sought& sought : request.part)
        by_topic[(*request.asked)[sought.at].topic].push_back(sought.at);
    heliostat::WriteFetchHead(to, version,
                              {.max_wait_ms = 0,
                               .min_bytes = 0,
                               .max_bytes = kMostBytes,
                               .read_committed = request.read_committed,
                               .topic_count = static_cast<int32_t>(by_topic.size())});
    for (const auto& [topic, places] : by_topic) {
        heliostat::WriteFetchTopic(to, topic, static_cast<int32_t>(places.size()));
        for (const size_t at : places) {
            const PartitionOffset& wanted = (*request.asked)[at];
            heliostat::WriteFetchPartition(to, version, wanted.partition, wanted.offset,
                                           request.limit);
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

void TakePartition(const Request& request, heliostat::FetchAnswer&& answer) {
    for (const Sought& sought : request.part) {
        PartitionHeaders& result = (*request.results)[sought.at];
        if (result.partition != answer.partition || result.topic != answer.topic) continue;
        result.log_start = answer.log_start;
        result.high_watermark = answer.high_watermark;
        result.last_stable_offset = answer.last_stable_offset;
        if (answer.error != 0) {
            result.failure = FailureOf(static_cast<rd_kafka_resp_err_t>(answer.error));
        } else {
            result.failure.reset();
            result.batches = ReadBatches(answer.records, (*request.asked)[sought.at].offset);
        }
        return;
    }
}

int OnMake(wire_request* wire, int16_t version, void* opaque) {
    Encoder encoder;
    WriteFetch(*static_cast<Request*>(opaque), version, encoder);
    wire_write(wire, encoder.data(), encoder.size());
    return 1;
}

void FailAll(const Request& request, rd_kafka_resp_err_t code) {
    for (const Sought& sought : request.part)
        (*request.results)[sought.at].failure = FailureOf(code);
}

void OnDone(const wire_result* result, void* opaque) {
    const std::unique_ptr<Request> request(static_cast<Request*>(opaque));
    Wave& wave = *request->wave;
    std::lock_guard lock(wave.mutex);
    if (result->outcome == WIRE_ANSWERED) {
        const heliostat::FetchSummary summary = heliostat::ReadFetch(
            Cursor(result->body, result->size), result->version,
            [&](heliostat::FetchAnswer&& answer) { TakePartition(*request, std::move(answer)); });
        if (!summary.is_well_formed) FailAll(*request, RD_KAFKA_RESP_ERR__BAD_MSG);
    } else {
        FailAll(*request, result->error != 0 ? static_cast<rd_kafka_resp_err_t>(result->error)
                                             : RD_KAFKA_RESP_ERR__TRANSPORT);
    }
    wave.open--;
    // Under the lock: the one who waits owns the wave and ends it.
    wave.news.notify_all();
}

// One request to each leader at a time, until all have been asked.
void AskAll(rd_kafka_t* rk, std::vector<Sought> wanted, Request task, const Deadline& deadline) {
    const size_t by_bytes = static_cast<size_t>(std::max(1, kMostBytes / std::max(1, task.limit)));
    const size_t most = task.limit >= kMostBytes ? 1 : std::min(kMostPartitions, by_bytes);
    std::map<int32_t, std::vector<Sought>> by_leader;
    for (const Sought& sought : wanted) by_leader[sought.leader].push_back(sought);
    while (!by_leader.empty()) {
        Wave wave;
        task.wave = &wave;
        for (auto it = by_leader.begin(); it != by_leader.end();) {
            auto& [leader, waiting] = *it;
            const size_t count = std::min(most, waiting.size());
            auto request = std::make_unique<Request>(task);
            request->part.assign(waiting.end() - count, waiting.end());
            waiting.resize(waiting.size() - count);
            const wire_call call{.api = WIRE_FETCH,
                                 .min_version = heliostat::kFetchMin,
                                 .max_version = heliostat::kFetchMax,
                                 .timeout_ms = deadline.RemainingMs(),
                                 .segments = 1,
                                 .make = OnMake,
                                 .done = OnDone,
                                 .opaque = request.get()};
            {
                std::lock_guard lock(wave.mutex);
                wave.open++;
            }
            if (!deadline.HasPassed() && wire_enqueue_to(rk, leader, &call)) {
                static_cast<void>(request.release());
            } else {
                std::lock_guard lock(wave.mutex);
                FailAll(*request, deadline.HasPassed() ? RD_KAFKA_RESP_ERR__TIMED_OUT
                                                       : RD_KAFKA_RESP_ERR__TRANSPORT);
                wave.open--;
            }
            it = waiting.empty() ? by_leader.erase(it) : std::next(it);
        }
        std::unique_lock lock(wave.mutex);
        wave.news.wait(lock, [&] { return wave.open == 0; });
    }
}

using Leaders = std::unordered_map<std::string, std::vector<int32_t>>;

Outcome<Leaders> FindLeaders(rd_kafka_t* rk, int timeout_ms) {
    const Outcome<ClusterMetadata> answer = ReadMetadata(rk, std::nullopt, timeout_ms);
    if (const Failure* failure = std::get_if<Failure>(&answer)) return *failure;
    Leaders leaders;
    for (const TopicMetadata& topic : std::get<ClusterMetadata>(answer).topics) {
        std::vector<int32_t>& row = leaders[topic.topic];
        for (const PartitionMetadata& partition : topic.partitions) {
            if (partition.partition < 0) continue;
            const auto place = static_cast<size_t>(partition.partition);
            if (row.size() <= place) row.resize(place + 1, -1);
            row[place] = partition.leader;
        }
    }
    return leaders;
}

// -1 while there is none; -2 when there is no such partition.
int32_t LeaderOf(const Leaders& leaders, const PartitionOffset& wanted) {
    const auto found = leaders.find(wanted.topic);
    if (found == leaders.end() || wanted.partition < 0 ||
        static_cast<size_t>(wanted.partition) >= found->second.size())
        return -2;
    return found->second[static_cast<size_t>(wanted.partition)];
}

}  // namespace

Outcome<std::vector<PartitionHeaders>> ReadHeaders(rd_kafka_t* rk,
                                                   const std::vector<PartitionOffset>& asked,
                                                   int max_bytes, bool read_committed,
                                                   int timeout_ms) {
    const Deadline deadline(timeout_ms);
    std::vector<PartitionHeaders> results;
    if (asked.empty()) return results;
    Outcome<Leaders> found = FindLeaders(rk, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&found)) return std::move(*failure);
    const Leaders& leaders = std::get<Leaders>(found);

    std::vector<Sought> wanted;
    results.reserve(asked.size());
    for (size_t at = 0; at < asked.size(); ++at) {
        results.push_back({asked[at].topic, asked[at].partition, -1, -1, -1, {}, std::nullopt});
        const int32_t leader = LeaderOf(leaders, asked[at]);
        if (leader >= 0) {
            wanted.push_back({at, leader});
        } else {
            results.back().failure =
                FailureOf(leader == -1 ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
                                       : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
        }
    }
    const Request task{nullptr, &asked, &results, {}, max_bytes, read_committed};
    for (const int limit : std::array{max_bytes, std::max(max_bytes, kMoreRoom), kMostBytes}) {
        Request round = task;
        round.limit = limit;
        AskAll(rk, std::move(wanted), round, deadline);
        // Something can be read there, but did not fit.
        wanted.clear();
        for (size_t at = 0; at < asked.size(); ++at) {
            const PartitionHeaders& result = results[at];
            const int64_t end = read_committed ? result.last_stable_offset : result.high_watermark;
            if (!result.failure && result.batches.empty() && asked[at].offset < end)
                wanted.push_back({at, LeaderOf(leaders, asked[at])});
        }
        if (wanted.empty()) break;
    }
    return results;
}
