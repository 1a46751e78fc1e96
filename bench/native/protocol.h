// Kafka's primitive types on the wire, as far as the stub broker speaks them (no flexible
// versions).
#pragma once

#include <endian.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

inline int16_t LoadI16(const char* at) {
    uint16_t raw;
    std::memcpy(&raw, at, sizeof raw);
    return static_cast<int16_t>(be16toh(raw));
}

inline int32_t LoadI32(const char* at) {
    uint32_t raw;
    std::memcpy(&raw, at, sizeof raw);
    return static_cast<int32_t>(be32toh(raw));
}

inline int64_t LoadI64(const char* at) {
    uint64_t raw;
    std::memcpy(&raw, at, sizeof raw);
    return static_cast<int64_t>(be64toh(raw));
}

// Reads a request in memory. Past the end it gives zeros and empty strings and remembers it; the
// caller asks `ok()` once, after the last field.
class Reader {
   public:
    Reader(const char* at, size_t size) : at_(at), left_(size) {}

    bool ok() const { return ok_; }
    int8_t I8() {
        const char* at = Take(1);
        return at == nullptr ? int8_t{0} : static_cast<int8_t>(*at);
    }
    bool Bool() { return I8() != 0; }
    int16_t I16() {
        const char* at = Take(2);
        return at == nullptr ? int16_t{0} : LoadI16(at);
    }
    int32_t I32() {
        const char* at = Take(4);
        return at == nullptr ? 0 : LoadI32(at);
    }
    int64_t I64() {
        const char* at = Take(8);
        return at == nullptr ? 0 : LoadI64(at);
    }
    // Null reads as empty.
    std::string_view String() { return Bytes(I16()); }
    std::string_view Blob() { return Bytes(I32()); }
    // -1 is null. A count that cannot fit what is left is an error, so that no loop runs away.
    int32_t Count() {
        const int32_t count = I32();
        if (count > static_cast<int64_t>(left_)) ok_ = false;
        return ok_ ? count : 0;
    }

   private:
    std::string_view Bytes(int32_t size) {
        if (size <= 0) return {};
        const char* at = Take(static_cast<size_t>(size));
        return at == nullptr ? std::string_view{} : std::string_view{at, static_cast<size_t>(size)};
    }
    const char* Take(size_t size) {
        if (!ok_ || size > left_) {
            ok_ = false;
            return nullptr;
        }
        const char* at = at_;
        at_ += size;
        left_ -= size;
        return at;
    }

    const char* at_;
    size_t left_;
    bool ok_ = true;
};

// Builds a response. The first four bytes are kept for its length.
class Writer {
   public:
    void Begin(int32_t correlation_id) {
        bytes_.assign(4, '\0');
        I32(correlation_id);
    }
    void I8(int8_t value) { bytes_.push_back(static_cast<char>(value)); }
    void Bool(bool value) { I8(value ? 1 : 0); }
    void I16(int16_t value) { Raw(htobe16(static_cast<uint16_t>(value))); }
    void I32(int32_t value) { Raw(htobe32(static_cast<uint32_t>(value))); }
    void I64(int64_t value) { Raw(htobe64(static_cast<uint64_t>(value))); }
    void String(std::string_view text) {
        I16(static_cast<int16_t>(text.size()));
        bytes_.append(text);
    }
    void NullString() { I16(-1); }
    void Blob(std::string_view blob) {
        I32(static_cast<int32_t>(blob.size()));
        bytes_.append(blob);
    }
    size_t size() const { return bytes_.size(); }
    const char* data() const { return bytes_.data(); }
    // `more` bytes of batches follow what is written here.
    void SetLength(size_t more) {
        const uint32_t length = htobe32(static_cast<uint32_t>(bytes_.size() - 4 + more));
        std::memcpy(bytes_.data(), &length, sizeof length);
    }

   private:
    template <typename T>
    void Raw(T value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }

    std::string bytes_;
};

}  // namespace bench
