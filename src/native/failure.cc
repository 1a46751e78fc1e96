#include "failure.h"

#include <algorithm>
#include <array>
#include <utility>

namespace {

// librdkafka kept names that Kafka has changed since, and shortened some.
constexpr auto kKafkaNames = std::to_array<std::pair<rd_kafka_resp_err_t, const char*>>({
    {RD_KAFKA_RESP_ERR_UNKNOWN, "UNKNOWN_SERVER_ERROR"},
    {RD_KAFKA_RESP_ERR_NO_ERROR, "NONE"},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, "CORRUPT_MESSAGE"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "UNKNOWN_TOPIC_OR_PARTITION"},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, "INVALID_FETCH_SIZE"},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, "NOT_LEADER_OR_FOLLOWER"},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "MESSAGE_TOO_LARGE"},
    {RD_KAFKA_RESP_ERR_STALE_CTRL_EPOCH, "STALE_CONTROLLER_EPOCH"},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, "INVALID_TOPIC_EXCEPTION"},
});

// Whether the same call may well succeed when it is made again. Broker codes: those of Kafka's
// RetriableException. Local codes: the ones that a connection, a coordinator or a leader on its way
// causes; _NOENT is what ListOffsets says when none of its partitions has a leader.
constexpr auto kRetriable = std::to_array<rd_kafka_resp_err_t>({
    RD_KAFKA_RESP_ERR__FAIL,
    RD_KAFKA_RESP_ERR__TRANSPORT,
    RD_KAFKA_RESP_ERR__RESOLVE,
    RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
    RD_KAFKA_RESP_ERR__TIMED_OUT,
    RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
    RD_KAFKA_RESP_ERR__WAIT_COORD,
    RD_KAFKA_RESP_ERR__WAIT_CACHE,
    RD_KAFKA_RESP_ERR__IN_PROGRESS,
    RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS,
    RD_KAFKA_RESP_ERR__RETRY,
    RD_KAFKA_RESP_ERR__NOENT,
    RD_KAFKA_RESP_ERR__DESTROY_BROKER,
    RD_KAFKA_RESP_ERR_INVALID_MSG,
    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
    RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
    RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
    RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
    RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
    RD_KAFKA_RESP_ERR_FETCH_SESSION_ID_NOT_FOUND,
    RD_KAFKA_RESP_ERR_INVALID_FETCH_SESSION_EPOCH,
    RD_KAFKA_RESP_ERR_LISTENER_NOT_FOUND,
    RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
    RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
    RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
    RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID,
    RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH,
});

}  // namespace

Failure FailureOf(rd_kafka_resp_err_t code, std::string message) {
    if (message.empty()) message = rd_kafka_err2str(code);
    const bool is_retriable = std::ranges::find(kRetriable, code) != kRetriable.end();
    const bool is_fatal = code == RD_KAFKA_RESP_ERR__FATAL;
    return {code, std::move(message), is_retriable && !is_fatal, is_fatal};
}

Failure FailureOf(const rd_kafka_error_t* error) {
    return {rd_kafka_error_code(error), rd_kafka_error_string(error),
            rd_kafka_error_is_retriable(error) != 0, rd_kafka_error_is_fatal(error) != 0};
}

Failure FailureOf(rd_kafka_event_t* event) {
    const char* message = rd_kafka_event_error_string(event);
    Failure failure = FailureOf(rd_kafka_event_error(event), message ? message : "");
    // Only error events have the mark; in others something else lies in its place.
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
        rd_kafka_event_error_is_fatal(event)) {
        failure.is_fatal = true;
        failure.is_retriable = false;
    }
    return failure;
}

std::string FailureName(rd_kafka_resp_err_t code) {
    for (const auto& [known, name] : kKafkaNames) {
        if (known == code) return name;
    }
    // Codes younger than this librdkafka come as "ERR_126?", which still names them.
    return rd_kafka_err2name(code);
}
