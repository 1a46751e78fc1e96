// One connection to a target broker: takes the next batch of as many lanes as fit a Produce
// request, stamps fresh headers, sends the rest by reference and hands the answers to the lanes.
#ifndef HELIOSTAT_PACKER_H_
#define HELIOSTAT_PACKER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

#include "protocol.h"
#include "routed_lane.h"
#include "wire.h"

namespace heliostat {

class Link;

// Owned by Link. Make and Done run on the connection's broker thread; the rest on any.
class Packer {
   public:
    Packer(Link& link, wire_connection* connection, int32_t broker_id);
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;
    ~Packer() { wire_release(connection_); }

    int32_t broker_id() const { return broker_id_; }
    wire_connection* connection() const { return connection_; }

    // Puts a lane that can send on the list. Its mutex is held.
    void List(const RoutedLanePtr& lane);
    // Sees to it that a Produce goes out when there is something to send and room for it.
    void Kick();
    // More to send than may be in flight: the target is what holds the link back. Any thread.
    bool is_saturated() const { return is_saturated_.load(std::memory_order_relaxed); }
    // Lanes routed here, to place new ones evenly. Link's mutex guards it.
    int lane_count = 0;

   private:
    struct Request;

    static int OnMake(wire_request* request, int16_t version, void* opaque);
    static void OnDone(const wire_result* result, void* opaque);

    bool Make(Request& request, wire_request* wire, int16_t version);
    void Gather(Request& request, int16_t version, Moment now);
    void Write(Request& request, wire_request* wire);
    void Done(Request& request, const wire_result& result);
    void Take(Request& request, const wire_result& result);
    void Lose(Request& request, bool may_be_written);
    void Adapt(const Request& request, const wire_result& result);
    bool HasRoom() const;
    bool HasWork();

    Link& link_;
    wire_connection* const connection_;
    const int32_t broker_id_;

    std::mutex mutex_;
    std::deque<ListedLane> list_;  // under mutex_

    std::atomic<bool> has_ticket_{false};  // one that is not made yet
    std::atomic<bool> is_saturated_{false};

    // Broker thread only from here.
    Encoder encoder_;
    int in_flight_requests_ = 0;
    int64_t in_flight_bytes_ = 0;
    int64_t window_bytes_;
    int64_t round_trip_us_ = 0;
    int64_t hold_until_ms_ = 0;
};

}  // namespace heliostat

#endif  // HELIOSTAT_PACKER_H_
