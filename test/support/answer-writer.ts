// Owns the encoding of a broker's answer, classic or flexible, and remembers where each field lies, so that a test can
// put another value into any of them.

import { Writer } from './wire.ts'

export type FieldKind = 'int8' | 'int16' | 'int32' | 'int64' | 'uvarint'

export type Field = {
  /** `topics[0].partitions[0].records.length`: a length or count is a field of its own. */
  name: string
  kind: FieldKind
  at: number
  size: number
}

export type Answer = { bytes: Buffer; fields: Field[] }

type Whole = number | bigint

export class AnswerWriter {
  readonly isFlexible: boolean
  readonly #writer = new Writer()
  readonly #fields: Field[] = []
  readonly #path: string[] = []

  constructor(isFlexible: boolean) {
    this.isFlexible = isFlexible
  }

  int8(name: string, value: number): this {
    this.#mark(name, 'int8', 1)
    this.#writer.int8(value)
    return this
  }

  int16(name: string, value: number): this {
    this.#mark(name, 'int16', 2)
    this.#writer.int16(value)
    return this
  }

  int32(name: string, value: number): this {
    this.#mark(name, 'int32', 4)
    this.#writer.int32(value)
    return this
  }

  int64(name: string, value: Whole): this {
    this.#mark(name, 'int64', 8)
    this.#writer.int64(value)
    return this
  }

  uuid(value: Buffer): this {
    this.#writer.raw(value)
    return this
  }

  string(name: string, value: string | null): this {
    const bytes = value === null ? null : Buffer.from(value)
    this.#length(name, bytes, 'int16')
    if (bytes !== null) this.#writer.raw(bytes)
    return this
  }

  /** `parts` are fields within the bytes, at places counted from their start. */
  bytes(name: string, value: Buffer | null, parts: Field[] = []): this {
    this.#length(name, value, 'int32')
    const start = this.size
    for (const part of parts) {
      this.#fields.push({ ...part, name: this.#name(`${name}.${part.name}`), at: start + part.at })
    }
    if (value !== null) this.#writer.raw(value)
    return this
  }

  array<T>(name: string, values: readonly T[] | null, write: (value: T) => void): this {
    this.#length(name, values, 'int32')
    values?.forEach((value, index) => {
      this.#path.push(`${name}[${index}]`)
      write(value)
      this.#path.pop()
    })
    return this
  }

  /** Tagged fields, in flexible encoding alone: number, then tag and bytes of each. */
  tags(tagged: readonly [number, Buffer][] = []): this {
    if (!this.isFlexible) return this
    this.#uvarint('tags', tagged.length)
    for (const [tag, bytes] of tagged) {
      this.#uvarint(`tag${tag}`, tag)
      this.#uvarint(`tag${tag}.size`, bytes.length)
      this.#writer.raw(bytes)
    }
    return this
  }

  get size(): number {
    return this.#writer.done().length
  }

  done(): Answer {
    return { bytes: Buffer.from(this.#writer.done()), fields: this.#fields }
  }

  #length(name: string, value: { length: number } | null, classic: 'int16' | 'int32'): void {
    const length = value?.length ?? -1
    if (this.isFlexible) {
      this.#uvarint(`${name}.length`, length + 1)
    } else {
      this[classic](`${name}.length`, length)
    }
  }

  #uvarint(name: string, value: number): void {
    const bytes = encodeUvarint(value)
    this.#mark(name, 'uvarint', bytes.length)
    this.#writer.raw(bytes)
  }

  #mark(name: string, kind: FieldKind, size: number): void {
    this.#fields.push({ name: this.#name(name), kind, at: this.size, size })
  }

  #name(name: string): string {
    return [...this.#path, name].join('.')
  }
}

/** The answer with another value in one of its fields; nothing else changes, not even what follows from it. */
export function withField({ bytes }: Answer, { kind, at, size }: Field, value: bigint): Buffer {
  const written =
    kind === 'uvarint' ? encodeUvarint(Number(value)) : encodeInteger(value, size as 1 | 2 | 4 | 8)
  return Buffer.concat([bytes.subarray(0, at), written, bytes.subarray(at + size)])
}

/** Values that cannot be in a sound answer, or overflow when something is added to them. */
export function absurdValues({ kind, size }: Field): bigint[] {
  if (kind === 'uvarint') return [200n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 35n - 1n]
  const most = 2n ** BigInt(8 * size - 1) - 1n
  return [-2n, most - 1n, most, -most - 1n]
}

function encodeInteger(value: bigint, size: 1 | 2 | 4 | 8): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes.subarray(8 - size)
}

function encodeUvarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}
