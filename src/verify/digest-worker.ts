// Opens fetched batches in a worker thread and gives back a short digest of each record.

import { move, transferableSymbol, valueSymbol } from 'piscina'
import { BatchFault } from '../batches/batch-fault.ts'
import { ChunkRecords } from '../batches/chunk-records.ts'
import type { OpenableBatches } from './batch-run.ts'
import { buffersOf, ColumnBuilder, type RecordColumns } from './record-columns.ts'
import { RecordHasher } from './record-hasher.ts'

export interface DigestTask {
  chunks: readonly DigestChunk[]
}

/** Whole batches as they were fetched. */
export interface DigestChunk extends OpenableBatches {
  /** Timestamps count for the records' identity. */
  hasTimes: boolean
}

export interface DigestedChunk {
  columns: RecordColumns
  /** Keys, values and headers, inflated. */
  bytes: number
  /** Why what lies behind these records could not be read. */
  fault?: string
}

export interface DigestResult {
  chunks: DigestedChunk[]
  workedMs: number
}

export default function digest({ chunks }: DigestTask): DigestResult {
  const before = performance.now()
  const digested = chunks.map(digestChunk)
  const result = { chunks: digested, workedMs: performance.now() - before }
  // Handed over and not copied; the pool unwraps it on the other side.
  return move(new Handover(result)) as unknown as DigestResult
}

class Handover {
  readonly #result: DigestResult

  constructor(result: DigestResult) {
    this.#result = result
  }

  get [transferableSymbol](): object {
    return this.#result.chunks.flatMap(({ columns }) => buffersOf(columns))
  }

  get [valueSymbol](): object {
    return this.#result
  }
}

function digestChunk({ bytes, aborted, from, end, hasTimes }: DigestChunk): DigestedChunk {
  const builder = new ColumnBuilder(2_048)
  const hasher = new RecordHasher(builder, hasTimes)
  const records = new ChunkRecords(bytes, { fromOffset: from, endOffset: end, aborted })
  try {
    while (records.next()) hasher.add(records.record, records.hasAppendTime)
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error
    const fault = `${error.reason}: ${error.message}`
    return { columns: builder.done(), bytes: hasher.bytes, fault }
  }
  return { columns: builder.done(), bytes: hasher.bytes }
}
