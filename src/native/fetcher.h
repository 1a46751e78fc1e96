// One connection to a source broker: asks for all its lanes that have room, and hands what comes
// back to the lanes. One Fetch is out at a time, and several where the broker is far.
#ifndef HELIOSTAT_FETCHER_H_
#define HELIOSTAT_FETCHER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "fetch_session.h"
#include "protocol.h"
#include "routed_lane.h"
#include "wire.h"

namespace heliostat {

class Link;

// Owned by Link. Make and Done run on the connection's broker thread; the rest on any.
class Fetcher {
   public:
    Fetcher(Link& link, wire_connection* connection, int32_t broker_id);
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;
    ~Fetcher() { wire_release(connection_); }

    int32_t broker_id() const { return broker_id_; }
    wire_connection* connection() const { return connection_; }

    // Puts a lane that wants a Fetch on the list. Its mutex is held.
    void List(const RoutedLanePtr& lane);
    // Wakes a lane that rests in the session and is to leave. Its mutex is held.
    void Recall(const RoutedLanePtr& lane);
    // Sees to it that a Fetch goes out when there is something to fetch.
    void Kick();
    // Lanes that would be fetched if they had room: a long poll must not make them wait.
    std::atomic<int> roomless{0};
    // Lanes routed here, to place new ones evenly. Link's mutex guards it.
    int lane_count = 0;

   private:
    struct Request;

    static int OnMake(wire_request* request, int16_t version, void* opaque);
    static void OnDone(const wire_result* result, void* opaque);

    // Whether one more may be out; it is counted then.
    bool Begins();
    bool Make(Request& request, wire_request* wire, int16_t version);
    bool Fill(Request& request, size_t most_behind, Moment now);
    int64_t WantedBytes(bool is_poll);
    void ReserveNoMore(Request& request);
    int32_t MostPartitionBytes() const;
    bool HasBehind();
    size_t MostLanes(int16_t version, int64_t reserved) const;
    // Of the lanes that are behind `most` at most.
    std::vector<ListedLane> TakeListed(size_t most);
    void Write(Request& request, wire_request* wire, int16_t version, Moment now);
    void Done(Request& request, const wire_result& result);
    void Take(Request& request, const wire_result& result);
    void FollowSession(const Request& request, const FetchSummary& summary);
    void TakeRecalled();
    // Lanes that rested are asked for by name again.
    void Rouse(const std::vector<FetchedLane>& lanes);
    void Lose(Request& request);
    // Answers that come at once and bring nothing are asked for ever more rarely.
    void NoteFutile(bool is_futile, Moment now);
    void Adapt(const Request& request, const wire_result& result, size_t record_bytes,
               size_t lanes_with_data);

    Link& link_;
    wire_connection* const connection_;
    const int32_t broker_id_;

    std::mutex mutex_;
    // Under mutex_. Those that are behind come before those that wait for something new: a request
    // that names only the latter is a long poll.
    std::deque<ListedLane> behind_;
    std::deque<ListedLane> caught_up_;
    std::vector<RoutedLanePtr> recalled_;  // under mutex_

    // Tickets and Fetches that are out, and how many may be. Of a kick that finds no place it is
    // remembered that it came.
    std::atomic<int> out_{0};
    std::atomic<int> most_out_{1};
    std::atomic<bool> is_kicked_{false};

    // Broker thread only from here.
    Encoder encoder_;
    int64_t fetch_bytes_;
    size_t lane_cap_;
    // A Fetch that waits for something new is out: what is sent behind it waits as well.
    bool is_polling_ = false;
    FetchSession session_;
    bool is_session_out_ = false;  // one of its polls is
    // While others are busy, when those that rest are looked at again.
    int64_t glance_at_ms_ = 0;
    bool has_glanced_ = false;  // last; now it is the backlog's turn
    int64_t least_round_trip_us_ = INT64_MAX;
    int64_t batch_bytes_ = 0;  // of a batch lately; 0 before the first
    int64_t head_bytes_ = 0;   // of the largest first message that came cut off
    int64_t hold_until_ms_ = 0;
    int futile_ = 0;
};

}  // namespace heliostat

#endif  // HELIOSTAT_FETCHER_H_
