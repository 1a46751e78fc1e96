// Counts in producers' sequences, which go from 0 to 2^31 - 1 and then begin anew.

const sequences = 2 ** 31

/** The sequence so many records further on. */
export function addRecords(sequence: number, records: number): number {
  return (sequence + records) % sequences
}

/** Whether a batch that ends with this sequence holds records from `nextSequence` on. */
export function isAhead(lastSequence: number, nextSequence: number): boolean {
  const records = (lastSequence + 1 - nextSequence + sequences) % sequences
  return records > 0 && records < sequences / 2
}
