// Owns handlers that are tried on one batch, without brokers: what comes out, or why it fails.

import { builtIns } from '../../src/transform/built-ins.ts'
import { Chain } from '../../src/transform/chain.ts'
import type { HandlerModule } from '../../src/transform/record.ts'
import {
  type TransformResult,
  type TransformTask,
  transformBatch
} from '../../src/transform/transform.ts'
import { type DecodedRecord, decodeBatch, encodeBatch, type RecordInput } from './records.ts'

export function builtIn(name: string, args: unknown, folder = '.'): HandlerModule {
  const make = builtIns[name]
  if (make === undefined) throw new Error(`no built-in ${name}`)
  return make(args, folder)
}

export function runHandlers(
  modules: readonly HandlerModule[],
  batch: Buffer,
  more: Partial<TransformTask> = {}
): TransformResult {
  return transformBatch(taskOf(batch, more), chainOf(...modules))
}

/** Of partition 3 of orders. */
export function taskOf(batch: Buffer, more: Partial<TransformTask> = {}): TransformTask {
  return {
    bytes: new Uint8Array(batch),
    fromOffset: 0,
    skipRecords: 0,
    appendTime: 'keep',
    maxBytes: 10_000_000,
    chain: 0,
    place: { source: 'source', topic: 'orders', partition: 3 },
    targetTopic: 'orders',
    targetPartition: 3,
    partitions: {},
    onError: 'fail',
    ...more
  }
}

/** Each has its place as its arguments. */
export function chainOf(...modules: HandlerModule[]): Chain {
  return new Chain(
    modules.map((module, index) => ({ spec: { name: `h${index}`, args: index }, module }))
  )
}

/** The records that a built-in makes of these; `unchanged` where their batch may pass as it came. */
export function handled(
  name: string,
  args: unknown,
  inputs: RecordInput[]
): DecodedRecord[] | 'unchanged' {
  const result = runHandlers([builtIn(name, args)], encodeBatch(inputs))
  if ('unchanged' in result) return 'unchanged'
  if ('failure' in result) throw new Error(result.detail)
  if ('needs' in result) throw new Error(`it needs ${result.needs}`)
  return result.batches.flatMap(({ bytes }) => decodeBatch(Buffer.from(bytes)).records)
}
