// The handler `headers`: removes, renames and adds headers, in this order.

import type { HandlerModule, Header } from '../record.ts'
import {
  ArgumentError,
  missing,
  readArguments,
  readByName,
  readText,
  readTexts
} from './arguments.ts'

export const example = '{ add: { origin: eu }, remove: [trace-id], rename: { old: new } }'

/** Others keep their place and their bytes; what is added comes last, also where there is one of that name. */
export function makeHeaders(args: unknown): HandlerModule {
  const { add, remove, rename } = readArguments(
    args,
    { add: readByName(readValue), remove: readTexts, rename: readByName(readText) },
    example
  )
  if (!add && !remove && !rename) throw missing('what to do', example)
  const removed: ReadonlySet<string> = new Set(remove)
  const names: ReadonlyMap<string, string> = new Map(rename)
  const both = [...removed].find(name => names.has(name))
  if (both !== undefined)
    throw new ArgumentError(`${both} is removed and renamed. Give one of them`)
  const added = (add ?? []).map(([key, value]): Header => ({ key, value }))
  return {
    default(record) {
      const { headers } = record
      const isTouched = headers.some(({ key }) => removed.has(key) || names.has(key))
      if (!isTouched && added.length === 0) return record
      const kept = headers
        .filter(({ key }) => !removed.has(key))
        .map(header => {
          const key = names.get(header.key)
          return key === undefined ? header : { ...header, key }
        })
      record.headers = [...kept, ...added]
      return record
    }
  }
}

/** null: a header without a value. */
function readValue(value: unknown): Buffer | null {
  if (value === null) return null
  return value === '' ? Buffer.alloc(0) : Buffer.from(readText(value))
}
