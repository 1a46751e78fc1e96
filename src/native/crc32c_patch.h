// CRC-32C of a batch whose header was edited, without reading its payload.
//
// CRC-32C is linear over GF(2): with H the header bytes under the CRC as received, H' as sent and n
// payload bytes behind them, crc' = crc xor Z(crc(H) xor crc(H'), n), where Z advances a value by n
// zero bytes. The payload is never looked at, so damage in it stays visible to the target.
#ifndef HELIOSTAT_CRC32C_PATCH_H_
#define HELIOSTAT_CRC32C_PATCH_H_

#include <cstddef>
#include <cstdint>

namespace heliostat {

// CRC-32C (polynomial 0x82F63B78, reflected) of the bytes, as Kafka stores it.
uint32_t Crc32c(const uint8_t* bytes, size_t size);

// Advances a CRC difference by `size` zero bytes; `size` below 2^31.
uint32_t Crc32cZeros(uint32_t crc, uint32_t size);

}  // namespace heliostat

#endif  // HELIOSTAT_CRC32C_PATCH_H_
