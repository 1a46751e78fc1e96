// What becomes of settings that lead to ZooKeeper, which the mirror never talks to.

import { addNote, addProblem, type Draft, ignore, type Use } from './rule.ts'

const instead = 'Set bootstrap.servers to brokers of the cluster'

function unread({ side }: Draft): string {
  if (side === 'target') return 'the mirror talks to brokers, not to ZooKeeper'
  return 'offsets kept in ZooKeeper are not read: auto.offset.reset decides where to start'
}

/** Whether all that the file says of its cluster is where its ZooKeeper is. */
export function isZooKeeperOnly(draft: Draft): boolean {
  return !hasBrokers(draft) && zooKeeperNames(draft).length > 0
}

/** Said once a file, at the first of its names. */
export const refuseZooKeeper: Use = (setting, draft) => {
  const isFirst = zooKeeperNames(draft)[0] === setting.name
  if (!isFirst) return hasBrokers(draft) ? ignore(draft, setting) : undefined
  if (!hasBrokers(draft)) {
    const what = 'the mirror talks to brokers, not to ZooKeeper'
    const why = draft.side === 'source' ? `${what}; ${unread(draft)}` : what
    return addProblem(draft, setting, `${why}. ${instead}`)
  }
  warn(setting, draft)
}

/** offsets.storage: Kafka keeps them in a topic, which is what the mirror reads. */
export const refuseZooKeeperOffsets: Use = (setting, draft) => {
  if (setting.value.toLowerCase() !== 'zookeeper') return ignore(draft, setting)
  if (!hasBrokers(draft)) return addProblem(draft, setting, `${unread(draft)}. ${instead}`)
  warn(setting, draft)
}

const warn: Use = (setting, draft) => {
  if (draft.strictness.strict) ignore(draft, setting, unread(draft))
  else addNote(draft, 'warn', setting, `it has no effect: ${unread(draft)}`)
}

function hasBrokers(draft: Draft): boolean {
  return (draft.given.get('bootstrap.servers')?.value ?? '') !== ''
}

function zooKeeperNames(draft: Draft): string[] {
  return [...draft.given.keys()].filter(
    name => /^(?:zk|zookeeper)\./.test(name) && name !== 'zk.read.num.retries'
  )
}
