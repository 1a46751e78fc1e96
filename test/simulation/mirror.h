// One process of the mirror: its lanes, its connections to the target's brokers, and the way in
// which src/mirror starts lanes and commits their checkpoints.
#ifndef HELIOSTAT_TEST_MIRROR_H_
#define HELIOSTAT_TEST_MIRROR_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "lane.h"
#include "resume_search.h"
#include "scene.h"

namespace heliostat::simulation {

class Mirror {
   public:
    // The second one begins only where the first has committed its producer.
    Mirror(Scene& scene, bool is_second);
    Mirror(const Mirror&) = delete;
    Mirror& operator=(const Mirror&) = delete;

    bool is_up() const { return is_up_; }
    void Start();
    // Dies: nobody hears of what was under way.
    void Crash();

    // --- steps; nothing happens where there is nothing to do.
    void SendFetch(size_t at);
    void AnswerFetch(size_t at, bool is_healthy);
    // A lane whose position is refused hears what the source's log holds.
    void TellRange(size_t at);
    void Rebuild(size_t at);
    void Pack(size_t connection);
    // The broker works off the next request of a connection.
    void Carry(size_t connection);
    // The next answer of a connection is read.
    void Answer(size_t connection, bool is_healthy);
    // The connection drops: some requests are in the broker's hands still, some never left.
    void Lose(size_t connection);
    void Route(size_t at);
    void GiveProducers();
    // A lane that needs it, or has drained, is taken away to be begun anew.
    void TakeBack(size_t at);
    // The next question or deed on the way to a lane that runs.
    void Begin(size_t at, bool is_healthy);
    void Commit(size_t at, bool is_healthy);
    void Drain(size_t at);
    void LookForLeaders(size_t at);
    // The way to the target comes to nothing, some times in a row.
    void LoseWay(size_t at);
    void LetGo();

    // --- facts.
    void Check(size_t at);
    bool IsDone(size_t at) const;
    bool HasUnanswered() const;
    const Lane* lane(size_t at) const { return runners_[at].lane.get(); }

   private:
    enum class Phase { kReadCommit, kAsk, kPrepare, kCommitFirst, kRunning, kRefused };

    struct PendingCommit {
        simulation::Commit commit;
        bool is_first;
        bool is_sent = false;
    };
    struct Try {
        int64_t at_ms;
        int64_t offset;
    };
    // A lane of this process, or what leads to one.
    struct Runner {
        Phase phase = Phase::kReadCommit;
        simulation::Commit plan{};
        std::optional<ResumeSearch> search;
        std::deque<PendingCommit> commits;
        int64_t committed = -1;
        // How far this process had come, and by which commits it knows its own again.
        std::optional<simulation::Commit> own;
        std::deque<Metadata> own_commits;
        std::deque<Try> tries;

        std::unique_ptr<Lane> lane;
        std::deque<Lane::ToReseal> reseals;
        int connection = -1;  // -1 while the lane is between two
        int unanswered = 0;   // batches sent whose fate the lane has not been told
        bool is_fetching = false;
        int64_t fetch_position = 0;
        int32_t fetch_epoch = -1;
        int out_of_range = 0;
        int early_ends = 0;
        bool is_draining = false;
        bool awaits_commit = false;  // has skipped a gap
        bool has_reached_end = false;
        int64_t checked = -1;
    };
    // Requests in the order they left: the first `done` ones are answered by the broker.
    struct Connection {
        std::deque<Request> requests;
        size_t done = 0;
    };

    void GiveRebuilt(size_t at, const Lane::ToReseal& batch);
    void GiveMerged(size_t at, const Lane::ToReseal& batch);
    // Two first starts at once would be two producers: the second mirror waits for the first.
    bool IsHeldBack(size_t at) const;
    void ReadCommit(size_t at);
    void Ask(size_t at);
    void Prepare(size_t at);
    void GoOnBehind(size_t at, int64_t arrived);
    void RunLane(size_t at, int64_t arrived, int64_t arrived_end);
    void FinishCommit(size_t at, bool is_told);
    simulation::Commit Progress(const Lane& lane) const;
    int64_t ClaimProducer(size_t at);
    void Announce(size_t at, int64_t from, int64_t to);
    void Drop(size_t connection, bool is_told);
    void WaitForFollowers(Track& track, TargetPartition::Answer& answer, bool is_healthy);
    void CheckStop(size_t at) const;

    Scene& scene_;
    const bool is_second_;
    bool is_up_ = false;
    int64_t producer_id_ = -1;
    std::vector<bool> is_claimed_;
    std::vector<Runner> runners_;
    std::vector<Connection> connections_;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_MIRROR_H_
