#include "producer_ids.h"

#include <chrono>

namespace heliostat {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRetry(250);
constexpr int kTimeoutMs = 5'000;

int64_t NowMs() {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string ProducerIds::Wait(int timeout_ms, int* code) {
    const auto deadline = steady_clock::now() + milliseconds(timeout_ms);
    for (;;) {
        Ask();
        std::unique_lock lock(mutex_);
        news_.wait_until(lock, deadline, [this] { return !is_asking_ || is_closed_; });
        *code = error_;
        if (is_closed_) return "the link is closed";
        if (newest_.id >= 0) {
            is_fresh_ = false;
            return {};
        }
        if (steady_clock::now() >= deadline)
            return error_ == 0 ? "no broker of the target could be asked for a producer id"
                               : "the target grants no producer id";
        news_.wait_for(lock, kRetry, [this] { return is_closed_; });
    }
}

void ProducerIds::Close() {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
    news_.notify_all();
}

Producer ProducerIds::Claim(const std::string& topic, int32_t partition) {
    std::lock_guard lock(mutex_);
    const bool is_first = written_.insert(topic + "-" + std::to_string(partition)).second;
    return is_first ? newest_ : Producer{-1, -1};
}

bool ProducerIds::HasFresh(int64_t now_ms) {
    {
        std::lock_guard lock(mutex_);
        if (is_fresh_) return true;
        if (now_ms < due_ms_) return false;
    }
    Ask();
    return false;
}

void ProducerIds::Spend() {
    std::lock_guard lock(mutex_);
    is_fresh_ = false;
}

void ProducerIds::Ask() {
    {
        std::lock_guard lock(mutex_);
        if (is_asking_ || is_closed_) return;
        is_asking_ = true;
    }
    begin_();
    const wire_call call{.api = WIRE_INIT_PRODUCER_ID,
                         .min_version = kInitProducerIdMin,
                         .max_version = kInitProducerIdMax,
                         .timeout_ms = kTimeoutMs,
                         .segments = 1,
                         .make = OnMake,
                         .done = OnDone,
                         .opaque = this};
    if (wire_enqueue_any(target_, &call)) return;
    {
        std::lock_guard lock(mutex_);
        is_asking_ = false;
        due_ms_ = NowMs() + kRetry.count();
        news_.notify_all();
    }
    end_();
}

int ProducerIds::OnMake(wire_request* request, int16_t, void*) {
    Encoder encoder;
    WriteInitProducerId(encoder);
    wire_write(request, encoder.data(), encoder.size());
    return 1;
}

void ProducerIds::OnDone(const wire_result* result, void* opaque) {
    auto& self = *static_cast<ProducerIds*>(opaque);
    // The request's end may be what the owner waits for before it goes.
    const std::function<void()> end = self.end_;
    {
        std::lock_guard lock(self.mutex_);
        self.is_asking_ = false;
        self.due_ms_ = NowMs() + kRetry.count();
        self.error_ = result->error;
        if (result->outcome == WIRE_ANSWERED) {
            const auto answer = ReadInitProducerId(Cursor(result->body, result->size));
            self.error_ = answer.error;
            const bool is_granted = answer.is_well_formed && answer.error == 0 &&
                                    answer.producer_id >= 0 && answer.epoch >= 0;
            if (is_granted) {
                self.newest_ = {answer.producer_id, answer.epoch};
                self.is_fresh_ = true;
                self.written_.clear();
            }
        }
        self.news_.notify_all();
    }
    end();
}

}  // namespace heliostat
