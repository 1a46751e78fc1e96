// One link from start to end: discovery, group, lanes, commits, and at last the drain.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { failureOf, type KafkaFailure, type LinkEvent, linkValue } from '../native/index.ts'
import { beginAnew } from './begin-anew.ts'
import { BoundedGoal } from './bounded-goal.ts'
import { drainLanes } from './drain.ts'
import { describeEnd, type End, type Ended, type Leftovers } from './end.ts'
import { HeldBack } from './held-back.ts'
import type { Lane } from './lane.ts'
import { logLaneEvent } from './lane-log.ts'
import { readTotals } from './lane-view.ts'
import type { Lanes } from './lanes.ts'
import { isDoneWithin } from './limited.ts'
import { type LinkParts, type LinkPartsOptions, openLink } from './link-parts.ts'
import { checkLink, viewLink } from './link-state.ts'
import { acceptRecreated, type RecreatedTopic } from './recreated-topics.ts'
import type { Credentials } from './reload.ts'
import { Schedule } from './schedule.ts'
import type { Check, LinkState, LinkTotals, MirrorPhase } from './types.ts'

export type LinkRunOptions = Omit<LinkPartsOptions, 'onFatal' | 'onError' | 'onRecreated'>

const pollMs = 100
const eventsMs = 200
const startPendingMs = 250
const goalMs = 1_000
const rangesMs = 500
const reconsiderMs = 30_000
const heldBackEveryMs = 5_000
const retryMs = 500
const queueSizeMs = 60_000
const producerIdTimeoutMs = 3_000

/** A coordinator that is gone may be back soon, but a stop that takes half a minute is killed by supervisors. */
const lastCommitMs = 10_000

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
  readonly #parts: LinkParts
  /** Polls and events: they go on during the drain. */
  readonly #watch: Schedule
  /** Everything that brings in more. */
  readonly #work: Schedule
  readonly #ended: Promise<End>
  #end: (end: End) => void = () => {}
  #hasEnd = false
  #phase: MirrorPhase = 'connecting'
  #areTargetsChecked = false
  #stopCommits: () => void = () => {}

  constructor(options: LinkRunOptions) {
    this.#options = options
    this.#log = options.log
    this.#ended = new Promise(resolve => {
      this.#end = end => {
        this.#hasEnd = true
        resolve(end)
      }
    })
    const onError = (error: unknown) => this.#fail(error)
    this.#watch = new Schedule(onError)
    this.#work = new Schedule(onError)
    this.#parts = openLink({
      ...options,
      onError,
      onFatal: failure => this.#breakOff(failure),
      onRecreated: topic => this.#stopRecreated(topic)
    })
  }

  get phase(): MirrorPhase {
    if (this.#phase === 'joining' && this.#parts.assignment.hasJoined) return 'mirroring'
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
    const { own, config, gathering } = this.#options
    const { link, discovery, starter, assignment, lanes, ranges, skippedGaps } = this.#parts
    await this.#retry('no producer id from the target', () => link.start(producerIdTimeoutMs))
    await this.#retry('the source does not list its topics', () => discovery.look())
    if (this.#hasEnd) return
    await gathering.complete()
    if (config.untilCaughtUp) discovery.closeForNew()
    this.#logSelection()
    if (config.untilCaughtUp && discovery.topics.size === 0) {
      return this.#end({ kind: 'nothing-selected' })
    }
    await this.#retry('the source does not tell the committed offsets', () =>
      starter.noteFirstStart()
    )
    if (this.#hasEnd) return
    this.#phase = 'joining'
    this.#subscribe()
    this.#watch.every(pollMs, () => assignment.poll())
    this.#work.every(startPendingMs, () => this.#startPending())
    this.#work.every(config.discoveryIntervalMs, () => this.#discover())
    this.setCommitInterval(own.commitIntervalMs)
    this.#work.every(rangesMs, () => ranges.tell())
    this.#work.every(eventsMs, () => skippedGaps.commit())
    this.#work.every(reconsiderMs, () => lanes.reconsider())
    if (config.untilCaughtUp) this.#watchGoal()
    if (own.link.isolation === 'read_committed') this.#watchTransactions()
    if (own.link.maxHeldRecords > 0) this.#watchQueueSize(own.link.maxHeldRecords)
  }

  #logSelection(): void {
    const topics = [...this.#parts.discovery.topics.values()]
    const partitions = topics.reduce((sum, topic) => sum + topic.partitions, 0)
    if (topics.length > 0) {
      this.#log.info({ topics: topics.length, partitions }, 'topics selected')
    } else {
      this.#log.warn({}, 'no topic of the source is selected')
    }
  }

  #subscribe(): void {
    const { discovery, assignment, group } = this.#parts
    const topics = [...discovery.topics.keys()]
    if (topics.length > 0 || assignment.hasJoined) group.subscribe(topics)
  }

  /** Tries until it works or the run ends. */
  async #retry(what: string, work: () => Promise<unknown>): Promise<void> {
    while (!this.#hasEnd) {
      try {
        await work()
        return
      } catch (error) {
        this.#tellOrThrow(what, error)
      }
      await Promise.race([delay(retryMs), this.#ended])
    }
  }

  async #discover(): Promise<void> {
    let hasChanged: boolean
    try {
      hasChanged = await this.#parts.discovery.look()
    } catch (error) {
      return this.#tellOrThrow('the source does not list its topics', error)
    }
    await this.#repeatCommits()
    if (!hasChanged || this.#hasEnd) return
    this.#logSelection()
    this.#subscribe()
  }

  async #startPending(): Promise<void> {
    const { starter, assignment, lanes } = this.#parts
    await starter.startPending()
    if (assignment.hasJoined && lanes.pending.size === 0) this.#areTargetsChecked = true
  }

  async #commit(): Promise<void> {
    await this.#parts.commits.commitChanged()
  }

  #watchTransactions(): void {
    const { lanes } = this.#parts
    const ends = () => lanes.stableEnds()
    const heldBack = new HeldBack({ source: this.#options.source, ends, log: this.#log })
    this.#work.every(heldBackEveryMs, () => heldBack.look())
  }

  #watchGoal(): void {
    const { discovery, assignment, lanes } = this.#parts
    const { group } = this.#options.own.source
    const sessionMs = Number(group['session.timeout.ms'] ?? defaultSessionMs)
    const goal = new BoundedGoal(discovery.topics, assignment, lanes, sessionMs + rebalanceMs)
    this.#work.every(goalMs, () => {
      const failed = goal.check()
      if (failed) this.#end({ kind: 'caught-up', failed })
    })
  }

  /** Says when the limit of records holds the link back, which the byte budget would not. */
  #watchQueueSize(maxHeldRecords: number): void {
    const { lanes } = this.#parts
    let before = 0
    this.#work.every(queueSizeMs, () => {
      const boundMs = linkValue(lanes.snapshot().link, 'boundByQueueSizeMs')
      const durationMs = boundMs - before
      before = boundMs
      if (durationMs < queueSizeMs / 4) return
      this.#log.warn(
        { maxHeldRecords, durationMs, ofMs: queueSizeMs },
        'queue.size holds the link back: raise it, or leave it out and let buffer.memory be the limit'
      )
    })
  }

  #drainEvents(): void {
    const { source, target } = this.#options
    const { link, lanes, clientLog, repeats } = this.#parts
    for (const event of link.drainEvents()) this.#handle(event)
    lanes.forgetRemoved()
    for (const event of source.drainEvents()) clientLog.write('source', event)
    for (const event of target.drainEvents()) clientLog.write('target', event)
    repeats.flush()
  }

  #handle(event: LinkEvent): void {
    const { lanes, repeats, ranges } = this.#parts
    if (event.type === 'source-gap') return this.#noteGap(event)
    const lane = lanes.byId(event.lane)
    if (!lane) return
    if (event.type === 'lane-stopped') return this.#noteStop(lane, event)
    logLaneEvent(this.#log, repeats, lane, event)
    if (event.type === 'lane-needs-range') return ranges.note(lane)
    if (event.type !== 'lane-needs-resume') return
    // Old batches after a lost connection: nobody has refused anything.
    if (event.code === 0) lanes.pendAgain(lane)
    else beginAnew(lanes, lane, this.#log)
  }

  #noteStop(lane: Lane, event: Extract<LinkEvent, { type: 'lane-stopped' }>): void {
    const { reason } = event
    const wayOut =
      reason === 'topic-recreated' ? `. ${acceptRecreated(lane.topic, this.#groupId)}` : ''
    lane.detail = `${event.detail}${wayOut}`
    logLaneEvent(this.#log, this.#parts.repeats, lane, { ...event, detail: lane.detail })
    if (this.#options.config.abortOnSendFailure && sendRefusals.has(reason)) {
      this.#end({ kind: 'refused', lane: { name: lane.name, reason } })
    }
  }

  /** Those that have not begun yet are refused when they would. */
  #stopRecreated(recreated: RecreatedTopic): void {
    const { lanes, link } = this.#parts
    const { topic, was, is } = recreated
    const running = [...lanes.running()].filter(lane => lane.topic === topic)
    this.#log.error(
      { topic, was, is, lanes: running.length, fix: acceptRecreated(topic, this.#groupId) },
      'topic was deleted and made anew: its lanes stop'
    )
    link.stopLanes(
      running.map(({ id }) => id),
      'topic-recreated'
    )
  }

  /**
   * The next process is to know it too, from the commits. A source deletes those along with the topic, and maybe a
   * moment after the new one is seen: so they are repeated as long as it matters.
   */
  async #repeatCommits(): Promise<void> {
    const { lanes, discovery, commits } = this.#parts
    const recreated = [...lanes.all()].filter(
      ({ topic, partition }) =>
        discovery.recreated.find(topic) !== undefined &&
        partition < (discovery.topics.get(topic)?.partitions ?? 0)
    )
    await commits.repeatLast(recreated)
  }

  /** Also of a lane that was given up since: nobody else will tell of the loss. */
  #noteGap(event: Extract<LinkEvent, { type: 'source-gap' }>): void {
    const { lanes, repeats, skippedGaps } = this.#parts
    const lane = lanes.byId(event.lane) ?? lanes.removedById(event.lane)
    if (!lane) return
    const { from, to, isSkipped } = event
    lane.gaps.note({ from, to, isSkipped })
    if (isSkipped) skippedGaps.note(lane)
    logLaneEvent(this.#log, repeats, lane, event)
  }

  // In this order: nothing new begins; lanes finish; the last commit rests on their acknowledgements;
  // only then the group may give the partitions to others.
  async #drain(end: End): Promise<Leftovers> {
    this.#phase = 'draining'
    const { link, lanes, assignment } = this.#parts
    const startedAt = performance.now()
    const deadline = startedAt + this.#options.config.drainTimeoutMs
    const left = () => deadline - performance.now()
    lanes.close()
    this.#work.stop()
    await isDoneWithin(assignment.settle(), left())
    const running = new Set(lanes.running())
    const busy = await drainLanes(link, lanes, running, deadline)
    const isCommitted = (await this.#commitLast(deadline)) && !isBehind(running)
    await isDoneWithin(this.#repeatCommits(), graceMs)
    this.#drainEvents()
    lanes.freeze()
    await this.#close(Math.max(left(), graceMs))
    const durationMs = Math.round(performance.now() - startedAt)
    this.#log.info({ end: end.kind, busyLanes: busy.length, durationMs }, 'link drained')
    return { busyLanes: busy.length, isCommitted, lostOffsets: countLost(lanes) }
  }

  async #commitLast(deadline: number): Promise<boolean> {
    const { commits, lanes } = this.#parts
    const now = performance.now()
    const until = Math.min(Math.max(deadline, now + graceMs), now + lastCommitMs)
    for (;;) {
      const commit = commits.commitChanged(new Set(lanes.running()))
      const isAnswered = await isDoneWithin(commit, until - performance.now())
      if (!isAnswered) return false
      if (await commit) return true
      if (performance.now() + retryMs >= until) return false
      await delay(retryMs)
    }
  }

  /** The link first: it uses the clusters' connections. What hangs on a dead broker is left behind. */
  async #close(limitMs: number): Promise<void> {
    const { link, group, repeats, pools } = this.#parts
    this.#phase = 'ended'
    this.#watch.stop()
    this.#work.stop()
    repeats.close()
    const closed = Promise.all([link.close(), group.close(), ...pools.map(pool => pool.close())])
    if (await isDoneWithin(closed, limitMs)) return
    this.#log.warn({}, 'connections did not close in time')
  }

  #tellOrThrow(what: string, error: unknown): void {
    const failure = failureOf(error)
    if (!failure) throw error
    const { name, code, message } = failure
    this.#parts.repeats.write(`retry ${what} ${name}`, count =>
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

  #breakOff({ name, code, message }: KafkaFailure): void {
    this.#log.error({ error: name, code, detail: message }, 'the client cannot go on')
    this.#end({ kind: 'broken', detail: `${name} (${code}): ${message}` })
  }

  /** New connections of the group's member log in with these. */
  setCredentials({ username, password }: Credentials): void {
    this.#parts.group.setCredentials(username, password)
  }

  setCommitInterval(intervalMs: number): void {
    this.#stopCommits()
    if (!this.#hasEnd) this.#stopCommits = this.#work.every(intervalMs, () => this.#commit())
  }

  get #groupId(): string {
    return this.#options.own.source.group['group.id'] ?? ''
  }

  checks(): Check[] {
    return checkLink(this.#parts, this.#groupId, this.#areTargetsChecked)
  }

  state(): LinkState {
    const { own, config } = this.#options
    return viewLink(this.#parts, own, config)
  }

  /** As they are at this moment; those of `state` may be a second old. */
  totals(): LinkTotals {
    return readTotals(this.#parts.lanes.snapshot(0).link)
  }
}

function countLost(lanes: Lanes): number {
  return [...lanes.all()].reduce((sum, { gaps }) => sum + gaps.offsets, 0)
}

/** Lanes that were lost during the drain: what they had acknowledged since is in no commit. */
function isBehind(lanes: Iterable<Lane>): boolean {
  return [...lanes].some(lane => lane.id === 0 && (lane.own?.offset ?? -1) > lane.committed)
}
