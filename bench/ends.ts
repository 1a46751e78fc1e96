// Owns what the runner needs to know of the two ends of a cell, be they stubs or real brokers.

/** What a run is to bring over. */
export interface Cargo {
  wireBytes: number
  recordBytes: number
  records: number
}

/** What the ends saw of a run. */
export interface Sighting {
  firstNs: number
  lastNs: number
  sourceCpuSeconds: number
  targetCpuSeconds: number
  targetBatchBytes?: number
  /** What is wrong with what arrived, if anything is. */
  fault?: string
}

/** The ends of one run: the source with everything, the target with nothing. */
export interface Round {
  /** A topic, or a pattern of several. */
  topic: string
  source: string
  target: string
  /** PEM files of the authorities to trust, where the ends speak TLS. */
  sourceCa?: string | undefined
  targetCa?: string | undefined
  rawSourcePort?: number
  rawTargetPort?: number
  hasAll(): Promise<boolean>
  /** After the contender has ended. */
  close(): Promise<Sighting>
}

/** The ends of one cell. */
export interface Ends {
  cargo: Cargo
  begin(): Promise<Round>
  close(): Promise<void>
}
