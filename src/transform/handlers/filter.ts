// The handler `filter`: keeps the records that match, or drops them.

import { type FieldSpan, JsonFields } from '../json-fields.ts'
import type { HandlerModule, MessageRecord } from '../record.ts'
import { ArgumentError, missing, readArguments, readByName, readChoice } from './arguments.ts'
import { readPath } from './field-path.ts'
import { readPattern } from './text-pattern.ts'

export const example = '{ key: ^eu- }'

type Test = (record: MessageRecord) => boolean

/** All that is given has to match. What a record does not have does not match. */
export function makeFilter(args: unknown): HandlerModule {
  const { key, value, header, field, action } = readArguments(
    args,
    {
      key: readPattern,
      value: readPattern,
      header: readByName(readPattern),
      field: readByName(readPattern),
      action: readChoice(['keep', 'drop'])
    },
    example
  )
  const tests: Test[] = []
  if (key) tests.push(record => isMatch(key, record.key))
  for (const [name, pattern] of header ?? []) tests.push(testHeader(name, pattern))
  if (value) tests.push(record => isMatch(value, record.value))
  if (field) tests.push(testFields(field))
  if (tests.length === 0) throw missing('what to look at', example)
  const keeps = action !== 'drop'
  return {
    default: record => (tests.every(test => test(record)) === keeps ? record : null)
  }
}

function isMatch(pattern: RegExp, bytes: Buffer | null): boolean {
  return bytes !== null && pattern.test(bytes.toString())
}

function testHeader(name: string, pattern: RegExp): Test {
  return record =>
    record.headers.some(
      ({ key, value }) => key === name && value !== null && pattern.test(textOf(value))
    )
}

function textOf(value: Uint8Array | string): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString()
}

/** A text matches by what it says, everything else as it is written. */
function testFields(fields: readonly [path: string, pattern: RegExp][]): Test {
  const json = new JsonFields(fields.map(([path]) => pathOf(path)))
  return ({ value }) => {
    if (value === null) return false
    const spans = json.find(value)
    return fields.every(([, pattern], index) =>
      spans.some(span => span.path === index && pattern.test(contentOf(value, span)))
    )
  }
}

function pathOf(path: string): string[] {
  try {
    return readPath(path)
  } catch (cause) {
    throw new ArgumentError(`field: ${(cause as Error).message}`, { cause })
  }
}

function contentOf(value: Buffer, { start, end }: FieldSpan): string {
  const text = value.toString('utf8', start, end)
  return text.startsWith('"') ? String(JSON.parse(text)) : text
}
