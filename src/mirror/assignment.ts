// Membership of the group: takes the partitions that it gives and hands back those it takes away.

import type { Logger } from 'pino'
import type { Group, GroupEvent, KafkaFailure, Link, TopicPartition } from '../native/index.ts'
import type { ClientLog } from './client-log.ts'
import type { Commits } from './commits.ts'
import { drainLanes } from './drain.ts'
import { adviceFor, isHopeless } from './group-refusals.ts'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'
import type { Repeats } from './repeats.ts'

/** Others may have the partitions already. */
const lostDrainMs = 2_000

export interface AssignmentOptions {
  group: Group
  link: Link
  lanes: Lanes
  commits: Commits
  log: Logger
  clientLog: ClientLog
  repeats: Repeats
  drainTimeoutMs: number
  /** The run has an end, and so does its patience. */
  isBounded: boolean
  /** The client cannot go on. */
  onFatal(failure: KafkaFailure): void
  onError(error: unknown): void
}

export class Assignment {
  readonly #options: AssignmentOptions
  readonly rebalances = { assigned: 0, revoked: 0, lost: 0 }
  #givingBack: Promise<void> = Promise.resolve()
  #isGivingBack = false
  /** Given up at once; what the group gives next waits until the lanes have ended. */
  #isLosing = false
  #changedAt = 0

  constructor(options: AssignmentOptions) {
    this.#options = options
  }

  /** The group has given us an assignment, be it an empty one. */
  get hasJoined(): boolean {
    return this.rebalances.assigned > 0
  }

  /** How long the group has left us as we are. */
  get quietMs(): number {
    if (!this.hasJoined || this.#isGivingBack) return 0
    return performance.now() - this.#changedAt
  }

  /** To be called every 100 ms: heartbeats go on by themselves, the group's events wait for it. */
  poll(): void {
    if (this.#isLosing) return
    for (const event of this.#options.group.poll()) this.#handle(event)
  }

  /** Waits until nothing is being handed back. */
  async settle(): Promise<void> {
    await this.#givingBack
  }

  #handle(event: GroupEvent): void {
    switch (event.type) {
      case 'assign':
        return this.#take(event.partitions)
      case 'revoke':
        return this.#giveBack(event.partitions, event.lost)
      default:
        this.#options.clientLog.write('group', event)
        if (event.type === 'error') this.#judge(event.failure)
    }
  }

  #judge(failure: KafkaFailure): void {
    const { onFatal, isBounded } = this.#options
    const fix = adviceFor(failure.code)
    const isKeptOut = !this.hasJoined && isHopeless(failure.code, isBounded)
    if (failure.fatal || isKeptOut) {
      onFatal(fix === undefined ? failure : { ...failure, message: `${failure.message}; ${fix}` })
    } else if (fix !== undefined) this.#tellWaiting(failure, fix)
  }

  #tellWaiting({ name, code }: KafkaFailure, fix: string): void {
    const { repeats, log } = this.#options
    repeats.write(`group ${name}`, count =>
      log.warn(
        { error: name, code, fix, count },
        'the group does not take this member; trying again'
      )
    )
  }

  #take(partitions: TopicPartition[]): void {
    const { group, lanes, log } = this.#options
    const isFirst = !this.hasJoined
    this.rebalances.assigned++
    this.#changedAt = performance.now()
    group.assign()
    lanes.hold(partitions)
    if (partitions.length === 0 && !isFirst) return
    log.info({ partitions: partitions.length, memberId: group.memberId() }, 'partitions assigned')
  }

  #giveBack(partitions: TopicPartition[], isLost: boolean): void {
    this.rebalances[isLost ? 'lost' : 'revoked']++
    this.#changedAt = performance.now()
    this.#options.log.info({ partitions: partitions.length, isLost }, 'partitions revoked')
    this.#isGivingBack = true
    // At once, so that nothing begins a lane that is not ours any more.
    const released = new Set(this.#options.lanes.release(partitions))
    // Until this is answered the client sends heartbeats without a member id, and a coordinator that comes back
    // takes a static member for fenced by another process: the end of the client.
    if (isLost) this.#options.group.unassign()
    this.#isLosing = isLost
    this.#givingBack = this.#givingBack
      .then(() => this.#handOver(released, isLost))
      .catch(this.#options.onError)
  }

  async #handOver(released: ReadonlySet<Lane>, isLost: boolean): Promise<void> {
    const { commits, lanes, group } = this.#options
    await this.#finish(released, isLost)
    // A commit under way must not land after the next owner's.
    await commits.settle()
    lanes.remove([...released])
    if (!isLost) group.unassign()
    this.#isGivingBack = false
    this.#isLosing = false
    this.#changedAt = performance.now()
  }

  /** What is lost cannot be committed, but what is acknowledged is known should the lanes come back. */
  async #finish(released: ReadonlySet<Lane>, isLost: boolean): Promise<void> {
    const { link, lanes, commits, log, drainTimeoutMs } = this.#options
    const timeoutMs = isLost ? Math.min(lostDrainMs, drainTimeoutMs) : drainTimeoutMs
    const busy = await drainLanes(link, lanes, released, performance.now() + timeoutMs)
    if (busy.length > 0) {
      log.warn(
        { count: busy.length, lanes: busy.slice(0, 10).map(({ name }) => name) },
        'revoked lanes had batches without an answer; the next owner sends them again'
      )
    }
    if (!isLost) await commits.commitChanged(released)
  }
}
