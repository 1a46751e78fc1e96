// Reseals batches in a worker thread. The bytes come moved, not copied, and go the same way.

import { move, transferableSymbol, valueSymbol } from 'piscina'
import { type ResealResult, type ResealTask, resealBatch } from './reseal.ts'

export default function reseal(task: ResealTask): ResealResult {
  const result = resealBatch(task)
  if ('failure' in result) return result
  const buffers = result.batches.flatMap(({ bytes, offsets }) => [bytes.buffer, offsets.buffer])
  const moved = { [transferableSymbol]: buffers, [valueSymbol]: result }
  return move(moved) as unknown as ResealResult
}
