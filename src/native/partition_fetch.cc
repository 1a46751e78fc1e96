#include "partition_fetch.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "cursor.h"
#include "deadline.h"

namespace {

using heliostat::Cursor;
using heliostat::Encoder;
using Places = LeaderQuery::Places;

// An answer of this size is still read at once; more partitions go into the next request.
constexpr int kMostBytes = 32 * 1024 * 1024;
constexpr size_t kMostPartitions = 1000;
// A broker sends no part of a batch, only whole ones: what did not fit is asked for with more room,
// and at last alone, since the first partition of an answer gets its batch however large it is.
constexpr int kMoreRoom = 1024 * 1024;

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
        heliostat::WriteFetchTopic(to, version, topic, static_cast<int32_t>(of_topic.size()));
        for (const size_t place : of_topic) {
            heliostat::WriteFetchPartition(to, version,
                                           {.partition = asked[place].partition,
                                            .offset = asked[place].offset,
                                            .last_epoch = -1,
                                            .max_bytes = limit});
        }
        heliostat::EndFetchTopic(to, version);
    }
    heliostat::WriteFetchTail(to, version, "");
}

bool MayHoldMore(const heliostat::FetchAnswer& answer, int64_t offset, bool read_committed) {
    const int64_t end = read_committed ? answer.last_stable_offset : answer.high_watermark;
    return answer.error == 0 && offset < end;
}

}  // namespace

std::optional<Failure> FetchPartitions(rd_kafka_t* rk, LeaderCache& leaders,
                                       const std::vector<PartitionOffset>& asked,
                                       const PartitionFetch& fetch, int timeout_ms) {
    if (asked.empty()) return std::nullopt;
    const Deadline deadline(timeout_ms);
    Outcome<std::vector<PlaceAtLeader>> placed = PlaceAll(
        rk, leaders, asked.size(),
        [&](size_t place) { return TopicPartition{asked[place].topic, asked[place].partition}; },
        fetch.fail, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&placed)) return std::move(*failure);
    auto wanted = std::get<std::vector<PlaceAtLeader>>(std::move(placed));
    std::vector<bool> is_short(asked.size());
    for (const int limit :
         std::array{fetch.max_bytes, std::max(fetch.max_bytes, kMoreRoom), kMostBytes}) {
        const auto by_bytes = static_cast<size_t>(std::max(1, kMostBytes / std::max(1, limit)));
        const auto take = [&](const Places& places, const wire_result& result) {
            AnsweredPlaces answered(asked, places);
            const heliostat::FetchSummary summary = heliostat::ReadFetch(
                Cursor(result.body, result.size), result.version,
                [&](heliostat::FetchAnswer&& answer) {
                    const auto place = answered.Take(answer.topic, answer.partition);
                    if (!place) return;
                    if (IsLeaderNews(answer.error)) leaders.Drop();
                    is_short[*place] =
                        !fetch.take(*place, answer) &&
                        MayHoldMore(answer, asked[*place].offset, fetch.read_committed);
                });
            if (summary.is_well_formed) answered.FailLeftOut(fetch.fail);
            return summary.is_well_formed;
        };
        const LeaderQuery query{
            .api = WIRE_FETCH,
            .min_version = heliostat::kFetchMin,
            .max_version = heliostat::kFetchPlainMax,
            .most_partitions = std::min(kMostPartitions, by_bytes),
            .write =
                [&](const Places& places, int16_t version, wire_request*, Encoder& to) {
                    WriteFetch(asked, places, limit, fetch.read_committed, version, to);
                },
            .take = take,
            .fail = fetch.fail};
        is_short.assign(asked.size(), false);
        AskLeaders(rk, leaders, wanted, query, deadline);
        std::erase_if(wanted, [&](const PlaceAtLeader& at) { return !is_short[at.place]; });
        if (wanted.empty()) break;
    }
    return std::nullopt;
}
