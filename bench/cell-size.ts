// Owns how much a cell of the matrix moves, which follows from its shape.

/** Stands for batches that are closed by their first record, whatever its size. */
export const oneRecord = 1

interface Shape {
  recordBytes: number
  batchBytes: number
  partitions: number
  roundTripMs: number
  far: 'source' | 'target'
}

// Between real brokers a run of the slower mirrors shall take some 10 to 20 s. They move about 100 MB or 100,000 records
// in a second, a fifth of these where each is a batch, and Kafka Connect has one request on its way to the target, with
// one batch of each partition.
const runSeconds = 15
const slowBytesPerSecond = 100e6
const slowRecordsPerSecond = 100_000
const slowBatchesPerSecond = 20_000
// What sample records come to as lz4.
const compressed = 0.45

/** Bytes of all values before compression. */
export function realBytes({
  recordBytes,
  batchBytes,
  partitions,
  roundTripMs,
  far
}: Shape): number {
  const isOneRecord = batchBytes === oneRecord
  const recordsPerSecond = isOneRecord ? slowBatchesPerSecond : slowRecordsPerSecond
  const batchRecordBytes = isOneRecord ? recordBytes : batchBytes / compressed
  const tripsPerSecond = far === 'target' ? 1_000 / roundTripMs : Number.POSITIVE_INFINITY
  const bytesPerSecond = Math.min(
    slowBytesPerSecond,
    recordsPerSecond * recordBytes,
    partitions * batchRecordBytes * tripsPerSecond
  )
  return runSeconds * bytesPerSecond
}

// A broker that checks sequences takes so many batches of a partition on their way.
const batchesOnTheirWay = 5

/**
 * Bytes of all batches: as in the named cells two seconds at full speed, and a few batches in each partition. To a far
 * target no more than fits on the way in the time of a run.
 */
export function stubBytes({ batchBytes, partitions, roundTripMs, far }: Shape): number {
  const whole = batchBytes === oneRecord ? 1e9 : Math.max(5.25e9, 8 * partitions * batchBytes)
  if (far !== 'target') return whole
  const leastBytes = Math.max(batchBytes, 512)
  const bytesPerSecond = (batchesOnTheirWay * partitions * leastBytes * 1_000) / roundTripMs
  return Math.min(whole, runSeconds * bytesPerSecond)
}
