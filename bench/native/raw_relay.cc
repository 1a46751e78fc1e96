// The ceiling: a relay that moves the same bytes between the same ends and looks at none of them.
//
//   raw_relay SOURCE_PORT TARGET_PORT copy|splice [CONNECTIONS]
//
// `copy` reads into one buffer and writes it out; `splice` moves pages through a pipe inside the
// kernel.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "socket.h"

namespace bench {

namespace {

// As much as the ends read at once: of 64 KiB to 1 MiB none was clearly better.
constexpr size_t kBufferBytes = 256 * 1024;
constexpr size_t kPipeBytes = 1 << 20;

void Copy(int source, int target) {
    const std::unique_ptr<char[]> buffer(new char[kBufferBytes]);
    for (;;) {
        const ssize_t got = recv(source, buffer.get(), kBufferBytes, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        if (!SendAll(target, buffer.get(), static_cast<size_t>(got))) return;
    }
}

void Splice(int source, int target) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        std::perror("pipe");
        return;
    }
    // Without leave for a larger pipe the kernel's default serves, with more calls.
    fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
    for (;;) {
        ssize_t held = splice(source, nullptr, ends[1], nullptr, kPipeBytes, SPLICE_F_MOVE);
        if (held <= 0) break;
        while (held > 0) {
            const ssize_t sent = splice(ends[0], nullptr, target, nullptr,
                                        static_cast<size_t>(held), SPLICE_F_MOVE | SPLICE_F_MORE);
            if (sent <= 0) {
                held = -1;
                break;
            }
            held -= sent;
        }
        if (held < 0) break;
    }
    close(ends[0]);
    close(ends[1]);
}

int Main(int argc, char** argv) {
    const std::string_view mode = argc > 3 ? argv[3] : "";
    if (mode != "copy" && mode != "splice") {
        std::fprintf(stderr, "raw_relay: SOURCE_PORT TARGET_PORT copy|splice [CONNECTIONS]\n");
        return 2;
    }
    const auto source_port = static_cast<uint16_t>(std::atoi(argv[1]));
    const auto target_port = static_cast<uint16_t>(std::atoi(argv[2]));
    const int connections = argc > 4 ? std::atoi(argv[4]) : 1;
    std::vector<std::thread> threads;
    for (int number = 0; number < connections; ++number) {
        threads.emplace_back([=] {
            const int target = Connect(target_port);
            const int source = Connect(source_port);
            (mode == "copy" ? Copy : Splice)(source, target);
            close(source);
            close(target);
        });
    }
    for (std::thread& thread : threads) thread.join();
    return 0;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
