// Where a lane goes on after a crash, from what was committed and what the target tells. Pure.
//
// The sequence of a record is a function of its place in the lane, so the last sequence that the
// target has of the lane's producer says how many records arrived after the commit.
#ifndef HELIOSTAT_RESUME_H_
#define HELIOSTAT_RESUME_H_

#include <cstdint>
#include <optional>

namespace heliostat {

// What travels in the metadata of a committed source offset.
struct CommittedPair {
    int32_t next_sequence;  // of the record at the committed offset
    int64_t target_end;     // target offset behind the last record acknowledged by then; -1 unknown
};

// What the target tells of the partition and the pair's producer.
struct TargetFacts {
    int64_t log_start;
    int64_t high_watermark;
    // Last sequence in the newest batch of this producer and epoch below the high watermark;
    // nothing while none was found.
    std::optional<int32_t> tail_sequence;
    // Everything from the pair's target end up to the high watermark was looked at.
    bool is_tail_known;
    // Last sequence that the leader remembers of this producer and epoch, replicated or not.
    std::optional<int32_t> leader_sequence;
    // Target offset behind that newest batch; -1 while none was found.
    int64_t tail_end = -1;
};

enum class ResumeVerdict : uint8_t {
    kExact,     // skip `arrived` records from the committed offset on, then go on
    kWait,      // records of the lane are not replicated yet: ask again soon
    kLookOn,    // older batches of the target have to be looked at
    kUnknown,   // what arrived cannot be known any more
    kWentBack,  // the target lost records that it had acknowledged
};

struct Resume {
    ResumeVerdict verdict;
    int64_t arrived = 0;
};

Resume DecideResume(const CommittedPair& pair, const TargetFacts& facts);

}  // namespace heliostat

#endif  // HELIOSTAT_RESUME_H_
