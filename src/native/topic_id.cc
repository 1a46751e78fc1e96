#include "topic_id.h"

#include <algorithm>
#include <string_view>

#include "protocol.h"

namespace heliostat {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string ReadTopicId(const std::string& hex) {
    if (hex.size() != 2 * kTopicIdSize) return {};
    std::string bytes;
    for (size_t i = 0; i < hex.size(); i += 2) {
        const size_t high = kDigits.find(hex[i]);
        const size_t low = kDigits.find(hex[i + 1]);
        if (high == kDigits.npos || low == kDigits.npos) return {};
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

std::string WriteTopicId(const std::string& bytes) {
    if (std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; })) return {};
    std::string hex;
    for (const char byte : bytes) {
        hex += kDigits[static_cast<uint8_t>(byte) >> 4];
        hex += kDigits[static_cast<uint8_t>(byte) & 0x0f];
    }
    return hex;
}

}  // namespace heliostat
