// What each error code in a Produce or Fetch answer means for a lane: one table each.
#ifndef HELIOSTAT_ERROR_RULES_H_
#define HELIOSTAT_ERROR_RULES_H_

#include <cstdint>

#include "lane_reason.h"

namespace heliostat {

enum class AckAction : uint8_t {
    kWritten,   // it is in the log, now or since an earlier try
    kRetry,     // send the same bytes again after a while
    kSequence,  // the target does not know or accept the sequence
    kStop,      // it will never be taken as it is
};

struct AckRule {
    AckAction action;
    LaneReason reason;
    // The leader has moved: look for it before the next try.
    bool refresh_leader;
    // It may have been appended although it failed.
    bool may_be_written;
};

AckRule RuleForAck(int16_t code);

enum class FetchAction : uint8_t { kData, kRetry, kOutOfRange, kStop };

struct FetchRule {
    FetchAction action;
    LaneReason reason;
    bool refresh_leader;
};

FetchRule RuleForFetch(int16_t code);

}  // namespace heliostat

#endif  // HELIOSTAT_ERROR_RULES_H_
