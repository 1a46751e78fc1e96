// Records as the comparison knows them: short digests in columns, no bytes.

/** In the column of flags. */
export const flags = { nullKey: 1, nullValue: 2, appendTime: 4 } as const

export interface RecordColumns {
  count: number
  offsets: Float64Array
  /** 53 bits over everything that is compared: equal records have equal ones. */
  identities: Float64Array
  /** Parts of the record, to tell what has changed. */
  keys: Uint32Array
  values: Uint32Array
  headers: Uint32Array
  times: Float64Array
  flags: Uint8Array
}

/** One record out of columns, for the few that differ. */
export interface RecordRow {
  offset: number
  identity: number
  key: number
  value: number
  headers: number
  time: number
  flags: number
}

export function rowAt(columns: RecordColumns, index: number): RecordRow {
  return {
    offset: columns.offsets[index] as number,
    identity: columns.identities[index] as number,
    key: columns.keys[index] as number,
    value: columns.values[index] as number,
    headers: columns.headers[index] as number,
    time: columns.times[index] as number,
    flags: columns.flags[index] as number
  }
}

export function columnsOf(rows: readonly RecordRow[]): RecordColumns {
  const builder = new ColumnBuilder(rows.length)
  for (const row of rows) builder.add(row)
  return builder.done()
}

export class ColumnBuilder {
  #columns: RecordColumns
  #capacity: number

  constructor(capacity = 256) {
    this.#capacity = Math.max(1, capacity)
    this.#columns = allocate(this.#capacity)
  }

  add(row: RecordRow): void {
    if (this.#columns.count === this.#capacity) this.#grow()
    const columns = this.#columns
    const index = columns.count++
    columns.offsets[index] = row.offset
    columns.identities[index] = row.identity
    columns.keys[index] = row.key
    columns.values[index] = row.value
    columns.headers[index] = row.headers
    columns.times[index] = row.time
    columns.flags[index] = row.flags
  }

  done(): RecordColumns {
    return cut(this.#columns, 0, this.#columns.count)
  }

  #grow(): void {
    const old = this.#columns
    this.#capacity *= 2
    this.#columns = allocate(this.#capacity)
    copyInto(this.#columns, old)
  }
}

/** A part of the columns in memory of its own, so that it can be sent away. */
export function cut(columns: RecordColumns, from: number, to: number): RecordColumns {
  return {
    count: to - from,
    offsets: columns.offsets.slice(from, to),
    identities: columns.identities.slice(from, to),
    keys: columns.keys.slice(from, to),
    values: columns.values.slice(from, to),
    headers: columns.headers.slice(from, to),
    times: columns.times.slice(from, to),
    flags: columns.flags.slice(from, to)
  }
}

/** What a message between threads hands over instead of copying it. */
export function buffersOf(columns: RecordColumns): ArrayBuffer[] {
  const { offsets, identities, keys, values, headers, times } = columns
  return [offsets, identities, keys, values, headers, times, columns.flags].map(
    column => column.buffer as ArrayBuffer
  )
}

function allocate(capacity: number): RecordColumns {
  return {
    count: 0,
    offsets: new Float64Array(capacity),
    identities: new Float64Array(capacity),
    keys: new Uint32Array(capacity),
    values: new Uint32Array(capacity),
    headers: new Uint32Array(capacity),
    times: new Float64Array(capacity),
    flags: new Uint8Array(capacity)
  }
}

function copyInto(to: RecordColumns, from: RecordColumns): void {
  to.count = from.count
  to.offsets.set(from.offsets)
  to.identities.set(from.identities)
  to.keys.set(from.keys)
  to.values.set(from.values)
  to.headers.set(from.headers)
  to.times.set(from.times)
  to.flags.set(from.flags)
}
