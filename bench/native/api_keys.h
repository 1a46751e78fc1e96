// The requests that the stub broker answers, with the versions it offers: all below the flexible
// ones.
#pragma once

#include <cstdint>

namespace bench {

enum class Api : int16_t {
    kProduce = 0,
    kFetch = 1,
    kListOffsets = 2,
    kMetadata = 3,
    kOffsetCommit = 8,
    kOffsetFetch = 9,
    kFindCoordinator = 10,
    kJoinGroup = 11,
    kHeartbeat = 12,
    kLeaveGroup = 13,
    kSyncGroup = 14,
    kApiVersions = 18,
    kCreateTopics = 19,
    kInitProducerId = 22,
    kDescribeConfigs = 32,
    kCreatePartitions = 37
};

struct ApiRange {
    Api api;
    int16_t min;
    int16_t max;
};

inline constexpr ApiRange kApis[] = {
    {Api::kProduce, 3, 8},         {Api::kFetch, 4, 11},         {Api::kListOffsets, 1, 5},
    {Api::kMetadata, 0, 8},        {Api::kOffsetCommit, 2, 7},   {Api::kOffsetFetch, 1, 5},
    {Api::kFindCoordinator, 0, 2}, {Api::kJoinGroup, 0, 5},      {Api::kHeartbeat, 0, 3},
    {Api::kLeaveGroup, 0, 2},      {Api::kSyncGroup, 0, 3},      {Api::kApiVersions, 0, 0},
    {Api::kCreateTopics, 0, 4},    {Api::kInitProducerId, 0, 1}, {Api::kDescribeConfigs, 0, 2},
    {Api::kCreatePartitions, 0, 1}};

}  // namespace bench
