// One librdkafka client with its event log, shared by whoever still needs it.
//
// The last reference ends the client. rd_kafka_destroy waits for the client's threads, so on the JS
// thread it is handed to a thread of its own; any other thread does it in place.
#ifndef HELIOSTAT_CLIENT_HANDLE_H_
#define HELIOSTAT_CLIENT_HANDLE_H_

#include <rdkafka.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "event_log.h"
#include "failure.h"
#include "handle.h"
#include "properties.h"

class ClientHandle {
   public:
    ClientHandle(const ClientHandle&) = delete;
    ClientHandle& operator=(const ClientHandle&) = delete;
    virtual ~ClientHandle();

    rd_kafka_t* rk() const { return rk_.get(); }
    EventLog& events() { return *events_; }

    // From the clean-up hook: the environment ends, so the JS thread may wait for the threads.
    void AllowWaiting() { may_wait_.store(true, std::memory_order_relaxed); }

   protected:
    // Opens on the JS thread. What every client needs is set over the caller's properties.
    Outcome<Done> Open(rd_kafka_type_t type, Properties properties, int events);
    ClientHandle() = default;

   private:
    const std::thread::id js_thread_ = std::this_thread::get_id();
    std::atomic<bool> may_wait_{false};  // JS thread writes, the thread of the last reference reads
    // The client's background thread writes into the log until the client is gone.
    std::unique_ptr<EventLog> events_ = std::make_unique<EventLog>();
    ClientPtr rk_;
};

#endif  // HELIOSTAT_CLIENT_HANDLE_H_
