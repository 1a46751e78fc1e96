// The header a target gets: its bytes, and a CRC that never signs damage.

#include "batch_header.h"

#include <string_view>

#include "batch_bytes.h"
#include "check.h"
#include "crc32c_patch.h"

namespace heliostat::testing {
namespace {

Bytes FromHex(std::string_view text) {
    const auto digit = [](char c) {
        return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    };
    Bytes bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

// One record, its header under the CRC as a source has it (H) and as the target is to get it (H').
const Bytes kPayload = FromHex("1c000000066b65790a76616c756500");
const Bytes kSource =
    FromHex("00080000000000000000000003e800000000000003e8000000000000000700010000002a00000001");
const Bytes kTarget =
    FromHex("00000000000000000000000003e800000000000003e800000000000003e800000000000500000001");

Bytes RandomBatch(Random& random) {
    Bytes batch(static_cast<size_t>(Between(random, 61, random() % 4 ? 400 : 20'000)));
    for (uint8_t& byte : batch) byte = static_cast<uint8_t>(random());
    StoreBigEndian<int32_t>(batch.data() + 8, static_cast<int32_t>(batch.size()) - 12);
    batch[16] = 2;
    Seal(batch);
    return batch;
}

Bytes Stamped(const Bytes& batch, const ProducerStamp& stamp) {
    Bytes stamped = batch;
    StampBatchHeader(batch.data(), stamp, stamped.data());
    return stamped;
}

}  // namespace

TEST("CRC-32C of the digits 1 to 9 is the known one") {
    const std::string_view digits = "123456789";
    CHECK(Crc32c(reinterpret_cast<const uint8_t*>(digits.data()), digits.size()) == 0xE3069283);
}

TEST("the written-down header, its patched form and both CRCs agree") {
    CHECK(kSource.size() == 40 && kTarget.size() == 40 && kPayload.size() == 15);
    CHECK(Crc32c(kSource.data(), 40) == 0x1D5B0AFF);
    CHECK(Crc32c(kTarget.data(), 40) == 0xA7DFABD1);
    CHECK(Crc32cZeros(0x1D5B0AFF ^ 0xA7DFABD1, 15) == 0x10089B16);
    Bytes whole = kSource;
    Append(whole, kPayload);
    CHECK(Crc32c(whole.data(), whole.size()) == 0x123FA2F9);
    whole = kTarget;
    Append(whole, kPayload);
    CHECK(Crc32c(whole.data(), whole.size()) == 0x023739EF);
}

TEST("advancing by zero bytes is what hashing zeros does") {
    Random random(1);
    for (int i = 0; i < 200; i++) {
        const auto size = static_cast<size_t>(Between(random, 0, 5'000));
        Bytes a(8), b(8);
        for (size_t k = 0; k < 8; k++) a[k] = static_cast<uint8_t>(random());
        for (size_t k = 0; k < 8; k++) b[k] = static_cast<uint8_t>(random());
        const uint32_t difference = Crc32c(a.data(), 8) ^ Crc32c(b.data(), 8);
        a.resize(8 + size);
        b.resize(8 + size);
        CHECK((Crc32c(a.data(), a.size()) ^ Crc32c(b.data(), b.size())) ==
              Crc32cZeros(difference, static_cast<uint32_t>(size)));
    }
}

TEST("the patched CRC equals a full recompute") {
    Random random(2);
    for (int i = 0; i < 3'000; i++) {
        const Bytes batch = RandomBatch(random);
        const Bytes stamped =
            Stamped(batch, {static_cast<int64_t>(random() >> 1),
                            static_cast<int16_t>(Between(random, 0, 0x7fff)),
                            static_cast<int32_t>(Between(random, 0, 0x7fffffff))});
        CHECK(IsCrcRight(stamped.data(), stamped.size()));
    }
}

TEST("a flipped bit under the CRC stays visible behind the new header") {
    Random random(3);
    for (int i = 0; i < 10'000; i++) {
        Bytes batch = RandomBatch(random);
        const auto at =
            static_cast<size_t>(Between(random, 17, static_cast<int64_t>(batch.size()) - 1));
        batch[at] ^= static_cast<uint8_t>(1 << Between(random, 0, 7));
        const Bytes stamped = Stamped(batch, {1'000, 0, 5});
        CHECK(!IsCrcRight(stamped.data(), stamped.size()));
    }
}

TEST("the target's header has our stamp, the codec and nothing else of the source's") {
    for (int16_t codec = 0; codec <= 4; codec++) {
        const Bytes batch = MakeBatch({.base_offset = 123'456,
                                       .deltas = {0, 1, 2},
                                       .attributes = static_cast<int16_t>(0x7ff8 | codec),
                                       .max_timestamp = 77,
                                       .producer_id = 42,
                                       .producer_epoch = 3,
                                       .base_sequence = 99});
        const Bytes stamped = Stamped(batch, {7'000, 5, 2'147'483'647});
        CHECK(LoadBigEndian<int64_t>(stamped.data()) == 0);
        CHECK(LoadBigEndian<int32_t>(stamped.data() + 12) == -1);
        CHECK(LoadBigEndian<int16_t>(stamped.data() + 21) == codec);
        CHECK(LoadBigEndian<int64_t>(stamped.data() + 43) == 7'000);
        CHECK(LoadBigEndian<int16_t>(stamped.data() + 51) == 5);
        CHECK(LoadBigEndian<int32_t>(stamped.data() + 53) == 2'147'483'647);
        CHECK(stamped[16] == 2);
        for (const size_t at : {8, 23, 27, 35, 57, 61})
            CHECK(stamped[at] == batch[at] && stamped[at + 3] == batch[at + 3]);
        CHECK(IsCrcRight(stamped.data(), stamped.size()));
    }
}

TEST("a header is read field by field") {
    const Bytes batch = MakeBatch({.base_offset = 1'000'000'000'000,
                                   .deltas = {0, 1, 2, 3},
                                   .attributes = 0x3c,
                                   .max_timestamp = -1,
                                   .producer_id = 17});
    const BatchHeader header = ReadBatchHeader(batch.data());
    CHECK(header.base_offset == 1'000'000'000'000 && header.next_offset() == 1'000'000'000'004);
    CHECK(header.size() == batch.size() && header.magic == 2 && header.record_count == 4);
    CHECK(header.codec() == 4 && header.is_append_time() && header.is_transactional());
    CHECK(header.is_control() && header.max_timestamp == -1 && header.producer_id == 17);
}

TEST("a batch without payload is patched, too") {
    Bytes batch = MakeBatch({.deltas = {}, .record_count = 0});
    CHECK(batch.size() == kBatchHeaderSize);
    const Bytes stamped = Stamped(batch, {9, 0, 0});
    CHECK(IsCrcRight(stamped.data(), stamped.size()));
}

}  // namespace heliostat::testing
