// Owns the one error of opening and writing batches: what is wrong with the bytes, by name and in words.

/**
 * `bad-crc`: the bytes are not those that were written. `malformed`: they break the format, or they would take more
 * memory than is granted. `too-large`: a single record does not fit into the largest batch the target takes.
 */
export type FaultReason = 'bad-crc' | 'malformed' | 'too-large'

export class BatchFault extends Error {
  readonly reason: FaultReason

  constructor(reason: FaultReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'BatchFault'
    this.reason = reason
  }
}

export function malformed(message: string, cause?: unknown): BatchFault {
  return new BatchFault('malformed', message, cause)
}

/** Of bytes that would take more memory than is granted. */
export function tooMuch(allowed: number): BatchFault {
  return malformed(`they are over ${allowed} bytes when inflated`)
}
