// Fills in what a file left open, and keeps together the values that depend on one another.

import type { LinkSettings } from '../mirror/types.ts'
import type { Properties } from '../native/index.ts'
import type { TargetCompression } from '../topics/codec-rules.ts'
import type { RunOptions } from './options.ts'
import type { Draft } from './rules/rule.ts'

const mebibyte = 1_048_576

const defaultBudgetBytes = 96 * mebibyte

/** Set on every client of either side, over whatever the file says. */
const fixed: Properties = {
  'enable.metrics.push': 'false',
  'socket.keepalive.enable': 'true',
  'socket.nagle.disable': 'true'
}

/** `streams` may come from an old file instead of the option. */
export function linkOptions(
  source: Draft,
  target: Draft,
  options: RunOptions,
  streams = options['num.streams']
): LinkSettings {
  const budgetBytes = chooseBudget(source, target)
  const requestTimeoutMs = target.engine.requestTimeoutMs ?? 30_000
  const idempotent = target.engine.idempotent ?? true
  return {
    streams,
    producers: options['num.producers'],
    isolation: options.isolation ?? source.engine.isolation ?? 'read_committed',
    fetchMinBytes: source.engine.fetchMinBytes ?? 1,
    fetchMaxBytes: capFetch(source, budgetBytes),
    maxPartitionFetchBytes: source.engine.maxPartitionFetchBytes ?? 4 * mebibyte,
    fetchMaxWaitMs: capWait(source, requestTimeoutMs),
    budgetBytes,
    maxRequestBytes: target.engine.maxRequestBytes ?? mebibyte,
    // Without sequence numbers a second batch on its way could overtake the first.
    maxInFlight: idempotent ? (target.engine.maxInFlight ?? 5) : 1,
    requestTimeoutMs,
    idempotent,
    maxHeldRecords: options['queue.size'] ?? heldRecords(source, target),
    skipGaps: options['on-gap'] === 'skip',
    merge: options.merge === 'auto',
    clientRack: source.engine.clientRack ?? ''
  }
}

/** Two files may each name a budget: the target's counts. */
function chooseBudget(source: Draft, target: Draft): number {
  const fetched = source.engine.budgetBytes
  const written = target.engine.budgetBytes
  if (fetched !== undefined && written !== undefined && fetched !== written) {
    const what = `buffer.memory of the target counts, ${written} bytes`
    warnOf(source, 'engine budgetBytes', `queued.max.messages.kbytes: ${what}`)
  }
  return written ?? fetched ?? defaultBudgetBytes
}

function heldRecords(source: Draft, target: Draft): number {
  const limits = [source.engine.maxHeldRecords, target.engine.maxHeldRecords].filter(
    limit => limit !== undefined
  )
  return limits.length === 0 ? 0 : Math.min(...limits)
}

function capFetch(source: Draft, budgetBytes: number): number {
  const asked = source.engine.fetchMaxBytes
  if (asked !== undefined && asked > budgetBytes) {
    const what = `${asked} cut to ${budgetBytes}, the byte budget (buffer.memory)`
    warnOf(source, 'engine fetchMaxBytes', `fetch.max.bytes: ${what}`)
  }
  return Math.min(asked ?? 50 * mebibyte, budgetBytes)
}

// A fetch that waits as long as that would be taken for a broker that does not answer.
function capWait(source: Draft, requestTimeoutMs: number): number {
  const asked = source.engine.fetchMaxWaitMs ?? 500
  if (source.engine.fetchMaxWaitMs !== undefined && asked > requestTimeoutMs) {
    const what = `${asked} cut to ${requestTimeoutMs}, request.timeout.ms of the target`
    warnOf(source, 'engine fetchMaxWaitMs', `fetch.max.wait.ms: ${what}`)
  }
  return Math.min(asked, requestTimeoutMs)
}

// librdkafka's one number for all codecs: below 0 each chooses for itself, and gzip goes to 9.
export function compressionOf({ compression }: Draft): TargetCompression {
  const { level = -1, levels, ...given } = compression
  const forAll = level < 0 ? {} : { gzip: Math.min(level, 9), zstd: level }
  return { ...given, levels: { ...forAll, ...levels } }
}

export function connectionOf(draft: Draft, link: LinkSettings, logLevel: string): Properties {
  const connection = new Map(draft.connection)
  const isSource = draft.side === 'source'
  const clientId = isSource ? `${draft.group.get('group.id') ?? 'heliostat'}-0` : 'heliostat'
  setDefault(connection, 'client.id', clientId)
  setDefault(connection, 'log_level', logLevel === 'debug' ? '7' : '6')
  setDefault(connection, 'topic.metadata.refresh.interval.ms', '300000')
  setDefault(connection, 'metadata.recovery.strategy', 'rebootstrap')
  // As in Java: with librdkafka's ten seconds a broker that is back would not be noticed for as long.
  setDefault(connection, 'reconnect.backoff.max.ms', '1000')
  if (isSource) raise(connection, 'receive.message.max.bytes', answerLimit(link), draft)
  raise(connection, 'socket.timeout.ms', socketTimeout(draft, link), draft)
  for (const [name, value] of Object.entries(fixed)) {
    const given = connection.get(name)
    if (given !== undefined && given !== value) {
      draft.notes.push({ level: 'info', text: `${name}: ${given} read as ${value}` })
    }
    connection.set(name, value)
  }
  return Object.freeze(Object.fromEntries(connection))
}

// A first batch always comes whole, however large the topic allows it to be; the rest is for the
// answer's own fields at ten thousand partitions.
function answerLimit(link: LinkSettings): number {
  return Math.max(link.fetchMaxBytes, 100 * mebibyte) + 4 * mebibyte
}

// The socket's own limit closes the connection, so it must be the last one to run out.
function socketTimeout(draft: Draft, link: LinkSettings): number {
  const request = draft.engine.requestTimeoutMs ?? 30_000
  const wait = draft.side === 'source' ? link.fetchMaxWaitMs : 0
  return Math.min(300_000, Math.max(60_000, request + wait + 30_000))
}

// A member that lost its place joins again only when a connection that died without a word is given up. Its requests
// are small and short, and those that wait for other members have limits of their own.
function groupSocketTimeout({ engine }: Draft): number {
  return Math.max(10_000, engine.requestTimeoutMs ?? 30_000)
}

export function groupOf(source: Draft, isolation: LinkSettings['isolation']): Properties {
  const group = new Map(source.group)
  setDefault(group, 'enable.auto.commit', 'false')
  setDefault(group, 'allow.auto.create.topics', 'false')
  setDefault(group, 'isolation.level', isolation)
  // The discovery asks for all metadata by this client; the member sees new partitions in the same answer.
  setDefault(group, 'topic.metadata.refresh.interval.ms', '300000')
  if (!source.connection.has('socket.timeout.ms')) {
    setDefault(group, 'socket.timeout.ms', String(groupSocketTimeout(source)))
  }
  if (group.get('group.protocol') === 'consumer') dropClassicSettings(group, source)
  else completeClassicGroup(group)
  return Object.freeze(Object.fromEntries(group))
}

function completeClassicGroup(group: Map<string, string>): void {
  group.set('partition.assignment.strategy', 'cooperative-sticky')
  // A dynamic member that was restarted waits for its old session to run out; a static one does not.
  if (group.has('group.instance.id')) return
  const heartbeat = Number(group.get('heartbeat.interval.ms') ?? 2_000)
  setDefault(group, 'heartbeat.interval.ms', String(heartbeat))
  setDefault(group, 'session.timeout.ms', String(Math.max(6_000, 3 * heartbeat)))
}

function dropClassicSettings(group: Map<string, string>, source: Draft): void {
  const dropped = ['session.timeout.ms', 'heartbeat.interval.ms', 'group.protocol.type'].filter(
    name => group.delete(name)
  )
  const strategy = 'partition.assignment.strategy'
  if (source.given.has(strategy)) dropped.push(strategy)
  if (dropped.length === 0) return
  const text = `group.protocol=consumer: left out, the brokers decide them: ${dropped.join(', ')}`
  source.notes.push({ level: 'warn', text })
}

function setDefault(properties: Map<string, string>, name: string, value: string): void {
  if (!properties.has(name)) properties.set(name, value)
}

function raise(properties: Map<string, string>, name: string, floor: number, draft: Draft): void {
  const given = properties.get(name)
  if (given !== undefined && Number(given) >= floor) return
  if (given !== undefined) {
    warnOf(draft, `connection ${name}`, `${name}: ${given} raised to ${floor}`)
  }
  properties.set(name, String(floor))
}

/** `key` is that of `origins`: where the value stands that is not taken as it is. */
function warnOf(draft: Draft, key: string, what: string): void {
  const origin = draft.origins.get(key)
  const text = origin === undefined ? what : `${origin}: ${what}`
  // Several links ask the same of one target.
  if (draft.notes.some(note => note.text === text)) return
  draft.notes.push({ level: 'warn', text })
}
