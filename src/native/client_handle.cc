#include "client_handle.h"

#include <array>

ClientHandle::~ClientHandle() {
    if (!rk_ || may_wait_.load(std::memory_order_relaxed) ||
        std::this_thread::get_id() != js_thread_) {
        return;
    }
    std::thread([events = std::move(events_), rk = std::move(rk_)]() mutable {
        rk.reset();
        events.reset();
    }).detach();
}

Outcome<Done> ClientHandle::Open(rd_kafka_type_t type, Properties properties, int events) {
    properties.insert_or_assign("allow.auto.create.topics", "false");
    properties.insert_or_assign("log.queue", "false");
    Outcome<ConfPtr> made = MakeConf(properties);
    if (Failure* failure = std::get_if<Failure>(&made)) return std::move(*failure);

    ConfPtr conf = std::get<ConfPtr>(std::move(made));
    rd_kafka_conf_set_opaque(conf.get(), events_.get());
    rd_kafka_conf_set_log_cb(conf.get(), EventLog::OnLogLine);
    rd_kafka_conf_set_background_event_cb(conf.get(), EventLog::OnEvent);
    rd_kafka_conf_set_events(conf.get(), events | RD_KAFKA_EVENT_ERROR);

    std::array<char, 512> text{};
    rk_.reset(rd_kafka_new(type, conf.get(), text.data(), text.size()));
    if (!rk_) return FailureOf(rd_kafka_last_error(), text.data());
    conf.release();  // the client's now

    // Errors go to the background queue, which librdkafka's own thread serves: the main queue has
    // no bound, and would grow whenever JavaScript is busy.
    const QueuePtr background(rd_kafka_queue_get_background(rk_.get()));
    const QueuePtr main(rd_kafka_queue_get_main(rk_.get()));
    rd_kafka_queue_forward(main.get(), background.get());
    return Done{};
}
