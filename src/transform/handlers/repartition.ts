// The handler `repartition`: sends records to the partition that Kafka's own producer chooses by their key.

import type { HandlerModule } from '../record.ts'
import { readArguments } from './arguments.ts'

/** One without a key stays in its partition. */
export function makeRepartition(args: unknown): HandlerModule {
  readArguments(args, {}, '')
  return {
    default(record) {
      record.partition = 'by-key'
      return record
    }
  }
}
