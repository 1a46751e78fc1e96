// Bytes, and records where they are limited too, of fetched responses that a link may hold, and the
// responses that hold them. Any thread.
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
    // `most_records` 0: records are not limited.
    Budget(int64_t limit, int64_t most_records, std::function<void()> on_room)
        : limit_(limit), most_records_(most_records), on_room_(std::move(on_room)) {}

    // Reserves up to `want` bytes, or as many as are left when these are at least `least`. When
    // nothing is held `least` is always granted. Returns 0, and calls on_room later, when there is
    // no room.
    int64_t TryReserve(int64_t want, int64_t least) {
        int64_t used = used_.load();
        for (;;) {
            const bool is_full = IsFullOfRecords();
            int64_t granted = std::min(LimitByRecords(want, least), limit_ - used);
            if (granted < least) granted = used == 0 ? least : 0;
            if (is_full) granted = 0;
            if (granted == 0) {
                is_starved_.store(true);
                // What was given back between the load and the store above told nobody.
                if (used_.load() == used && IsFullOfRecords() == is_full) return 0;
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
        WakeWhenRoom(used);
    }

    // Records of an answer of `bytes` that is held from now on. They are known only once it is
    // here, so a Fetch under way may exceed the limit by its own.
    void HoldRecords(int64_t records, int64_t bytes) {
        records_.fetch_add(records);
        if (records > 0) bytes_per_record_.store(std::max<int64_t>(1, bytes / records));
    }
    void ReturnRecords(int64_t records) {
        records_.fetch_sub(records);
        WakeWhenRoom(used_.load());
    }

    int64_t limit() const { return limit_; }
    int64_t used() const { return used_.load(std::memory_order_relaxed); }
    bool is_starved() const { return is_starved_.load(std::memory_order_relaxed); }
    bool IsFullOfRecords() const { return most_records_ > 0 && records_.load() >= most_records_; }

   private:
    // As many bytes as the records that are still allowed will have.
    int64_t LimitByRecords(int64_t want, int64_t least) const {
        if (most_records_ == 0) return want;
        const int64_t room = most_records_ - records_.load();
        const int64_t each = bytes_per_record_.load();
        return room > want / each ? want : std::max(least, room * each);
    }
    void WakeWhenRoom(int64_t used) {
        if (!is_starved_.load() || used > limit_ / 4 * 3) return;
        if (most_records_ > 0 && records_.load() > most_records_ / 4 * 3) return;
        if (is_starved_.exchange(false)) on_room_();
    }

    const int64_t limit_;
    const int64_t most_records_;
    std::atomic<int64_t> records_{0};
    // Of the newest answer; a guess before the first.
    std::atomic<int64_t> bytes_per_record_{100};
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
        budget_->ReturnRecords(records_);
        budget_->Return(size_);
    }
    // Before anybody else has it.
    void HoldRecords(int64_t records) {
        records_ = records;
        budget_->HoldRecords(records, size_);
    }

   private:
    wire_reply* const reply_;
    const std::shared_ptr<Budget> budget_;
    const int64_t size_;
    int64_t records_ = 0;
};

// A batch's bytes in memory of their own, for a lane that would otherwise pin a whole answer.
class BatchCopy {
   public:
    BatchCopy(const uint8_t* data, size_t size, int64_t records, std::shared_ptr<Budget> budget)
        : bytes_(data, data + size), records_(records), budget_(std::move(budget)) {
        budget_->Settle(0, static_cast<int64_t>(bytes_.size()));
        budget_->HoldRecords(records_, static_cast<int64_t>(bytes_.size()));
    }
    BatchCopy(const BatchCopy&) = delete;
    BatchCopy& operator=(const BatchCopy&) = delete;
    ~BatchCopy() {
        budget_->ReturnRecords(records_);
        budget_->Return(static_cast<int64_t>(bytes_.size()));
    }

    const uint8_t* data() const { return bytes_.data(); }

   private:
    const std::vector<uint8_t> bytes_;
    const int64_t records_;
    const std::shared_ptr<Budget> budget_;
};

}  // namespace heliostat

#endif  // HELIOSTAT_BUDGET_H_
