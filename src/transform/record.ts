// What a handler of records is and sees: the types that the package exports for whoever writes one.

/** Bytes as a handler may give them; a string is written as UTF-8. */
export type Bytes = Uint8Array | string

/** Kafka takes several of one key, in their order. */
export interface Header {
  key: string
  value: Bytes | null
}

/** What is left out stays as it was in the record that the handler got. */
export interface RecordChanges {
  /** On the target. */
  topic?: string
  /** `by-key`: as Kafka's own producer chooses it, murmur2 of the key; a record without a key stays where it is. */
  partition?: number | 'by-key'
  /** Milliseconds since the epoch. */
  timestamp?: number
  key?: Bytes | null
  /** null: a tombstone. */
  value?: Bytes | null
  headers?: readonly Header[]
}

/**
 * One record on its way. What a handler does not read is never decoded. It holds during the call only; assign to it
 * and return it, or return others made from it. The bytes of key, value and headers are not to be written to.
 */
export interface MessageRecord {
  /** On the target: that of the source, until a handler changes it. */
  topic: string
  partition: number | 'by-key'
  /** On the source. */
  readonly offset: number
  timestamp: number
  get key(): Buffer | null
  set key(key: Bytes | null)
  get value(): Buffer | null
  set value(value: Bytes | null)
  get headers(): Header[]
  set headers(headers: readonly Header[])
  /** Another record like this one, but for the changes. */
  with(changes: RecordChanges): MessageRecord
}

export interface HandlerContext {
  /** What `--message.handler.args` or the handler's entry in a file of transforms says. */
  readonly args: unknown
  /** Name of the source cluster, as logs and metrics have it. */
  readonly source: string
  /** Of the source. */
  readonly topic: string
  readonly partition: number
}

/** `null`: the record is dropped. */
export type HandlerResult =
  | MessageRecord
  | RecordChanges
  | readonly (MessageRecord | RecordChanges)[]
  | null

/** Called for every record, in offset order; the same input has to give the same output. */
export type Handler = (record: MessageRecord, context: HandlerContext) => HandlerResult

/** Called with all records of a batch in place of one by one; what it returns keeps the order of the source. */
export type BatchHandler = (
  records: readonly MessageRecord[],
  context: HandlerContext
) => readonly MessageRecord[]

/** What a handler's module exports; `default` or `handleBatch` has to be there. */
export interface HandlerModule {
  default?: Handler
  handleBatch?: BatchHandler
  /** Once a worker, before the first record. What it throws ends the start with exit code 2. */
  init?(args: unknown): void | Promise<void>
  close?(): void | Promise<void>
  /** False where the same input may give another output: the lanes run at-least-once then, and say so. */
  deterministic?: boolean
}
