#include "producer_states.h"

#include <map>
#include <string_view>
#include <utility>

#include "cursor.h"
#include "deadline.h"
#include "leader_query.h"
#include "protocol.h"

namespace {

using Places = LeaderQuery::Places;

// A topic may have thousands of producers, each with some 40 bytes of answer.
constexpr size_t kMostPartitions = 1000;

}  // namespace

Outcome<std::vector<PartitionProducers>> DescribeProducers(rd_kafka_t* rk, LeaderCache& leaders,
                                                           const std::vector<TopicPartition>& asked,
                                                           int timeout_ms) {
    const Deadline deadline(timeout_ms);
    std::vector<PartitionProducers> results;
    if (asked.empty()) return results;
    results.reserve(asked.size());
    for (const auto& [topic, partition] : asked)
        results.push_back({topic, partition, {}, std::nullopt});
    const auto fail = [&](size_t place, rd_kafka_resp_err_t code) {
        results[place].failure = FailureOf(code);
    };
    Outcome<std::vector<PlaceAtLeader>> placed = PlaceAll(
        rk, leaders, asked.size(), [&](size_t place) { return asked[place]; }, fail, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&placed)) return std::move(*failure);

    const LeaderQuery query{
        .api = WIRE_DESCRIBE_PRODUCERS,
        .min_version = heliostat::kDescribeProducers,
        .max_version = heliostat::kDescribeProducers,
        .most_partitions = kMostPartitions,
        .write =
            [&](const Places& places, int16_t, wire_request* wire, heliostat::Encoder& to) {
                wire_flexible(wire);
                std::map<std::string_view, std::vector<int32_t>> by_topic;
                for (const size_t place : places)
                    by_topic[asked[place].topic].push_back(asked[place].partition);
                heliostat::WriteDescribeProducers(to, by_topic);
            },
        .take =
            [&](const Places& places, const wire_result& answer) {
                AnsweredPlaces answered(asked, places);
                const bool is_well_formed = heliostat::ReadDescribeProducers(
                    heliostat::Cursor(answer.body, answer.size),
                    [&](heliostat::ProducersAnswer&& partition) {
                        const auto place = answered.Take(partition.topic, partition.partition);
                        if (!place) return;
                        PartitionProducers& result = results[*place];
                        if (IsLeaderNews(partition.error)) leaders.Drop();
                        if (partition.error != 0) {
                            result.failure =
                                FailureOf(static_cast<rd_kafka_resp_err_t>(partition.error));
                            return;
                        }
                        for (const auto& [id, epoch, sequence, start] : partition.producers)
                            result.producers.push_back({id, epoch, sequence, start});
                    });
                if (is_well_formed) answered.FailLeftOut(fail);
                return is_well_formed;
            },
        .fail = fail};
    AskLeaders(rk, leaders, std::get<std::vector<PlaceAtLeader>>(placed), query, deadline);
    return results;
}
