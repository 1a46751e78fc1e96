// The handler `drop-tombstones`: leaves out records without a value.

import type { HandlerModule } from '../record.ts'
import { readArguments } from './arguments.ts'

export function makeDropTombstones(args: unknown): HandlerModule {
  readArguments(args, {}, 'nothing')
  return { default: record => (record.value === null ? null : record) }
}
