#include "admin.h"

#include <array>
#include <chrono>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>

#include "deadline.h"
#include "handle.h"
#include "protocol.h"
#include "topic_id.h"
#include "wire.h"

namespace {

// librdkafka looks up each answered partition by a linear search in the whole call: smaller calls
// keep that well below the time of the request itself.
constexpr size_t kPartitionsPerListOffsets = 1000;

// librdkafka answers each call within its own request time-out; this is how much later we give up
// on an answer that never comes.
constexpr int kGraceMs = 1000;

constexpr auto kCoordinatorPause = std::chrono::milliseconds(100);

// One admin request and its answer. `Submit` gets the options and the queue to answer to.
template <typename Submit>
Outcome<EventPtr> Ask(rd_kafka_t* rk, rd_kafka_admin_op_t operation, int timeout_ms,
                      Submit submit) {
    const AdminOptionsPtr options(rd_kafka_AdminOptions_new(rk, operation));
    std::array<char, 256> text{};
    const rd_kafka_resp_err_t code = rd_kafka_AdminOptions_set_request_timeout(
        options.get(), timeout_ms, text.data(), text.size());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return FailureOf(code, text.data());

    const QueuePtr queue(rd_kafka_queue_new(rk));
    ErrorPtr refused(submit(options.get(), queue.get()));
    if (refused) return FailureOf(refused.get());

    EventPtr event(rd_kafka_queue_poll(queue.get(), timeout_ms + kGraceMs));
    if (!event) return FailureOf(RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (rd_kafka_event_error(event.get())) return FailureOf(event.get());
    return event;
}

std::optional<Failure> FailureUnlessNone(rd_kafka_resp_err_t code, const char* message = nullptr) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    return FailureOf(code, message ? message : "");
}

std::vector<TopicResult> ReadTopicResults(const rd_kafka_topic_result_t** answers, size_t count) {
    std::vector<TopicResult> results;
    results.reserve(count);
    for (const rd_kafka_topic_result_t* answer : std::span(answers, count)) {
        results.push_back({rd_kafka_topic_result_name(answer),
                           FailureUnlessNone(rd_kafka_topic_result_error(answer),
                                             rd_kafka_topic_result_error_string(answer))});
    }
    return results;
}

// The plain pointers of a list of owners, as librdkafka's calls take them.
template <typename Owner>
std::vector<typename Owner::pointer> Borrow(const std::vector<Owner>& owners) {
    std::vector<typename Owner::pointer> pointers;
    pointers.reserve(owners.size());
    for (const Owner& owner : owners) pointers.push_back(owner.get());
    return pointers;
}

TopicMetadata ReadTopic(const rd_kafka_metadata_t& metadata, size_t index) {
    const rd_kafka_metadata_topic_t& from = metadata.topics[index];
    std::string id(heliostat::kTopicIdSize, 0);
    wire_topic_id(&metadata, static_cast<int>(index), reinterpret_cast<uint8_t*>(id.data()));
    TopicMetadata topic{from.topic, {}, FailureUnlessNone(from.err), heliostat::WriteTopicId(id)};
    topic.partitions.reserve(from.partition_cnt);
    for (const rd_kafka_metadata_partition_t& partition :
         std::span(from.partitions, from.partition_cnt)) {
        topic.partitions.push_back(
            {partition.id,
             partition.leader,
             {partition.replicas, partition.replicas + partition.replica_cnt},
             {partition.isrs, partition.isrs + partition.isr_cnt},
             FailureUnlessNone(partition.err)});
    }
    return topic;
}

TopicMetadata MissingTopic(const std::string& topic) {
    return {topic,
            {},
            FailureOf(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                      "the cluster lists no such topic (or does not let us describe it)"),
            {}};
}

ConfigEntry ReadConfigEntry(const rd_kafka_ConfigEntry_t* entry) {
    const char* value = rd_kafka_ConfigEntry_value(entry);
    return {
        rd_kafka_ConfigEntry_name(entry), value ? std::optional<std::string>(value) : std::nullopt,
        rd_kafka_ConfigEntry_is_default(entry) == 1, rd_kafka_ConfigEntry_is_sensitive(entry) == 1};
}

TopicConfigs ReadConfigs(const rd_kafka_ConfigResource_t* resource) {
    TopicConfigs configs{rd_kafka_ConfigResource_name(resource),
                         {},
                         FailureUnlessNone(rd_kafka_ConfigResource_error(resource),
                                           rd_kafka_ConfigResource_error_string(resource))};
    size_t count = 0;
    const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resource, &count);
    configs.entries.reserve(count);
    for (const rd_kafka_ConfigEntry_t* entry : std::span(entries, count)) {
        configs.entries.push_back(ReadConfigEntry(entry));
    }
    return configs;
}

// Of brokers one call takes one only, for it goes to that broker.
Outcome<std::vector<TopicConfigs>> DescribeConfigs(rd_kafka_t* rk, rd_kafka_ResourceType_t type,
                                                   const std::vector<std::string>& names,
                                                   int timeout_ms) {
    std::vector<ConfigResourcePtr> requests;
    requests.reserve(names.size());
    for (const std::string& name : names)
        requests.emplace_back(rd_kafka_ConfigResource_new(type, name.c_str()));
    auto pointers = Borrow(requests);
    Outcome<EventPtr> answer =
        Ask(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms,
            [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_DescribeConfigs(rk, pointers.data(), pointers.size(), options, queue);
                return nullptr;
            });
    if (Failure* failure = std::get_if<Failure>(&answer)) return std::move(*failure);
    size_t count = 0;
    const rd_kafka_ConfigResource_t** resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(std::get<EventPtr>(answer).get()), &count);
    std::vector<TopicConfigs> configs;
    configs.reserve(count);
    for (const rd_kafka_ConfigResource_t* resource : std::span(resources, count)) {
        configs.push_back(ReadConfigs(resource));
    }
    return configs;
}

GroupMemberFacts ReadMember(const rd_kafka_MemberDescription_t* member) {
    const char* instance = rd_kafka_MemberDescription_group_instance_id(member);
    GroupMemberFacts facts{rd_kafka_MemberDescription_consumer_id(member),
                           instance ? instance : "",
                           rd_kafka_MemberDescription_client_id(member),
                           rd_kafka_MemberDescription_host(member),
                           {}};
    const rd_kafka_MemberAssignment_t* assignment = rd_kafka_MemberDescription_assignment(member);
    const rd_kafka_topic_partition_list_t* list =
        assignment ? rd_kafka_MemberAssignment_partitions(assignment) : nullptr;
    if (!list) return facts;
    for (const rd_kafka_topic_partition_t& row : std::span(list->elems, list->cnt))
        facts.partitions.push_back({row.topic, row.partition});
    return facts;
}

// One ListOffsets call; appends in the order asked, which the answer keeps.
std::optional<Failure> AppendOffsets(rd_kafka_t* rk, std::span<const TopicPartition> partitions,
                                     int64_t at, rd_kafka_IsolationLevel_t isolation,
                                     int timeout_ms, std::vector<PartitionOffset>& offsets) {
    const PartitionListPtr asked(
        rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const TopicPartition& partition : partitions) {
        rd_kafka_topic_partition_list_add(asked.get(), partition.topic.c_str(), partition.partition)
            ->offset = at;
    }
    Outcome<EventPtr> answer = Ask(
        rk, RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout_ms,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
            rd_kafka_error_t* error = rd_kafka_AdminOptions_set_isolation_level(options, isolation);
            if (!error) rd_kafka_ListOffsets(rk, asked.get(), options, queue);
            return error;
        });
    if (const Failure* failure = std::get_if<Failure>(&answer)) {
        // Said when not one of the partitions asked for has a leader: their fault, not the call's.
        if (failure->code != RD_KAFKA_RESP_ERR__NOENT) return *failure;
        for (const TopicPartition& partition : partitions) {
            offsets.push_back({partition.topic, partition.partition, -1, {}, *failure});
        }
        return std::nullopt;
    }
    const EventPtr& event = std::get<EventPtr>(answer);
    size_t count = 0;
    const rd_kafka_ListOffsetsResultInfo_t** infos =
        rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.get()), &count);
    for (const rd_kafka_ListOffsetsResultInfo_t* info : std::span(infos, count)) {
        const rd_kafka_topic_partition_t* found =
            rd_kafka_ListOffsetsResultInfo_topic_partition(info);
        const int64_t offset = found->err || found->offset < 0 ? -1 : found->offset;
        offsets.push_back({found->topic,
                           found->partition,
                           offset,
                           {},
                           FailureUnlessNone(found->err),
                           rd_kafka_topic_partition_get_leader_epoch(found)});
    }
    return std::nullopt;
}

Outcome<GroupDescription> DescribeGroupOnce(rd_kafka_t* rk, const std::string& group,
                                            int timeout_ms) {
    const char* names[] = {group.c_str()};
    Outcome<EventPtr> answer =
        Ask(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout_ms,
            [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_DescribeConsumerGroups(rk, names, 1, options, queue);
                return nullptr;
            });
    if (Failure* failure = std::get_if<Failure>(&answer)) return std::move(*failure);
    size_t count = 0;
    const rd_kafka_ConsumerGroupDescription_t** groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(std::get<EventPtr>(answer).get()), &count);
    GroupDescription description;
    for (const rd_kafka_ConsumerGroupDescription_t* found : std::span(groups, count)) {
        if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(found))
            return FailureOf(error);
        description.state =
            rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(found));
        description.assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(found);
        if (const rd_kafka_Node_t* node = rd_kafka_ConsumerGroupDescription_coordinator(found)) {
            description.coordinator = {rd_kafka_Node_id(node), rd_kafka_Node_host(node),
                                       rd_kafka_Node_port(node)};
        }
        for (size_t index = 0; index < rd_kafka_ConsumerGroupDescription_member_count(found);
             ++index)
            description.members.push_back(
                ReadMember(rd_kafka_ConsumerGroupDescription_member(found, index)));
    }
    return description;
}

}  // namespace

std::optional<std::string> ReadClusterId(rd_kafka_t* rk, int timeout_ms) {
    const RdkafkaString id(rd_kafka_clusterid(rk, timeout_ms));
    if (!id) return std::nullopt;
    return id.get();
}

Outcome<ClusterMetadata> ReadMetadata(rd_kafka_t* rk,
                                      const std::optional<std::vector<std::string>>& topics,
                                      int timeout_ms) {
    // All topics are asked for even when some are named: a request that names topics goes by topic
    // objects, which make the client ask for them ever after, and may create them.
    const rd_kafka_metadata_t* answer = nullptr;
    const rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, nullptr, &answer, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return FailureOf(code);
    const MetadataPtr metadata(answer);

    ClusterMetadata cluster;
    for (const rd_kafka_metadata_broker_t& broker :
         std::span(metadata->brokers, metadata->broker_cnt)) {
        cluster.brokers.push_back({broker.id, broker.host, broker.port});
    }
    const auto listed = static_cast<size_t>(metadata->topic_cnt);
    if (!topics) {
        for (size_t i = 0; i < listed; i++) cluster.topics.push_back(ReadTopic(*metadata, i));
        return cluster;
    }
    std::unordered_map<std::string, size_t> by_name;
    for (size_t i = 0; i < listed; i++) by_name.emplace(metadata->topics[i].topic, i);
    for (const std::string& topic : *topics) {
        const auto found = by_name.find(topic);
        cluster.topics.push_back(found == by_name.end() ? MissingTopic(topic)
                                                        : ReadTopic(*metadata, found->second));
    }
    return cluster;
}

Outcome<std::vector<PartitionOffset>> ListOffsets(rd_kafka_t* rk,
                                                  const std::vector<TopicPartition>& partitions,
                                                  int64_t at, rd_kafka_IsolationLevel_t isolation,
                                                  int timeout_ms) {
    const Deadline deadline(timeout_ms);
    // The query for leaders is skipped, and made again only three seconds later, while no
    // connection is up. The id comes with the first one and is kept; whether there is an id does
    // not matter here.
    ReadClusterId(rk, timeout_ms);
    std::vector<PartitionOffset> offsets;
    offsets.reserve(partitions.size());
    for (size_t from = 0; from < partitions.size(); from += kPartitionsPerListOffsets) {
        const size_t count = std::min(kPartitionsPerListOffsets, partitions.size() - from);
        std::optional<Failure> failure =
            AppendOffsets(rk, std::span(partitions).subspan(from, count), at, isolation,
                          deadline.RemainingMs(), offsets);
        if (failure) return *std::move(failure);
    }
    return offsets;
}

Outcome<GroupDescription> DescribeGroup(rd_kafka_t* rk, const std::string& group, int timeout_ms) {
    const Deadline deadline(timeout_ms);
    for (;;) {
        Outcome<GroupDescription> answer = DescribeGroupOnce(rk, group, deadline.RemainingMs());
        const Failure* failure = std::get_if<Failure>(&answer);
        // A coordinator may have moved, or still be loading its groups.
        const bool may_pass = failure &&
                              failure->code >= RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS &&
                              failure->code <= RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
        if (!may_pass || deadline.HasPassed()) return answer;
        std::this_thread::sleep_for(kCoordinatorPause);
    }
}

std::optional<Failure> SetCredentials(rd_kafka_t* rk, const std::string& username,
                                      const std::string& password) {
    const ErrorPtr error(rd_kafka_sasl_set_credentials(rk, username.c_str(), password.c_str()));
    if (!error) return std::nullopt;
    return FailureOf(error.get());
}

Outcome<std::vector<TopicResult>> CreateTopics(rd_kafka_t* rk, const std::vector<NewTopic>& topics,
                                               int timeout_ms) {
    if (topics.empty()) return std::vector<TopicResult>{};
    std::vector<NewTopicPtr> requests;
    requests.reserve(topics.size());
    for (const NewTopic& topic : topics) {
        std::array<char, 256> text{};
        NewTopicPtr request(rd_kafka_NewTopic_new(topic.topic.c_str(), topic.partitions,
                                                  topic.replication_factor, text.data(),
                                                  text.size()));
        if (!request) return FailureOf(RD_KAFKA_RESP_ERR__INVALID_ARG, text.data());
        for (const auto& [name, value] : topic.configs) {
            rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
        }
        requests.push_back(std::move(request));
    }
    auto pointers = Borrow(requests);
    Outcome<EventPtr> answer =
        Ask(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms,
            [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_CreateTopics(rk, pointers.data(), pointers.size(), options, queue);
                return nullptr;
            });
    if (Failure* failure = std::get_if<Failure>(&answer)) return std::move(*failure);
    size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(std::get<EventPtr>(answer).get()), &count);
    return ReadTopicResults(results, count);
}

Outcome<std::vector<TopicResult>> CreatePartitions(rd_kafka_t* rk,
                                                   const std::vector<TopicTotal>& topics,
                                                   int timeout_ms) {
    if (topics.empty()) return std::vector<TopicResult>{};
    std::vector<NewPartitionsPtr> requests;
    requests.reserve(topics.size());
    for (const TopicTotal& topic : topics) {
        std::array<char, 256> text{};
        NewPartitionsPtr request(
            rd_kafka_NewPartitions_new(topic.topic.c_str(), topic.total, text.data(), text.size()));
        if (!request) return FailureOf(RD_KAFKA_RESP_ERR__INVALID_ARG, text.data());
        requests.push_back(std::move(request));
    }
    auto pointers = Borrow(requests);
    Outcome<EventPtr> answer =
        Ask(rk, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout_ms,
            [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_CreatePartitions(rk, pointers.data(), pointers.size(), options, queue);
                return nullptr;
            });
    if (Failure* failure = std::get_if<Failure>(&answer)) return std::move(*failure);
    size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(std::get<EventPtr>(answer).get()), &count);
    return ReadTopicResults(results, count);
}

Outcome<std::vector<TopicResult>> DeleteTopics(rd_kafka_t* rk,
                                               const std::vector<std::string>& topics,
                                               int timeout_ms) {
    if (topics.empty()) return std::vector<TopicResult>{};
    std::vector<DeleteTopicPtr> requests;
    requests.reserve(topics.size());
    for (const std::string& topic : topics) {
        requests.emplace_back(rd_kafka_DeleteTopic_new(topic.c_str()));
    }
    auto pointers = Borrow(requests);
    Outcome<EventPtr> answer =
        Ask(rk, RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout_ms,
            [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_DeleteTopics(rk, pointers.data(), pointers.size(), options, queue);
                return nullptr;
            });
    if (Failure* failure = std::get_if<Failure>(&answer)) return std::move(*failure);
    size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(std::get<EventPtr>(answer).get()), &count);
    return ReadTopicResults(results, count);
}

Outcome<std::vector<TopicConfigs>> DescribeTopicConfigs(rd_kafka_t* rk,
                                                        const std::vector<std::string>& topics,
                                                        int timeout_ms) {
    if (topics.empty()) return std::vector<TopicConfigs>{};
    return DescribeConfigs(rk, RD_KAFKA_RESOURCE_TOPIC, topics, timeout_ms);
}

Outcome<std::vector<ConfigEntry>> DescribeBrokerConfigs(rd_kafka_t* rk, int32_t broker,
                                                        int timeout_ms) {
    Outcome<std::vector<TopicConfigs>> answer =
        DescribeConfigs(rk, RD_KAFKA_RESOURCE_BROKER, {std::to_string(broker)}, timeout_ms);
    if (Failure* failure = std::get_if<Failure>(&answer)) return std::move(*failure);
    std::vector<TopicConfigs>& found = std::get<std::vector<TopicConfigs>>(answer);
    if (found.empty()) return FailureOf(RD_KAFKA_RESP_ERR__BAD_MSG);
    if (found.front().failure) return *std::move(found.front().failure);
    return std::move(found.front().entries);
}
