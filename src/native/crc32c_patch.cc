#include "crc32c_patch.h"

#include <array>

namespace heliostat {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

// A linear map on 32 bits, by the image of each bit; byte tables make applying it four look-ups.
using Matrix = std::array<uint32_t, 32>;
using ByteTables = std::array<std::array<uint32_t, 256>, 4>;

constexpr uint32_t Apply(const Matrix& matrix, uint32_t value) {
    uint32_t result = 0;
    for (int bit = 0; value != 0; bit++, value >>= 1)
        if (value & 1) result ^= matrix[bit];
    return result;
}

constexpr Matrix Square(const Matrix& matrix) {
    Matrix result{};
    for (int bit = 0; bit < 32; bit++) result[bit] = Apply(matrix, matrix[bit]);
    return result;
}

ByteTables TablesOf(const Matrix& matrix) {
    ByteTables tables{};
    for (int byte = 0; byte < 4; byte++)
        for (uint32_t value = 0; value < 256; value++)
            tables[byte][value] = Apply(matrix, value << (8 * byte));
    return tables;
}

// tables[k] advances by 2^k zero bytes.
std::array<ByteTables, 31> MakeZeroTables() {
    Matrix one_bit{};
    one_bit[0] = kPolynomial;
    for (int bit = 1; bit < 32; bit++) one_bit[bit] = 1u << (bit - 1);
    Matrix power = Square(Square(Square(one_bit)));
    std::array<ByteTables, 31> tables{};
    for (ByteTables& table : tables) {
        table = TablesOf(power);
        power = Square(power);
    }
    return tables;
}

std::array<uint32_t, 256> MakeByteTable() {
    std::array<uint32_t, 256> table{};
    for (uint32_t value = 0; value < 256; value++) {
        uint32_t crc = value;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
        table[value] = crc;
    }
    return table;
}

}  // namespace

uint32_t Crc32c(const uint8_t* bytes, size_t size) {
    uint32_t crc = ~0u;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return [](const uint8_t* p, size_t n) __attribute__((target("sse4.2"))) {
            uint64_t wide = ~0u;
            for (; n >= 8; n -= 8, p += 8) {
                uint64_t word;
                __builtin_memcpy(&word, p, 8);
                wide = __builtin_ia32_crc32di(wide, word);
            }
            uint32_t narrow = static_cast<uint32_t>(wide);
            for (; n > 0; n--, p++) narrow = __builtin_ia32_crc32qi(narrow, *p);
            return ~narrow;
        }(bytes, size);
    }
#endif
    static const std::array<uint32_t, 256> table = MakeByteTable();
    for (size_t i = 0; i < size; i++) crc = (crc >> 8) ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

uint32_t Crc32cZeros(uint32_t crc, uint32_t size) {
    static const std::array<ByteTables, 31> tables = MakeZeroTables();
    for (int k = 0; k < 31; k++) {
        if (!(size >> k & 1)) continue;
        const ByteTables& table = tables[k];
        crc = table[0][crc & 0xff] ^ table[1][crc >> 8 & 0xff] ^ table[2][crc >> 16 & 0xff] ^
              table[3][crc >> 24];
    }
    return crc;
}

}  // namespace heliostat
