// Owns what a record of the latency benchmark carries in front of its text: its number, and when it was sent.
// Number u32, time f64 in nanoseconds of the machine's monotonic clock, which all processes share.

const stampBytes = 12

export interface Stamp {
  number: number
  sentNs: number
}

/** Writes over the first bytes of the value. */
export function writeStamp(value: Buffer, { number, sentNs }: Stamp): void {
  value.writeUInt32BE(number, 0)
  value.writeDoubleBE(sentNs, 4)
}

export function readStamp(value: Buffer | null): Stamp {
  if (value === null || value.length < stampBytes) {
    throw new Error(`expected a record of the load, got one of ${value?.length ?? 0} bytes`)
  }
  return { number: value.readUInt32BE(0), sentNs: value.readDoubleBE(4) }
}
