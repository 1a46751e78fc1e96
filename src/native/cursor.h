// Reads a broker's answer with an end that is checked before every step. After the first read
// beyond the end, or a length that cannot be, the cursor is broken: it reads zeros and `ok()` is
// false.
#ifndef HELIOSTAT_CURSOR_H_
#define HELIOSTAT_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "big_endian.h"

namespace heliostat {

class Cursor {
   public:
    Cursor(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size) {}

    bool ok() const { return !is_broken_; }
    size_t left() const { return static_cast<size_t>(end_ - at_); }

    template <typename Integer>
    Integer Read() {
        const uint8_t* from = Take(sizeof(Integer));
        return from ? LoadBigEndian<Integer>(from) : Integer{0};
    }

    // An array's count; null counts as empty. Broken when the bytes left cannot hold that many
    // entries of at least `smallest` bytes.
    size_t ReadCount(size_t smallest) {
        const int32_t count = Read<int32_t>();
        if (count <= 0) {
            if (count < -1) Break();
            return 0;
        }
        if (static_cast<size_t>(count) > left() / smallest) {
            Break();
            return 0;
        }
        return static_cast<size_t>(count);
    }

    // A string with a 16-bit length; null is empty. Lives as long as the bytes.
    std::string_view ReadString() {
        const int16_t length = Read<int16_t>();
        if (length < 0) {
            if (length < -1) Break();
            return {};
        }
        const uint8_t* from = Take(static_cast<size_t>(length));
        return from ? std::string_view(reinterpret_cast<const char*>(from), length)
                    : std::string_view{};
    }

    // Bytes with a 32-bit length; null is empty.
    struct Bytes {
        const uint8_t* data;
        size_t size;
    };
    Bytes ReadBytes() {
        const int32_t length = Read<int32_t>();
        if (length < 0) {
            if (length < -1) Break();
            return {nullptr, 0};
        }
        const uint8_t* from = Take(static_cast<size_t>(length));
        return from ? Bytes{from, static_cast<size_t>(length)} : Bytes{nullptr, 0};
    }

    // Flexible encoding: unsigned varint of at most 5 bytes.
    uint32_t ReadUvarint() {
        uint64_t value = 0;
        for (int i = 0; i < 5; i++) {
            const uint8_t byte = Read<uint8_t>();
            value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
            if (!(byte & 0x80)) return value > UINT32_MAX ? Refuse() : static_cast<uint32_t>(value);
        }
        return Refuse();
    }

    // As ReadCount: 0 is null, else one more than the count.
    size_t ReadCompactCount(size_t smallest) {
        const uint32_t count = ReadUvarint();
        if (count == 0) return 0;
        return count - 1 > left() / smallest ? Refuse() : count - 1;
    }

    std::string_view ReadCompactString() {
        const uint32_t length = ReadUvarint();
        if (length == 0) return {};
        const uint8_t* from = Take(length - 1);
        return from ? std::string_view(reinterpret_cast<const char*>(from), length - 1)
                    : std::string_view{};
    }

    // Bytes whose length is one more than their number; null is empty.
    Bytes ReadCompactBytes() {
        const uint32_t length = ReadUvarint();
        if (length == 0) return {nullptr, 0};
        const uint8_t* from = Take(length - 1);
        return from ? Bytes{from, length - 1} : Bytes{nullptr, 0};
    }

    // Tagged fields: number, then tag, size and bytes of each. Calls `each(tag, field)`.
    template <typename Each>
    void ReadTags(Each each) {
        const uint32_t count = ReadUvarint();
        for (uint32_t i = 0; i < count && !is_broken_; i++) {
            const uint32_t tag = ReadUvarint();
            const uint32_t size = ReadUvarint();
            const uint8_t* from = Take(size);
            if (from) each(tag, Cursor(from, size));
        }
    }
    void SkipTags() {
        ReadTags([](uint32_t, Cursor) {});
    }

    // Text of a known size.
    std::string_view ReadText(size_t size) {
        const uint8_t* from = Take(size);
        return from ? std::string_view(reinterpret_cast<const char*>(from), size)
                    : std::string_view{};
    }

    void Skip(size_t size) { Take(size); }

    // A zigzag varint as in v2 records: at most 5 bytes for 32 bits, 10 for 64.
    int64_t ReadVarint(int max_bytes) {
        uint64_t value = 0;
        for (int i = 0; i < max_bytes; i++) {
            const uint8_t byte = Read<uint8_t>();
            if (is_broken_) return 0;
            value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
            if (!(byte & 0x80))
                return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
        }
        Break();
        return 0;
    }

   private:
    const uint8_t* Take(size_t size) {
        if (is_broken_ || size > left()) {
            Break();
            return nullptr;
        }
        const uint8_t* from = at_;
        at_ += size;
        return from;
    }
    uint32_t Refuse() {
        Break();
        return 0;
    }
    void Break() {
        is_broken_ = true;
        at_ = end_;
    }

    const uint8_t* at_;
    const uint8_t* end_;
    bool is_broken_ = false;
};

}  // namespace heliostat

#endif  // HELIOSTAT_CURSOR_H_
