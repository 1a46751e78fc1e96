// Names of Kafka 0.7 and 0.8, of both files.

import type { Setting } from '../properties-file.ts'
import { withoutIds } from './addresses.ts'
import { trueOrFalse } from './check.ts'
import { addNote, type Draft, type Rule } from './rule.ts'
import { refuseZooKeeper, refuseZooKeeperOffsets } from './zookeeper.ts'

const oldPositions = new Map([
  ['smallest', 'earliest'],
  ['largest', 'latest']
])

const oldCodecs = new Map([
  ['0', 'none'],
  ['1', 'gzip'],
  ['2', 'snappy']
])

const handler = 'Java code cannot run here. Remove it'

function zookeeper(name: string): Rule {
  const note =
    'offsets kept in ZooKeeper are not read. Set bootstrap.servers, and auto.offset.reset for the start'
  return { name, action: 'refuse', note, use: refuseZooKeeper }
}

function ignored(...names: string[]): Rule[] {
  return names.map(name => ({ name, action: 'ignore' }))
}

const bothFiles: readonly Rule[] = [
  ...['zk.connect', 'zk.connectiontimeout.ms', 'zk.sessiontimeout.ms', 'zk.synctime.ms'].map(
    zookeeper
  ),
  ...['zookeeper.connect', 'zookeeper.*'].map(zookeeper),
  ...ignored('zk.read.num.retries'),
  { name: 'broker.list', action: 'translate', to: 'bootstrap.servers', read: withoutIds },
  { name: 'metadata.broker.list', action: 'translate', to: 'bootstrap.servers', read: withoutIds }
]

const consumerFile: readonly Rule[] = [
  { name: 'groupid', action: 'rename', to: 'group.id' },
  ...ignored('consumerid', 'consumer.id'),
  { name: 'clientid', action: 'rename', to: 'client.id' },
  {
    name: 'autooffset.reset',
    action: 'translate',
    to: 'auto.offset.reset',
    read: value => oldPositions.get(value.toLowerCase()) ?? 'none'
  },
  ...['autocommit.enable', 'auto.commit.enable'].map(
    (name): Rule => ({ name, action: 'translate', to: 'enable.auto.commit', read: value => value })
  ),
  {
    name: 'autocommit.interval.ms',
    action: 'translate',
    to: 'auto.commit.interval.ms',
    read: value => value
  },
  { name: 'socket.buffersize', action: 'rename', to: 'socket.receive.buffer.bytes' },
  { name: 'fetch.size', action: 'rename', to: 'max.partition.fetch.bytes' },
  { name: 'min.fetch.bytes', action: 'rename', to: 'fetch.min.bytes' },
  { name: 'max.fetch.wait.ms', action: 'rename', to: 'fetch.wait.max.ms' },
  ...ignored('backoff.increment.ms', 'fetcher.backoff.ms', 'refresh.leader.backoff.ms'),
  ...['queuedchunks.max', 'queued.max.message.chunks'].map(
    (name): Rule => ({
      name,
      action: 'ignore',
      note: 'the byte budget bounds the memory: buffer.memory of the target'
    })
  ),
  { name: 'shallowiterator.enable', action: 'pass', check: trueOrFalse, use: useShallowIterator },
  {
    name: 'consumer.timeout.ms',
    action: 'ignore',
    note: 'for a run that ends, use --until-caught-up'
  },
  ...ignored('rebalance.retries.max', 'rebalance.max.retries', 'rebalance.backoff.ms'),
  { name: 'num.consumer.fetchers', action: 'ignore', note: 'see --num.streams' },
  {
    name: 'offsets.storage',
    action: 'ignore',
    use: refuseZooKeeperOffsets
  },
  ...ignored(
    'dual.commit.enabled',
    'offsets.channel.backoff.ms',
    'offsets.channel.socket.timeout.ms',
    'offsets.commit.max.retries'
  ),
  { name: 'mirror.topics.whitelist', action: 'rename', to: '--whitelist' },
  { name: 'mirror.topics.blacklist', action: 'rename', to: '--blacklist' },
  { name: 'mirror.consumer.numthreads', action: 'rename', to: '--num.streams' }
]

const producerFile: readonly Rule[] = [
  {
    name: 'producer.type',
    action: 'ignore',
    note: value =>
      value === 'sync'
        ? 'always asynchronous; max.in.flight.requests.per.connection=1 comes nearest to sync'
        : undefined
  },
  { name: 'queue.time', action: 'rename', to: 'linger.ms' },
  {
    name: 'queue.size',
    action: 'translate',
    to: 'queue.buffering.max.messages',
    read: value => value
  },
  ...['queue.enqueueTimeout.ms', 'queue.enqueue.timeout.ms'].map(
    (name): Rule => ({ name, action: 'ignore', note: 'the mirror always blocks and never drops' })
  ),
  { name: 'buffer.size', action: 'rename', to: 'socket.send.buffer.bytes' },
  { name: 'connect.timeout.ms', action: 'rename', to: 'socket.connection.setup.timeout.ms' },
  ...ignored('reconnect.interval', 'reconnect.time.interval.ms'),
  { name: 'max.message.size', action: 'rename', to: 'max.request.size' },
  {
    name: 'compression.codec',
    action: 'translate',
    to: 'compression.type',
    read: value => oldCodecs.get(value) ?? value
  },
  {
    name: 'compressed.topics',
    action: 'translate',
    use: (setting, draft) => {
      const topics = setting.value.split(',').map(topic => topic.trim())
      const named = topics.filter(topic => topic !== '')
      if (named.length > 0) draft.compression.topics = named
      addNote(draft, 'info', setting, 'batches that pass through keep their codec')
    }
  },
  ...ignored('num.retries'),
  { name: 'request.required.acks', action: 'rename', to: 'acks' },
  ...['serializer.class', 'key.serializer.class'].map(
    (name): Rule => ({
      name,
      action: 'ignore',
      note: 'bytes are mirrored as they are',
      silentWhen: value => value === 'kafka.serializer.DefaultEncoder'
    })
  ),
  ...['event.handler', 'event.handler.props', 'callback.handler', 'callback.handler.props'].map(
    (name): Rule => ({ name, action: 'refuse', note: handler })
  ),
  { name: 'timeout.ms', action: 'rename', to: 'request.timeout.ms' },
  ...ignored('metadata.fetch.timeout.ms', 'block.on.buffer.full')
]

export const oldRules: readonly Rule[] = [
  ...bothFiles,
  ...consumerFile.map((row): Rule => ({ ...row, side: 'source' })),
  ...producerFile.map((row): Rule => ({ ...row, side: 'target' }))
]

/** Names that no version after 0.7 had: where one stands, batch.size counts records. */
const onlyIn07: ReadonlySet<string> = new Set([
  'zk.connect',
  'zk.connectiontimeout.ms',
  'zk.sessiontimeout.ms',
  'zk.synctime.ms',
  'zk.read.num.retries',
  'broker.list',
  'queue.time',
  'queue.size',
  'queue.enqueueTimeout.ms',
  'buffer.size',
  'connect.timeout.ms',
  'reconnect.interval',
  'reconnect.time.interval.ms',
  'max.message.size',
  'num.retries',
  'event.handler',
  'event.handler.props',
  'callback.handler',
  'callback.handler.props'
])

/** The name that shows it, as the user wrote it. */
export function oldProducerName(draft: Draft): string | undefined {
  return [...draft.given.values()].find(({ written }) => onlyIn07.has(written.name))?.written.name
}

// Opening every batch would give the target the same records at many times the cost.
function useShallowIterator(setting: Setting, draft: Draft): void {
  if (setting.value === 'true') return
  const what = 'batches are passed through compressed, with the same records'
  addNote(
    draft,
    'warn',
    setting,
    `false read as true: ${what}; rebuilding every batch is not offered`
  )
}
