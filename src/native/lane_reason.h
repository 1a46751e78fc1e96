// Why a lane backs off or is stopped. The order is that of `laneReasons` in index.ts.
#ifndef HELIOSTAT_LANE_REASON_H_
#define HELIOSTAT_LANE_REASON_H_

#include <cstdint>
#include <string_view>

namespace heliostat {

enum class LaneReason : uint8_t {
    kNone,
    kNoLeader,
    kUnknownTopic,
    kNotLeader,
    kConnection,
    kThrottled,
    kNotEnoughReplicas,
    kBrokerError,
    kNotAllowed,
    kMalformed,
    kBadCrc,
    kOldFormat,
    kOldBroker,
    kHeadTrim,
    kHoles,
    kAppendTime,
    kTooLarge,
    kCodecUnsupported,
    kTimestampRange,
    kRefused,
    kFenced,
    kSourceGap,
    kSourceDiverged,
    kOrderLost,
    kWorkerFailed,
    kTargetWentBack,
    kTopicRecreated,
    kForced,
    kHandler,
    kHandlerFailed,
    kTinyBatches,
};

// The reason's name, as in `laneReasons`.
const char* NameOf(LaneReason reason);
// kMalformed when there is no such name.
LaneReason ReasonOf(std::string_view name);
// What was found and what to do about it, as the end of a sentence.
const char* Explain(LaneReason reason);

}  // namespace heliostat

#endif  // HELIOSTAT_LANE_REASON_H_
