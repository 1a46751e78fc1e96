#include "group.h"

namespace bench {

namespace {

constexpr int16_t kNone = 0;
constexpr int16_t kUnknownMember = 25;
constexpr int16_t kIllegalGeneration = 22;

}  // namespace

void Groups::Join(int16_t version, Reader& request, Writer& response) {
    const std::lock_guard lock(mutex_);
    Group& group = Find(request.String());
    request.I32();                    // session timeout
    if (version >= 1) request.I32();  // rebalance timeout
    const std::string member(request.String());
    const std::string instance(version >= 5 ? request.String() : std::string_view{});
    request.String();  // protocol type
    const int32_t protocols = request.Count();
    std::string_view protocol, subscription;
    for (int32_t number = 0; number < protocols; ++number) {
        const std::string_view name = request.String();
        const std::string_view blob = request.Blob();
        if (number > 0) continue;
        protocol = name;
        subscription = blob;
    }
    ++group.generation;
    group.member = member.empty() ? "member-" + std::to_string(group.generation) : member;

    if (version >= 2) response.I32(0);  // throttle
    response.I16(kNone);
    response.I32(group.generation);
    response.String(protocol);
    response.String(group.member);  // leader
    response.String(group.member);
    response.I32(1);
    response.String(group.member);
    if (version >= 5) {
        if (instance.empty()) {
            response.NullString();
        } else {
            response.String(instance);
        }
    }
    response.Blob(subscription);
}

void Groups::Sync(int16_t version, Reader& request, Writer& response) {
    const std::lock_guard lock(mutex_);
    const Group& group = Find(request.String());
    const int32_t generation = request.I32();
    const std::string_view member = request.String();
    if (version >= 3) request.String();  // group instance
    std::string_view assignment;
    for (int32_t left = request.Count(); left > 0; --left) {
        const bool own = request.String() == member;
        const std::string_view blob = request.Blob();
        if (own) assignment = blob;
    }
    if (version >= 1) response.I32(0);  // throttle
    response.I16(member != group.member           ? kUnknownMember
                 : generation != group.generation ? kIllegalGeneration
                                                  : kNone);
    response.Blob(assignment);
}

void Groups::Heartbeat(int16_t version, Reader& request, Writer& response) {
    const std::lock_guard lock(mutex_);
    const Group& group = Find(request.String());
    const int32_t generation = request.I32();
    const std::string_view member = request.String();
    if (version >= 1) response.I32(0);  // throttle
    response.I16(member != group.member           ? kUnknownMember
                 : generation != group.generation ? kIllegalGeneration
                                                  : kNone);
}

void Groups::Leave(int16_t version, Reader& request, Writer& response) {
    const std::lock_guard lock(mutex_);
    Group& group = Find(request.String());
    const bool known = request.String() == group.member;
    if (known) group.member.clear();
    if (version >= 1) response.I32(0);  // throttle
    response.I16(known ? kNone : kUnknownMember);
}

void Groups::Commit(int16_t version, Reader& request, Writer& response) {
    const std::lock_guard lock(mutex_);
    Group& group = Find(request.String());
    request.I32();                                    // generation
    request.String();                                 // member
    if (version >= 7) request.String();               // group instance
    if (version >= 2 && version <= 4) request.I64();  // retention
    if (version >= 3) response.I32(0);                // throttle
    const int32_t topics = request.Count();
    response.I32(topics);
    for (int32_t topic = 0; topic < topics; ++topic) {
        const std::string name(request.String());
        CommittedPartitions& committed = group.committed[name];
        const int32_t partitions = request.Count();
        response.String(name);
        response.I32(partitions);
        for (int32_t number = 0; number < partitions; ++number) {
            const int32_t partition = request.I32();
            const int64_t offset = request.I64();
            const int32_t leader_epoch = version >= 6 ? request.I32() : -1;
            committed[partition] = {offset, leader_epoch, std::string(request.String())};
            response.I32(partition);
            response.I16(kNone);
        }
    }
}

void Groups::Fetch(int16_t version, Reader& request, Writer& response) {
    const std::lock_guard lock(mutex_);
    Group& group = Find(request.String());
    if (version >= 3) response.I32(0);  // throttle
    const auto write = [&](int32_t partition, const Committed& committed) {
        response.I32(partition);
        response.I64(committed.offset);
        if (version >= 5) response.I32(committed.leader_epoch);
        response.String(committed.metadata);
        response.I16(kNone);
    };
    const int32_t topics = request.Count();
    if (topics < 0) {  // all that is committed
        response.I32(static_cast<int32_t>(group.committed.size()));
        for (const auto& [name, partitions] : group.committed) {
            response.String(name);
            response.I32(static_cast<int32_t>(partitions.size()));
            for (const auto& [partition, committed] : partitions) write(partition, committed);
        }
    } else {
        response.I32(topics);
    }
    for (int32_t topic = 0; topic < topics; ++topic) {
        const std::string name(request.String());
        const CommittedPartitions& known = group.committed[name];
        const int32_t partitions = request.Count();
        response.String(name);
        response.I32(partitions);
        for (int32_t number = 0; number < partitions; ++number) {
            const int32_t partition = request.I32();
            const auto found = known.find(partition);
            write(partition, found == known.end() ? Committed{-1, -1, ""} : found->second);
        }
    }
    if (version >= 2) response.I16(kNone);
}

}  // namespace bench
