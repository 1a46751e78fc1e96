#include "connections.h"

#include <algorithm>

#include "link.h"

namespace heliostat {

template <typename Connection>
Connection* Connections::Place(ByBroker<Connection>& all, rd_kafka_t* handle, const char* side,
                               int most, int32_t broker_id) {
    std::lock_guard lock(mutex_);
    auto& connections = all[broker_id];
    const auto least =
        std::min_element(connections.begin(), connections.end(),
                         [](auto& a, auto& b) { return a->lane_count < b->lane_count; });
    Connection* place = least == connections.end() ? nullptr : least->get();
    if (connections.size() < static_cast<size_t>(most) && (!place || place->lane_count > 0)) {
        const std::string name = std::string("heliostat-") + side + "-" +
                                 std::to_string(broker_id) + "-" +
                                 std::to_string(connections.size());
        if (wire_connection* connection = wire_connect(handle, broker_id, name.c_str())) {
            connections.push_back(std::make_unique<Connection>(link_, connection, broker_id));
            place = connections.back().get();
            link_.Count(LinkCount::kConnections, 1);
        }
    }
    if (place) place->lane_count++;
    return place;
}

Fetcher* Connections::PlaceAtSource(int32_t broker_id) {
    Fetcher* place = Place(fetchers_, source_, "source", link_.options().streams, broker_id);
    std::lock_guard lock(mutex_);
    int count = 0;
    for (const auto& [broker, fetchers] : fetchers_) count += static_cast<int>(fetchers.size());
    fetcher_count_.store(count, std::memory_order_relaxed);
    return place;
}

Packer* Connections::PlaceAtTarget(int32_t broker_id) {
    return Place(packers_, target_, "target", link_.options().producers, broker_id);
}

void Connections::Leave(Fetcher* fetcher) {
    std::lock_guard lock(mutex_);
    fetcher->lane_count--;
}

void Connections::Leave(Packer* packer) {
    std::lock_guard lock(mutex_);
    packer->lane_count--;
}

void Connections::KickAll() {
    std::lock_guard lock(mutex_);
    for (auto& [broker, fetchers] : fetchers_)
        for (auto& fetcher : fetchers) fetcher->Kick();
    for (auto& [broker, packers] : packers_)
        for (auto& packer : packers) packer->Kick();
}

void Connections::Cut() {
    std::lock_guard lock(mutex_);
    for (auto& [broker, fetchers] : fetchers_)
        for (auto& fetcher : fetchers) wire_cut(fetcher->connection());
    for (auto& [broker, packers] : packers_)
        for (auto& packer : packers) wire_cut(packer->connection());
}

void Connections::Follow() {
    std::lock_guard lock(mutex_);
    for (auto& [broker, fetchers] : fetchers_)
        for (auto& fetcher : fetchers) wire_follow(fetcher->connection(), source_, broker);
    for (auto& [broker, packers] : packers_)
        for (auto& packer : packers) wire_follow(packer->connection(), target_, broker);
}

bool Connections::IsTargetFull() {
    std::lock_guard lock(mutex_);
    bool is_full = false;
    for (const auto& [broker, packers] : packers_)
        for (const auto& packer : packers) is_full |= packer->is_saturated();
    for (const auto& [broker, fetchers] : fetchers_)
        for (const auto& fetcher : fetchers) is_full |= fetcher->roomless.load() > 0;
    return is_full;
}

void Connections::Clear() {
    std::lock_guard lock(mutex_);
    fetchers_.clear();
    packers_.clear();
}

}  // namespace heliostat
