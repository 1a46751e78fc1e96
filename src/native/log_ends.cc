#include "log_ends.h"

#include <map>
#include <string_view>
#include <utility>

#include "cursor.h"
#include "deadline.h"
#include "protocol.h"

namespace {

using Places = LeaderQuery::Places;

// Some 20 bytes of answer each, beside the topic's name.
constexpr size_t kMostPartitions = 10'000;

}  // namespace

Outcome<std::vector<PartitionOffset>> ReadLogEnds(rd_kafka_t* rk, LeaderCache& leaders,
                                                  const std::vector<PartitionOffset>& asked,
                                                  int timeout_ms) {
    const Deadline deadline(timeout_ms);
    std::vector<PartitionOffset> results;
    if (asked.empty()) return results;
    results.reserve(asked.size());
    for (const PartitionOffset& partition : asked)
        results.push_back({partition.topic, partition.partition, -1, {}, std::nullopt});
    const auto fail = [&](size_t place, rd_kafka_resp_err_t code) {
        results[place].failure = FailureOf(code);
    };
    Outcome<std::vector<PlaceAtLeader>> placed = PlaceAll(
        rk, leaders, asked.size(),
        [&](size_t place) { return TopicPartition{asked[place].topic, asked[place].partition}; },
        fail, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&placed)) return std::move(*failure);

    const LeaderQuery query{
        .api = WIRE_OFFSET_FOR_LEADER_EPOCH,
        .min_version = heliostat::kLogEnds,
        .max_version = heliostat::kLogEnds,
        .most_partitions = kMostPartitions,
        .write =
            [&](const Places& places, int16_t, wire_request*, heliostat::Encoder& to) {
                std::map<std::string_view, std::vector<heliostat::LogEndQuestion>> by_topic;
                for (const size_t place : places) {
                    const auto& [topic, partition, offset, metadata, failure, epoch] = asked[place];
                    by_topic[topic].push_back({partition, epoch});
                }
                heliostat::WriteLogEnds(to, by_topic);
            },
        .take =
            [&](const Places& places, const wire_result& answer) {
                AnsweredPlaces answered(asked, places);
                const bool is_well_formed = heliostat::ReadLogEnds(
                    heliostat::Cursor(answer.body, answer.size),
                    [&](const heliostat::LogEndAnswer& partition) {
                        const auto place = answered.Take(partition.topic, partition.partition);
                        if (!place) return;
                        if (IsLeaderNews(partition.error)) leaders.Drop();
                        if (partition.error != 0)
                            fail(*place, static_cast<rd_kafka_resp_err_t>(partition.error));
                        else if (partition.epoch != asked[*place].leader_epoch)
                            // The end of an older epoch: the log may go on behind it.
                            fail(*place, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH);
                        else
                            results[*place].offset = partition.end;
                    });
                if (is_well_formed) answered.FailLeftOut(fail);
                return is_well_formed;
            },
        .fail = fail};
    AskLeaders(rk, leaders, std::get<std::vector<PlaceAtLeader>>(placed), query, deadline);
    return results;
}
