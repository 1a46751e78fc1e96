// Owns a mirror inside the test's process, a pair of mock clusters for it, and writing and reading their topics.

import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { Mirror } from '../../src/mirror/mirror.ts'
import type {
  AutoOffsetReset,
  LaneView,
  LinkConfig,
  MirrorConfig,
  MirrorResult
} from '../../src/mirror/types.ts'
import { MockCluster } from '../../src/native/index.ts'
import { TopicSelector } from '../../src/topics/select.ts'
import { RawClient, withClient } from './raw-client.ts'
import { encodeBatch } from './records.ts'
import { forEachRecord, readBatches } from './topic-reader.ts'
import { VarintReader } from './varint.ts'

/** What can be mirrored, written and read: a mock cluster, or a real one by its address. */
export interface Ends {
  source: { bootstrapServers: string }
  target: { bootstrapServers: string }
}

export interface Pair extends Ends {
  source: MockCluster
  target: MockCluster
}

/** Topics by name with their number of partitions; both sides have them unless the target's are given. */
export function startPair(
  t: TestContext,
  topics: Record<string, number>,
  targetTopics: Record<string, number> = topics
): Pair {
  const source = new MockCluster(2)
  const target = new MockCluster(2)
  for (const [topic, partitions] of Object.entries(topics)) {
    source.createTopic(topic, partitions, 1)
  }
  for (const [topic, partitions] of Object.entries(targetTopics)) {
    target.createTopic(topic, partitions, 1)
  }
  t.after(() => {
    source.close()
    target.close()
  })
  return { source, target }
}

export interface LogLine {
  level: number
  msg: string
  [field: string]: unknown
}

export interface RunningMirror {
  mirror: Mirror
  log: LogLine[]
  result: Promise<MirrorResult>
  /** Asks it to drain, and waits for the end. */
  stop(): Promise<MirrorResult>
}

export function startMirror(
  t: TestContext,
  ends: Ends,
  options: Partial<Omit<MirrorConfig, 'topics' | 'links'>> &
    Partial<Pick<LinkConfig, 'autoOffsetReset'>> & {
      include?: string
      group?: string
      sessionMs?: number
    } = {}
): RunningMirror {
  // The mock lets a rebalance last for all but a second of the session; brokers want six seconds.
  const { include = '.*', group = 'mirror', sessionMs = 2_000, ...others } = options
  const { autoOffsetReset = 'earliest', ...rest } = others
  const topics = new TopicSelector({ include })
  const log: LogLine[] = []
  const mirror = new Mirror(
    { ...defaults(ends, group, sessionMs, autoOffsetReset), topics, ...rest },
    logInto(log)
  )
  const stop = new AbortController()
  const result = mirror.run({ stop: stop.signal })
  result.catch(() => undefined)
  t.after(async () => {
    stop.abort()
    await result.catch(() => undefined)
    await topics.close()
  })
  return {
    mirror,
    log,
    result,
    stop() {
      stop.abort()
      return result
    }
  }
}

function defaults(
  { source, target }: Ends,
  group: string,
  sessionMs: number,
  autoOffsetReset: AutoOffsetReset
): Omit<MirrorConfig, 'topics'> {
  return {
    links: [
      {
        source: {
          alias: 'east',
          connection: connection(source),
          group: {
            'group.id': group,
            'session.timeout.ms': String(sessionMs),
            'heartbeat.interval.ms': '500'
          }
        },
        link: {
          streams: 1,
          producers: 2,
          isolation: 'read_committed',
          fetchMinBytes: 1,
          fetchMaxBytes: 4 * 1024 * 1024,
          maxPartitionFetchBytes: 1024 * 1024,
          fetchMaxWaitMs: 100,
          budgetBytes: 32 * 1024 * 1024,
          maxRequestBytes: 1024 * 1024,
          maxInFlight: 5,
          requestTimeoutMs: 10_000,
          idempotent: true,
          maxHeldRecords: 0,
          skipGaps: false,
          merge: true,
          clientRack: ''
        },
        autoOffsetReset,
        commitIntervalMs: 300,
        delivery: undefined
      }
    ],
    target: { alias: 'west', connection: connection(target) },
    creation: { create: true, replicationFactor: undefined, grow: false },
    adminTimeoutMs: 30_000,
    untilCaughtUp: false,
    abortOnSendFailure: false,
    drainTimeoutMs: 10_000,
    discoveryIntervalMs: 500
  }
}

function connection(mock: Ends['source']): Record<string, string> {
  return { 'bootstrap.servers': mock.bootstrapServers, 'allow.auto.create.topics': 'false' }
}

function logInto(lines: LogLine[]): Logger {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as LogLine)
      done()
    }
  })
  return pino({ level: 'debug', base: null }, destination)
}

const recordsPerBatch = 50

/** Writes `count` records, numbered from `from`, into one partition. */
export async function produce(
  mock: Ends['source'],
  topic: string,
  partition: number,
  count: number,
  from = 0
): Promise<void> {
  return withClient(mock.bootstrapServers, async client => {
    for (let first = from; first < from + count; first += recordsPerBatch) {
      const size = Math.min(recordsPerBatch, from + count - first)
      const records = Array.from({ length: size }, (_, index) => ({
        key: 'key',
        value: recordText(topic, partition, first + index)
      }))
      await client.append(topic, partition, encodeBatch(records, { codec: 'lz4' }))
    }
  })
}

export function recordText(topic: string, partition: number, index: number): string {
  return `${topic}/${partition}/${index}`
}

export function recordTexts(topic: string, partition: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => recordText(topic, partition, index))
}

/** The values of a partition, in offset order. */
export async function readValues(
  mock: Ends['source'],
  topic: string,
  partition: number
): Promise<string[]> {
  const client = new RawClient(mock.bootstrapServers)
  const values: string[] = []
  try {
    for await (const batch of readBatches(client, topic, partition)) {
      forEachRecord(batch, (_offset, _timestamp, body, start) => {
        const reader = new VarintReader(body)
        reader.at = start
        const keyLength = reader.next()
        reader.at += Math.max(0, keyLength)
        const valueLength = reader.next()
        values.push(body.toString('utf8', reader.at, reader.at + valueLength))
      })
    }
  } finally {
    client.close()
  }
  return values
}

export function laneOf(mirror: Mirror, topic: string, partition: number): LaneView | undefined {
  return mirror
    .state()
    .links[0]?.lanes()
    .find(lane => lane.topic === topic && lane.partition === partition)
}

export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 20_000
): Promise<void> {
  for (const end = Date.now() + limitMs; !(await condition()); await sleep(50)) {
    if (Date.now() >= end) throw new Error(`waited in vain: ${what}`)
  }
}
