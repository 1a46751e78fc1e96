// What librdkafka or a broker said, as facts: the native side of `KafkaFailure`.
#ifndef HELIOSTAT_FAILURE_H_
#define HELIOSTAT_FAILURE_H_

#include <rdkafka.h>

#include <string>
#include <variant>

struct Failure {
    rd_kafka_resp_err_t code;
    std::string message;
    bool is_retriable;
    bool is_fatal;
};

// A value, or why there is none.
template <typename T>
using Outcome = std::variant<T, Failure>;

// Success without a value.
using Done = std::monostate;

// A plain code carries no predicates: whether it is retriable comes from a table (failure.cc). An
// empty message is replaced by librdkafka's text for the code.
Failure FailureOf(rd_kafka_resp_err_t code, std::string message = {});
// Takes librdkafka's own predicates. The error stays the caller's.
Failure FailureOf(const rd_kafka_error_t* error);
// Of an error event or of an admin result that failed as a whole.
Failure FailureOf(rd_kafka_event_t* event);

// Kafka's name of a broker's code, librdkafka's name with a leading `_` of a local one.
std::string FailureName(rd_kafka_resp_err_t code);

#endif  // HELIOSTAT_FAILURE_H_
