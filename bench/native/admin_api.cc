#include "admin_api.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "api_keys.h"

namespace bench {

namespace {

constexpr int16_t kNone = 0;
constexpr int16_t kUnknownTopic = 3;
constexpr int16_t kUnsupportedVersion = 35;
constexpr int16_t kTopicExists = 36;
constexpr int32_t kNode = 1;
constexpr int32_t kNoOperations = INT32_MIN;

void WriteOneNode(Writer& response) {
    response.I32(1);
    response.I32(kNode);
}

void WriteTopicMetadata(int16_t version, std::string_view name, int32_t partitions,
                        Writer& response) {
    response.I16(partitions > 0 ? kNone : kUnknownTopic);
    response.String(name);
    if (version >= 1) response.Bool(false);  // internal
    response.I32(partitions);
    for (int32_t partition = 0; partition < partitions; ++partition) {
        response.I16(kNone);
        response.I32(partition);
        response.I32(kNode);                // leader
        if (version >= 7) response.I32(0);  // leader epoch
        WriteOneNode(response);             // replicas
        WriteOneNode(response);             // in-sync replicas
        if (version >= 5) response.I32(0);  // offline replicas
    }
    if (version >= 8) response.I32(kNoOperations);
}

std::vector<std::string> AskedTopics(const Broker& broker, int16_t version, Reader& request) {
    const int32_t count = request.Count();
    if (count < 0 || (count == 0 && version == 0)) return broker.topics.Names();
    std::vector<std::string> names;
    for (int32_t number = 0; number < count; ++number) names.emplace_back(request.String());
    return names;
}

}  // namespace

// A newer version than ours is answered in version 0 with an error, after which clients ask again.
void AnswerApiVersions(int16_t version, Writer& response) {
    response.I16(version == 0 ? kNone : kUnsupportedVersion);
    response.I32(static_cast<int32_t>(std::size(kApis)));
    for (const ApiRange& range : kApis) {
        response.I16(static_cast<int16_t>(range.api));
        response.I16(range.min);
        response.I16(range.max);
    }
}

void AnswerMetadata(Broker& broker, int16_t version, Reader& request, Writer& response) {
    const std::vector<std::string> names = AskedTopics(broker, version, request);
    if (version >= 3) response.I32(0);  // throttle
    response.I32(1);
    response.I32(kNode);
    response.String("127.0.0.1");
    response.I32(broker.port);
    if (version >= 1) response.NullString();  // rack
    if (version >= 2) response.String(broker.cluster_id);
    if (version >= 1) response.I32(kNode);  // controller
    response.I32(static_cast<int32_t>(names.size()));
    for (const std::string& name : names) {
        WriteTopicMetadata(version, name, broker.topics.Count(name), response);
    }
    if (version >= 8) response.I32(kNoOperations);
}

// The log start for every time but "latest": all that a mirror asks for.
void AnswerListOffsets(Broker& broker, int16_t version, Reader& request, Writer& response) {
    constexpr int64_t kLatest = -1;
    request.I32();                      // replica
    if (version >= 2) request.I8();     // isolation
    if (version >= 2) response.I32(0);  // throttle
    const int32_t topics = request.Count();
    response.I32(topics);
    for (int32_t topic = 0; topic < topics; ++topic) {
        const std::string_view name = request.String();
        const int32_t count = request.Count();
        response.String(name);
        response.I32(count);
        broker.topics.With(name, [&](Partitions& partitions) {
            for (int32_t number = 0; number < count; ++number) {
                const int32_t partition = request.I32();
                if (version >= 4) request.I32();  // current leader epoch
                const bool latest = request.I64() == kLatest;
                const bool known =
                    partition >= 0 && static_cast<size_t>(partition) < partitions.size();
                int64_t end = 0;
                if (known) {
                    end = broker.log != nullptr
                              ? broker.log->end_offset()
                              : partitions[static_cast<size_t>(partition)].end_offset;
                }
                response.I32(partition);
                response.I16(known ? kNone : kUnknownTopic);
                response.I64(-1);  // timestamp
                response.I64(latest ? end : 0);
                if (version >= 4) response.I32(0);  // leader epoch
            }
        });
    }
}

void AnswerFindCoordinator(Broker& broker, int16_t version, Writer& response) {
    if (version >= 1) response.I32(0);  // throttle
    response.I16(kNone);
    if (version >= 1) response.NullString();  // error message
    response.I32(kNode);
    response.String("127.0.0.1");
    response.I32(broker.port);
}

void AnswerInitProducerId(Broker& broker, Writer& response) {
    response.I32(0);  // throttle
    response.I16(kNone);
    response.I64(broker.next_producer_id.fetch_add(1));
    response.I16(0);  // epoch
}

void AnswerCreateTopics(Broker& broker, int16_t version, Reader& request, Writer& response) {
    struct Asked {
        std::string_view name;
        int32_t partitions;
    };
    std::vector<Asked> topics;
    for (int32_t left = request.Count(); left > 0; --left) {
        Asked asked{request.String(), request.I32()};
        request.I16();  // replication factor
        const int32_t assignments = request.Count();
        for (int32_t number = 0; number < assignments; ++number) {
            request.I32();  // partition
            for (int32_t nodes = request.Count(); nodes > 0; --nodes) request.I32();
        }
        if (assignments > 0) asked.partitions = assignments;
        for (int32_t configs = request.Count(); configs > 0; --configs) {
            request.String();
            request.String();
        }
        topics.push_back(asked);
    }
    request.I32();  // timeout
    const bool only_validate = version >= 1 && request.Bool();

    if (version >= 2) response.I32(0);  // throttle
    response.I32(static_cast<int32_t>(topics.size()));
    for (const Asked& asked : topics) {
        const bool exists = broker.topics.Count(asked.name) > 0;
        if (!exists && !only_validate) broker.topics.Add(asked.name, std::max(1, asked.partitions));
        response.String(asked.name);
        response.I16(exists ? kTopicExists : kNone);
        if (version >= 1) response.NullString();  // error message
    }
}

void AnswerCreatePartitions(Broker& broker, Reader& request, Writer& response) {
    std::vector<std::pair<std::string_view, int32_t>> topics;
    for (int32_t left = request.Count(); left > 0; --left) {
        const std::string_view name = request.String();
        topics.emplace_back(name, request.I32());
        for (int32_t assignments = request.Count(); assignments > 0; --assignments) {
            for (int32_t nodes = request.Count(); nodes > 0; --nodes) request.I32();
        }
    }
    response.I32(0);  // throttle
    response.I32(static_cast<int32_t>(topics.size()));
    for (const auto& [name, total] : topics) {
        const bool exists = broker.topics.Count(name) > 0;
        if (exists) broker.topics.Add(name, total);
        response.String(name);
        response.I16(exists ? kNone : kUnknownTopic);
        response.NullString();  // error message
    }
}

void AnswerDescribeConfigs(Broker& broker, int16_t version, Reader& request, Writer& response) {
    constexpr int8_t kTopicResource = 2;
    constexpr int8_t kDefaultSource = 5;
    const std::vector<std::pair<std::string_view, std::string>> configs = {
        {"cleanup.policy", "delete"},
        {"compression.type", "producer"},
        {"max.message.bytes", std::to_string(broker.max_message_bytes)},
        {"message.timestamp.type", "CreateTime"},
        {"min.insync.replicas", "1"},
        {"retention.bytes", "-1"},
        {"retention.ms", "604800000"}};
    response.I32(0);  // throttle
    const int32_t resources = request.Count();
    response.I32(resources);
    for (int32_t resource = 0; resource < resources; ++resource) {
        const int8_t type = request.I8();
        const std::string_view name = request.String();
        const int32_t names = request.Count();
        std::vector<std::string_view> asked;
        for (int32_t number = 0; number < names; ++number) asked.push_back(request.String());
        const bool known = type != kTopicResource || broker.topics.Count(name) > 0;
        response.I16(known ? kNone : kUnknownTopic);
        response.NullString();  // error message
        response.I8(type);
        response.String(name);
        std::vector<std::pair<std::string_view, std::string>> entries;
        for (const auto& entry : configs) {
            const bool wanted =
                names < 0 || std::find(asked.begin(), asked.end(), entry.first) != asked.end();
            if (known && type == kTopicResource && wanted) entries.push_back(entry);
        }
        response.I32(static_cast<int32_t>(entries.size()));
        for (const auto& [key, value] : entries) {
            response.String(key);
            response.String(value);
            response.Bool(false);  // read only
            if (version == 0) {
                response.Bool(true);  // default
            } else {
                response.I8(kDefaultSource);
            }
            response.Bool(false);               // sensitive
            if (version >= 1) response.I32(0);  // synonyms
        }
    }
}

}  // namespace bench
