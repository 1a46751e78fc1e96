// Blocking TCP on loopback: listening, connecting, one buffered input, and gathered output.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bench {

// Listens on 127.0.0.1; port 0 takes a free one. Ends the process when it cannot.
int Listen(uint16_t port);
uint16_t PortOf(int listener);
int Connect(uint16_t port);
void SetNoDelay(int socket);

// Sends all parts, as many a call as the kernel takes; false when the peer is gone. Alters `parts`.
bool SendParts(int socket, std::vector<iovec>& parts);
bool SendAll(int socket, const void* data, size_t size);

// Reads through one small buffer that is used over and over and so stays in the core's cache.
class Input {
   public:
    explicit Input(int socket);
    // The next `size` bytes (at most kCapacity) in one piece; nullptr when the peer is gone.
    // They stay valid until the next call.
    const char* Take(size_t size);
    bool Copy(char* to, size_t size);
    // What is buffered, or the next piece that arrives, at most `most` bytes; empty at the end.
    struct Piece {
        const char* data;
        size_t size;
    };
    Piece TakeSome(size_t most);

    // Large enough to save system calls, small enough to stay in a core's second-level cache.
    static constexpr size_t kCapacity = 256 * 1024;

   private:
    bool Fill();

    const int socket_;
    const std::unique_ptr<char[]> buffer_;
    size_t begin_ = 0;
    size_t end_ = 0;
};

}  // namespace bench
