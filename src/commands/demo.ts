// `heliostat demo`: two clusters in this process, a load, the mirror, and a check of every record.

import { setTimeout as sleep } from 'node:timers/promises'
import { demoOptions, type OptionValues, runOptions } from '../config/options.ts'
import { readOptions } from '../config/read-options.ts'
import { timeBacklog } from '../demo/backlog.ts'
import { Ledger } from '../demo/ledger.ts'
import { Load } from '../demo/load.ts'
import { Reader } from '../demo/reader.ts'
import { RunError } from '../errors.ts'
import { Mirror } from '../mirror/mirror.ts'
import type { LinkSettings, MirrorConfig, MirrorResult } from '../mirror/types.ts'
import { MockCluster, nativeVersion } from '../native/index.ts'
import { describeBuild } from '../observe/build-info.ts'
import { type HttpPort, openHttp } from '../observe/http.ts'
import { type Logger, openLog } from '../observe/log.ts'
import { formatCount, formatDuration, formatMegabytes } from '../observe/units.ts'
import { TopicSelector } from '../topics/select.ts'
import { stopOnSignals } from './signals.ts'

const topic = 'orders'

// The embedded clusters keep about 5 MB of compressed batches a partition; these records shrink to
// less than three quarters, so a backlog of this many stays well within that.
const backlogRecordsPerPartition = 5_000
const liveRecordsPerPartition = 200
const roundMs = 250
const waitMs = 20_000

type DemoOptions = OptionValues<typeof demoOptions>

export async function demo(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const options = readOptions(demoOptions, flags, process.env)
  const logger = openLog({ level: 'error', format: 'pretty', descriptor: 2 })
  const clusters = { source: new MockCluster(2), target: new MockCluster(2) }
  const topics = new TopicSelector({ include: topic })
  try {
    const mirror = new Mirror(mirrorConfig(clusters, topics), logger)
    return await show({ options, clusters, mirror, logger })
  } finally {
    await topics.close()
    clusters.source.close()
    clusters.target.close()
  }
}

interface Stage {
  options: DemoOptions
  clusters: { source: MockCluster; target: MockCluster }
  mirror: Mirror
  logger: Logger
}

async function show(stage: Stage): Promise<number> {
  const { options, clusters, mirror, logger } = stage
  const { partitions } = options
  for (const cluster of Object.values(clusters)) cluster.createTopic(topic, partitions, 1)
  say(`two embedded clusters, topic "${topic}" with ${partitions} partitions on each`)
  const ledger = new Ledger(partitions)
  const { bootstrapServers } = clusters.source
  const load = await Load.open({ bootstrapServers, topic, partitions, ledger })
  const madeIn = await timed(() => load.write(backlogRecordsPerPartition))
  say(
    `made ${formatCount(ledger.records)} records, ${formatMegabytes(ledger.bytes)}, in ${formatDuration(madeIn)}`
  )

  const reach: Reach = {
    load,
    ledger,
    partitions,
    bootstrapServers: clusters.target.bootstrapServers
  }
  const ended = new AbortController()
  const http = await serve(options, mirror, logger)
  const running = mirror.run({ stop: ended.signal })
  try {
    const rate = await Promise.race([mirrorBacklog(reach), running.then(failEarly)])
    const read = await keepUp(reach, options, logger)
    ended.abort()
    return judge(ledger, read, await running, rate)
  } finally {
    ended.abort()
    await Promise.allSettled([running, load.close(), http.close()])
  }
}

/** What the steps of the demo share. */
interface Reach {
  load: Load
  /** What was written to the source. */
  ledger: Ledger
  partitions: number
  /** The target's. */
  bootstrapServers: string
}

async function serve(options: DemoOptions, mirror: Mirror, logger: Logger): Promise<HttpPort> {
  const state = () => mirror.state()
  const build = describeBuild(nativeVersion())
  const metrics = async () => (await import('../observe/metrics.ts')).createMetrics(state, build)
  const http = await openHttp({ address: options.keep ? undefined : 'off', state, metrics, logger })
  if (http.url !== undefined) say(`serving ${http.url}/metrics; Ctrl-C ends`)
  return http
}

/** Returns how fast it was. */
async function mirrorBacklog({ ledger, partitions, bootstrapServers }: Reach): Promise<string> {
  const { bytes, records } = ledger
  const timing = await timeBacklog({
    bootstrapServers,
    topic,
    partitions,
    records,
    timeoutMs: waitMs
  })
  const rate = `${(bytes / 1e3 / timing.durationMs).toFixed(1)} MB/s`
  const milliseconds = Math.round(timing.durationMs)
  say(
    `mirrored them in ${milliseconds} ms: ${rate}; ` +
      `${timing.cpuSeconds.toFixed(2)} CPU-seconds, most of them in the embedded clusters`
  )
  return rate
}

/** The mirror ends by itself only when it failed. */
function failEarly(result: MirrorResult): never {
  throw new RunError(`the mirror ended early: ${result.reason}`)
}

/** Live load in rounds: the next one begins when a reader has seen the last at the target. */
async function keepUp(reach: Reach, options: DemoOptions, logger: Logger): Promise<Ledger> {
  const { load, ledger, partitions, bootstrapServers } = reach
  const reader = await Reader.open({ bootstrapServers, topic, partitions })
  // Until here a signal ends the demo at once; from here on there is something to check first.
  const { stop, close } = stopOnSignals(logger)
  const before = ledger.records
  let endsAt: number | undefined
  try {
    while (await reader.reach(ledger.records, waitMs)) {
      endsAt ??= Date.now() + options.seconds * 1_000
      if (stop.aborted || (!options.keep && Date.now() >= endsAt)) break
      await Promise.all([load.write(liveRecordsPerPartition), sleep(roundMs)])
    }
  } finally {
    close()
    await reader.close()
  }
  say(`live load: ${formatCount(ledger.records - before)} more records, read back as they arrive`)
  return reader.ledger
}

function judge(written: Ledger, read: Ledger, result: MirrorResult, rate: string): number {
  const differences = written.differences(read)
  for (const difference of differences) say(difference)
  const what = `mirrored ${formatCount(written.records)} records, ${formatMegabytes(written.bytes)}`
  if (differences.length > 0) {
    console.log(`${what}: ${differences.length} partitions DIFFER`)
    return 3
  }
  console.log(`${what}, the backlog at ${rate}: every record verified`)
  if (result.exitCode !== 0) say(result.reason)
  return result.exitCode
}

function mirrorConfig(clusters: Stage['clusters'], topics: TopicSelector): MirrorConfig {
  return {
    links: [
      {
        source: {
          alias: 'source',
          connection: {
            'bootstrap.servers': clusters.source.bootstrapServers,
            'enable.metrics.push': 'false'
          },
          group: {
            'group.id': 'heliostat-demo',
            'enable.auto.commit': 'false',
            'partition.assignment.strategy': 'cooperative-sticky'
          }
        },
        link: demoLink,
        autoOffsetReset: 'earliest',
        commitIntervalMs: 1_000,
        delivery: undefined
      }
    ],
    target: {
      alias: 'target',
      connection: {
        'bootstrap.servers': clusters.target.bootstrapServers,
        'enable.metrics.push': 'false'
      }
    },
    topics,
    creation: { create: true, replicationFactor: undefined, grow: false },
    adminTimeoutMs: 30_000,
    untilCaughtUp: false,
    abortOnSendFailure: true,
    drainTimeoutMs: 10_000,
    discoveryIntervalMs: 1_000
  }
}

const demoLink: LinkSettings = {
  streams: 2,
  producers: runOptions['num.producers'].default,
  isolation: 'read_committed',
  fetchMinBytes: 1,
  fetchMaxBytes: 16 * 1_048_576,
  maxPartitionFetchBytes: 1_048_576,
  fetchMaxWaitMs: 100,
  budgetBytes: 96 * 1_048_576,
  maxRequestBytes: 1_048_576,
  maxInFlight: 5,
  requestTimeoutMs: 30_000,
  idempotent: true,
  maxHeldRecords: 0,
  skipGaps: false,
  merge: false,
  clientRack: ''
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function say(text: string): void {
  process.stderr.write(`demo: ${text}\n`)
}
