// What a connection's session remembers of its lanes, and what the broker is told to forget.

#include "fetch_session.h"

#include <string>

#include "check.h"

namespace heliostat::testing {
namespace {

RoutedLanePtr LaneOf(std::string topic, int32_t partition, std::string id = "") {
    return std::make_shared<RoutedLane>(1, topic, std::move(id), partition, topic, partition,
                                        Lane::Options{});
}

std::string TextOf(const ForgottenPartitions& forgotten) {
    std::string text;
    for (const auto& [topic, partitions] : forgotten)
        for (const int32_t partition : partitions)
            text += topic + "-" + std::to_string(partition) + " ";
    return text;
}

}  // namespace

TEST("a session is asked for, counted on, and asked for again when the broker keeps none") {
    FetchSession session;
    session.Poll({}, false);
    CHECK(session.id() == 0 && session.epoch() == 0);
    session.Answered(7);
    CHECK(session.is_open() && session.id() == 7 && session.epoch() == 1);
    session.Poll({}, false);
    session.Answered(7);
    CHECK(session.epoch() == 2);
    session.Poll({}, false);
    session.Answered(0);
    CHECK(!session.is_open() && session.epoch() == 0);
}

TEST("what was named and neither rests nor is named again is forgotten, once") {
    FetchSession session;
    const FetchedLane first{LaneOf("a", 0), {5, 1}};
    const FetchedLane second{LaneOf("a", 1), {6, 1}};
    const FetchedLane third{LaneOf("b", 0), {7, 1}};
    CHECK(session.Poll({first, second, third}, false).empty());
    session.Answered(7);
    session.Rest(first);
    CHECK(session.HasResting());
    CHECK(TextOf(session.Poll({third}, false)) == "a-1 ");
    session.Answered(7);
    CHECK(TextOf(session.Poll({}, false)) == "b-0 ");
    CHECK(session.Poll({}, false).empty());
}

TEST("a lane that rests is woken where it was left, and named or forgotten then") {
    FetchSession session;
    const FetchedLane lane{LaneOf("a", 3, "id of a"), {5, 1}};
    session.Poll({lane}, true);
    session.Answered(7);
    session.Rest(lane);
    CHECK(!session.Wake("a", 3));
    CHECK(!session.Wake("id of a", 2));
    const auto woken = session.Wake("id of a", 3);
    CHECK(woken && woken->lane == lane.lane && woken->position.offset == 5);
    CHECK(!session.Wake("id of a", 3) && !session.HasResting());
    CHECK(TextOf(session.Poll({}, true)) == "id of a-3 ");
}

TEST("a lane that leaves is forgotten, and another of the same partition is not taken for it") {
    FetchSession session;
    const FetchedLane old{LaneOf("a", 3), {5, 1}};
    const FetchedLane anew{LaneOf("a", 3), {9, 1}};
    session.Poll({old}, false);
    session.Answered(7);
    session.Rest(old);
    CHECK(!session.Leave(anew.lane));
    CHECK(session.Leave(old.lane) && !session.Leave(old.lane));
    CHECK(session.Poll({anew}, false).empty());
    session.Answered(7);
    session.Rest(anew);
    CHECK(session.Wake("a", 3)->position.offset == 9);
}

TEST("a session that is closed gives back all that rested, and begins anew") {
    FetchSession session;
    const FetchedLane first{LaneOf("a", 0), {5, 1}};
    const FetchedLane second{LaneOf("b", 0), {6, 1}};
    session.Poll({first, second}, false);
    session.Answered(7);
    session.Rest(first);
    session.Rest(second);
    CHECK(session.resting() == 2);
    CHECK(session.Close().size() == 2);
    CHECK(!session.is_open() && !session.HasResting() && session.epoch() == 0);
    CHECK(session.Poll({first}, false).empty());
}

}  // namespace heliostat::testing
