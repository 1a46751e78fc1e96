#include "socket.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

namespace {

sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

[[noreturn]] void Fail(const char* what, uint16_t port) {
    std::fprintf(stderr, "%s 127.0.0.1:%u: %s\n", what, port, std::strerror(errno));
    std::exit(1);
}

// Takes `sent` bytes off the front of the parts.
void Advance(iovec*& part, size_t& count, size_t sent) {
    while (count > 0 && sent >= part->iov_len) {
        sent -= part->iov_len;
        ++part;
        --count;
    }
    if (count == 0) return;
    part->iov_base = static_cast<char*>(part->iov_base) + sent;
    part->iov_len -= sent;
}

}  // namespace

int Listen(uint16_t port) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    const sockaddr_in address = Loopback(port);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener, 128) != 0) {
        Fail("cannot listen on", port);
    }
    return listener;
}

uint16_t PortOf(int listener) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

int Connect(uint16_t port) {
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(port);
    if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        Fail("cannot connect to", port);
    }
    SetNoDelay(connection);
    return connection;
}

void SetNoDelay(int socket) {
    const int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

bool SendParts(int socket, std::vector<iovec>& parts) {
    iovec* part = parts.data();
    size_t count = parts.size();
    while (count > 0) {
        msghdr message{};
        message.msg_iov = part;
        message.msg_iovlen = std::min<size_t>(count, IOV_MAX);
        const int more = message.msg_iovlen < count ? MSG_MORE : 0;
        const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | more);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        Advance(part, count, static_cast<size_t>(sent));
    }
    return true;
}

bool SendAll(int socket, const void* data, size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        at += sent;
        size -= static_cast<size_t>(sent);
    }
    return true;
}

Input::Input(int socket) : socket_(socket), buffer_(new char[kCapacity]) {}

const char* Input::Take(size_t size) {
    while (end_ - begin_ < size) {
        if (!Fill()) return nullptr;
    }
    const char* taken = buffer_.get() + begin_;
    begin_ += size;
    return taken;
}

bool Input::Copy(char* to, size_t size) {
    while (size > 0) {
        const Piece piece = TakeSome(size);
        if (piece.size == 0) return false;
        std::memcpy(to, piece.data, piece.size);
        to += piece.size;
        size -= piece.size;
    }
    return true;
}

Input::Piece Input::TakeSome(size_t most) {
    if (begin_ == end_ && !Fill()) return {nullptr, 0};
    const size_t size = std::min(most, end_ - begin_);
    const char* taken = buffer_.get() + begin_;
    begin_ += size;
    return {taken, size};
}

bool Input::Fill() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
    } else if (begin_ > 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    for (;;) {
        const ssize_t got = recv(socket_, buffer_.get() + end_, kCapacity - end_, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        end_ += static_cast<size_t>(got);
        return true;
    }
}

}  // namespace bench
