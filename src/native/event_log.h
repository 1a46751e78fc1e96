// Errors and log lines of one librdkafka client, until JavaScript drains them. Bounded: when nobody
// drains, the oldest go and are counted.
#ifndef HELIOSTAT_EVENT_LOG_H_
#define HELIOSTAT_EVENT_LOG_H_

#include <rdkafka.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "failure.h"

struct LogLine {
    int level;  // syslog's: 0 emergency to 7 debug
    std::string facility;
    std::string message;
};

using ClientEvent = std::variant<Failure, LogLine>;

class EventLog {
   public:
    EventLog() = default;
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    // librdkafka's callbacks; the client's opaque is its EventLog. Log lines come from any of its
    // threads, the others from its background thread.
    static void OnLogLine(const rd_kafka_t* rk, int level, const char* facility,
                          const char* message);
    static void OnEvent(rd_kafka_t* rk, rd_kafka_event_t* event, void* opaque);

    // Any thread.
    void Add(ClientEvent event);
    // Oldest first; a line that tells how many were dropped comes before them.
    std::vector<ClientEvent> Drain();

   private:
    std::mutex mutex_;                // guards the two below
    std::deque<ClientEvent> events_;  // librdkafka's threads append, JS takes
    uint64_t dropped_ = 0;            // since the last drain
};

#endif  // HELIOSTAT_EVENT_LOG_H_
