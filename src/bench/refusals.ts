// Says what a cluster refuses to the bench, and what to do about it.

import type { KafkaFailure } from '../native/index.ts'
import { isRefusedRight, type RightsSide } from '../plan/missing-rights.ts'
import { scratchPrefix } from './intent.ts'

/** One sentence for the right or the room that is missing. `what` is what was tried, `right` what Kafka calls it. */
export function describeRefusal(
  at: RightsSide,
  what: string,
  right: string,
  failure: Pick<KafkaFailure, 'code' | 'name' | 'message'>
): string {
  const where = `${at.side} "${at.alias}"`
  const refused = `${where}: ${what}: ${failure.name} (${failure.code})`
  if (isRefusedRight(failure)) {
    return `${refused}: the right ${right} is missing. Grant it with: ${grants(at)}`
  }
  return `${refused}: ${failure.message}`
}

/** A record that a producer gave up: it tells why in words alone, without Kafka's code. */
export function describeUndelivered(at: RightsSide, topic: string, why: string): string {
  return (
    `${at.side} "${at.alias}": write to topic ${topic}: ${why}. ` +
    `If it is the right Write that is missing, grant it with: ${grants(at)}`
  )
}

/** When a cluster takes or gives nothing for that long; `last` is what it or the client said last. */
export function describeStall(
  at: Pick<RightsSide, 'side' | 'alias'>,
  what: string,
  limitMs: number,
  last: string | undefined
): string {
  const said = last === undefined ? '' : ` (last: ${last})`
  const look =
    at.side === 'target'
      ? 'room on the disks of its brokers, in-sync replicas, quotas and rights'
      : 'its brokers, quotas and rights'
  return `${at.side} "${at.alias}": ${what}: nothing moved for ${limitMs / 1_000} s${said}. Look at ${look}`
}

/** What removes a scratch topic by hand. */
export function removalCommand(bootstrapServers: string, topic: string): string {
  return `kafka-topics --bootstrap-server ${bootstrapServers} --delete --topic ${topic}`
}

// Topics and groups take different operations, so each has a command of its own.
function grants({ side, bootstrapServers, principal }: RightsSide): string {
  const grant = `kafka-acls --bootstrap-server ${bootstrapServers} --add --allow-principal ${principal}`
  const prefix = `${scratchPrefix} --resource-pattern-type prefixed`
  const operations = ['Create', 'Read', 'Write', 'Delete'].map(name => `--operation ${name}`)
  const topics = `${grant} ${operations.join(' ')} --topic ${prefix}`
  return side === 'target' ? topics : `${topics} && ${grant} --operation Read --group ${prefix}`
}
