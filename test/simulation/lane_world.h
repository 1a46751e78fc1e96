// A few lanes between modelled sources and targets: takes random steps as threads, networks and
// brokers would, and checks after each that no lane has done what it must never do.
#ifndef HELIOSTAT_TEST_LANE_WORLD_H_
#define HELIOSTAT_TEST_LANE_WORLD_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "lane.h"
#include "source_partition.h"
#include "target_partition.h"

namespace heliostat::simulation {

// What went wrong, as a sentence; main adds the seed.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Totals {
    uint64_t steps = 0;
    uint64_t batches = 0;
    uint64_t losses = 0;
    uint64_t resets = 0;
    uint64_t doubled = 0;
    uint64_t wraps = 0;
    uint64_t stops = 0;
};

class LaneWorld {
   public:
    LaneWorld(uint64_t seed, bool is_traced, Totals& totals);

    // Random faults for a while, then none: everything must arrive.
    void Run();

   private:
    struct Reset {
        int64_t from;
        int64_t to;
    };
    // A lane, its two partitions, and what should be true of them.
    struct Track {
        SourcePartition source;
        TargetPartition target;
        std::unique_ptr<Lane> lane;
        int leader;          // of the target partition
        int connection;      // -1 while the lane is between two
        int unanswered = 0;  // batches sent whose fate the lane has not been told
        bool is_fetching = false;
        int64_t fetch_position = 0;
        int out_of_range = 0;
        int stop_at = -1;  // source batch that cannot pass
        bool is_draining = false;
        int64_t last_checkpoint;
        std::vector<bool> is_written;
        std::vector<int32_t> sequences;  // under the producer id in use; -1 for none yet
        int32_t next_sequence = 0;
        std::vector<Reset> resets;
    };
    struct Request {
        struct Entry {
            size_t track;
            Lane::Outgoing batch;
            int index;
            TargetPartition::Answer answer;
        };
        std::vector<Entry> entries;
    };
    // Requests in the order they left: the first `done` ones are answered by the broker.
    struct Connection {
        std::deque<Request> requests;
        size_t done = 0;
    };

    Moment Now() const { return {now_ms_, wall_ms_}; }
    void Trace(const char* format, ...) __attribute__((format(printf, 2, 3)));

    void AddTrack();
    void Step();
    void Heal();
    bool Settle();
    bool IsDone(const Track& track) const;

    void SendFetch(size_t at);
    void AnswerFetch(size_t at, bool is_healthy);
    void Pack(size_t connection);
    void Carry(size_t connection);
    void Answer(size_t connection);
    void Lose(size_t connection);
    void CarryGhost();
    void Restart(size_t broker);
    void Route(size_t at);
    void GiveProducers();
    void Disturb();
    void PassTime();

    void Produce(Request& request, size_t connection);
    void NoteWritten(Track& track, size_t at, int index, bool is_past_expiry);
    void CheckSend(Track& track, const Lane::Outgoing& batch, int index);
    void Check(const Track& track, size_t at);
    void CheckEnd(const Track& track, size_t at);
    [[noreturn]] void Fail(size_t at, const std::string& what) const;

    Random random_;
    const bool is_traced_;
    Totals& totals_;
    int64_t now_ms_ = 1'000'000;
    int64_t wall_ms_ = 1'700'000'000'000;
    int64_t next_producer_id_ = 4'000;
    int fault_per_cent_;
    std::vector<Track> tracks_;
    std::vector<Connection> connections_;
    // Requests of dead connections that the broker still works off.
    std::deque<Request> ghosts_;
    std::vector<size_t> ghost_brokers_;
};

}  // namespace heliostat::simulation

#endif  // HELIOSTAT_TEST_LANE_WORLD_H_
