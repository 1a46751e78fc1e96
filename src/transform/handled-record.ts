// Owns a record in the hands of a handler: read from the batch when it is touched, and aware of what has changed.

import type { RecordBody } from '../batches/record-tail.ts'
import type { RecordView } from '../batches/record-view.ts'
import type { Bytes, Header, MessageRecord, RecordChanges } from './record.ts'

export class HandledRecord implements MessageRecord {
  topic: string
  partition: number | 'by-key'
  readonly #view: RecordView
  #key: Buffer | null | undefined
  #value: Buffer | null | undefined
  #headers: Header[] | undefined
  #timestamp: number | undefined
  // Assigned to; headers that were read may have changed in place.
  #isNew = false

  /** `view` stands on the record, and stays there for as long as this one is used. */
  constructor(view: RecordView, topic: string, partition: number | 'by-key') {
    this.#view = view
    this.topic = topic
    this.partition = partition
  }

  /** As it was before a handler had it, on the record where the view stands now. */
  renewed(topic: string, partition: number): this {
    this.topic = topic
    this.partition = partition
    this.#key = undefined
    this.#value = undefined
    this.#headers = undefined
    this.#timestamp = undefined
    this.#isNew = false
    return this
  }

  /** Whether it is no longer what stands in the batch. */
  get isChanged(): boolean {
    return this.#timestamp !== undefined || this.newBody() !== undefined
  }

  /** A TypeError where what it was given in place cannot be written. */
  check(): void {
    this.#headers?.forEach(checkHeader)
  }

  get offset(): number {
    return this.#view.offset
  }

  get view(): RecordView {
    return this.#view
  }

  get timestamp(): number {
    return this.#timestamp ?? Number(this.#view.timestamp)
  }

  set timestamp(timestamp: number) {
    if (!Number.isSafeInteger(timestamp)) {
      throw new TypeError(`timestamp: expected whole milliseconds, got ${timestamp}`)
    }
    this.#timestamp = timestamp
  }

  /** Undefined: that of the batch. */
  get newTimestamp(): number | undefined {
    return this.#timestamp
  }

  get key(): Buffer | null {
    if (this.#key === undefined) this.#key = this.#view.key()
    return this.#key
  }

  set key(key: Bytes | null) {
    this.#key = toBuffer(key, 'key')
    this.#isNew = true
  }

  get value(): Buffer | null {
    if (this.#value === undefined) this.#value = this.#view.value()
    return this.#value
  }

  set value(value: Bytes | null) {
    this.#value = toBuffer(value, 'value')
    this.#isNew = true
  }

  get headers(): Header[] {
    if (this.#headers === undefined) {
      this.#headers = this.#view.headers().map(([key, value]) => ({ key: key.toString(), value }))
    }
    return this.#headers
  }

  set headers(headers: readonly Header[]) {
    if (!Array.isArray(headers)) throw new TypeError(`headers: expected an array, got ${headers}`)
    this.#headers = [...headers]
  }

  with(changes: RecordChanges): HandledRecord {
    if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) {
      throw new TypeError(`expected a record, got ${describe(changes)}`)
    }
    const { topic = this.topic, partition = this.partition } = changes
    const made = new HandledRecord(this.#view, topic, partition)
    made.#key = this.#key
    made.#value = this.#value
    made.#headers = this.#headers?.slice()
    made.#timestamp = this.#timestamp
    made.#isNew = this.#isNew
    if (changes.timestamp !== undefined) made.timestamp = changes.timestamp
    if (changes.key !== undefined) made.key = changes.key
    if (changes.value !== undefined) made.value = changes.value
    if (changes.headers !== undefined) made.headers = changes.headers
    return made
  }

  /** Key, value and headers to be written anew; undefined where they stand in the batch as they are. */
  newBody(): RecordBody | undefined {
    const headers = this.#headers && this.#pairs(this.#headers)
    const hasNewHeaders = headers !== undefined && !areEqual(headers, this.#view.headers())
    if (!this.#isNew && !hasNewHeaders) return undefined
    return {
      attributes: this.#view.attributes,
      key: this.key,
      value: this.value,
      headers: hasNewHeaders ? headers : this.#view.headers()
    }
  }

  /** A key that is no UTF-8 is written as it was found. */
  #pairs(headers: readonly Header[]): Pair[] {
    const pairs = headers.map(toPair)
    for (const [index, pair] of pairs.entries()) {
      const name = headers[index]?.key ?? ''
      if (!name.includes(replacement)) continue
      const found = this.#view.headers().find(([key]) => key.toString() === name)
      if (found) pair[0] = found[0]
    }
    return pairs
  }
}

const replacement = '\ufffd'

type Pair = [key: Buffer, value: Buffer | null]

/** The same as making a pair of it, without the copies: handlers are asked more often than records are written. */
function checkHeader(header: Header): void {
  const isPlain = header?.value === null || header?.value instanceof Uint8Array
  if (typeof header?.key !== 'string' || !isPlain) toPair(header)
}

function toPair(header: Header): Pair {
  if (typeof header?.key !== 'string') {
    throw new TypeError(`headers: expected { key, value }, got ${describe(header)}`)
  }
  return [Buffer.from(header.key), toBuffer(header.value, `header ${header.key}`)]
}

// A key that is no UTF-8 is read with replacement characters: it counts as the same for as long as it reads the same.
function areEqual(made: readonly Pair[], found: readonly Pair[]): boolean {
  return (
    made.length === found.length &&
    made.every(([key, value], at) => {
      const [foundKey, foundValue] = found[at] as Pair
      const isSameKey = key.equals(foundKey) || key.toString() === foundKey.toString()
      return isSameKey && isSameValue(value, foundValue)
    })
  )
}

function isSameValue(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b)
}

function toBuffer(bytes: Bytes | null, what: string): Buffer | null {
  if (bytes === null) return null
  if (typeof bytes === 'string') return Buffer.from(bytes)
  if (Buffer.isBuffer(bytes)) return bytes
  if (bytes instanceof Uint8Array) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  throw new TypeError(`${what}: expected bytes, a string or null, got ${describe(bytes)}`)
}

export function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value)
  if (value instanceof Promise) return 'a promise'
  return Array.isArray(value) ? 'an array' : 'an object'
}
