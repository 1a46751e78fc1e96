// Owns the answers that a scripted broker gives, in every version it speaks.

import { type Answer, AnswerWriter, type Field } from './answer-writer.ts'
import { headerBytes } from './batch-header.ts'

export const api = {
  produce: 0,
  fetch: 1,
  metadata: 3,
  apiVersions: 18,
  initProducerId: 22,
  describeProducers: 61
} as const
export type Api = (typeof api)[keyof typeof api]

/** The first version of each API in flexible encoding. */
export const firstFlexible: Record<Api, number> = { 0: 9, 1: 12, 3: 9, 18: 3, 22: 2, 61: 0 }

/** [lowest, highest] by API; a test narrows it to make an older broker. */
export type Versions = Record<number, readonly [number, number]>
export const spokenVersions: Versions = {
  [api.produce]: [3, 8],
  [api.fetch]: [4, 13],
  [api.metadata]: [0, 12],
  [api.apiVersions]: [0, 3],
  [api.initProducerId]: [0, 1],
  [api.describeProducers]: [0, 0]
}

type Offset = number | bigint

export type FetchedPartition = {
  partition: number
  error: number
  highWatermark: Offset
  lastStableOffset: Offset
  logStartOffset: Offset
  aborted: { producerId: number; firstOffset: number }[] | null
  preferredReadReplica: number
  records: Buffer | null
  /** Where the leader's log parts from the one that was read (KIP-595), from version 12 on. */
  divergingEpoch?: { epoch: number; endOffset: number }
}
export type FetchedTopic = { topic: string; topicId: Buffer; partitions: FetchedPartition[] }
export type FetchAnswer = {
  throttleMs: number
  error: number
  /** 0 for none. */
  sessionId: number
  topics: FetchedTopic[]
}

export type ProducedPartition = { partition: number; error: number; baseOffset: Offset }
export type ProducedTopic = { topic: string; partitions: ProducedPartition[] }
export type ProduceAnswer = { throttleMs: number; topics: ProducedTopic[] }

export type MetadataAnswer = {
  brokers: { id: number; port: number }[]
  topics: {
    topic: string
    topicId: Buffer
    partitions: { partition: number; leader: number; leaderEpoch: number }[]
  }[]
}

export function writeApiVersions(version: number, versions: Versions): Buffer {
  const to = new AnswerWriter(version >= 3).int16('error', 0)
  to.array('apis', Object.entries(versions), ([key, [least, most]]) => {
    to.int16('key', Number(key)).int16('least', least).int16('most', most).tags()
  })
  if (version >= 1) to.int32('throttle', 0)
  return to.tags().done().bytes
}

/** A broker that does not know the version asked with answers in version 0. */
export function refuseApiVersions(versions: Versions): Buffer {
  const bytes = writeApiVersions(0, versions)
  bytes.writeInt16BE(35, 0)
  return bytes
}

// throttle_ms i32 · [v7: error i16 · session_id i32] · topics [name, from v13 topic_id · partitions [index i32 ·
// error i16 · high_watermark i64 · [v4: last_stable_offset i64] · [v5: log_start i64] · [v4: aborted [producer_id i64 ·
// first_offset i64]] · [v11: preferred_read_replica i32] · records · tags: 0 diverging epoch]]
export function writeFetch(version: number, answer: FetchAnswer): Answer {
  const to = new AnswerWriter(version >= firstFlexible[api.fetch])
  to.int32('throttle', answer.throttleMs)
  if (version >= 7) to.int16('error', answer.error).int32('session', answer.sessionId)
  to.array('topics', answer.topics, ({ topic, topicId, partitions }) => {
    if (version >= 13) to.uuid(topicId)
    else to.string('name', topic)
    to.array('partitions', partitions, partition => {
      to.int32('index', partition.partition).int16('error', partition.error)
      to.int64('highWatermark', partition.highWatermark)
      if (version >= 4) to.int64('lastStable', partition.lastStableOffset)
      if (version >= 5) to.int64('logStart', partition.logStartOffset)
      if (version >= 4) {
        to.array('aborted', partition.aborted, ({ producerId, firstOffset }) => {
          to.int64('producerId', producerId).int64('firstOffset', firstOffset).tags()
        })
      }
      if (version >= 11) to.int32('preferredReplica', partition.preferredReadReplica)
      to.bytes('records', partition.records, headerFields(partition.records))
      to.tags(divergence(partition.divergingEpoch))
    }).tags()
  }).tags()
  return to.done()
}

function divergence(diverging: FetchedPartition['divergingEpoch']): [number, Buffer][] {
  if (diverging === undefined) return []
  const to = new AnswerWriter(true)
  to.int32('epoch', diverging.epoch).int64('endOffset', diverging.endOffset).tags()
  return [[0, to.done().bytes]]
}

// topics [name · partitions [index i32 · error i16 · base_offset i64 · log_append_time i64 · [v5: log_start i64] ·
// [v8: record_errors [] · error_message]]] · throttle_ms i32
export function writeProduce(version: number, answer: ProduceAnswer): Answer {
  const to = new AnswerWriter(version >= firstFlexible[api.produce])
  to.array('topics', answer.topics, ({ topic, partitions }) => {
    to.string('name', topic)
    to.array('partitions', partitions, ({ partition, error, baseOffset }) => {
      to.int32('index', partition).int16('error', error)
      to.int64('baseOffset', baseOffset).int64('appendTime', -1)
      if (version >= 5) to.int64('logStart', 0)
      if (version >= 8) to.array('recordErrors', [], () => {}).string('message', null)
      to.tags()
    }).tags()
  })
  return to.int32('throttle', answer.throttleMs).tags().done()
}

// [v3: throttle_ms i32] · brokers [id i32 · host · port i32 · [v1: rack]] · [v2: cluster_id] · [v1: controller i32] ·
// topics [error i16 · name · [v10: topic_id] · [v1: is_internal i8] · partitions [error i16 · index i32 · leader i32 ·
// [v7: leader_epoch i32] · replicas [i32] · in_sync [i32] · [v5: offline [i32]]] · [v8: operations i32]] ·
// [v8 to v10: operations i32]
export function writeMetadata(version: number, answer: MetadataAnswer): Answer {
  const to = new AnswerWriter(version >= firstFlexible[api.metadata])
  if (version >= 3) to.int32('throttle', 0)
  to.array('brokers', answer.brokers, ({ id, port }) => {
    to.int32('id', id).string('host', '127.0.0.1').int32('port', port)
    if (version >= 1) to.string('rack', null)
    to.tags()
  })
  if (version >= 2) to.string('cluster', 'scripted')
  if (version >= 1) to.int32('controller', answer.brokers[0]?.id ?? -1)
  to.array('topics', answer.topics, ({ topic, topicId, partitions }) => {
    to.int16('error', 0).string('name', topic)
    if (version >= 10) to.uuid(topicId)
    if (version >= 1) to.int8('internal', 0)
    to.array('partitions', partitions, ({ partition, leader, leaderEpoch }) => {
      to.int16('error', 0).int32('index', partition).int32('leader', leader)
      if (version >= 7) to.int32('leaderEpoch', leaderEpoch)
      const lists = version >= 5 ? ['replicas', 'inSync', 'offline'] : ['replicas', 'inSync']
      for (const list of lists) {
        to.array(list, list === 'offline' ? [] : [leader], id => to.int32('id', id))
      }
      to.tags()
    })
    if (version >= 8) to.int32('operations', -2147483648)
    to.tags()
  })
  if (version >= 8 && version <= 10) to.int32('operations', -2147483648)
  return to.tags().done()
}

export function writeInitProducerId(error: number, producerId: Offset, epoch: number): Answer {
  const to = new AnswerWriter(false).int32('throttle', 0).int16('error', error)
  return to.int64('producerId', producerId).int16('epoch', epoch).done()
}

export type ProducerOf = { producerId: number; epoch: number; lastSequence: number }

// throttle_ms i32 · topics [name · partitions [index i32 · error i16 · message · producers [id i64 · epoch i32 ·
// last_sequence i32 · last_timestamp i64 · coordinator_epoch i32 · transaction_start i64]]], flexible
export function writeDescribeProducers(
  topics: { topic: string; partitions: { partition: number; producers: ProducerOf[] }[] }[]
): Answer {
  const to = new AnswerWriter(true).int32('throttle', 0)
  to.array('topics', topics, ({ topic, partitions }) => {
    to.string('name', topic)
    to.array('partitions', partitions, ({ partition, producers }) => {
      to.int32('index', partition).int16('error', 0).string('message', null)
      to.array('producers', producers, ({ producerId, epoch, lastSequence }) => {
        to.int64('id', producerId).int32('epoch', epoch).int32('lastSequence', lastSequence)
        to.int64('lastTimestamp', -1).int32('coordinatorEpoch', -1)
        to.int64('transactionStart', -1).tags()
      }).tags()
    }).tags()
  })
  return to.tags().done()
}

const batchFields = [
  ['baseOffset', 0, 8],
  ['batchLength', 8, 4],
  ['leaderEpoch', 12, 4],
  ['magic', 16, 1],
  ['crc', 17, 4],
  ['attributes', 21, 2],
  ['lastOffsetDelta', 23, 4],
  ['baseTimestamp', 27, 8],
  ['maxTimestamp', 35, 8],
  ['producerId', 43, 8],
  ['producerEpoch', 51, 2],
  ['baseSequence', 53, 4],
  ['recordCount', 57, 4]
] as const

/** The header fields of the first batch. */
function headerFields(records: Buffer | null): Field[] {
  if (records === null || records.length < headerBytes) return []
  return batchFields.map(([name, at, size]) => {
    return {
      name: `batch.${name}`,
      kind: `int${(8 * size) as 8 | 16 | 32 | 64}` as const,
      at,
      size
    }
  })
}
