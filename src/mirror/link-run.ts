// One link from start to end: discovery, group, lanes, commits, and at last the drain.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import {
  type Cluster,
  failureOf,
  Group,
  type KafkaFailure,
  Link,
  type LinkEvent
} from '../native/index.ts'
import { type SourceTopic, TargetTopics } from '../topics/create.ts'
import { Assignment } from './assignment.ts'
import { BoundedGoal } from './bounded-goal.ts'
import { decodeCheckpoint } from './checkpoint.ts'
import { ClientLog } from './client-log.ts'
import { Commits } from './commits.ts'
import { Discovery } from './discovery.ts'
import { drainLanes } from './drain.ts'
import { describeEnd, type End, type Ended, type Leftovers } from './end.ts'
import { logLaneEvent } from './lane-log.ts'
import { LaneStarter } from './lane-starter.ts'
import { readTotals, sumLanes, viewLanes } from './lane-view.ts'
import { Lanes } from './lanes.ts'
import { isDoneWithin } from './limited.ts'
import { Repeats } from './repeats.ts'
import { Schedule } from './schedule.ts'
import type { Check, LinkState, MirrorConfig, MirrorPhase } from './types.ts'

export interface LinkRunOptions {
  config: MirrorConfig
  source: Cluster
  target: Cluster
  targetClusterId: string
  log: Logger
}

const pollMs = 100
const eventsMs = 200
const startPendingMs = 250
const goalMs = 1_000
const reconsiderMs = 30_000
const retryMs = 500
const producerIdTimeoutMs = 3_000
const committedTimeoutMs = 10_000

/** After the deadline of the drain: for the last commit, and for closing what closes by itself. */
const graceMs = 3_000

/** A member that went without a word is missed after its session, and the rebalance takes a moment. */
const rebalanceMs = 4_000
const defaultSessionMs = 6_000

/** Stops that say that the target does not take a batch. */
const sendRefusals: ReadonlySet<string> = new Set([
  'too-large',
  'codec-unsupported',
  'timestamp-range',
  'refused',
  'fenced',
  'bad-crc'
])

export class LinkRun {
  readonly #options: LinkRunOptions
  readonly #log: Logger
  readonly #repeats = new Repeats()
  readonly #clientLog: ClientLog
  readonly #link: Link
  readonly #lanes: Lanes
  readonly #discovery: Discovery
  readonly #group: Group
  readonly #commits: Commits
  readonly #assignment: Assignment
  readonly #starter: LaneStarter
  /** Polls and events: they go on during the drain. */
  readonly #watch: Schedule
  /** Everything that brings in more. */
  readonly #work: Schedule
  readonly #ended: Promise<End>
  #end: (end: End) => void = () => {}
  #hasEnd = false
  #phase: MirrorPhase = 'connecting'
  #hasStartedLanes = false

  constructor(options: LinkRunOptions) {
    this.#options = options
    const { config, source, target, targetClusterId, log } = options
    this.#log = log
    this.#ended = new Promise(resolve => {
      this.#end = end => {
        this.#hasEnd = true
        resolve(end)
      }
    })
    const repeats = this.#repeats
    const onFatal = (failure: KafkaFailure) => this.#breakOff(failure.message, failure)
    this.#clientLog = new ClientLog(log, repeats)
    this.#link = new Link(source, target, config.link)
    this.#lanes = new Lanes(this.#link, config.link.isolation)
    this.#discovery = new Discovery(source, config.topics, log)
    this.#group = new Group({ ...config.source.connection, ...config.source.group })
    const shared = { group: this.#group, link: this.#link, lanes: this.#lanes, log, repeats }
    this.#commits = new Commits({ ...shared, targetClusterId, onFatal })
    this.#assignment = new Assignment({
      ...shared,
      commits: this.#commits,
      clientLog: this.#clientLog,
      drainTimeoutMs: config.drainTimeoutMs,
      onFatal,
      onError: error => this.#fail(error)
    })
    this.#starter = new LaneStarter({
      ...shared,
      source,
      target,
      commits: this.#commits,
      targetTopics: new TargetTopics({
        source,
        target,
        log,
        wasInStep: topic => this.#wasInStep(topic)
      }),
      topics: this.#discovery.topics,
      targetClusterId,
      isolation: config.link.isolation,
      reset: config.autoOffsetReset
    })
    this.#watch = new Schedule(error => this.#fail(error))
    this.#work = new Schedule(error => this.#fail(error))
  }

  get phase(): MirrorPhase {
    if (this.#phase === 'joining' && this.#assignment.hasJoined) return 'mirroring'
    return this.#phase
  }

  async run(stop: AbortSignal): Promise<Ended> {
    const onStop = () => this.#end({ kind: 'stopped' })
    if (stop.aborted) onStop()
    stop.addEventListener('abort', onStop, { once: true })
    this.#watch.every(eventsMs, () => this.#drainEvents())
    try {
      await this.#begin()
      const end = await this.#ended
      return describeEnd(end, await this.#drain(end))
    } catch (error) {
      await this.#close(graceMs)
      throw error
    } finally {
      stop.removeEventListener('abort', onStop)
    }
  }

  async #begin(): Promise<void> {
    const { config } = this.#options
    await this.#retry('no producer id from the target', () => this.#link.start(producerIdTimeoutMs))
    await this.#retry('the source does not list its topics', () => this.#discovery.look())
    if (this.#hasEnd) return
    if (config.untilCaughtUp) this.#discovery.closeForNew()
    this.#logSelection()
    if (config.untilCaughtUp && this.#discovery.topics.size === 0) {
      return this.#end({ kind: 'nothing-selected' })
    }
    await this.#retry('the source does not tell the committed offsets', () =>
      this.#starter.noteFirstStart()
    )
    if (this.#hasEnd) return
    this.#phase = 'joining'
    this.#subscribe()
    this.#watch.every(pollMs, () => this.#assignment.poll())
    this.#work.every(startPendingMs, () => this.#startPending())
    this.#work.every(config.discoveryIntervalMs, () => this.#discover())
    this.#work.every(config.commitIntervalMs, () => this.#commit())
    this.#work.every(reconsiderMs, () => this.#lanes.reconsider())
    if (config.untilCaughtUp) this.#watchGoal()
  }

  #logSelection(): void {
    const topics = [...this.#discovery.topics.values()]
    const partitions = topics.reduce((sum, topic) => sum + topic.partitions, 0)
    if (topics.length > 0) {
      this.#log.info({ topics: topics.length, partitions }, 'topics selected')
    } else {
      this.#log.warn({}, 'no topic of the source is selected')
    }
  }

  #subscribe(): void {
    const topics = [...this.#discovery.topics.keys()]
    if (topics.length > 0 || this.#assignment.hasJoined) this.#group.subscribe(topics)
  }

  /** Tries until it works or the run ends, and says every ten seconds what is the matter. */
  async #retry(what: string, work: () => Promise<unknown>): Promise<void> {
    while (!this.#hasEnd) {
      try {
        await work()
        return
      } catch (error) {
        const failure = failureOf(error)
        if (!failure) throw error
        this.#tell(what, failure)
      }
      await Promise.race([delay(retryMs), this.#ended])
    }
  }

  async #discover(): Promise<void> {
    try {
      if (!(await this.#discovery.look()) || this.#hasEnd) return
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      return this.#tell('the source does not list its topics', failure)
    }
    this.#logSelection()
    this.#subscribe()
  }

  async #startPending(): Promise<void> {
    await this.#starter.startPending()
    if (this.#assignment.hasJoined && this.#lanes.pending.size === 0) this.#hasStartedLanes = true
  }

  async #commit(): Promise<void> {
    await this.#commits.commitChanged()
  }

  #watchGoal(): void {
    const group = this.#options.config.source.group
    const sessionMs = Number(group['session.timeout.ms'] ?? defaultSessionMs)
    const goal = new BoundedGoal(
      this.#discovery.topics,
      this.#assignment,
      this.#lanes,
      sessionMs + rebalanceMs
    )
    this.#work.every(goalMs, () => {
      const failed = goal.check()
      if (failed) this.#end({ kind: 'caught-up', failed })
    })
  }

  #drainEvents(): void {
    const { source, target } = this.#options
    for (const event of this.#link.drainEvents()) this.#handle(event)
    for (const event of source.drainEvents()) this.#clientLog.write('source', event)
    for (const event of target.drainEvents()) this.#clientLog.write('target', event)
    this.#repeats.flush()
  }

  #handle(event: LinkEvent): void {
    const lane = this.#lanes.byId(event.lane)
    if (!lane) return
    logLaneEvent(this.#log, this.#repeats, lane, event)
    if (event.type !== 'lane-stopped') return
    const { reason, detail } = event
    lane.detail = detail
    if (this.#options.config.abortOnSendFailure && sendRefusals.has(reason)) {
      this.#end({ kind: 'refused', lane: { name: lane.name, reason } })
    }
  }

  /** Commits say whether an earlier run had seen the target with all partitions of the topic. */
  async #wasInStep({ topic, partitions }: SourceTopic): Promise<boolean> {
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    const committed = await this.#group.committed(all, committedTimeoutMs)
    return committed.some(({ metadata }) => {
      const decoded = decodeCheckpoint(metadata)
      if (decoded.kind !== 'own' || !decoded.checkpoint.isInStep) return false
      return decoded.checkpoint.targetClusterId === this.#options.targetClusterId
    })
  }

  // In this order: nothing new begins; lanes finish; the last commit rests on their acknowledgements;
  // only then the group may give the partitions to others.
  async #drain(end: End): Promise<Leftovers> {
    this.#phase = 'draining'
    const startedAt = performance.now()
    const deadline = startedAt + this.#options.config.drainTimeoutMs
    const left = () => deadline - performance.now()
    this.#lanes.close()
    this.#work.stop()
    await isDoneWithin(this.#assignment.settle(), left())
    const lanes = new Set(this.#lanes.running())
    const busy = await drainLanes(this.#link, this.#lanes, lanes, deadline)
    const isCommitted = await this.#commitLast(deadline)
    this.#drainEvents()
    this.#lanes.freeze()
    await this.#close(Math.max(left(), graceMs))
    const durationMs = Math.round(performance.now() - startedAt)
    this.#log.info({ end: end.kind, busyLanes: busy.length, durationMs }, 'link drained')
    return { busyLanes: busy.length, isCommitted }
  }

  async #commitLast(deadline: number): Promise<boolean> {
    const until = Math.max(deadline, performance.now() + graceMs)
    for (;;) {
      const commit = this.#commits.commitChanged(new Set(this.#lanes.running()))
      const isAnswered = await isDoneWithin(commit, until - performance.now())
      if (!isAnswered) return false
      if (await commit) return true
      if (performance.now() + retryMs >= until) return false
      await delay(retryMs)
    }
  }

  /** The link first: it holds the clusters' connections. What hangs on a dead broker is left behind. */
  async #close(limitMs: number): Promise<void> {
    this.#phase = 'ended'
    this.#watch.stop()
    this.#repeats.close()
    const closed = Promise.all([this.#link.close(), this.#group.close()])
    if (await isDoneWithin(closed, limitMs)) return
    this.#log.warn({}, 'connections did not close in time')
  }

  #tell(what: string, { name, code, message }: KafkaFailure): void {
    this.#repeats.write(`retry ${what} ${name}`, count =>
      this.#log.warn(
        { what, error: name, code, detail: message, count },
        'cluster does not answer as it should; trying again'
      )
    )
  }

  #fail(error: unknown): void {
    // What was left behind at the deadline finds its clients closed.
    if (this.#phase === 'ended') return
    this.#log.error({ err: error }, 'the mirror cannot go on')
    this.#end({ kind: 'broken', detail: String(error) })
  }

  #breakOff(detail: string, { name, code }: KafkaFailure): void {
    this.#log.error({ error: name, code, detail }, 'the client cannot go on')
    this.#end({ kind: 'broken', detail: `${name} (${code}): ${detail}` })
  }

  checks(): Check[] {
    const isIdle = this.#discovery.lastAt !== undefined && this.#discovery.topics.size === 0
    const group = this.#options.config.source.group['group.id'] ?? ''
    return [
      {
        name: 'group',
        ok: isIdle || this.#assignment.hasJoined,
        detail: isIdle
          ? 'no topic is selected'
          : this.#assignment.hasJoined
            ? `joined ${group}`
            : `joining ${group}`
      },
      {
        name: 'topics',
        ok: isIdle || this.#hasStartedLanes,
        detail:
          isIdle || this.#hasStartedLanes
            ? 'target topics were checked'
            : 'target topics are being checked'
      }
    ]
  }

  state(): LinkState {
    const { config } = this.#options
    const { lanesByState, lag, goal } = sumLanes(this.#lanes)
    const { lastAt } = this.#discovery
    const { ok, failed, lastOkAt } = this.#commits
    return {
      source: config.source.alias,
      target: config.target.alias,
      totals: readTotals(this.#lanes.snapshot().link),
      lanesByState,
      topics: this.#discovery.topics.size,
      lag,
      ...(config.untilCaughtUp ? { goal } : {}),
      commits: { ok, failed, ...(lastOkAt === undefined ? {} : { lastOkAt }) },
      rebalances: { ...this.#assignment.rebalances },
      ...(lastAt === undefined ? {} : { lastDiscoveryAt: lastAt }),
      lanes: () => viewLanes(this.#lanes)
    }
  }
}
