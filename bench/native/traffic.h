// What has passed through the stub: totals of all connections, and when the first and last byte
// came.
#pragma once

#include <time.h>

#include <atomic>
#include <cstdint>

namespace bench {

inline int64_t MonotonicNs() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Connection threads add once a request; the main thread reads.
struct Traffic {
    std::atomic<int64_t> requests{0};
    std::atomic<int64_t> batches{0};
    std::atomic<int64_t> records{0};
    std::atomic<int64_t> bytes{0};  // of record batches
    std::atomic<int64_t> out_of_order{0};
    std::atomic<int64_t> bad_crc{0};
    std::atomic<int64_t> first_ns{0};
    std::atomic<int64_t> last_ns{0};

    void SawFirst(int64_t now) {
        int64_t unset = 0;
        if (first_ns.load(std::memory_order_relaxed) == 0)
            first_ns.compare_exchange_strong(unset, now);
    }
    void SawLast(int64_t now) {
        int64_t last = last_ns.load(std::memory_order_relaxed);
        while (last < now && !last_ns.compare_exchange_weak(last, now)) {
        }
    }
};

}  // namespace bench
