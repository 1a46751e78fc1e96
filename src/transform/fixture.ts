// Reads records from a file of JSON lines, and writes them in the same form.
//
// {"topic":"orders","partition":0,"offset":17,"timestamp":1700000000000,"key":"eu-1",
//  "value":{"json":{"customer":{"email":"a@b.c"}}},"headers":[{"key":"trace","value":"1"}]}
//
// Key, value and the values of headers are a text, null, {"base64":"…"} for what is no text, or {"json":…} for JSON,
// which is taken byte for byte as it stands in the line.

import { JsonFault, JsonFields } from './json-fields.ts'
import type { Sample } from './sample.ts'

/** What is wrong with a file, a sentence each that begins with the line. */
export class FixtureError extends Error {
  override readonly name = 'FixtureError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Bytes as a line of JSON has them. */
export type WrittenBytes = string | { base64: string } | null

export interface WrittenRecord {
  topic: string
  partition: number | 'by-key'
  offset: number
  timestamp: number
  key: WrittenBytes
  value: WrittenBytes
  headers: { key: WrittenBytes; value: WrittenBytes }[]
}

const names = ['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers']

/** What is left out of a line: the topic `fixture`, partition 0, its number from 0 as the offset, the time `now`. */
export function readFixture(text: string, path: string, now: number): Sample[] {
  const problems: string[] = []
  const samples: Sample[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      samples.push(new Line(line).read({ offset: samples.length, timestamp: now }))
    } catch (error) {
      if (!(error instanceof LineFault)) throw error
      problems.push(`${path}:${index + 1}: ${error.message}`)
    }
  }
  if (samples.length + problems.length === 0) problems.push(`${path}: it holds no records`)
  if (problems.length > 0) throw new FixtureError(problems)
  return samples
}

export function writeBytes(bytes: Uint8Array | null): WrittenBytes {
  if (bytes === null) return null
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString()
  return Buffer.from(text).equals(buffer) ? text : { base64: buffer.toString('base64') }
}

class LineFault extends Error {}

type Fields = Readonly<Record<string, unknown>>

class Line {
  readonly #bytes: Buffer

  constructor(text: string) {
    this.#bytes = Buffer.from(text)
  }

  read(defaults: Pick<Sample, 'offset' | 'timestamp'>): Sample {
    const fields = this.#parse()
    const unknown = Object.keys(fields).find(name => !names.includes(name))
    if (unknown !== undefined) fail(`there is no "${unknown}". There are ${names.join(', ')}`)
    const { topic = 'fixture', key = null, value = null } = fields
    if (typeof topic !== 'string' || topic === '') return fail('topic: expected a name')
    return {
      topic,
      partition: readWhole(fields, 'partition', 0, 0),
      offset: readWhole(fields, 'offset', 0, defaults.offset),
      timestamp: readWhole(fields, 'timestamp', -1, defaults.timestamp),
      key: this.#bytesOf(key, ['key']),
      value: this.#bytesOf(value, ['value']),
      headers: this.#headers(fields.headers ?? [])
    }
  }

  #parse(): Fields {
    try {
      new JsonFields([]).find(this.#bytes)
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error
      fail(error.message.replace('the value', 'it'))
    }
    const parsed: unknown = JSON.parse(this.#bytes.toString())
    return isObject(parsed) ? parsed : fail('expected an object such as {"key":"k","value":"v"}')
  }

  #headers(headers: unknown): Sample['headers'] {
    const expected = 'headers: expected a list of { "key": …, "value": … }'
    if (!Array.isArray(headers)) return fail(expected)
    return headers.map((header: unknown) => {
      if (!isObject(header)) return fail(expected)
      const { key, value = null, ...others } = header
      if (key === undefined || key === null || Object.keys(others).length > 0) fail(expected)
      return [bytesOf(key, 'headers') as Buffer, bytesOf(value, 'headers')]
    })
  }

  #bytesOf(value: unknown, path: [string]): Buffer | null {
    if (!isObject(value) || !('json' in value) || Object.keys(value).length > 1) {
      return bytesOf(value, path[0])
    }
    // JSON.parse would round its numbers.
    const spans = new JsonFields([[...path, 'json']]).find(this.#bytes)
    const { start, end } = spans.at(-1) as (typeof spans)[number]
    return this.#bytes.subarray(start, end)
  }
}

function bytesOf(value: unknown, name: string): Buffer | null {
  if (value === null) return null
  if (typeof value === 'string') return Buffer.from(value)
  const base64 = isObject(value) && Object.keys(value).length === 1 ? value.base64 : undefined
  if (typeof base64 === 'string' && isBase64(base64)) return Buffer.from(base64, 'base64')
  const json = name === 'headers' ? '' : ' or {"json":…}'
  return fail(`${name}: expected a text, null, {"base64":"…"}${json}`)
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function readWhole(fields: Fields, name: string, least: number, initial: number): number {
  const value = fields[name] ?? initial
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
  return fail(`${name}: expected a whole number from ${least} on, got ${JSON.stringify(value)}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fail(what: string): never {
  throw new LineFault(what)
}
