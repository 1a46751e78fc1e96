#include "error_rules.h"

namespace heliostat {
namespace {

// Kafka's error codes that have a rule (kafka.apache.org/protocol, "Error Codes").
namespace code {
enum Code : int16_t {
    kUnknownServerError = -1,
    kNone = 0,
    kOffsetOutOfRange = 1,
    kCorruptMessage = 2,
    kUnknownTopicOrPartition = 3,
    kLeaderNotAvailable = 5,
    kNotLeaderOrFollower = 6,
    kRequestTimedOut = 7,
    kBrokerNotAvailable = 8,
    kReplicaNotAvailable = 9,
    kMessageTooLarge = 10,
    kNetworkException = 13,
    kInvalidTopic = 17,
    kRecordListTooLarge = 18,
    kNotEnoughReplicas = 19,
    kNotEnoughReplicasAfterAppend = 20,
    kTopicAuthorizationFailed = 29,
    kClusterAuthorizationFailed = 31,
    kInvalidTimestamp = 32,
    kPolicyViolation = 44,
    kOutOfOrderSequence = 45,
    kDuplicateSequence = 46,
    kInvalidProducerEpoch = 47,
    kTransactionalIdAuthorizationFailed = 53,
    kKafkaStorageError = 56,
    kUnknownProducerId = 59,
    kFencedLeaderEpoch = 74,
    kUnknownLeaderEpoch = 75,
    kUnsupportedCompression = 76,
    kOffsetNotAvailable = 78,
    kThrottlingQuotaExceeded = 89,
    kProducerFenced = 90,
    kInvalidRecord = 87,
    kUnknownTopicId = 100,
    kInconsistentTopicId = 103,
};
}  // namespace code

}  // namespace

AckRule RuleForAck(int16_t code) {
    using enum AckAction;
    using enum LaneReason;
    switch (code) {
        case code::kNone:
        case code::kDuplicateSequence:
            return {kWritten, LaneReason::kNone, false, false};
        case code::kUnknownTopicOrPartition:
            return {kRetry, kUnknownTopic, true, false};
        case code::kLeaderNotAvailable:
        case code::kReplicaNotAvailable:
        case code::kFencedLeaderEpoch:
        case code::kUnknownLeaderEpoch:
            return {kRetry, kNotLeader, true, false};
        // A leader that is replaced, or loses its disk, while it waits for its followers has
        // appended before.
        case code::kNotLeaderOrFollower:
        case code::kKafkaStorageError:
            return {kRetry, kNotLeader, true, true};
        case code::kRequestTimedOut:
        case code::kNetworkException:
            return {kRetry, kBrokerError, false, true};
        case code::kBrokerNotAvailable:
            return {kRetry, kBrokerError, true, false};
        case code::kNotEnoughReplicas:
            return {kRetry, kNotEnoughReplicas, false, false};
        case code::kNotEnoughReplicasAfterAppend:
            return {kRetry, kNotEnoughReplicas, false, true};
        case code::kThrottlingQuotaExceeded:
            return {kRetry, kThrottled, false, false};
        // Rights are given back without us: these are tried again, slowly.
        case code::kInvalidTopic:
        case code::kTopicAuthorizationFailed:
        case code::kClusterAuthorizationFailed:
        case code::kTransactionalIdAuthorizationFailed:
            return {kRetry, kNotAllowed, false, false};
        case code::kOutOfOrderSequence:
        case code::kUnknownProducerId:
            return {kSequence, LaneReason::kNone, false, false};
        case code::kMessageTooLarge:
        case code::kRecordListTooLarge:
            return {kStop, kTooLarge, false, false};
        case code::kInvalidTimestamp:
            return {kStop, kTimestampRange, false, false};
        case code::kInvalidProducerEpoch:
        case code::kProducerFenced:
            return {kStop, kFenced, false, false};
        // The lane looks at the batch to tell which side damaged it.
        case code::kCorruptMessage:
            return {kStop, kBadCrc, false, false};
        case code::kUnsupportedCompression:
            return {kStop, kCodecUnsupported, false, false};
        case code::kInvalidRecord:
        case code::kUnknownServerError:
        case code::kPolicyViolation:
        default:
            return {kStop, kRefused, false, false};
    }
}

FetchRule RuleForFetch(int16_t code) {
    using enum FetchAction;
    using enum LaneReason;
    switch (code) {
        case code::kNone:
            return {kData, LaneReason::kNone, false};
        case code::kOffsetOutOfRange:
            return {FetchAction::kOutOfRange, LaneReason::kNone, false};
        case code::kUnknownTopicOrPartition:
        case code::kUnknownTopicId:
        case code::kInconsistentTopicId:
            return {kRetry, kUnknownTopic, true};
        case code::kLeaderNotAvailable:
        case code::kNotLeaderOrFollower:
        case code::kReplicaNotAvailable:
        case code::kFencedLeaderEpoch:
        case code::kUnknownLeaderEpoch:
        case code::kKafkaStorageError:
            return {kRetry, kNotLeader, true};
        case code::kTopicAuthorizationFailed:
        case code::kClusterAuthorizationFailed:
            return {kRetry, kNotAllowed, false};
        case code::kOffsetNotAvailable:
        case code::kRequestTimedOut:
        case code::kBrokerNotAvailable:
        case code::kNetworkException:
        case code::kUnknownServerError:
        case code::kCorruptMessage:
        default:
            return {kRetry, kBrokerError, true};
    }
}

}  // namespace heliostat
