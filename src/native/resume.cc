#include "resume.h"

namespace heliostat {
namespace {

// Records from the pair's next sequence up to and including `last`; negative when `last` lies
// before it. Sequences go round at 2^31, and a difference of more than half of that is one
// backwards.
int64_t RecordsUpTo(int32_t last, const CommittedPair& pair) {
    const auto distance =
        static_cast<uint32_t>(last) + 1 - static_cast<uint32_t>(pair.next_sequence);
    const int64_t records = distance & 0x7fffffff;
    return records > 0x3fffffff ? records - 0x80000000 : records;
}

Resume Exact(int64_t arrived) { return {ResumeVerdict::kExact, arrived}; }

}  // namespace

Resume DecideResume(const CommittedPair& pair, const TargetFacts& facts) {
    if (facts.high_watermark < pair.target_end) return {ResumeVerdict::kWentBack};
    const auto at_leader = facts.leader_sequence
                               ? std::optional(RecordsUpTo(*facts.leader_sequence, pair))
                               : std::nullopt;
    if (at_leader && *at_leader < 0) return {ResumeVerdict::kWentBack};
    if (at_leader && *at_leader == 0) return Exact(0);

    if (facts.tail_sequence) {
        const int64_t in_tail = RecordsUpTo(*facts.tail_sequence, pair);
        if (in_tail < 0) return {ResumeVerdict::kWentBack};
        // Beyond the high watermark a batch may still be lost with its leader.
        if (at_leader && *at_leader > in_tail) return {ResumeVerdict::kWait};
        return Exact(in_tail);
    }
    if (!facts.is_tail_known) return {ResumeVerdict::kLookOn};
    if (at_leader) return {ResumeVerdict::kWait};
    // What lay behind the pair's end has been deleted, perhaps records of the lane with it.
    if (pair.target_end < 0 || facts.log_start > pair.target_end) return {ResumeVerdict::kUnknown};
    return Exact(0);
}

}  // namespace heliostat
