// A point in time that several waits share.
#ifndef HELIOSTAT_DEADLINE_H_
#define HELIOSTAT_DEADLINE_H_

#include <algorithm>
#include <chrono>

class Deadline {
   public:
    explicit Deadline(int timeout_ms) : at_(Clock::now() + std::chrono::milliseconds(timeout_ms)) {}

    // At least 1, which a librdkafka call still takes as a time-out and not as "at once".
    int RemainingMs() const {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - Clock::now());
        return static_cast<int>(std::max<int64_t>(1, left.count()));
    }
    bool HasPassed() const { return Clock::now() >= at_; }

   private:
    using Clock = std::chrono::steady_clock;
    const Clock::time_point at_;
};

#endif  // HELIOSTAT_DEADLINE_H_
