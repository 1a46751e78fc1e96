#include "group_offsets.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "admin.h"
#include "cursor.h"
#include "deadline.h"
#include "protocol.h"
#include "wire.h"

namespace {

using heliostat::Cursor;
using heliostat::Encoder;

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr int32_t kAnyBroker = -1;

// One request and the wait for its answer. Lives on the stack of the pool thread that waits.
struct Call {
    std::function<void(Encoder&, int16_t version)> write;
    int16_t flexible_from = INT16_MAX;
    std::function<void(Cursor, int16_t version)> read;
    std::mutex mutex;  // guards all below
    std::condition_variable news;
    bool is_done = false;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

int OnMake(wire_request* wire, int16_t version, void* opaque) {
    const auto& call = *static_cast<Call*>(opaque);
    Encoder encoder;
    call.write(encoder, version);
    if (version >= call.flexible_from) wire_flexible(wire);
    wire_write(wire, encoder.data(), encoder.size());
    return 1;
}

void OnDone(const wire_result* result, void* opaque) {
    auto& call = *static_cast<Call*>(opaque);
    std::lock_guard lock(call.mutex);
    if (result->outcome == WIRE_ANSWERED) {
        call.read(Cursor(result->body, result->size), result->version);
    } else if (result->outcome == WIRE_UNSUPPORTED) {
        call.error = RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
    } else {
        call.error = result->error != 0 ? static_cast<rd_kafka_resp_err_t>(result->error)
                                        : RD_KAFKA_RESP_ERR__TRANSPORT;
    }
    call.is_done = true;
    // Under the lock: the one who waits owns the call and ends it.
    call.news.notify_all();
}

rd_kafka_resp_err_t Ask(rd_kafka_t* rk, int32_t broker, wire_api api, int16_t min_version,
                        int16_t max_version, const Deadline& deadline, Call& call) {
    const wire_call request{.api = api,
                            .min_version = min_version,
                            .max_version = max_version,
                            .timeout_ms = deadline.RemainingMs(),
                            .segments = 1,
                            .make = OnMake,
                            .done = OnDone,
                            .opaque = &call};
    const bool is_sent = broker == kAnyBroker ? wire_enqueue_any(rk, &request)
                                              : wire_enqueue_to(rk, broker, &request);
    if (!is_sent) return RD_KAFKA_RESP_ERR__TRANSPORT;
    std::unique_lock lock(call.mutex);
    call.news.wait(lock, [&] { return call.is_done; });
    return call.error;
}

// FindCoordinator v0–v2: key · [v1: type i8]. Answer: [v1: throttle i32] · error i16 · [v1:
// message] · node i32 · host · port i32
rd_kafka_resp_err_t FindCoordinator(rd_kafka_t* rk, const std::string& group,
                                    const Deadline& deadline, int32_t* broker) {
    int16_t error = 0;
    Call call;
    call.write = [&](Encoder& to, int16_t) { to.WriteString(group); };
    call.read = [&](Cursor answer, int16_t) {
        error = answer.Read<int16_t>();
        *broker = answer.Read<int32_t>();
        if (!answer.ok()) call.error = RD_KAFKA_RESP_ERR__BAD_MSG;
    };
    const rd_kafka_resp_err_t failed =
        Ask(rk, kAnyBroker, WIRE_FIND_COORDINATOR, 0, 0, deadline, call);
    return failed ? failed : static_cast<rd_kafka_resp_err_t>(error);
}

bool IsWorthAsking(rd_kafka_resp_err_t error) {
    return error == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
           // The client has let go of the connection, as it does once it knows a broker by its id.
           error == RD_KAFKA_RESP_ERR__DESTROY_BROKER;
}

// Before this version (Kafka 0.10.2) the partitions that are asked about have to be named.
constexpr int16_t kOffsetsOfAll = 2;

void WriteNames(Encoder& to, const std::vector<TopicMetadata>& topics) {
    to.Write<int32_t>(static_cast<int32_t>(topics.size()));
    for (const TopicMetadata& topic : topics) {
        to.WriteString(topic.topic);
        to.Write<int32_t>(static_cast<int32_t>(topic.partitions.size()));
        for (const PartitionMetadata& partition : topic.partitions)
            to.Write<int32_t>(partition.partition);
    }
}

// OffsetFetch v1–v5: group · topics [name · partitions [index i32]] (from v2 on null: all). Answer:
// [v3: throttle i32] · topics [name · partitions [index i32 · offset i64 · [v5: leader epoch i32] ·
// metadata · error i16]] · [v2: error i16]
rd_kafka_resp_err_t FetchOffsets(rd_kafka_t* rk, const std::string& group, int32_t broker,
                                 const std::vector<TopicMetadata>* named, const Deadline& deadline,
                                 std::vector<PartitionOffset>* offsets) {
    int16_t error = 0;
    Call call;
    call.write = [&](Encoder& to, int16_t) {
        to.WriteString(group);
        if (named) return WriteNames(to, *named);
        to.Write<int32_t>(-1);
    };
    call.read = [&](Cursor answer, int16_t version) {
        offsets->clear();
        if (version >= 3) answer.Skip(4);
        const size_t topics = answer.ReadCount(6);
        for (size_t t = 0; t < topics && answer.ok(); t++) {
            const std::string topic(answer.ReadString());
            const size_t partitions = answer.ReadCount(16);
            for (size_t p = 0; p < partitions && answer.ok(); p++) {
                PartitionOffset row{topic, answer.Read<int32_t>(), answer.Read<int64_t>(), {}, {}};
                if (version >= 5) answer.Skip(4);
                row.metadata = std::string(answer.ReadString());
                const auto code = static_cast<rd_kafka_resp_err_t>(answer.Read<int16_t>());
                if (code) row.failure = FailureOf(code);
                // Before there was an error of the whole it stood at each.
                if (named && IsWorthAsking(code)) error = static_cast<int16_t>(code);
                if (row.offset < 0) row.offset = -1;
                // What is asked for by name is answered also where nothing is committed.
                if (named && row.offset < 0 && !row.failure) continue;
                offsets->push_back(std::move(row));
            }
        }
        if (version >= kOffsetsOfAll) error = answer.Read<int16_t>();
        if (!answer.ok()) call.error = RD_KAFKA_RESP_ERR__BAD_MSG;
    };
    const auto [least, most] =
        named ? std::pair<int16_t, int16_t>(1, 1) : std::pair<int16_t, int16_t>(kOffsetsOfAll, 5);
    const rd_kafka_resp_err_t failed =
        Ask(rk, broker, WIRE_OFFSET_FETCH, least, most, deadline, call);
    return failed ? failed : static_cast<rd_kafka_resp_err_t>(error);
}

// Of all topics that there are, where the coordinator is too old to be asked for all commits.
rd_kafka_resp_err_t FetchAllOffsets(rd_kafka_t* rk, const std::string& group, int32_t broker,
                                    const Deadline& deadline,
                                    std::vector<PartitionOffset>* offsets) {
    const rd_kafka_resp_err_t error = FetchOffsets(rk, group, broker, nullptr, deadline, offsets);
    if (error != RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) return error;
    const auto metadata = ReadMetadata(rk, std::nullopt, deadline.RemainingMs());
    if (const Failure* failure = std::get_if<Failure>(&metadata))
        return static_cast<rd_kafka_resp_err_t>(failure->code);
    const auto& topics = std::get<ClusterMetadata>(metadata).topics;
    return FetchOffsets(rk, group, broker, &topics, deadline, offsets);
}

using MembershipPtr = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                      decltype(&rd_kafka_consumer_group_metadata_destroy)>;

void FailAll(std::span<PartitionOffset> offsets, rd_kafka_resp_err_t error) {
    for (PartitionOffset& offset : offsets) offset.failure = FailureOf(error);
}

// One try. What it fails with as a whole; what the coordinator says stands in the offsets.
rd_kafka_resp_err_t TryCommit(rd_kafka_t* rk, std::span<PartitionOffset> offsets,
                              bool must_be_member, const Deadline& deadline) {
    const MembershipPtr member(rd_kafka_consumer_group_metadata(rk),
                               &rd_kafka_consumer_group_metadata_destroy);
    if (!member) return RD_KAFKA_RESP_ERR__UNKNOWN_GROUP;
    const heliostat::Committer committer{
        rd_kafka_consumer_group_metadata_group_id(member.get()),
        rd_kafka_consumer_group_metadata_generation_id(member.get()),
        rd_kafka_consumer_group_metadata_member_id(member.get()),
        rd_kafka_consumer_group_metadata_group_instance_id(member.get())};
    if (must_be_member && committer.member.empty()) return RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST;
    int32_t broker = kAnyBroker;
    const rd_kafka_resp_err_t failed =
        FindCoordinator(rk, std::string(committer.group), deadline, &broker);
    if (failed) return failed;
    heliostat::CommitRows rows;
    std::map<std::pair<std::string_view, int32_t>, PartitionOffset*> asked;
    for (PartitionOffset& offset : offsets) {
        rows[offset.topic][offset.partition] = {offset.offset, offset.leader_epoch,
                                                offset.metadata};
        asked[{offset.topic, offset.partition}] = &offset;
    }
    // What the answer does not name.
    FailAll(offsets, RD_KAFKA_RESP_ERR__BAD_MSG);
    Call call;
    call.flexible_from = heliostat::kOffsetCommitFlexible;
    call.write = [&](Encoder& to, int16_t version) {
        heliostat::WriteOffsetCommit(to, version, committer, rows);
    };
    const auto note = [&](std::string_view topic, int32_t partition, int16_t error) {
        const auto found = asked.find({topic, partition});
        if (found == asked.end()) return;
        found->second->failure.reset();
        if (error) found->second->failure = FailureOf(static_cast<rd_kafka_resp_err_t>(error));
    };
    call.read = [&](Cursor answer, int16_t version) {
        if (!heliostat::ReadOffsetCommit(answer, version, note))
            call.error = RD_KAFKA_RESP_ERR__BAD_MSG;
    };
    return Ask(rk, broker, WIRE_OFFSET_COMMIT, heliostat::kOffsetCommitMin,
               heliostat::kOffsetCommitMax, deadline, call);
}

}  // namespace

Outcome<std::vector<PartitionOffset>> ReadGroupOffsets(rd_kafka_t* rk, const std::string& group,
                                                       int timeout_ms) {
    const Deadline deadline(timeout_ms);
    for (;;) {
        int32_t broker = kAnyBroker;
        std::vector<PartitionOffset> offsets;
        rd_kafka_resp_err_t error = FindCoordinator(rk, group, deadline, &broker);
        if (!error) error = FetchAllOffsets(rk, group, broker, deadline, &offsets);
        if (!error) return offsets;
        if (!IsWorthAsking(error) || deadline.HasPassed()) return FailureOf(error);
        std::this_thread::sleep_for(kPause);
    }
}

void CommitGroupOffsets(rd_kafka_t* rk, std::span<PartitionOffset> offsets, bool must_be_member,
                        int timeout_ms) {
    const Deadline deadline(timeout_ms);
    const auto is_worth_asking = [](const PartitionOffset& offset) {
        return offset.failure &&
               IsWorthAsking(static_cast<rd_kafka_resp_err_t>(offset.failure->code));
    };
    for (;;) {
        const rd_kafka_resp_err_t error = TryCommit(rk, offsets, must_be_member, deadline);
        if (error) FailAll(offsets, error);
        if (deadline.HasPassed() || std::ranges::none_of(offsets, is_worth_asking)) return;
        std::this_thread::sleep_for(kPause);
    }
}
