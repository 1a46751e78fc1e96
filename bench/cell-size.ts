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

/** Bytes of all batches: as in the named cells two seconds at full speed, and a few batches in each partition. */
export function stubBytes({
  batchBytes,
  partitions
}: Pick<Shape, 'batchBytes' | 'partitions'>): number {
  if (batchBytes === oneRecord) return 1e9
  return Math.max(5.25e9, 8 * partitions * batchBytes)
}
