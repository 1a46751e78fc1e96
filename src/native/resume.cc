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
    const bool is_known = facts.leader_sequence.has_value();
    const int64_t at_leader = is_known ? RecordsUpTo(*facts.leader_sequence, pair) : 0;
    if (at_leader < 0) return {ResumeVerdict::kWentBack};
    if (is_known && at_leader == 0) return Exact(0);

    if (facts.tail_sequence) {
        const int64_t in_tail = RecordsUpTo(*facts.tail_sequence, pair);
        if (in_tail < 0) return {ResumeVerdict::kWentBack};
        // So many records take as many offsets: some are missing, or stand where others have stood.
        const bool has_room = facts.tail_end < 0 || pair.target_end < 0 ||
                              facts.tail_end - pair.target_end >= in_tail;
        if (!has_room) return {ResumeVerdict::kWentBack};
        // Beyond the high watermark a batch may still be lost with its leader.
        if (at_leader > in_tail) return {ResumeVerdict::kWait};
        return Exact(in_tail);
    }
    if (!facts.is_tail_known) return {ResumeVerdict::kLookOn};
    // What lay behind the pair's end has been deleted, perhaps records of the lane with it: those
    // that the leader knows need not be on their way, and waiting for them might never end.
    if (pair.target_end < 0 || facts.log_start > pair.target_end) return {ResumeVerdict::kUnknown};
    if (is_known) return {ResumeVerdict::kWait};
    return Exact(0);
}

}  // namespace heliostat
