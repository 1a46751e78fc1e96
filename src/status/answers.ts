// Waits for the answer of a cluster, and says why none came.

import { describeFailure, KafkaError } from '../errors.ts'
import { lastError } from '../mirror/reach.ts'
import { type Cluster, failureOf, type KafkaFailure } from '../native/index.ts'

/** A negative code is the client's own: no answer came, and the message says why. */
export function causeOf(error: KafkaError): string {
  return error.kafkaCode < 0 ? error.failure.message : error.message
}

/** The client's own events name host and cause; the call only knows that its time was over. */
export async function asked<Answer>(
  cluster: Cluster,
  what: string,
  call: Promise<Answer>
): Promise<Answer> {
  try {
    return await call
  } catch (error) {
    const described = describeFailure(what, error)
    if (!(described instanceof KafkaError) || described.kafkaCode >= 0) throw described
    const cause = lastError(cluster.drainEvents())
    if (cause === undefined) throw described
    throw new KafkaError(what, { ...described.failure, message: cause })
  }
}

export async function orFailure<Answer>(call: Promise<Answer>): Promise<Answer | KafkaFailure> {
  try {
    return await call
  } catch (error) {
    const failure = failureOf(error)
    if (!failure) throw error
    return failure
  }
}
