// What a few batch headers at a lane's start say of the way its batches would take.

import type { BatchHeader, PartitionHeaders } from '../native/index.ts'
import type { TargetBehaviour } from '../topics/configs.ts'

export interface SampleTarget extends TargetBehaviour {
  /** Time stamps of records have to lie between now less the one and now plus the other. */
  mostPastMs: number
  mostFutureMs: number
}

export interface BatchSample {
  batches: number
  /** Offsets that the batches cover; holes in them count. */
  offsets: number
  bytes: number
  codecs: string[]
  largestBatchBytes: number
  hasTransactions: boolean
  hasAppendTimes: boolean
  hasOldFormats: boolean
}

export interface SampleStart {
  offset: number
  /** A batch that begins before it is sent whole; else its lane stops. */
  repeatsHead: boolean
}

export interface SampledPath {
  path: 'shallow' | 'skipped' | 'stops'
  reason: string
  detail: string
  /** Of the first batch that cannot pass. */
  offset?: number
}

export function summarizeSample({ batches }: Pick<PartitionHeaders, 'batches'>): BatchSample {
  const sum = (value: (batch: BatchHeader) => number) =>
    batches.reduce((total, batch) => total + value(batch), 0)
  return {
    batches: batches.length,
    offsets: sum(({ baseOffset, lastOffset }) => Math.max(1, lastOffset - baseOffset + 1)),
    bytes: sum(({ bytes }) => bytes),
    codecs: [...new Set(batches.filter(carriesRecords).map(({ codec }) => codec))],
    largestBatchBytes: batches.reduce((most, { bytes }) => Math.max(most, bytes), 0),
    hasTransactions: batches.some(({ isTransactional }) => isTransactional),
    hasAppendTimes: batches.some(({ isAppendTime }) => isAppendTime),
    hasOldFormats: batches.some(({ magic }) => magic < 2)
  }
}

/** Undefined when there is no batch to go by. The first batch that cannot pass decides. */
export function expectPath(
  { batches, logStartOffset }: Pick<PartitionHeaders, 'batches' | 'logStartOffset'>,
  start: SampleStart,
  target: SampleTarget,
  now: number
): SampledPath | undefined {
  const relevant = batches.filter(({ lastOffset }) => lastOffset >= start.offset)
  const [first] = relevant
  if (!first) return undefined
  const least = start.repeatsHead ? logStartOffset : Math.max(start.offset, logStartOffset)
  for (const batch of relevant) {
    const obstacle = carriesRecords(batch) ? whyItStops(batch, least, target, now) : undefined
    if (obstacle) return { path: 'stops', offset: batch.baseOffset, ...obstacle }
  }
  const passed = passing(relevant.filter(carriesRecords), target)
  const repeated = carriesRecords(first) ? start.offset - first.baseOffset : 0
  if (repeated <= 0) return passed
  const detail = `offset ${start.offset} lies inside a batch, which is sent whole: ${repeated} records before it are sent again`
  return { ...passed, reason: 'head-repeated', detail }
}

function passing(batches: readonly BatchHeader[], { compression }: SampleTarget): SampledPath {
  if (batches.length === 0) {
    return {
      path: 'skipped',
      reason: 'control',
      detail: 'only transaction markers and empty batches'
    }
  }
  const codecs = [...new Set(batches.map(({ codec }) => codec))]
  const isKept = compression === undefined || compression === 'producer'
  const others = isKept ? [] : codecs.filter(codec => !isSameCodec(codec, compression))
  if (others.length > 0) {
    const detail = `the target compresses ${others.join(', ')} anew with ${compression}`
    return { path: 'shallow', reason: 'codec-mismatch', detail }
  }
  return { path: 'shallow', reason: 'shallow', detail: `passes unchanged (${codecs.join(', ')})` }
}

function isSameCodec(codec: string, compression: string): boolean {
  return codec === (compression === 'uncompressed' ? 'none' : compression)
}

function carriesRecords({ isControl, records }: BatchHeader): boolean {
  return !isControl && records !== 0
}

function whyItStops(
  batch: BatchHeader,
  least: number,
  target: SampleTarget,
  now: number
): { reason: string; detail: string } | undefined {
  const { baseOffset, lastOffset, records, bytes, magic, maxTimestamp } = batch
  if (magic < 2) {
    return {
      reason: 'old-format',
      detail: `message format v${magic}, which would have to be rebuilt`
    }
  }
  if (baseOffset < least) {
    const detail = `offset ${least} lies inside a batch that begins at ${baseOffset}, which would have to be cut`
    return { reason: 'head-trim', detail }
  }
  if (records !== lastOffset - baseOffset + 1) {
    const detail = 'gaps in the offsets of a batch (compaction), which would have to be rebuilt'
    return { reason: 'holes', detail }
  }
  if (batch.isAppendTime && !target.isAppendTime) {
    const detail =
      'append times and a target topic with create times: set message.timestamp.type=LogAppendTime there'
    return { reason: 'append-time', detail }
  }
  if (bytes > target.maxMessageBytes) {
    const detail = `a batch of ${bytes} bytes, and the target takes ${target.maxMessageBytes}: raise max.message.bytes there`
    return { reason: 'too-large', detail }
  }
  if (!target.isAppendTime && maxTimestamp >= 0) return whyTimeIsRefused(maxTimestamp, target, now)
  return undefined
}

function whyTimeIsRefused(
  timestamp: number,
  { mostPastMs, mostFutureMs }: SampleTarget,
  now: number
): { reason: string; detail: string } | undefined {
  const isPast = now - timestamp > mostPastMs
  if (!isPast && timestamp - now <= mostFutureMs) return undefined
  const name = `message.timestamp.${isPast ? 'before' : 'after'}.max.ms`
  const detail = `records of ${new Date(timestamp).toISOString()} lie outside of the target topic's ${name}: raise it there`
  return { reason: 'timestamp-range', detail }
}
