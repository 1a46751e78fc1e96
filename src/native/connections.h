// The connections of a link to the brokers of both clusters, and the placing of lanes on them.
#ifndef HELIOSTAT_CONNECTIONS_H_
#define HELIOSTAT_CONNECTIONS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fetcher.h"
#include "packer.h"
#include "wire.h"

namespace heliostat {

class Link;

// Connections are made when a lane needs one and kept until Clear, so pointers to them stay good.
// Any thread; a lane's mutex may be held.
class Connections {
   public:
    Connections(Link& link, rd_kafka_t* source, rd_kafka_t* target)
        : link_(link), source_(source), target_(target) {}
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    // The connection to the broker with the fewest lanes, counting one more; null while the handle
    // does not know the broker.
    Fetcher* PlaceAtSource(int32_t broker_id);
    Packer* PlaceAtTarget(int32_t broker_id);
    void Leave(Fetcher* fetcher);
    void Leave(Packer* packer);

    // Connections to source brokers, at least 1.
    int fetcher_count() const {
        return std::max(1, fetcher_count_.load(std::memory_order_relaxed));
    }

    void KickAll();
    // Closes all sockets, so that every request is done soon.
    void Cut();
    // Brokers may have moved to another address.
    void Follow();
    // The target takes what it gets more slowly than the source gives.
    bool IsTargetFull();
    // No request is under way and none is begun any more.
    void Clear();

   private:
    template <typename Connection>
    using ByBroker = std::map<int32_t, std::vector<std::unique_ptr<Connection>>>;
    template <typename Connection>
    Connection* Place(ByBroker<Connection>& all, rd_kafka_t* handle, const char* side, int most,
                      int32_t broker_id);

    Link& link_;
    rd_kafka_t* const source_;
    rd_kafka_t* const target_;
    std::mutex mutex_;  // guards all below and the lane counts
    ByBroker<Fetcher> fetchers_;
    ByBroker<Packer> packers_;
    std::atomic<int> fetcher_count_{0};
};

}  // namespace heliostat

#endif  // HELIOSTAT_CONNECTIONS_H_
