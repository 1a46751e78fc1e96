// Runs handlers on single records and tells what each has become. Pure but for the handlers.

import { defaultLimits } from '../batches/compression.ts'
import { openBatch } from '../batches/record-batch.ts'
import { type Chain, HandlerFailure, type Place } from './chain.ts'
import { HandledRecord } from './handled-record.ts'

export interface TrialTask {
  chain: number
  place: Place
  /** Of one record each. Handlers of batches get all at once, others one after the other. */
  batches: readonly Uint8Array[]
}

/** What a handler made. */
export interface TrialRecord {
  topic: string
  partition: number | 'by-key'
  timestamp: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers: readonly (readonly [key: Uint8Array, value: Uint8Array | null])[]
}

/** Of one record; nothing where it is dropped. */
export type TrialResult = { after: TrialRecord[] } | { handler: string; message: string }

/** In the order of the batches. */
export function tryRecords({ place, batches }: TrialTask, chain: Chain): TrialResult[] {
  const records = batches.map(bytes => recordOf(bytes, place))
  if (!chain.isOfBatches) {
    return records.map(record => judge(() => ({ after: chain.handle(record, place).map(show) })))
  }
  const all = judge(() => {
    const results = chain.handleAll(records, place)
    return records.map(({ offset }) => ({
      after: results.filter(result => result.offset === offset).map(show)
    }))
  })
  return Array.isArray(all) ? all : records.map(() => all)
}

function judge<Result>(run: () => Result): Result | { handler: string; message: string } {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof HandlerFailure)) throw error
    return { handler: error.handler, message: error.message }
  }
}

function recordOf(bytes: Uint8Array, { topic, partition }: Place): HandledRecord {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const source = openBatch(batch, defaultLimits)
  source.next()
  return new HandledRecord(source.record, topic, partition)
}

function show(record: HandledRecord): TrialRecord {
  const { topic, partition, timestamp, key, value } = record
  const headers = record.newBody()?.headers ?? record.view.headers()
  return { topic, partition, timestamp, key, value, headers }
}
