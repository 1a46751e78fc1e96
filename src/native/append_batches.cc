#include "append_batches.h"

#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "cursor.h"
#include "deadline.h"
#include "protocol.h"

namespace {

using Places = LeaderQuery::Places;

// With batches of a megabyte still far below what a broker takes in one request.
constexpr size_t kMostPartitions = 8;

void WriteBatch(const NewBatch& batch, heliostat::Encoder& to) {
    if (!batch.stamp) return to.WriteBytes(batch.bytes.data(), batch.bytes.size());
    std::array<uint8_t, heliostat::kBatchHeaderSize> header;
    heliostat::StampBatchHeader(batch.bytes.data(), *batch.stamp, header.data());
    to.WriteBytes(header.data(), header.size());
    to.WriteBytes(batch.bytes.data() + header.size(), batch.bytes.size() - header.size());
}

}  // namespace

Outcome<std::vector<PartitionOffset>> AppendBatches(rd_kafka_t* rk, LeaderCache& leaders,
                                                    const std::vector<NewBatch>& batches,
                                                    int timeout_ms) {
    const Deadline deadline(timeout_ms);
    std::vector<PartitionOffset> results;
    if (batches.empty()) return results;
    results.reserve(batches.size());
    for (const NewBatch& batch : batches)
        results.push_back({batch.topic, batch.partition, -1, {}, std::nullopt});
    const auto fail = [&](size_t place, rd_kafka_resp_err_t code) {
        results[place].failure = FailureOf(code);
    };
    Outcome<std::vector<PlaceAtLeader>> placed = PlaceAll(
        rk, leaders, batches.size(),
        [&](size_t place) {
            return TopicPartition{batches[place].topic, batches[place].partition};
        },
        fail, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&placed)) return std::move(*failure);

    const LeaderQuery query{
        .api = WIRE_PRODUCE,
        .min_version = heliostat::kProduceMin,
        .max_version = heliostat::kProduceMax,
        .most_partitions = kMostPartitions,
        .write =
            [&](const Places& places, int16_t, wire_request*, heliostat::Encoder& to) {
                std::map<std::string_view, std::vector<const NewBatch*>> by_topic;
                for (const size_t place : places)
                    by_topic[batches[place].topic].push_back(&batches[place]);
                heliostat::WriteProduceHead(to, deadline.RemainingMs(),
                                            static_cast<int32_t>(by_topic.size()));
                for (const auto& [topic, rows] : by_topic) {
                    heliostat::WriteProduceTopic(to, topic, static_cast<int32_t>(rows.size()));
                    for (const NewBatch* batch : rows) {
                        heliostat::WriteProducePartition(
                            to, batch->partition, static_cast<uint32_t>(batch->bytes.size()));
                        WriteBatch(*batch, to);
                    }
                }
            },
        .take =
            [&](const Places& places, const wire_result& answer) {
                AnsweredPlaces answered(batches, places);
                const heliostat::ProduceSummary summary = heliostat::ReadProduce(
                    heliostat::Cursor(answer.body, answer.size), answer.version,
                    [&](const heliostat::ProduceAnswer& partition) {
                        const auto place = answered.Take(partition.topic, partition.partition);
                        if (!place) return;
                        if (IsLeaderNews(partition.error)) leaders.Drop();
                        if (partition.error != 0)
                            fail(*place, static_cast<rd_kafka_resp_err_t>(partition.error));
                        else
                            results[*place].offset = partition.base_offset;
                    });
                if (summary.is_well_formed) answered.FailLeftOut(fail);
                return summary.is_well_formed;
            },
        .fail = fail};
    AskLeaders(rk, leaders, std::get<std::vector<PlaceAtLeader>>(placed), query, deadline);
    return results;
}
