#include "event_log.h"

#include <iterator>
#include <utility>

#include "handle.h"

namespace {

// Room for a second of a noisy cluster: with every broker down, each reports about once a second.
// One place is kept for the line about what was dropped.
constexpr size_t kMaxEvents = 999;

}  // namespace

void EventLog::OnLogLine(const rd_kafka_t* rk, int level, const char* facility,
                         const char* message) {
    static_cast<EventLog*>(rd_kafka_opaque(rk))->Add(LogLine{level, facility, message});
}

void EventLog::OnEvent(rd_kafka_t* rk, rd_kafka_event_t* event, void* opaque) {
    EventPtr owned(event);
    EventLog* self = static_cast<EventLog*>(opaque);
    switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_ERROR:
            self->Add(FailureOf(event));
            break;
        case RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH:
            // Tokens from OIDC never come by here. Without this answer the client would wait for
            // ever.
            rd_kafka_oauthbearer_set_token_failure(
                rk, "OAUTHBEARER tokens are only had with sasl.oauthbearer.method=oidc");
            break;
        default:
            break;
    }
}

void EventLog::Add(ClientEvent event) {
    std::lock_guard lock(mutex_);
    if (events_.size() == kMaxEvents) {
        events_.pop_front();
        ++dropped_;
    }
    events_.push_back(std::move(event));
}

std::vector<ClientEvent> EventLog::Drain() {
    std::deque<ClientEvent> taken;
    uint64_t dropped = 0;
    {
        std::lock_guard lock(mutex_);
        taken.swap(events_);
        dropped = std::exchange(dropped_, 0);
    }
    std::vector<ClientEvent> events;
    events.reserve(taken.size() + 1);
    if (dropped > 0) {
        constexpr int kWarning = 4;
        events.push_back(LogLine{kWarning, "DROPPED",
                                 std::to_string(dropped) + " earlier events were not drained"});
    }
    std::move(taken.begin(), taken.end(), std::back_inserter(events));
    return events;
}
