// Bytes of fetched responses that a link may hold, and the responses that hold them. Any thread.
#ifndef HELIOSTAT_BUDGET_H_
#define HELIOSTAT_BUDGET_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "wire.h"

namespace heliostat {

class Budget {
   public:
    // `on_room` runs on the thread that gives bytes back, after a reservation has failed; it takes
    // no lock that a caller of Return may hold.
    Budget(int64_t limit, std::function<void()> on_room)
        : limit_(limit), on_room_(std::move(on_room)) {}

    // Reserves up to `want` bytes, or as many as are left when these are at least `least`. When
    // nothing is held `least` is always granted. Returns 0, and calls on_room later, when there is
    // no room.
    int64_t TryReserve(int64_t want, int64_t least) {
        int64_t used = used_.load();
        for (;;) {
            int64_t granted = std::min(want, limit_ - used);
            if (granted < least) granted = used == 0 ? least : 0;
            if (granted == 0) {
                is_starved_.store(true);
                // Bytes given back between the load and the store above told nobody.
                if (used_.load() == used) return 0;
                used = used_.load();
                continue;
            }
            if (used_.compare_exchange_weak(used, used + granted)) return granted;
        }
    }

    // Replaces a reservation by what arrived, which may be more: a first batch always comes whole.
    void Settle(int64_t reserved, int64_t held) {
        used_.fetch_add(held);
        Return(reserved);
    }

    void Return(int64_t bytes) {
        const int64_t used = used_.fetch_sub(bytes) - bytes;
        // Waking at three quarters lets a Fetch of decent size go out instead of many small ones.
        if (is_starved_.load() && used <= limit_ / 4 * 3 && is_starved_.exchange(false)) on_room_();
    }

    int64_t limit() const { return limit_; }
    int64_t used() const { return used_.load(std::memory_order_relaxed); }
    bool is_starved() const { return is_starved_.load(std::memory_order_relaxed); }

   private:
    const int64_t limit_;
    std::atomic<int64_t> used_{0};
    std::atomic<bool> is_starved_{false};
    const std::function<void()> on_room_;
};

// One Fetch answer's bytes. Every batch in it holds a shared_ptr; the last one gives it back.
class Response {
   public:
    // Keeps the reply; `size` bytes are already in the budget.
    Response(wire_reply* reply, std::shared_ptr<Budget> budget, int64_t size)
        : reply_(reply), budget_(std::move(budget)), size_(size) {
        wire_reply_keep(reply);
    }
    Response(const Response&) = delete;
    Response& operator=(const Response&) = delete;
    ~Response() {
        wire_reply_release(reply_);
        budget_->Return(size_);
    }

   private:
    wire_reply* const reply_;
    const std::shared_ptr<Budget> budget_;
    const int64_t size_;
};

// A batch's bytes in memory of their own, for a lane that would otherwise pin a whole answer.
class BatchCopy {
   public:
    BatchCopy(const uint8_t* data, size_t size, std::shared_ptr<Budget> budget)
        : bytes_(data, data + size), budget_(std::move(budget)) {
        budget_->Settle(0, static_cast<int64_t>(bytes_.size()));
    }
    BatchCopy(const BatchCopy&) = delete;
    BatchCopy& operator=(const BatchCopy&) = delete;
    ~BatchCopy() { budget_->Return(static_cast<int64_t>(bytes_.size())); }

    const uint8_t* data() const { return bytes_.data(); }

   private:
    const std::vector<uint8_t> bytes_;
    const std::shared_ptr<Budget> budget_;
};

}  // namespace heliostat

#endif  // HELIOSTAT_BUDGET_H_
