// Rules of creating and growing target topics.

import type { PlanReason } from '../mirror/types.ts'
import type { KafkaFailure } from '../native/index.ts'

/** A target topic that lacked partitions from the start is its owner's to grow. */
export function growsWithSource(source: number, target: number, isInStep: boolean): boolean {
  return isInStep && target < source
}

/** What was asked for, else what the source has; never more than one replica a broker. */
export function chooseReplication(
  source: number,
  asked: number | undefined,
  targetBrokers: number
): number {
  return Math.max(1, Math.min(asked ?? source, targetBrokers))
}

/** With --no-create-topics. */
export function whyNotCreated(
  topic: string,
  partitions: number
): { reason: PlanReason; detail: string } {
  return {
    reason: 'target-topic-missing',
    detail: `topic "${topic}" is not on the target and --no-create-topics is set: create it with ${partitions} partitions`
  }
}

/** UNKNOWN_TOPIC_OR_PARTITION. */
export const unknownTopic = 3

/** Kafka's answers beside the retriable ones that pass by themselves. */
const passing = new Set([
  // INVALID_REPLICATION_FACTOR: brokers of the target are down just now.
  38,
  // After a creation: it has not come round yet.
  unknownTopic
])

export function isWorthRetrying(failure: KafkaFailure): boolean {
  return failure.retriable || passing.has(failure.code)
}

export const topicAlreadyExists = 36

/** What a lane says whose target topic is not there and will not come. */
export function whyRefused(
  topic: string,
  failure: KafkaFailure
): { reason: PlanReason; detail: string } {
  if (failure.code === topicAlreadyExists) {
    return {
      reason: 'target-topic-missing',
      detail: `topic "${topic}" exists on the target but cannot be seen: grant DESCRIBE on it`
    }
  }
  return {
    reason: 'target-topic-refused',
    detail:
      `topic "${topic}" cannot be created on the target: ${failure.name} (${failure.code}): ` +
      `${failure.message}; create it there, or grant CREATE`
  }
}
