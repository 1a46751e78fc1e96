// Owns a mirror under a steady load while something breaks, and the judgement at its end: every record once, in order.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { compareTopics } from './digest.ts'
import { countRecords, groupLag } from './group-lag.ts'
import { createTopic } from './kafka-tools.ts'
import { startedLines } from './killed-mirror.ts'
import { type MirrorOptions, type MirrorProcess, startMirror } from './mirror-process.ts'
import type { NewTopic } from './raw-admin.ts'
import { RawClient } from './raw-client.ts'
import { type SteadyLoad, type SteadyLoadOptions, startLoad } from './steady-load.ts'

type Topic = Omit<NewTopic, 'name'>

export type LoadRunOptions = {
  /** Where the mirror connects, when that is not where the tests do, and more of how it runs. */
  mirror?: Partial<MirrorOptions>
  load?: SteadyLoadOptions
  sourceTopic?: Topic
  targetTopic?: Topic
}

export type Pair = { source: { bootstrap: string }; target: { bootstrap: string } }

const catchUpLimitMs = 90_000

export class LoadRun {
  readonly topic: string
  readonly load: SteadyLoad
  readonly mirror: MirrorProcess
  readonly #pair: Pair

  private constructor(pair: Pair, topic: string, load: SteadyLoad, mirror: MirrorProcess) {
    this.#pair = pair
    this.topic = topic
    this.load = load
    this.mirror = mirror
  }

  /** Two topics, a load, and a mirror that has begun to move it. */
  static async start(t: TestContext, pair: Pair, options: LoadRunOptions): Promise<LoadRun> {
    const { source, target } = pair
    const topic = `fault-${randomUUID()}`
    const { partitions = 1, ...rest } = options.sourceTopic ?? {}
    await createTopic(source.bootstrap, topic, partitions, rest)
    const { partitions: wanted = partitions, ...others } = options.targetTopic ?? {}
    await createTopic(target.bootstrap, topic, wanted, others)
    const load = await startLoad(source.bootstrap, topic, { everyMs: 15, ...options.load })
    t.after(() => load.stop().catch(() => undefined))
    const flags = ['--offset.commit.interval.ms', '500', ...(options.mirror?.flags ?? [])]
    const names = { whitelist: topic, group: topic }
    const mirror = await startMirror(t, { ...pair, ...names, ...options.mirror, flags })
    const run = new LoadRun(pair, topic, load, mirror)
    const isMoving = async () => (await countRecords(target.bootstrap, topic)) > 2_000
    await mirror.until('records that move', isMoving)
    return run
  }

  /** Waits until every partition has got so many more records on the target, and gives the time that took. */
  async everyLaneGoesOn(records = 300): Promise<number> {
    const startedAt = Date.now()
    const before = await this.ends()
    const goesOn = async () => {
      const now = await this.ends()
      return [...now].every(([partition, end]) => end > (before.get(partition) ?? 0) + records)
    }
    await this.mirror.until('records in every partition', goesOn, catchUpLimitMs)
    return Date.now() - startedAt
  }

  /** The log ends of the target. */
  async ends(): Promise<Map<number, number>> {
    const client = new RawClient(this.#pair.target.bootstrap)
    try {
      const offsets = await client.offsets(this.topic)
      return new Map([...offsets].map(([partition, { latest }]) => [partition, latest]))
    } finally {
      client.close()
    }
  }

  /** Ends the load, waits for the rest, and compares record by record; the level was exactly-once all the time. */
  async finish(limitMs = catchUpLimitMs): Promise<void> {
    const { topic, load, mirror } = this
    const { source, target } = this.#pair
    await load.stop()
    const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
    await mirror.until('lag 0', isCaughtUp, limitMs)
    assert.equal(await mirror.stop(), 0, mirror.tail())
    assertExactlyOnce(mirror)
    const differences = await compareTopics(source.bootstrap, target.bootstrap, [topic])
    assert.deepEqual(differences, [], mirror.tail())
  }
}

/** Every lane was begun exactly once, and none has given that up since. */
export function assertExactlyOnce(mirror: MirrorProcess): void {
  const started = startedLines(mirror)
  assert.ok(started.length > 0, mirror.tail())
  for (const line of started) assert.equal(line.delivery, 'exactly-once', JSON.stringify(line))
  const lowered = mirror.lines.filter(({ msg }) => msg.startsWith('target forgot the sequence'))
  assert.deepEqual(lowered, [])
}
