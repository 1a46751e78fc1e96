// What a few batch headers at a lane's start say of the way its batches would take.

import type { Codec } from '../batches/codec.ts'
import type { BatchHeader, PartitionHeaders } from '../native/index.ts'
import type { TargetBehaviour } from '../topics/configs.ts'

export interface SampleTarget extends TargetBehaviour {
  /** Time stamps of records have to lie between now less the one and now plus the other. */
  mostPastMs: number
  mostFutureMs: number
  /** What every batch is to be written in, where --recompress says so. */
  forcedCodec?: Codec
  /** Whether handlers see the records. */
  isHandled?: boolean
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

export interface SampledPath {
  path: 'shallow' | 'reseal' | 'transform' | 'skipped' | 'stops'
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

/** Undefined when there is no batch to go by. A batch that stops the lane decides, else one to be rebuilt. */
export function expectPath(
  { batches, logStartOffset }: Pick<PartitionHeaders, 'batches' | 'logStartOffset'>,
  offset: number,
  target: SampleTarget,
  now: number
): SampledPath | undefined {
  const relevant = batches.filter(({ lastOffset }) => lastOffset >= offset)
  if (relevant.length === 0) return undefined
  const carrying = relevant.filter(carriesRecords)
  for (const batch of carrying) {
    const refusal = target.isAppendTime ? undefined : whyTimeIsRefused(batch, target, now)
    if (refusal) return { path: 'stops', offset: batch.baseOffset, ...refusal }
  }
  const [first] = carrying
  if (target.isHandled && first) {
    const detail = 'handlers see its records; a batch that they leave as it is passes as it came'
    return { path: 'transform', offset: first.baseOffset, reason: 'handler', detail }
  }
  const least = Math.max(offset, logStartOffset)
  for (const batch of carrying) {
    const reason = whyItIsRebuilt(batch, least, target)
    if (reason) return { path: 'reseal', offset: batch.baseOffset, ...reason }
  }
  const other = carrying.find(({ codec }) => codec !== (target.forcedCodec ?? codec))
  if (other) {
    const detail = `${other.codec} is written as ${target.forcedCodec}, as --recompress asks`
    return { path: 'reseal', offset: other.baseOffset, reason: 'forced', detail }
  }
  return passing(carrying, target)
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

function whyItIsRebuilt(
  { baseOffset, lastOffset, records, bytes, magic, isAppendTime }: BatchHeader,
  least: number,
  target: SampleTarget
): { reason: string; detail: string } | undefined {
  if (magic < 2) {
    return { reason: 'old-format', detail: `message format v${magic} is rebuilt as v2` }
  }
  if (baseOffset < least) {
    const detail = `offset ${least} lies inside a batch that begins at ${baseOffset}: its rest is cut out`
    return { reason: 'head-trim', detail }
  }
  if (records !== lastOffset - baseOffset + 1) {
    const detail = 'batches with gaps in their offsets (compaction) are renumbered'
    return { reason: 'holes', detail }
  }
  if (isAppendTime && !target.isAppendTime) {
    const detail =
      'append times are written into the records, since the target topic has create times: with message.timestamp.type=LogAppendTime there they pass unchanged'
    return { reason: 'append-time', detail }
  }
  if (bytes <= target.maxMessageBytes) return undefined
  const detail = `a batch of ${bytes} bytes is split, since the target takes ${target.maxMessageBytes}: raise max.message.bytes there to have it pass unchanged`
  return { reason: 'too-large', detail }
}

function whyTimeIsRefused(
  { maxTimestamp, isAppendTime }: BatchHeader,
  { mostPastMs, mostFutureMs }: SampleTarget,
  now: number
): { reason: string; detail: string } | undefined {
  if (maxTimestamp < 0 || isAppendTime) return undefined
  const isPast = now - maxTimestamp > mostPastMs
  if (!isPast && maxTimestamp - now <= mostFutureMs) return undefined
  const name = `message.timestamp.${isPast ? 'before' : 'after'}.max.ms`
  const detail = `records of ${new Date(maxTimestamp).toISOString()} lie outside of the target topic's ${name}: raise it there`
  return { reason: 'timestamp-range', detail }
}
