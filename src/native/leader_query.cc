#include "leader_query.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "admin.h"

namespace {

// Requests under way together. The pool thread makes them and waits; broker threads answer.
struct Wave {
    const LeaderQuery& query;
    LeaderCache& leaders;
    std::mutex mutex;  // guards `open` and whatever the query's functions fill
    std::condition_variable news;
    int open = 0;
};

struct Request {
    Wave& wave;
    LeaderQuery::Places places;
};

// A leader may have moved.
void FailAll(const Request& request, rd_kafka_resp_err_t code) {
    request.wave.leaders.Drop();
    for (const size_t place : request.places) request.wave.query.fail(place, code);
}

int OnMake(wire_request* wire, int16_t version, void* opaque) {
    const auto& request = *static_cast<Request*>(opaque);
    heliostat::Encoder encoder;
    std::lock_guard lock(request.wave.mutex);
    request.wave.query.write(request.places, version, wire, encoder);
    wire_write(wire, encoder.data(), encoder.size());
    return 1;
}

void OnDone(const wire_result* result, void* opaque) {
    const std::unique_ptr<Request> request(static_cast<Request*>(opaque));
    Wave& wave = request->wave;
    std::lock_guard lock(wave.mutex);
    if (result->outcome == WIRE_UNSUPPORTED) {
        FailAll(*request, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE);
    } else if (result->outcome != WIRE_ANSWERED) {
        FailAll(*request, result->error != 0 ? static_cast<rd_kafka_resp_err_t>(result->error)
                                             : RD_KAFKA_RESP_ERR__TRANSPORT);
    } else if (!wave.query.take(request->places, *result)) {
        FailAll(*request, RD_KAFKA_RESP_ERR__BAD_MSG);
    }
    wave.open--;
    // Under the lock: the one who waits owns the wave and ends it.
    wave.news.notify_all();
}

void Send(rd_kafka_t* rk, int32_t leader, std::unique_ptr<Request> request,
          const Deadline& deadline) {
    Wave& wave = request->wave;
    const wire_call call{.api = wave.query.api,
                         .min_version = wave.query.min_version,
                         .max_version = wave.query.max_version,
                         .timeout_ms = deadline.RemainingMs(),
                         .segments = 1,
                         .make = OnMake,
                         .done = OnDone,
                         .opaque = request.get()};
    {
        std::lock_guard lock(wave.mutex);
        wave.open++;
    }
    const bool is_late = deadline.HasPassed();
    if (!is_late && wire_enqueue_to(rk, leader, &call)) {
        static_cast<void>(request.release());
        return;
    }
    std::lock_guard lock(wave.mutex);
    FailAll(*request, is_late ? RD_KAFKA_RESP_ERR__TIMED_OUT : RD_KAFKA_RESP_ERR__TRANSPORT);
    wave.open--;
}

}  // namespace

Outcome<LeaderTable> LeaderTable::Read(rd_kafka_t* rk, int timeout_ms) {
    const Outcome<ClusterMetadata> answer = ReadMetadata(rk, std::nullopt, timeout_ms);
    if (const Failure* failure = std::get_if<Failure>(&answer)) return *failure;
    // Partition numbers are dense; one far beyond that is a broker's mistake.
    constexpr size_t kMostPartitions = 1'000'000;
    LeaderTable table;
    for (const TopicMetadata& topic : std::get<ClusterMetadata>(answer).topics) {
        std::vector<int32_t>& row = table.leaders_[topic.topic];
        for (const PartitionMetadata& partition : topic.partitions) {
            if (partition.partition < 0) continue;
            const auto place = static_cast<size_t>(partition.partition);
            if (place > kMostPartitions) continue;
            if (row.size() <= place) row.resize(place + 1, -1);
            row[place] = partition.leader;
        }
    }
    return table;
}

int32_t LeaderTable::Find(const std::string& topic, int32_t partition) const {
    const auto found = leaders_.find(topic);
    if (found == leaders_.end() || partition < 0 ||
        static_cast<size_t>(partition) >= found->second.size())
        return kNoPartition;
    return found->second[static_cast<size_t>(partition)];
}

Outcome<std::shared_ptr<const LeaderTable>> LeaderCache::Get(rd_kafka_t* rk, int timeout_ms) {
    {
        std::lock_guard lock(mutex_);
        if (table_) return table_;
    }
    Outcome<LeaderTable> read = LeaderTable::Read(rk, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&read)) return std::move(*failure);
    auto table = std::make_shared<const LeaderTable>(std::get<LeaderTable>(std::move(read)));
    std::lock_guard lock(mutex_);
    table_ = table;
    return table;
}

void LeaderCache::Drop() {
    std::lock_guard lock(mutex_);
    table_.reset();
}

Outcome<std::vector<PlaceAtLeader>> PlaceAll(
    rd_kafka_t* rk, LeaderCache& leaders, size_t count,
    const std::function<TopicPartition(size_t place)>& partition_at,
    const std::function<void(size_t place, rd_kafka_resp_err_t code)>& fail, int timeout_ms) {
    const Deadline deadline(timeout_ms);
    std::vector<PlaceAtLeader> placed;
    // A table from before may not know a partition yet, or its leader.
    for (const bool is_last : {false, true}) {
        Outcome<std::shared_ptr<const LeaderTable>> found = leaders.Get(rk, deadline.RemainingMs());
        if (Failure* failure = std::get_if<Failure>(&found)) return std::move(*failure);
        const LeaderTable& table = *std::get<std::shared_ptr<const LeaderTable>>(found);
        placed.clear();
        std::vector<PlaceAtLeader> missing;
        for (size_t place = 0; place < count; ++place) {
            const auto [topic, partition] = partition_at(place);
            const int32_t leader = table.Find(topic, partition);
            (leader >= 0 ? placed : missing).push_back({place, leader});
        }
        if (missing.empty()) break;
        leaders.Drop();
        if (!is_last) continue;
        for (const auto& [place, leader] : missing)
            fail(place, leader == LeaderTable::kNoPartition
                            ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                            : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    }
    return placed;
}

bool IsLeaderNews(int16_t code) {
    switch (code) {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
        case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
            return true;
        default:
            return false;
    }
}

void AskLeaders(rd_kafka_t* rk, LeaderCache& leaders, const std::vector<PlaceAtLeader>& wanted,
                const LeaderQuery& query, const Deadline& deadline) {
    std::map<int32_t, LeaderQuery::Places> by_leader;
    for (const auto& [place, leader] : wanted) by_leader[leader].push_back(place);
    while (!by_leader.empty()) {
        Wave wave{.query = query, .leaders = leaders, .mutex = {}, .news = {}};
        for (auto it = by_leader.begin(); it != by_leader.end();) {
            LeaderQuery::Places& waiting = it->second;
            const size_t count = std::min(query.most_partitions, waiting.size());
            const auto from = waiting.end() - static_cast<std::ptrdiff_t>(count);
            auto request = std::make_unique<Request>(Request{wave, {from, waiting.end()}});
            waiting.erase(from, waiting.end());
            Send(rk, it->first, std::move(request), deadline);
            it = waiting.empty() ? by_leader.erase(it) : std::next(it);
        }
        std::unique_lock lock(wave.mutex);
        wave.news.wait(lock, [&] { return wave.open == 0; });
    }
}
