#include "group_member.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "deadline.h"
#include "group_offsets.h"
#include "handle.h"

namespace {

// A poll hands out at most so many events; the rest waits for the next one.
constexpr int kEventsPerPoll = 1000;

// A commit above the broker's limits fails whole, 1.2 MB was seen to. Half a megabyte is below
// every limit in use.
constexpr size_t kMaxCommitBytes = 512 * 1024;
constexpr size_t kCommitEntryBytes = 30;  // partition, offset, epoch, lengths; generous
constexpr size_t kPartitionsPerOffsetFetch = 2000;

constexpr int kCommitTimeoutMs = 10'000;
constexpr int kLeaveTimeoutMs = 10'000;
constexpr int kLeavePollMs = 100;

bool UsesConsumerProtocol(const Properties& properties) {
    const auto found = properties.find("group.protocol");
    return found != properties.end() && found->second == "consumer";
}

// A value that is no number is left to librdkafka to refuse.
std::optional<int> ReadNumber(const std::string& text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// A restarted dynamic member waits until the session of its former life is over, so sessions are
// short. Three heartbeats fit into one.
void SetSession(Properties& properties) {
    const std::string& session = properties.try_emplace("session.timeout.ms", "6000").first->second;
    const std::optional<int> session_ms = ReadNumber(session);
    if (!session_ms) return;
    properties.try_emplace("heartbeat.interval.ms",
                           std::to_string(std::clamp(*session_ms / 3, 1, 3000)));
}

Properties ForMember(Properties properties) {
    if (UsesConsumerProtocol(properties)) {
        // The broker assigns, and sets the session.
        properties.erase("partition.assignment.strategy");
    } else {
        properties.insert_or_assign("partition.assignment.strategy", "cooperative-sticky");
        SetSession(properties);
    }
    properties.insert_or_assign("enable.auto.commit", "false");
    properties.insert_or_assign("enable.auto.offset.store", "false");
    properties.insert_or_assign("enable.partition.eof", "false");
    properties.insert_or_assign("auto.offset.reset", "earliest");
    return properties;
}

PartitionListPtr ToList(std::span<const TopicPartition> partitions) {
    PartitionListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const TopicPartition& partition : partitions) {
        rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
    }
    return list;
}

std::span<const rd_kafka_topic_partition_t> Entries(const rd_kafka_topic_partition_list_t* list) {
    if (!list) return {};
    return {list->elems, static_cast<size_t>(list->cnt)};
}

std::string_view Metadata(const rd_kafka_topic_partition_t& entry) {
    return {static_cast<const char*>(entry.metadata), entry.metadata_size};
}

// How many of the offsets, from the first, go into one request: at least one.
size_t ChunkLength(std::span<const PartitionOffset> offsets) {
    size_t bytes = 0;
    size_t length = 0;
    for (const PartitionOffset& offset : offsets) {
        bytes += offset.topic.size() + offset.metadata.size() + kCommitEntryBytes;
        if (length > 0 && bytes > kMaxCommitBytes) break;
        ++length;
    }
    return length;
}

Rebalance ReadRebalance(rd_kafka_t* rk, rd_kafka_event_t* event) {
    const bool is_assignment = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    Rebalance rebalance{is_assignment, {}, !is_assignment && rd_kafka_assignment_lost(rk) != 0};
    for (const auto& entry : Entries(rd_kafka_event_topic_partition_list(event))) {
        rebalance.partitions.push_back({entry.topic, entry.partition});
    }
    return rebalance;
}

}  // namespace

Outcome<std::shared_ptr<GroupMember>> GroupMember::Open(const Properties& properties) {
    std::shared_ptr<GroupMember> member(new GroupMember);
    Outcome<Done> opened = member->ClientHandle::Open(RD_KAFKA_CONSUMER, ForMember(properties),
                                                      RD_KAFKA_EVENT_REBALANCE);
    if (Failure* failure = std::get_if<Failure>(&opened)) return std::move(*failure);
    member->consumer_queue_.reset(rd_kafka_queue_get_consumer(member->rk()));
    if (!member->consumer_queue_) {
        return FailureOf(RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, "group.id is missing");
    }
    return member;
}

GroupMember::~GroupMember() = default;

std::optional<Failure> GroupMember::Subscribe(const std::vector<std::string>& topics) {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (topics.empty()) {
        code = rd_kafka_unsubscribe(rk());
    } else {
        const PartitionListPtr list(
            rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
        for (const std::string& topic : topics) {
            rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
        }
        code = rd_kafka_subscribe(rk(), list.get());
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return FailureOf(code);
    if (!topics.empty()) has_subscribed_.store(true, std::memory_order_relaxed);
    return std::nullopt;
}

std::vector<GroupEvent> GroupMember::Poll() {
    std::vector<GroupEvent> events;
    for (ClientEvent& event : this->events().Drain()) {
        std::visit([&](auto&& value) { events.emplace_back(std::move(value)); }, std::move(event));
    }
    for (int count = 0; count < kEventsPerPoll; ++count) {
        const EventPtr event(rd_kafka_queue_poll(consumer_queue_.get(), 0));
        if (!event) break;
        switch (rd_kafka_event_type(event.get())) {
            case RD_KAFKA_EVENT_REBALANCE:
                events.emplace_back(ReadRebalance(rk(), event.get()));
                unanswered_.fetch_add(1, std::memory_order_relaxed);
                break;
            case RD_KAFKA_EVENT_ERROR:
                events.emplace_back(FailureOf(event.get()));
                break;
            default:
                break;
        }
    }
    return events;
}

// The group knows what this member has. Were the client to know it too, it would start a fetcher
// for each partition, which for ten thousand takes longer than a session.
std::optional<Failure> GroupMember::Assign() {
    const PartitionListPtr nothing(rd_kafka_topic_partition_list_new(0));
    return Answered(rd_kafka_incremental_assign(rk(), nothing.get()));
}

std::optional<Failure> GroupMember::Unassign() {
    const PartitionListPtr nothing(rd_kafka_topic_partition_list_new(0));
    return Answered(rd_kafka_incremental_unassign(rk(), nothing.get()));
}

std::optional<Failure> GroupMember::Answered(rd_kafka_error_t* answer) {
    const ErrorPtr error(answer);
    if (error) return FailureOf(error.get());
    unanswered_.store(0, std::memory_order_relaxed);
    return std::nullopt;
}

std::string GroupMember::MemberId() const {
    const RdkafkaString id(rd_kafka_memberid(rk()));
    return id ? id.get() : "";
}

Outcome<std::vector<PartitionOffset>> GroupMember::Committed(
    const std::vector<TopicPartition>& partitions, int timeout_ms) {
    const Deadline deadline(timeout_ms);
    std::vector<PartitionOffset> offsets;
    offsets.reserve(partitions.size());
    for (size_t from = 0; from < partitions.size(); from += kPartitionsPerOffsetFetch) {
        const size_t count = std::min(kPartitionsPerOffsetFetch, partitions.size() - from);
        const PartitionListPtr list = ToList(std::span(partitions).subspan(from, count));
        const rd_kafka_resp_err_t code =
            rd_kafka_committed(rk(), list.get(), deadline.RemainingMs());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return FailureOf(code);
        for (const auto& entry : Entries(list.get())) {
            PartitionOffset offset{entry.topic, entry.partition, -1, {}, {}};
            if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                offset.failure = FailureOf(entry.err);
            } else if (entry.offset >= 0) {
                offset.offset = entry.offset;
                offset.metadata = Metadata(entry);
            }
            offsets.push_back(std::move(offset));
        }
    }
    return offsets;
}

std::vector<PartitionOffset> GroupMember::Commit(std::vector<PartitionOffset> offsets) {
    std::span<PartitionOffset> rest(offsets);
    while (!rest.empty()) {
        const size_t length = ChunkLength(rest);
        CommitGroupOffsets(rk(), rest.first(length), has_subscribed_, kCommitTimeoutMs);
        rest = rest.subspan(length);
    }
    return offsets;
}

void GroupMember::Leave() {
    const Deadline deadline(kLeaveTimeoutMs);
    const QueuePtr queue(rd_kafka_queue_new(rk()));
    const ErrorPtr error(rd_kafka_consumer_close_queue(rk(), queue.get()));
    // After a fatal error there is no group to leave.
    if (error) return;
    // A rebalance that was handed out and not answered holds up the end; a closing member answers
    // any of them with "nothing".
    if (unanswered_.load(std::memory_order_relaxed) > 0) rd_kafka_assign(rk(), nullptr);
    while (!rd_kafka_consumer_closed(rk()) && !deadline.HasPassed()) {
        const EventPtr event(rd_kafka_queue_poll(queue.get(), kLeavePollMs));
        if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
            rd_kafka_assign(rk(), nullptr);
        }
    }
}
