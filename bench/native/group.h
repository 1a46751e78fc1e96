// Consumer groups as far as one member needs them: whoever joins is the leader and the only member,
// what it assigns to itself it gets, and its commits are kept until the process ends.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "protocol.h"

namespace bench {

class Groups {
   public:
    // Each reads the body of one request and writes the body of its response.
    void Join(int16_t version, Reader& request, Writer& response);       // JoinGroup v0–v5
    void Sync(int16_t version, Reader& request, Writer& response);       // SyncGroup v0–v3
    void Heartbeat(int16_t version, Reader& request, Writer& response);  // Heartbeat v0–v3
    void Leave(int16_t version, Reader& request, Writer& response);      // LeaveGroup v0–v2
    void Commit(int16_t version, Reader& request, Writer& response);     // OffsetCommit v2–v7
    void Fetch(int16_t version, Reader& request, Writer& response);      // OffsetFetch v1–v5

   private:
    struct Committed {
        int64_t offset;
        int32_t leader_epoch;
        std::string metadata;
    };
    using CommittedPartitions = std::map<int32_t, Committed>;
    struct Group {
        int32_t generation = 0;
        std::string member;
        std::map<std::string, CommittedPartitions, std::less<>> committed;
    };

    Group& Find(std::string_view name) { return groups_[std::string(name)]; }

    std::mutex mutex_;
    std::map<std::string, Group> groups_;
};

}  // namespace bench
