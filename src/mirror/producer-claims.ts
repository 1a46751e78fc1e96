// The producer ids under which lanes begin anew: the link's own, or one that was asked for just now.

import type { Link, ProducerIdentity, TopicPartition } from '../native/index.ts'

export type ProducerSource = Pick<Link, 'claimProducers' | 'start'>

/**
 * In the order asked; undefined where the target grants none at the moment. A partition that the link's id has
 * written before gets a fresh one, and only what is committed with it can be proved after a crash: so it is
 * here before the lane begins. One request serves all.
 */
export async function claimProducers(
  link: ProducerSource,
  partitions: readonly TopicPartition[],
  timeoutMs: number
): Promise<(ProducerIdentity | undefined)[]> {
  if (partitions.length === 0) return []
  const claimed = link.claimProducers(partitions)
  const isSpent = ({ producerId }: ProducerIdentity) => producerId < 0
  if (!claimed.some(isSpent)) return claimed
  await link.start(timeoutMs)
  const spent = partitions.filter((_, index) => isSpent(claimed[index] as ProducerIdentity))
  const renewed = link.claimProducers(spent).values()
  return claimed.map(claim => {
    const identity = isSpent(claim) ? renewed.next().value : claim
    return identity && !isSpent(identity) ? identity : undefined
  })
}
