// Kafka's wire integers: big-endian, read and written by copy, since nothing on the wire is
// aligned.
#ifndef HELIOSTAT_BIG_ENDIAN_H_
#define HELIOSTAT_BIG_ENDIAN_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace heliostat {

static_assert(std::endian::native == std::endian::little, "big-endian hosts are not supported");

template <typename Integer>
Integer SwapBytes(Integer value) {
    if constexpr (sizeof(Integer) == 1) return value;
    if constexpr (sizeof(Integer) == 2) return static_cast<Integer>(__builtin_bswap16(value));
    if constexpr (sizeof(Integer) == 4) return static_cast<Integer>(__builtin_bswap32(value));
    if constexpr (sizeof(Integer) == 8) return static_cast<Integer>(__builtin_bswap64(value));
}

template <typename Integer>
Integer LoadBigEndian(const uint8_t* from) {
    Integer value;
    std::memcpy(&value, from, sizeof(value));
    return SwapBytes(value);
}

template <typename Integer>
void StoreBigEndian(uint8_t* to, std::type_identity_t<Integer> value) {
    const Integer swapped = SwapBytes(value);
    std::memcpy(to, &swapped, sizeof(swapped));
}

}  // namespace heliostat

#endif  // HELIOSTAT_BIG_ENDIAN_H_
