// Matching answers to what was asked, the byte budget, and the rules for error codes.

#include <map>
#include <string>

#include "budget.h"
#include "check.h"
#include "error_rules.h"
#include "routed_lane.h"

// The budget's responses let replies go through these; here a reply is a counter.
extern "C" void wire_reply_keep(wire_reply*) {}
extern "C" void wire_reply_release(wire_reply* reply) { ++*reinterpret_cast<int*>(reply); }

namespace heliostat::testing {
namespace {

AnswerIndex IndexOf(int32_t partitions) {
    AnswerIndex index;
    for (const char* topic : {"orders", "log", "a"})
        for (int32_t i = 0; i < partitions; i++) index.Add(topic, (i * 7) % partitions);
    return index;
}

}  // namespace

TEST("answers in the order asked are found one after another") {
    AnswerIndex index = IndexOf(5);
    for (size_t entry = 0; entry < 15; entry++) {
        CHECK(!index.WasTaken(entry));
        CHECK(index.Take(entry < 5    ? "orders"
                         : entry < 10 ? "log"
                                      : "a",
                         static_cast<int32_t>(entry % 5 * 7 % 5)) == entry);
        CHECK(index.WasTaken(entry));
    }
}

TEST("answers in any order are found, each once") {
    Random random(5);
    for (int round = 0; round < 200; round++) {
        AnswerIndex index = IndexOf(11);
        std::vector<size_t> order(33);
        for (size_t i = 0; i < order.size(); i++) order[i] = i;
        std::shuffle(order.begin(), order.end(), random);
        for (const size_t entry : order)
            CHECK(index.Take(entry < 11   ? "orders"
                             : entry < 22 ? "log"
                                          : "a",
                             static_cast<int32_t>(entry % 11 * 7 % 11)) == entry);
        for (size_t entry = 0; entry < order.size(); entry++) CHECK(index.WasTaken(entry));
    }
}

TEST("what was not asked for, or is told twice, is nobody's answer") {
    AnswerIndex index = IndexOf(3);
    CHECK(index.Take("orders", 3) == index.size());
    CHECK(index.Take("order", 0) == index.size());
    CHECK(index.Take("", -1) == index.size());
    const size_t entry = index.Take("log", 1);
    CHECK(entry != index.size());
    CHECK(index.Take("log", 1) == index.size());
    CHECK(index.Take("orders", 0) == 0);
    CHECK(index.Take("orders", 0) == index.size());
    size_t taken = 0;
    for (size_t i = 0; i < index.size(); i++) taken += index.WasTaken(i);
    CHECK(taken == 2);
}

TEST("an index of nothing finds nothing") {
    AnswerIndex index;
    CHECK(index.Take("orders", 0) == 0 && index.size() == 0 && !index.WasTaken(0));
}

TEST("the budget grants what is left, the least when it is empty, and nothing when it is full") {
    int wakes = 0;
    Budget budget(1'000, 0, [&] { wakes++; });
    CHECK(budget.TryReserve(400, 100) == 400);
    CHECK(budget.TryReserve(900, 100) == 600);
    CHECK(budget.TryReserve(100, 100) == 0 && budget.is_starved());
    budget.Return(200);
    CHECK(wakes == 0);  // 800 of 1,000: more is to come back first
    budget.Return(100);
    CHECK(wakes == 1 && !budget.is_starved());
    budget.Return(700);
    CHECK(wakes == 1 && budget.used() == 0);
    CHECK(budget.TryReserve(5'000, 2'000) == 2'000);
    budget.Return(2'000);
}

TEST("records are limited beside bytes, by the size that records were seen to have") {
    int wakes = 0;
    const auto budget = std::make_shared<Budget>(100'000, 100, [&] { wakes++; });
    budget->HoldRecords(40, 4'000);
    CHECK(budget->TryReserve(50'000, 1'000) == 6'000);  // 60 records of 100 bytes are left
    budget->HoldRecords(60, 6'000);
    CHECK(budget->IsFullOfRecords() && budget->TryReserve(50'000, 1'000) == 0);
    budget->ReturnRecords(10);
    CHECK(wakes == 0);  // 90 of 100: more is to come back first
    budget->ReturnRecords(90);
    CHECK(wakes == 1 && budget->TryReserve(1'000, 1'000) == 1'000);
    budget->Return(7'000);
}

TEST("an answer larger than what was reserved for it is held in full") {
    int released = 0;
    const auto budget = std::make_shared<Budget>(1'000, 0, [] {});
    CHECK(budget->TryReserve(500, 100) == 500);
    budget->Settle(500, 3'000);
    {
        const Response response(reinterpret_cast<wire_reply*>(&released), budget, 3'000);
        CHECK(budget->used() == 3'000 && budget->TryReserve(500, 100) == 0);
    }
    CHECK(released == 1 && budget->used() == 0 && !budget->is_starved());
}

TEST("every error code has a rule, and unknown ones are not retried blindly by a target") {
    for (int code = -32'768; code <= 32'767; code++) {
        const AckRule ack = RuleForAck(static_cast<int16_t>(code));
        const bool is_written = code == 0 || code == 46;
        CHECK((ack.action == AckAction::kWritten) == is_written);
        CHECK((ack.action == AckAction::kSequence) == (code == 45 || code == 59));
        if (code > 200 || code < -1) CHECK(ack.action == AckAction::kStop);
        if (ack.action == AckAction::kRetry || ack.action == AckAction::kStop)
            CHECK(ack.reason != LaneReason::kNone);
        const FetchRule fetch = RuleForFetch(static_cast<int16_t>(code));
        CHECK((fetch.action == FetchAction::kData) == (code == 0));
        CHECK((fetch.action == FetchAction::kOutOfRange) == (code == 1));
    }
}

TEST("codes after which a batch may be in the log say so") {
    for (const int16_t code : {6, 7, 13, 20, 56}) CHECK(RuleForAck(code).may_be_written);
    for (const int16_t code : {3, 5, 8, 9, 19, 29, 74, 75, 89})
        CHECK(!RuleForAck(code).may_be_written);
    for (const int16_t code : {3, 5, 6, 56, 74, 75}) CHECK(RuleForAck(code).refresh_leader);
    const std::map<int16_t, LaneReason> stops = {{-1, LaneReason::kRefused},
                                                 {2, LaneReason::kBadCrc},
                                                 {10, LaneReason::kTooLarge},
                                                 {18, LaneReason::kTooLarge},
                                                 {32, LaneReason::kTimestampRange},
                                                 {47, LaneReason::kFenced},
                                                 {76, LaneReason::kCodecUnsupported},
                                                 {87, LaneReason::kRefused},
                                                 {90, LaneReason::kFenced}};
    for (const auto& [code, reason] : stops) {
        CHECK(RuleForAck(code).action == AckAction::kStop);
        CHECK(RuleForAck(code).reason == reason);
    }
}

}  // namespace heliostat::testing
