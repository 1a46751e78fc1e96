// A lane's checkpoint as text: what travels in the metadata of the committed source offset.
//
// Form: `h1;alg=1;cluster=ID;pid=N;epoch=N;seq=N;end=N;step=0|1;del=1|REASON;src=ID;tgt=ID;le=N;paths=PATH:N,...;lost=N`,
// `;stop=REASON` where the lane stays stopped, and `;fan=TOPIC:PARTITION.PID.EPOCH.SEQ.END,.../...` where handlers send
// its records to other partitions too: without these about 230 bytes of the 4,096 that a broker allows. `h1` is the
// version of the form; a reader of version 1 passes over names it does not know, so version 1 can grow by names whose
// absence means what it meant before.

import { type BatchPaths, decodeBatchPaths, encodeBatchPaths } from './batch-paths.ts'
import { type BranchEnd, decodeBranches, encodeBranches } from './branch-ends.ts'
import { atLeastOnce, type DeliveryLevel, type DeliveryReason, exactlyOnce } from './delivery.ts'
import type { KeptStop } from './kept-stops.ts'

const formatVersion = 1

/** Raised when the order or number of mirrored records changes for the same source log. */
export const pathAlgorithm = 1

export interface Checkpoint {
  algorithm: number
  targetClusterId: string
  /** -1 before the first batch was sent. */
  producerId: number
  producerEpoch: number
  /** Sequence that the record at the committed offset gets. */
  nextSequence: number
  /** Target offset just after the last acknowledged record; the log end at a first start; -1 not known. */
  targetEnd: number
  /** The target topic had every partition of the source's, so it is grown along with it. */
  isInStep: boolean
  /** What the lane could promise when this was committed. */
  level: DeliveryLevel
  /** Ids of the topics on both sides, as in `TopicMetadata`; empty where the brokers tell none. */
  sourceTopicId: string
  targetTopicId: string
  /** Leader epoch of the source's record before the committed offset; -1 not known. */
  leaderEpoch: number
  /** Since the group's first commit of the lane; absent in commits of versions that did not count. */
  deeds?: LaneDeeds
  /** The lane stays stopped until somebody decides. */
  keptStop?: KeptStop
  /** Other partitions of the target to which handlers send records of the lane. */
  branches?: readonly BranchEnd[]
}

/** What the mirrors of a lane have done, one after the other, as `status` tells it. */
export interface LaneDeeds {
  paths: BatchPaths
  /** Source offsets that were deleted before they were mirrored. */
  lost: number
}

export type DecodedCheckpoint =
  | { kind: 'none' }
  | { kind: 'own'; checkpoint: Checkpoint }
  /** Written by a heliostat that knows more than this one. */
  | { kind: 'newer'; version: number }
  /** Written by another program, or damaged. */
  | { kind: 'foreign' }

export function encodeCheckpoint(checkpoint: Checkpoint): string {
  const { algorithm, targetClusterId, producerId, producerEpoch } = checkpoint
  const { nextSequence, targetEnd, isInStep, level } = checkpoint
  const { sourceTopicId, targetTopicId, leaderEpoch, deeds, keptStop, branches = [] } = checkpoint
  return (
    `h${formatVersion};alg=${algorithm};cluster=${encodeURIComponent(targetClusterId)}` +
    `;pid=${producerId};epoch=${producerEpoch};seq=${nextSequence};end=${targetEnd}` +
    `;step=${isInStep ? 1 : 0};del=${level.delivery === 'exactly-once' ? 1 : level.deliveryReason}` +
    `;src=${sourceTopicId};tgt=${targetTopicId};le=${leaderEpoch}` +
    (deeds === undefined ? '' : `;paths=${encodeBatchPaths(deeds.paths)};lost=${deeds.lost}`) +
    (keptStop === undefined ? '' : `;stop=${keptStop}`) +
    (branches.length === 0 ? '' : `;fan=${encodeBranches(branches)}`)
  )
}

export function decodeCheckpoint(text: string): DecodedCheckpoint {
  if (text === '') return { kind: 'none' }
  const [head = '', ...pairs] = text.split(';')
  const version = /^h([1-9]\d{0,3})$/.exec(head)?.[1]
  if (version === undefined) return { kind: 'foreign' }
  if (Number(version) > formatVersion) return { kind: 'newer', version: Number(version) }
  const checkpoint = readFields(new Map(pairs.map(splitPair)))
  return checkpoint ? { kind: 'own', checkpoint } : { kind: 'foreign' }
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=')
  return [pair.slice(0, at), pair.slice(at + 1)]
}

function readFields(fields: ReadonlyMap<string, string>): Checkpoint | undefined {
  const cluster = readText(fields.get('cluster'))
  const branches = readBranches(fields.get('fan'))
  const numbers = ['alg', 'pid', 'epoch', 'seq', 'end'].map(name => readNumber(fields.get(name)))
  if (cluster === undefined || branches === undefined || numbers.includes(undefined))
    return undefined
  const [algorithm, producerId, producerEpoch, nextSequence, targetEnd] = numbers as [
    number,
    number,
    number,
    number,
    number
  ]
  return {
    algorithm,
    targetClusterId: cluster,
    producerId,
    producerEpoch,
    nextSequence,
    targetEnd,
    isInStep: fields.get('step') === '1',
    level: readLevel(fields.get('del')),
    sourceTopicId: fields.get('src') ?? '',
    targetTopicId: fields.get('tgt') ?? '',
    leaderEpoch: readNumber(fields.get('le')) ?? -1,
    ...readDeeds(fields),
    ...(fields.get('stop') === 'target-went-back' && { keptStop: 'target-went-back' }),
    ...(branches.length > 0 && { branches })
  }
}

function readDeeds(fields: ReadonlyMap<string, string>): Pick<Checkpoint, 'deeds'> {
  const [paths, lost] = [fields.get('paths'), readNumber(fields.get('lost'))]
  if (paths === undefined || lost === undefined) return {}
  return { deeds: { paths: decodeBatchPaths(paths), lost } }
}

function readBranches(text: string | undefined): BranchEnd[] | undefined {
  return text === undefined ? [] : decodeBranches(text)
}

// Commits of versions that said nothing were made without looking at the target.
function readLevel(text: string | undefined): DeliveryLevel {
  if (text === '1') return exactlyOnce
  return atLeastOnce((text ?? 'no-producer-id') as DeliveryReason)
}

function readText(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function readNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
