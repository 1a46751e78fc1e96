// Answers of every version in use, made by hand, whole and cut at every byte.

#include "protocol.h"

#include <functional>
#include <string>
#include <vector>

#include "check.h"

namespace heliostat::testing {
namespace {

std::string FetchText(const uint8_t* data, size_t size, int16_t version, FetchSummary* summary) {
    std::string text;
    *summary = ReadFetch(Cursor(data, size), version, [&](FetchAnswer&& answer) {
        text += std::string(answer.topic) + "-" + std::to_string(answer.partition) + ":" +
                std::to_string(answer.error) + "," + std::to_string(answer.high_watermark) + "," +
                std::to_string(answer.last_stable_offset) + "," + std::to_string(answer.log_start) +
                "," + std::to_string(answer.preferred_read_replica) + "," +
                std::to_string(answer.records.size) + "," + std::to_string(answer.diverging_end) +
                "[";
        for (const AbortedTransaction& aborted : answer.aborted)
            text += std::to_string(aborted.producer_id) + "@" +
                    std::to_string(aborted.first_offset) + " ";
        text += "] ";
    });
    return text;
}

// As a broker writes it: plain counts below kFetchFlexible, else one more than they say, and tags.
struct FetchWriter {
    Encoder to;
    const int16_t version;

    bool is_flexible() const { return version >= kFetchFlexible; }
    void Count(int32_t count) {
        if (!is_flexible()) return to.Write<int32_t>(count);
        to.WriteUvarint(static_cast<uint32_t>(count + 1));
    }
    void Tags() {
        if (is_flexible()) to.WriteNoTags();
    }
    void Topic(const std::string& name) {
        if (version >= kFetchByTopicId) {
            // An id stands for the name: the name, filled up.
            const std::string id = (name + std::string(kTopicIdSize, '.')).substr(0, kTopicIdSize);
            to.WriteBytes(reinterpret_cast<const uint8_t*>(id.data()), id.size());
        } else if (is_flexible()) {
            to.WriteCompactString(name);
        } else {
            to.WriteString(name);
        }
    }
    void Partition(int32_t partition, int32_t aborted, int32_t record_bytes,
                   int64_t diverging_end = -1) {
        to.Write<int32_t>(partition);
        to.Write<int16_t>(0);
        to.Write<int64_t>(100);
        if (version >= kFetchNewFormat) to.Write<int64_t>(90);
        if (version >= 5) to.Write<int64_t>(7);
        if (version >= kFetchNewFormat) Count(aborted);
        for (int32_t i = 0; version >= kFetchNewFormat && i < aborted; i++) {
            to.Write<int64_t>(1'000 + i);
            to.Write<int64_t>(50 + i);
            Tags();
        }
        if (version >= 11) to.Write<int32_t>(3);
        Count(record_bytes);
        for (int32_t i = 0; i < record_bytes; i++) to.Write<int8_t>(1);
        if (!is_flexible()) return;
        if (diverging_end < 0) return to.WriteNoTags();
        to.WriteUvarint(2);
        to.WriteUvarint(0);  // diverging epoch
        to.WriteUvarint(13);
        to.Write<int32_t>(4);
        to.Write<int64_t>(diverging_end);
        to.WriteNoTags();
        to.WriteUvarint(7);  // one that nobody knows
        to.WriteUvarint(2);
        to.Write<int16_t>(1);
    }
};

Encoder FetchAnswerBytes(int16_t version) {
    FetchWriter answer{{}, version};
    answer.to.Write<int32_t>(25);
    if (version >= kFetchSession) {
        answer.to.Write<int16_t>(0);
        answer.to.Write<int32_t>(77);
    }
    answer.Count(2);
    answer.Topic("orders");
    answer.Count(2);
    answer.Partition(4, 2, 5);
    answer.Partition(0, -1, -1);
    answer.Tags();
    answer.Topic("log");
    answer.Count(1);
    answer.Partition(1, 0, 0, 60);
    answer.Tags();
    answer.Tags();
    return answer.to;
}

Encoder ProduceAnswerBytes(int16_t version) {
    Encoder to;
    to.Write<int32_t>(1);
    to.WriteString("orders");
    to.Write<int32_t>(2);
    for (const int32_t partition : {3, 1}) {
        to.Write<int32_t>(partition);
        to.Write<int16_t>(partition == 1 ? 87 : 0);
        to.Write<int64_t>(partition == 1 ? -1 : 1'000);
        to.Write<int64_t>(-1);
        if (version >= 5) to.Write<int64_t>(0);
        if (version < 8) continue;
        to.Write<int32_t>(partition == 1 ? 1 : 0);
        if (partition == 1) {
            to.Write<int32_t>(0);
            to.Write<int16_t>(-1);
            to.WriteString("bad");
        } else {
            to.Write<int16_t>(-1);
        }
    }
    to.Write<int32_t>(40);
    return to;
}

std::string ProduceText(const uint8_t* data, size_t size, int16_t version,
                        ProduceSummary* summary) {
    std::string text;
    *summary = ReadProduce(Cursor(data, size), version, [&](const ProduceAnswer& answer) {
        text += std::string(answer.topic) + "-" + std::to_string(answer.partition) + ":" +
                std::to_string(answer.error) + "@" + std::to_string(answer.base_offset) + " ";
    });
    return text;
}

Encoder MetadataBytes(int16_t version) {
    Encoder to;
    if (version >= 3) to.Write<int32_t>(0);
    to.Write<int32_t>(1);
    to.Write<int32_t>(7);
    to.WriteString("host");
    to.Write<int32_t>(9092);
    to.Write<int16_t>(-1);
    if (version >= 2) to.WriteString("cluster");
    to.Write<int32_t>(7);
    to.Write<int32_t>(2);
    for (const char* topic : {"orders", "gone"}) {
        const bool is_known = topic[0] == 'o';
        to.Write<int16_t>(is_known ? 0 : 3);
        to.WriteString(topic);
        to.Write<int8_t>(0);
        to.Write<int32_t>(is_known ? 2 : 0);
        for (int32_t partition = 0; is_known && partition < 2; partition++) {
            to.Write<int16_t>(0);
            to.Write<int32_t>(partition);
            to.Write<int32_t>(partition == 0 ? 7 : -1);
            if (version >= 7) to.Write<int32_t>(12);
            for (int list = 0; list < (version >= 5 ? 3 : 2); list++) {
                to.Write<int32_t>(list == 2 ? 0 : 2);
                for (int i = 0; list != 2 && i < 2; i++) to.Write<int32_t>(7 + i);
            }
        }
        if (version >= 8) to.Write<int32_t>(INT32_MIN);
    }
    if (version >= 8) to.Write<int32_t>(INT32_MIN);
    return to;
}

std::string MetadataText(const uint8_t* data, size_t size, int16_t version, bool* is_well_formed) {
    std::string text;
    *is_well_formed = ReadMetadata(Cursor(data, size), version, [&](const PartitionLeader& leader) {
        text += std::string(leader.topic) + "-" + std::to_string(leader.partition) + ":" +
                std::to_string(leader.leader) + " ";
    });
    return text;
}

// A cut answer must be refused and must have told only what the whole one tells, in its order. From
// a copy of exactly that size, so that AddressSanitizer sees a read beyond it.
void CheckCuts(const Encoder& whole, const std::string& text,
               const std::function<std::string(const uint8_t*, size_t, bool*)>& read,
               size_t needed) {
    for (size_t cut = 0; cut < whole.size(); cut++) {
        const std::vector<uint8_t> bytes(whole.data(), whole.data() + cut);
        bool is_well_formed = false;
        const std::string told = read(bytes.data(), bytes.size(), &is_well_formed);
        CHECK(is_well_formed == (cut >= needed));
        CHECK(text.starts_with(told));
    }
}

}  // namespace

TEST("Fetch answers of every version are read, and refused when cut anywhere") {
    for (int16_t version = kFetchMin; version <= kFetchMax; version++) {
        const Encoder whole = FetchAnswerBytes(version);
        FetchSummary summary{};
        const std::string text = FetchText(whole.data(), whole.size(), version, &summary);
        const bool is_old = version < kFetchNewFormat;
        // Without transactions all that is replicated is stable.
        const std::string ends = is_old ? "0,100,100" : "0,100,90";
        const std::string aborted = is_old ? "" : "1000@50 1001@51 ";
        const std::string start = version >= 5 ? ",7," : ",-1,";
        const std::string replica = version >= 11 ? "3," : "-1,";
        const std::string diverging = version >= kFetchFlexible ? "60" : "-1";
        const bool has_id = version >= kFetchByTopicId;
        const std::string orders = has_id ? "orders.........." : "orders";
        const std::string log = has_id ? "log............." : "log";
        CHECK(text == orders + "-4:" + ends + start + replica + "5,-1[" + aborted + "] " + orders +
                          "-0:" + ends + start + replica + "0,-1[] " + log + "-1:" + ends + start +
                          replica + "0," + diverging + "[] ");
        CHECK(summary.is_well_formed && summary.throttle_ms == 25 && summary.error == 0);
        CheckCuts(
            whole, text,
            [version](const uint8_t* data, size_t size, bool* is_well_formed) {
                FetchSummary cut{};
                const std::string told = FetchText(data, size, version, &cut);
                *is_well_formed = cut.is_well_formed;
                return told;
            },
            whole.size());
    }
}

// Written by WriteFetch…, as a broker of 0.10 reads it.
std::string OldFetchRequestText(Cursor from, int16_t version) {
    const auto number = [&] { return std::to_string(from.Read<int32_t>()) + " "; };
    std::string told = number();
    told += number();
    told += number();
    if (version == 3) told += "most " + number();
    for (size_t topics = from.ReadCount(1); topics > 0; topics--) {
        told += std::string(from.ReadString()) + " ";
        for (size_t partitions = from.ReadCount(1); partitions > 0; partitions--) {
            told += number();
            told += "@" + std::to_string(from.Read<int64_t>()) + " ";
            told += number();
        }
    }
    return from.ok() && from.left() == 0 ? told : "broken: " + told;
}

TEST("Fetch requests of versions 2 and 3 are what brokers of 0.10 read") {
    for (const int16_t version : {2, 3}) {
        Encoder to;
        WriteFetchHead(to, version, {500, 1, 65'536, true, 1});
        WriteFetchTopic(to, version, "orders", 2);
        WriteFetchPartition(to, version, {0, 10, 3, 1'000});
        WriteFetchPartition(to, version, {4, 11, -1, 1'000});
        EndFetchTopic(to, version);
        WriteFetchTail(to, version, "rack");
        const std::string most = version == 3 ? "most 65536 " : "";
        CHECK(OldFetchRequestText(Cursor(to.data(), to.size()), version) ==
              "-1 500 1 " + most + "orders 0 @10 1000 4 @11 1000 ");
    }
}

TEST("Fetch requests of a session name what has changed, and what is to be forgotten") {
    for (const int16_t version : {11, 12, 13}) {
        const bool is_flexible = version >= kFetchFlexible;
        const std::string topic = version >= kFetchByTopicId ? "0123456789abcdef" : "orders";
        Encoder to;
        WriteFetchHead(to, version, {500, 1, 65'536, true, 0, 77, 3});
        WriteFetchTail(to, version, "rack", {{topic, {4, 9}}});
        Cursor from(to.data(), to.size());
        from.Skip(17);
        CHECK(from.Read<int32_t>() == 77 && from.Read<int32_t>() == 3);
        const auto count = [&] {
            return is_flexible ? from.ReadCompactCount(1) : from.ReadCount(1);
        };
        CHECK(count() == 0);
        CHECK(count() == 1);
        CHECK((version >= kFetchByTopicId ? from.ReadText(kTopicIdSize)
               : is_flexible              ? from.ReadCompactString()
                                          : from.ReadString()) == topic);
        CHECK(count() == 2);
        CHECK(from.Read<int32_t>() == 4 && from.Read<int32_t>() == 9);
        if (is_flexible) from.SkipTags();
        CHECK((is_flexible ? from.ReadCompactString() : from.ReadString()) == "rack");
        CHECK(from.ok() && from.left() == 0);
    }
}

TEST("where Metadata cannot forbid to create a topic, none is named") {
    for (const int16_t version : {1, 2, 3}) {
        Encoder to;
        WriteMetadata(to, version, {"orders"});
        Cursor from(to.data(), to.size());
        CHECK(from.Read<int32_t>() == -1 && from.ok() && from.left() == 0);
    }
}

TEST("a Fetch answer tells its session, where there are any") {
    for (int16_t version = kFetchMin; version <= kFetchMax; version++) {
        const Encoder answer = FetchAnswerBytes(version);
        FetchSummary summary{};
        FetchText(answer.data(), answer.size(), version, &summary);
        CHECK(summary.session_id == (version >= kFetchSession ? 77 : 0));
    }
}

TEST("a throttled Fetch answer without topics is well formed") {
    Encoder to;
    to.Write<int32_t>(500);
    to.Write<int16_t>(0);
    to.Write<int32_t>(0);
    to.Write<int32_t>(0);
    FetchSummary summary{};
    CHECK(FetchText(to.data(), to.size(), 11, &summary).empty());
    CHECK(summary.is_well_formed && summary.throttle_ms == 500);
}

TEST("Produce answers of versions 3 to 8 are read, and refused when cut anywhere") {
    for (int16_t version = kProduceMin; version <= kProduceMax; version++) {
        const Encoder whole = ProduceAnswerBytes(version);
        ProduceSummary summary{};
        const std::string text = ProduceText(whole.data(), whole.size(), version, &summary);
        CHECK(text == "orders-3:0@1000 orders-1:87@-1 ");
        CHECK(summary.is_well_formed && summary.throttle_ms == 40);
        CheckCuts(
            whole, text,
            [version](const uint8_t* data, size_t size, bool* is_well_formed) {
                ProduceSummary cut{};
                const std::string told = ProduceText(data, size, version, &cut);
                *is_well_formed = cut.is_well_formed;
                return told;
            },
            whole.size());
    }
}

TEST("Metadata answers of versions 1 to 8 are read, and refused when cut anywhere") {
    for (int16_t version = kMetadataMin; version <= kMetadataMax; version++) {
        const Encoder whole = MetadataBytes(version);
        bool is_well_formed = false;
        const std::string text = MetadataText(whole.data(), whole.size(), version, &is_well_formed);
        CHECK(text == "orders-0:7 orders-1:-1 ");
        CHECK(is_well_formed);
        // Nobody reads the cluster's authorized operations at the end.
        const size_t needed = whole.size() - (version >= 8 ? 4 : 0);
        CheckCuts(
            whole, text,
            [version](const uint8_t* data, size_t size, bool* is_good) {
                return MetadataText(data, size, version, is_good);
            },
            needed);
    }
}

// Written by WriteOffsetCommit, as a broker of that version reads it.
std::string CommitRequestText(Cursor from, int16_t version) {
    const bool is_flexible = version >= 8;
    const auto text = [&] {
        return std::string(is_flexible ? from.ReadCompactString() : from.ReadString());
    };
    const auto count = [&] { return is_flexible ? from.ReadCompactCount(1) : from.ReadCount(1); };
    std::string told = text();
    told += " " + std::to_string(from.Read<int32_t>());
    told += " " + text();
    if (version < 5) told += " retention " + std::to_string(from.Read<int64_t>());
    if (version >= 7) told += " instance " + text();
    for (size_t topics = count(); topics > 0; topics--) {
        const std::string topic = text();
        for (size_t partitions = count(); partitions > 0; partitions--) {
            told += " " + topic + "-" + std::to_string(from.Read<int32_t>());
            told += "@" + std::to_string(from.Read<int64_t>());
            if (version >= 6) told += "/" + std::to_string(from.Read<int32_t>());
            told += "=" + text();
            if (is_flexible) from.SkipTags();
        }
        if (is_flexible) from.SkipTags();
    }
    return from.ok() && from.left() == 0 ? told : "broken: " + told;
}

TEST("OffsetCommit requests of versions 2 to 9 are what brokers of them read") {
    const CommitRows rows{{"log", {{7, {1'000, -1, "h1;a"}}}},
                          {"orders", {{0, {5, 3, ""}}, {2, {6, 4, "h1;b"}}}}};
    for (int16_t version = kOffsetCommitMin; version <= kOffsetCommitMax; version++) {
        for (const char* instance : {static_cast<const char*>(nullptr), "one"}) {
            Encoder to;
            WriteOffsetCommit(to, version, {"mirror", 9, "member-1", instance}, rows);
            const std::string named = instance ? instance : "";
            const std::string expected =
                version < 5
                    ? "mirror 9 member-1 retention 315360000000 log-7@1000=h1;a orders-0@5= "
                      "orders-2@6=h1;b"
                : version < 6 ? "mirror 9 member-1 log-7@1000=h1;a orders-0@5= orders-2@6=h1;b"
                : version < 7
                    ? "mirror 9 member-1 log-7@1000/-1=h1;a orders-0@5/3= orders-2@6/4=h1;b"
                    : "mirror 9 member-1 instance " + named +
                          " log-7@1000/-1=h1;a orders-0@5/3= orders-2@6/4=h1;b";
            CHECK(CommitRequestText(Cursor(to.data(), to.size()), version) == expected);
        }
    }
}

std::string CommitAnswerText(const uint8_t* data, size_t size, int16_t version,
                             bool* is_well_formed) {
    std::string told;
    *is_well_formed = ReadOffsetCommit(
        Cursor(data, size), version, [&](std::string_view topic, int32_t partition, int16_t error) {
            told += std::string(topic) + "-" + std::to_string(partition) + ":" +
                    std::to_string(error) + " ";
        });
    return told;
}

TEST("OffsetCommit answers of versions 2 to 9 are read, and refused when cut anywhere") {
    for (int16_t version = kOffsetCommitMin; version <= kOffsetCommitMax; version++) {
        const bool is_flexible = version >= 8;
        Encoder to;
        const auto count = [&](int32_t number) {
            is_flexible ? to.WriteCompactCount(static_cast<size_t>(number))
                        : to.Write<int32_t>(number);
        };
        if (version >= 3) to.Write<int32_t>(40);
        count(2);
        for (const char* topic : {"log", "orders"}) {
            is_flexible ? to.WriteCompactString(topic) : to.WriteString(topic);
            count(1);
            to.Write<int32_t>(3);
            to.Write<int16_t>(topic[0] == 'l' ? 0 : 25);
            if (is_flexible) to.WriteNoTags();
            if (is_flexible) to.WriteNoTags();
        }
        if (is_flexible) to.WriteNoTags();
        bool is_well_formed = false;
        const std::string text = CommitAnswerText(to.data(), to.size(), version, &is_well_formed);
        CHECK(text == "log-3:0 orders-3:25 " && is_well_formed);
        CheckCuts(
            to, text,
            [version](const uint8_t* data, size_t size, bool* is_good) {
                return CommitAnswerText(data, size, version, is_good);
            },
            to.size());
    }
}

TEST("an InitProducerId answer is read, and refused when cut anywhere") {
    Encoder to;
    to.Write<int32_t>(0);
    to.Write<int16_t>(0);
    to.Write<int64_t>(4'000);
    to.Write<int16_t>(2);
    const auto answer = ReadInitProducerId(Cursor(to.data(), to.size()));
    CHECK(answer.is_well_formed && answer.error == 0 && answer.producer_id == 4'000 &&
          answer.epoch == 2);
    for (size_t cut = 0; cut < to.size(); cut++)
        CHECK(!ReadInitProducerId(Cursor(to.data(), cut)).is_well_formed);
}

TEST("counts that the bytes cannot hold are refused before memory is taken") {
    for (const int32_t count : {-2, INT32_MIN, 2, 1'000'000, INT32_MAX}) {
        Encoder to;
        to.Write<int32_t>(0);
        to.Write<int16_t>(0);
        to.Write<int32_t>(0);
        to.Write<int32_t>(count);
        FetchSummary summary{};
        CHECK(FetchText(to.data(), to.size(), 11, &summary).empty() && !summary.is_well_formed);
    }
}

TEST("strings and bytes with lengths below null are refused") {
    for (const int length : {-2, INT16_MIN, INT16_MAX}) {
        Encoder to;
        to.Write<int16_t>(static_cast<int16_t>(length));
        Cursor cursor(to.data(), to.size());
        CHECK(cursor.ReadString().empty() && !cursor.ok());
    }
    for (const int32_t length : {-2, INT32_MIN, INT32_MAX}) {
        Encoder to;
        to.Write<int32_t>(length);
        Cursor cursor(to.data(), to.size());
        CHECK(cursor.ReadBytes().size == 0 && !cursor.ok());
    }
}

TEST("varints of five and ten bytes end there") {
    const uint8_t most[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    CHECK(Cursor(most, 10).ReadVarint(10) == INT64_MIN);
    Cursor longer(most, 10);
    longer.ReadVarint(5);
    CHECK(!longer.ok());
    const uint8_t zigzag[] = {0x00, 0x01, 0x02, 0x03, 0xfe, 0xff, 0xff, 0xff, 0x0f};
    Cursor some(zigzag, sizeof(zigzag));
    CHECK(some.ReadVarint(5) == 0 && some.ReadVarint(5) == -1 && some.ReadVarint(5) == 1);
    CHECK(some.ReadVarint(5) == -2 && some.ReadVarint(5) == INT32_MAX && some.ok() &&
          some.left() == 0);
}

}  // namespace heliostat::testing
