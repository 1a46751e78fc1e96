// How a mirror finds out what arrived of a lane: asks the target one thing after another, in the
// order of src/mirror/resumes.ts, so that anything may happen in between.
#ifndef HELIOSTAT_TEST_RESUME_SEARCH_H_
#define HELIOSTAT_TEST_RESUME_SEARCH_H_

#include <cstdint>
#include <optional>

#include "resume.h"
#include "target_partition.h"

namespace heliostat::simulation {

// What travels in the metadata of a committed offset.
struct Metadata {
    int64_t producer_id;
    int32_t next_sequence;
    int64_t target_end;

    bool operator==(const Metadata&) const = default;
};

enum class ResumeAnswer { kExact, kFresh, kLater, kUnproved, kWentBack };

class ResumeSearch {
   public:
    explicit ResumeSearch(const Metadata& metadata) : metadata_(metadata) {}

    // Asks the next question; an answer ends it.
    std::optional<ResumeAnswer> Ask(const TargetPartition& target);
    int64_t arrived() const { return arrived_; }
    int64_t arrived_end() const { return arrived_ > 0 ? facts_.tail_end : -1; }

   private:
    enum class Step { kEnds, kTail, kLeader, kAnchor };

    std::optional<ResumeAnswer> AskEnds(const TargetPartition& target);
    std::optional<ResumeAnswer> ReadTail(const TargetPartition& target);
    std::optional<ResumeAnswer> AskLeader(const TargetPartition& target);
    ResumeAnswer ReadAnchor(const TargetPartition& target);
    void LookBelow(int64_t to, int64_t length);
    bool IsOwn(const TargetPartition::Stored& stored) const;
    ResumeAnswer Decide();

    Metadata metadata_;
    Step step_ = Step::kEnds;
    TargetFacts facts_{.log_start = 0,
                       .high_watermark = -1,
                       .tail_sequence = std::nullopt,
                       .is_tail_known = false,
                       .leader_sequence = std::nullopt};
    // The window that is looked through, from where on it is to be read next, and how often it was.
    int64_t from_ = 0;
    int64_t to_ = 0;
    int64_t wanted_ = 0;
    int reads_ = 0;
    int64_t arrived_ = 0;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_RESUME_SEARCH_H_
