// One random history: a few lanes between modelled sources and targets, one mirror or two that run
// them, and all that may happen to these, step by step; at the end nothing happens any more, and
// everything must arrive.
//
// Left out, because nobody outside of the target's leader can see it:
// - A look for old producer states (one in ten minutes) that falls between the arrival of a dead
//   connection's request and that of the same batch sent again, or between those of two mirrors.
// - Such a look at a producer whose batches are not replicated yet.
// - A target that loses all of a producer's records by retention, and their leader, under a lane at
// work.
// - An unclean election that takes what a lane has passed over, before it has sent anything itself:
//   the end that it tells is an older one still; or one that leaves nothing of the producer, whose
//   place others fill at once.
#ifndef HELIOSTAT_TEST_LANE_WORLD_H_
#define HELIOSTAT_TEST_LANE_WORLD_H_

#include <cstdint>
#include <deque>

#include "mirror.h"
#include "scene.h"

namespace heliostat::simulation {

class LaneWorld {
   public:
    LaneWorld(uint64_t seed, bool is_traced, Totals& totals);

    void Run();

   private:
    void AddTrack();
    // As if a mirror had run before, for so long that the sequences are far on.
    void AddPast(Track& track);
    void Step();
    void DisturbTarget(size_t at);
    void DisturbMirror(Mirror& mirror, size_t at);
    void MoveLeader(Track& track, size_t at);
    void CutUnclean(Track& track, size_t at);
    void DisturbSource(Track& track, size_t at);
    void Compact(size_t at);
    void DeleteOld(Track& track, size_t at);
    void Restart(size_t broker);
    void PassTime();
    void LandLateCommit(size_t at);
    // Whether the target may lose what it knows of the lane's producers.
    bool MayForget(const Track& track, size_t at);
    Mirror& AnyMirror();
    size_t AnyTrack();

    void Heal();
    bool Settle();
    bool IsDone();
    void CheckEnd();
    void Check();

    Scene scene_;
    std::deque<Mirror> mirrors_;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_LANE_WORLD_H_
