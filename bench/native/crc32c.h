// CRC-32C, for the stub's check mode only: plain and slow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bench {

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
    std::array<uint32_t, 256> table{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0x82f63b78u : 0);
        table[byte] = value;
    }
    return table;
}

inline uint32_t Crc32c(const char* data, size_t size) {
    static constexpr std::array<uint32_t, 256> kTable = MakeCrc32cTable();
    uint32_t state = ~0u;
    for (size_t at = 0; at < size; ++at) {
        state = kTable[(state ^ static_cast<uint8_t>(data[at])) & 0xff] ^ (state >> 8);
    }
    return ~state;
}

}  // namespace bench
