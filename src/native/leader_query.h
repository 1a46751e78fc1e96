// Raw requests about many partitions: each goes to the partitions' leaders, and the caller waits
// for all the answers. Any thread but the JS thread.
#ifndef HELIOSTAT_LEADER_QUERY_H_
#define HELIOSTAT_LEADER_QUERY_H_

#include <rdkafka.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "deadline.h"
#include "failure.h"
#include "protocol.h"
#include "routed_lane.h"
#include "topic_partition.h"
#include "wire.h"

// Who leads each partition of a cluster, as its metadata says.
class LeaderTable {
   public:
    static Outcome<LeaderTable> Read(rd_kafka_t* rk, int timeout_ms);

    // -1 while there is none; kNoPartition when there is no such partition.
    int32_t Find(const std::string& topic, int32_t partition) const;

    static constexpr int32_t kNoPartition = -2;

   private:
    std::unordered_map<std::string, std::vector<int32_t>> leaders_;
};

// The table of one cluster, read when it is first needed and again after somebody found it wrong.
class LeaderCache {
   public:
    Outcome<std::shared_ptr<const LeaderTable>> Get(rd_kafka_t* rk, int timeout_ms);
    void Drop();

   private:
    std::mutex mutex_;
    std::shared_ptr<const LeaderTable> table_;
};

// One kind of request. Partitions are told by their place in the caller's list. `write` and `take`
// run on broker threads, one at a time.
struct LeaderQuery {
    using Places = std::vector<size_t>;

    wire_api api;
    int16_t min_version;
    int16_t max_version;
    size_t most_partitions;  // of one request
    std::function<void(const Places&, int16_t version, wire_request*, heliostat::Encoder&)> write;
    // False when the answer makes no sense; its partitions then fail.
    std::function<bool(const Places&, const wire_result&)> take;
    std::function<void(size_t place, rd_kafka_resp_err_t code)> fail;
};

// Which of the partitions that one request asked about its answer tells of. `asked` must outlive
// it.
class AnsweredPlaces {
   public:
    using Places = LeaderQuery::Places;

    template <typename Asked>
    AnsweredPlaces(const std::vector<Asked>& asked, const Places& places) : places_(places) {
        for (const size_t place : places) index_.Add(asked[place].topic, asked[place].partition);
    }

    // The partition's place, once; nothing when it was not asked about.
    std::optional<size_t> Take(std::string_view topic, int32_t partition) {
        const size_t at = index_.Take(topic, partition);
        return at == index_.size() ? std::nullopt : std::optional(places_[at]);
    }
    // An answer that leaves a partition out says nothing about it: a broker that throttles may do
    // that (KIP-219), and it is neither an empty log nor one without producers.
    void FailLeftOut(
        const std::function<void(size_t place, rd_kafka_resp_err_t code)>& fail) const {
        for (size_t at = 0; at < places_.size(); at++)
            if (!index_.WasTaken(at)) fail(places_[at], RD_KAFKA_RESP_ERR__TIMED_OUT);
    }

   private:
    const Places& places_;
    heliostat::AnswerIndex index_;
};

struct PlaceAtLeader {
    size_t place;
    int32_t leader;
};

// What was asked for, by its leaders. `fail` hears of each place without one; the table is then
// read again before it is believed.
Outcome<std::vector<PlaceAtLeader>> PlaceAll(
    rd_kafka_t* rk, LeaderCache& leaders, size_t count,
    const std::function<TopicPartition(size_t place)>& partition_at,
    const std::function<void(size_t place, rd_kafka_resp_err_t code)>& fail, int timeout_ms);

// Whether an answer with this code says that the table is wrong.
bool IsLeaderNews(int16_t code);

// Asks for all of them, one request to each leader at a time, and returns when all are answered or
// have failed.
void AskLeaders(rd_kafka_t* rk, LeaderCache& leaders, const std::vector<PlaceAtLeader>& wanted,
                const LeaderQuery& query, const Deadline& deadline);

#endif  // HELIOSTAT_LEADER_QUERY_H_
