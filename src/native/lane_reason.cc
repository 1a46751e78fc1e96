#include "lane_reason.h"

#include <array>
#include <cstddef>

namespace heliostat {
namespace {

struct Text {
    const char* name;
    const char* explanation;
};

constexpr std::array kTexts = {
    Text{"none", ""},
    Text{"no-leader", "the partition has no leader; it is looked for again"},
    Text{"unknown-topic", "the broker does not know the topic or partition; was it deleted?"},
    Text{"not-leader", "the broker is not the partition's leader; the leader is looked for"},
    Text{"connection", "the connection to the broker failed; it is tried again"},
    Text{"throttled", "the broker throttles; see its client quotas"},
    Text{"not-enough-replicas", "the target has too few in-sync replicas; bring its brokers back"},
    Text{"broker-error", "the broker answered with an error; it is tried again"},
    Text{"not-allowed",
         "the mirror's user may not do this; grant READ on the source topic, WRITE on the "
         "target topic"},
    Text{"malformed",
         "the source's answer holds a batch that cannot be; nothing of it was passed on"},
    Text{"bad-crc", "the batch does not match its own CRC; the source's log is damaged there"},
    Text{"old-format", "the batch has message format v0 or v1, which would have to be rebuilt"},
    Text{"old-broker",
         "the broker is from before Kafka 0.11 and has message formats v0 and v1 alone, which "
         "would have to be rebuilt"},
    Text{"head-trim", "the position lies inside a batch, which would have to be cut"},
    Text{"holes", "the batch has gaps in its offsets (compaction) and would have to be rebuilt"},
    Text{"append-time",
         "the batch carries append times and the target topic has create times; set "
         "message.timestamp.type=LogAppendTime there, or it would have to be rebuilt"},
    Text{"too-large", "the batch is larger than the target takes; raise max.message.bytes there"},
    Text{"codec-unsupported", "the target is too old for zstd"},
    Text{"timestamp-range",
         "the target refuses the records' times; see its "
         "message.timestamp.before.max.ms and .after.max.ms"},
    Text{"refused",
         "the target refuses the batch although it is whole (a null key into a compacted topic, "
         "for example)"},
    Text{"fenced", "somebody raised the epoch of the mirror's producer id on the target"},
    Text{"source-gap",
         "the source no longer has this offset: records were deleted before they were mirrored"},
    Text{"source-diverged",
         "the source's log was cut here (an unclean leader election) after records behind it had "
         "been read; what it holds now may be others"},
    Text{"order-lost", "the target took a batch although it had refused the one before"},
    Text{"worker-failed",
         "the workers that rebuild the batch failed twice; see the log before this"},
    Text{"target-went-back",
         "the target lost records that it had acknowledged: it wrote this batch before their end"},
    Text{"topic-recreated",
         "the topic was deleted and made anew: what it holds now is another history, which is not "
         "joined to the old one"},
    Text{"forced", "the topic's batches are written in another codec, as --recompress asks"},
    Text{"handler", "a handler sees the topic's records"},
    Text{"handler-failed",
         "the handler failed and its errors are not passed over; see the log before this"},
    Text{"tiny-batches", "small batches that wait for the target are sent as one"},
};
static_assert(kTexts.size() == static_cast<size_t>(LaneReason::kTinyBatches) + 1);

}  // namespace

const char* NameOf(LaneReason reason) { return kTexts[static_cast<size_t>(reason)].name; }
LaneReason ReasonOf(std::string_view name) {
    for (size_t i = 0; i < kTexts.size(); i++)
        if (name == kTexts[i].name) return static_cast<LaneReason>(i);
    return LaneReason::kMalformed;
}
const char* Explain(LaneReason reason) { return kTexts[static_cast<size_t>(reason)].explanation; }

}  // namespace heliostat
