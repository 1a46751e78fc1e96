#include "broker.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "admin_api.h"
#include "api_keys.h"
#include "protocol.h"
#include "socket.h"
#include "source_end.h"
#include "target_end.h"

namespace bench {

namespace {

struct RequestHead {
    size_t size;  // of what follows the fixed fields: client id and body
    Api api;
    int16_t version;
    int32_t correlation_id;
    int16_t client_id;  // its length, -1 for null
};

constexpr size_t kRequestHeadBytes = 4 + 2 + 2 + 4 + 2;

bool TakeHead(Input& input, RequestHead& head) {
    const char* at = input.Take(kRequestHeadBytes);
    if (at == nullptr) return false;
    const int32_t size = LoadI32(at) - static_cast<int32_t>(kRequestHeadBytes - 4);
    if (size < 0) return false;
    head = {static_cast<size_t>(size), static_cast<Api>(LoadI16(at + 4)), LoadI16(at + 6),
            LoadI32(at + 8), LoadI16(at + 12)};
    return head.client_id <= size;
}

// False for a request that the stub does not offer.
bool Answer(Broker& broker, const RequestHead& head, Reader& request, Writer& response) {
    const int16_t version = head.version;
    switch (head.api) {
        case Api::kApiVersions:
            AnswerApiVersions(version, response);
            return true;
        case Api::kMetadata:
            AnswerMetadata(broker, version, request, response);
            return true;
        case Api::kListOffsets:
            AnswerListOffsets(broker, version, request, response);
            return true;
        case Api::kFindCoordinator:
            AnswerFindCoordinator(broker, version, response);
            return true;
        case Api::kInitProducerId:
            AnswerInitProducerId(broker, response);
            return true;
        case Api::kCreateTopics:
            AnswerCreateTopics(broker, version, request, response);
            return true;
        case Api::kCreatePartitions:
            AnswerCreatePartitions(broker, request, response);
            return true;
        case Api::kDescribeConfigs:
            AnswerDescribeConfigs(broker, version, request, response);
            return true;
        case Api::kJoinGroup:
            broker.groups.Join(version, request, response);
            return true;
        case Api::kSyncGroup:
            broker.groups.Sync(version, request, response);
            return true;
        case Api::kHeartbeat:
            broker.groups.Heartbeat(version, request, response);
            return true;
        case Api::kLeaveGroup:
            broker.groups.Leave(version, request, response);
            return true;
        case Api::kOffsetCommit:
            broker.groups.Commit(version, request, response);
            return true;
        case Api::kOffsetFetch:
            broker.groups.Fetch(version, request, response);
            return true;
        default:
            return false;
    }
}

}  // namespace

void ServeKafka(Broker& broker, int socket) {
    SetNoDelay(socket);
    SourceEnd source(broker, socket);
    TargetEnd target(broker, socket);
    Input& input = target.input();
    std::string body;
    Writer response;
    RequestHead head;
    while (TakeHead(input, head)) {
        const size_t client_id = head.client_id > 0 ? static_cast<size_t>(head.client_id) : 0;
        if (client_id > 0 && input.Take(client_id) == nullptr) break;
        const size_t size = head.size - client_id;
        if (head.api == Api::kProduce && broker.log == nullptr) {
            if (!target.SwallowProduce(head.version, head.correlation_id, size)) break;
            continue;
        }
        body.resize(size);
        if (!input.Copy(body.data(), size)) break;
        Reader request(body.data(), size);
        if (head.api == Api::kFetch && broker.log != nullptr) {
            if (!source.AnswerFetch(head.version, head.correlation_id, request)) break;
            continue;
        }
        response.Begin(head.correlation_id);
        if (!Answer(broker, head, request, response) || !request.ok()) {
            std::fprintf(stderr, "stub broker: request %d v%d is not offered or cannot be read\n",
                         static_cast<int>(head.api), head.version);
            break;
        }
        response.SetLength(0);
        if (!SendAll(socket, response.data(), response.size())) break;
    }
    close(socket);
}

void ServeRaw(Broker& broker, int socket, int64_t number, int64_t shares, int64_t partitions) {
    SetNoDelay(socket);
    if (broker.log != nullptr) {
        SourceEnd(broker, socket).SendRaw(partitions, number, shares);
    } else {
        TargetEnd(broker, socket).SwallowRaw();
    }
    close(socket);
}

}  // namespace bench
