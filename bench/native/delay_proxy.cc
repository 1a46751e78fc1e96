// A link of some length: a TCP proxy that hands on each byte a fixed time after it came, both ways.
// It delays and does not throttle. Connecting alone takes no time.
//
//   delay_proxy ONE_WAY_MICROSECONDS
//
// Prints its port. A line on stdin with the broker's port opens it; the end of stdin ends it.

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "socket.h"

namespace bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 256 * 1024;
// What may be on its way in one direction, as the windows of a long link's sockets allow: 1.6 GB/s
// over 40 ms.
constexpr size_t kWindowBytes = 64 << 20;

// One way of a connection, between the thread that reads it and the one that writes it. A chunk
// without bytes is the end.
class Direction {
   public:
    struct Chunk {
        Clock::time_point due;
        std::vector<char> bytes;
    };

    // Waits for room; false when nobody takes it any more.
    bool Put(Chunk chunk) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return held_ < kWindowBytes || is_closed_; });
        if (is_closed_) return false;
        held_ += chunk.bytes.size();
        chunks_.push_back(std::move(chunk));
        filled_.notify_one();
        return true;
    }

    Chunk Take() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !chunks_.empty(); });
        Chunk chunk = std::move(chunks_.front());
        chunks_.pop_front();
        held_ -= chunk.bytes.size();
        room_.notify_one();
        return chunk;
    }

    void Close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        room_.notify_one();
    }

   private:
    std::mutex mutex_;
    std::condition_variable filled_, room_;
    std::deque<Chunk> chunks_;
    size_t held_ = 0;
    bool is_closed_ = false;
};

// Owned by its four threads together: the last one closes the sockets.
struct Connection {
    Connection(int client_socket, int broker_socket)
        : client(client_socket), broker(broker_socket) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        close(client);
        close(broker);
    }

    const int client;
    const int broker;
    Direction requests;
    Direction answers;
};

void Read(int from, Direction& direction, Clock::duration delay) {
    const std::unique_ptr<char[]> buffer(new char[kReadBytes]);
    for (;;) {
        const ssize_t got = recv(from, buffer.get(), kReadBytes, 0);
        if (got < 0 && errno == EINTR) continue;
        const size_t size = got > 0 ? static_cast<size_t>(got) : 0;
        const bool is_taken = direction.Put(
            {Clock::now() + delay, std::vector<char>(buffer.get(), buffer.get() + size)});
        if (size == 0 || !is_taken) return;
    }
}

void Write(Direction& direction, int to, int from) {
    for (;;) {
        const Direction::Chunk chunk = direction.Take();
        std::this_thread::sleep_until(chunk.due);
        if (chunk.bytes.empty()) {
            shutdown(to, SHUT_WR);
            return;
        }
        if (!SendAll(to, chunk.bytes.data(), chunk.bytes.size())) {
            direction.Close();
            // Whoever sends learns it, and the reading thread ends.
            shutdown(from, SHUT_RDWR);
            return;
        }
    }
}

void Serve(int client, uint16_t broker_port, Clock::duration delay) {
    SetNoDelay(client);
    const auto link = std::make_shared<Connection>(client, Connect(broker_port));
    std::thread([=] { Read(link->client, link->requests, delay); }).detach();
    std::thread([=] { Write(link->requests, link->broker, link->client); }).detach();
    std::thread([=] { Read(link->broker, link->answers, delay); }).detach();
    std::thread([=] { Write(link->answers, link->client, link->broker); }).detach();
}

int Main(int argc, char** argv) {
    const long one_way = argc == 2 ? std::atol(argv[1]) : 0;
    if (one_way <= 0) {
        std::fprintf(stderr, "delay_proxy: ONE_WAY_MICROSECONDS\n");
        return 2;
    }
    const int listener = Listen(0);
    std::printf("%u\n", PortOf(listener));
    std::fflush(stdout);
    char line[16];
    if (std::fgets(line, sizeof line, stdin) == nullptr) return 0;
    const auto broker_port = static_cast<uint16_t>(std::atoi(line));
    std::thread([=] {
        for (;;) {
            const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (client >= 0) Serve(client, broker_port, std::chrono::microseconds(one_way));
        }
    }).detach();
    while (std::fgets(line, sizeof line, stdin) != nullptr) {
    }
    _exit(0);  // connection threads may still be in the middle of a chunk
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
