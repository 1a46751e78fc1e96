// How long the target remembers who wrote to it: older batches cannot be told from their repeats there.

import type { Logger } from 'pino'
import { type Cluster, type ConfigEntry, failureOf, type KafkaFailure } from '../native/index.ts'

export type BrokerConfigs = Pick<Cluster, 'metadata' | 'describeBrokerConfigs'>

/** Where the brokers do not say otherwise. */
export const defaultExpiryMs = 86_400_000

/** What the mirror counts on is less: brokers look every ten minutes, and their clocks may differ from ours. */
export const expiryMarginMs = 1_200_000

const timeoutMs = 3_000

/** Brokers before 3.4 count from this one. */
const settings = ['producer.id.expiration.ms', 'transactional.id.expiration.ms']

/** Brokers may differ, and each leads some partition: the smallest counts. Undefined when none of them says. */
export function smallestExpiry(brokers: readonly (readonly ConfigEntry[])[]): number | undefined {
  const all = brokers.map(expiryOf).filter(expiry => expiry !== undefined)
  return all.length === 0 ? undefined : Math.min(...all)
}

function expiryOf(entries: readonly ConfigEntry[]): number | undefined {
  for (const setting of settings) {
    const value = Number(entries.find(({ name }) => name === setting)?.value ?? Number.NaN)
    if (Number.isSafeInteger(value) && value > 0) return value
  }
  return undefined
}

/** What brokers would not tell is in `failure`. */
export async function askExpiry(
  target: BrokerConfigs
): Promise<{ expiryMs: number | undefined; failure: KafkaFailure | undefined }> {
  let failure: KafkaFailure | undefined
  const orNothing = async <Fact>(ask: Promise<Fact>, nothing: Fact): Promise<Fact> => {
    try {
      return await ask
    } catch (error) {
      failure = failureOf(error)
      if (!failure) throw error
      return nothing
    }
  }
  const none = { brokers: [], topics: [] }
  const { brokers } = await orNothing(target.metadata([], timeoutMs), none)
  const configs = await Promise.all(
    brokers.map(({ id }) => orNothing(target.describeBrokerConfigs(id, timeoutMs), []))
  )
  return { expiryMs: smallestExpiry(configs), failure }
}

/** Read once: what is changed while the link runs counts from its next start on. */
export async function readProducerExpiry(target: BrokerConfigs, log: Logger): Promise<number> {
  const { expiryMs, failure } = await askExpiry(target)
  if (expiryMs === undefined) {
    const fix =
      'on the target: kafka-acls --add --allow-principal User:NAME --operation DescribeConfigs --cluster'
    log.info(
      { producerExpiryMs: defaultExpiryMs, error: failure?.name, detail: failure?.message, fix },
      'the target does not tell its producer.id.expiration.ms: taken as the default, a day'
    )
  } else if (expiryMs <= expiryMarginMs) {
    log.warn(
      { producerExpiryMs: expiryMs },
      'the target forgets producers so soon that batches go one at a time: raise its producer.id.expiration.ms'
    )
  }
  return expiryMs ?? defaultExpiryMs
}
