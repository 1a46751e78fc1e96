// Owns what a contender is: a name, and the command that starts it for a task.

export const contenderNames = [
  'heliostat',
  'heliostat-at-least-once',
  'heliostat-rewrite',
  'heliostat-filter',
  'heliostat-merge-off',
  'mirror-maker-1',
  'mirror-maker-2',
  'mirror-maker-2-defaults',
  'node-rdkafka-loop',
  'raw-relay',
  'splice-relay'
] as const
export type ContenderName = (typeof contenderNames)[number]

/** What a contender is asked to do: bring everything in `topic` from the source to the target. */
export interface Task {
  /** A topic, or a pattern of several. */
  topic: string
  /** Connections to each end; its own number unless given. */
  streams?: number | undefined
  source: string
  target: string
  /** PEM files of the authorities to trust, in a TLS cell. */
  sourceCa?: string | undefined
  targetCa?: string | undefined
  /** Raw ends of the stubs, for the relays. */
  rawSourcePort?: number
  rawTargetPort?: number
  /** For those who compress and batch anew. */
  codec: string
  batchBytes: number
  /** Never the same twice: a consumer group of the name starts at the beginning. */
  group: string
  /** For config files and logs; empty at the start. */
  folder: string
}

export interface Contender {
  says: string
  /** A mirror that ends when all is done; the others get SIGTERM once the target holds everything. */
  endsByItself: boolean
  /** Why it cannot run on this machine, if so. */
  missing?(): Promise<string | undefined>
  /** Why it cannot take part in a cell with this codec here, if so. */
  unfit?(codec: string): string | undefined
  /** Writes what it needs into the task's folder and gives the command line. */
  command(task: Task): Promise<string[]>
}
