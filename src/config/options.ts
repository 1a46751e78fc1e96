// The options of each command: flags, environment names, types, ranges and help come from these rows.

export type OptionGroup = 'Clusters' | 'Topics' | 'Mirror' | 'Observe'

interface Row {
  group: OptionGroup
  /** One sentence for an operator. */
  describe: string
  /** Another name of the same flag. */
  alias?: string
  placeholder?: string
}

export type Option = Row &
  (
    | {
        type: 'string'
        default?: string
        choices?: readonly string[]
        pattern?: RegExp
        expected?: string
      }
    | { type: 'strings' }
    | { type: 'number'; default: number; min: number; max: number }
    | { type: 'boolean'; default: boolean }
  )

export const runOptions = {
  'consumer.config': {
    group: 'Clusters',
    type: 'strings',
    placeholder: 'FILE',
    describe: 'Java properties of the source: connection, security, group.id and fetch settings.'
  },
  'producer.config': {
    group: 'Clusters',
    type: 'strings',
    placeholder: 'FILE',
    describe: 'Java properties of the target: connection, security and produce settings.'
  },
  'consumer.config.override': {
    group: 'Clusters',
    type: 'strings',
    placeholder: 'K=V',
    describe: 'One setting of the source, stronger than the file; repeatable. Not for secrets.'
  },
  'producer.config.override': {
    group: 'Clusters',
    type: 'strings',
    placeholder: 'K=V',
    describe: 'One setting of the target, stronger than the file; repeatable. Not for secrets.'
  },
  whitelist: {
    group: 'Topics',
    type: 'string',
    placeholder: 'REGEX',
    describe: 'Topics to mirror: a Java regular expression on whole names, where a comma means or.'
  },
  include: {
    group: 'Topics',
    type: 'string',
    placeholder: 'REGEX',
    describe: 'The same as --whitelist.'
  },
  blacklist: {
    group: 'Topics',
    type: 'string',
    placeholder: 'REGEX',
    describe: 'Mirror every topic but these.'
  },
  exclude: {
    group: 'Topics',
    type: 'string',
    placeholder: 'REGEX',
    describe: 'The same as --blacklist.'
  },
  'num.streams': {
    group: 'Mirror',
    type: 'number',
    default: 1,
    min: 1,
    max: 64,
    describe: 'Connections to each source broker.'
  },
  'num.producers': {
    group: 'Mirror',
    type: 'number',
    default: 2,
    min: 1,
    max: 64,
    describe: 'Connections to each target broker. A lane stays on one, so its order holds.'
  },
  isolation: {
    group: 'Mirror',
    type: 'string',
    choices: ['read_committed', 'read_uncommitted'],
    describe:
      'Whether records of open and aborted transactions are left out; stronger than isolation.level.'
  },
  'offset.commit.interval.ms': {
    group: 'Mirror',
    type: 'number',
    default: 5_000,
    min: 100,
    max: 3_600_000,
    describe: 'How often checkpoints are committed on the source.'
  },
  'until-caught-up': {
    group: 'Mirror',
    type: 'boolean',
    default: false,
    describe: 'Mirror up to the ends seen at start, then drain and exit 0.'
  },
  'abort.on.send.failure': {
    group: 'Mirror',
    type: 'boolean',
    default: false,
    describe:
      'Exit 1 at the first batch that the target refuses for good, instead of stopping its lane alone.'
  },
  'drain-timeout-ms': {
    group: 'Mirror',
    type: 'number',
    default: 25_000,
    min: 0,
    max: 3_600_000,
    describe: 'Most time for finishing what is in flight after SIGTERM or SIGINT.'
  },
  report: {
    group: 'Observe',
    type: 'string',
    placeholder: 'FILE',
    describe: 'Write a report of the run as JSON when it ends.'
  },
  http: {
    group: 'Observe',
    type: 'string',
    placeholder: 'HOST:PORT|off',
    pattern: /^(?:off|\[[\da-fA-F:]+\]:\d{1,5}|[^:\s]+:\d{1,5})$/,
    expected: 'HOST:PORT or off',
    describe: 'Where /livez, /readyz and /metrics are served. Default 127.0.0.1:9747.'
  },
  'log-level': {
    group: 'Observe',
    type: 'string',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'fatal'],
    describe: 'Least severity that is logged.'
  },
  'log-format': {
    group: 'Observe',
    type: 'string',
    choices: ['json', 'pretty'],
    describe: 'Form of the log; pretty on a terminal and json elsewhere when not given.'
  }
} as const satisfies OptionTable

export const demoOptions = {
  seconds: {
    group: 'Mirror',
    type: 'number',
    default: 5,
    min: 1,
    max: 600,
    describe: 'How long live load is made.'
  },
  partitions: {
    group: 'Mirror',
    type: 'number',
    default: 16,
    min: 1,
    max: 64,
    describe: 'Partitions of the topic.'
  },
  keep: {
    group: 'Mirror',
    type: 'boolean',
    default: false,
    describe: 'Go on until Ctrl-C, and serve /metrics.'
  }
} as const satisfies OptionTable

export const versionOptions = {
  verbose: {
    group: 'Observe',
    type: 'boolean',
    default: false,
    describe: 'Show librdkafka, its features and Node too.'
  }
} as const satisfies OptionTable

export type OptionName = keyof typeof runOptions

type Value<Row extends Option> = Row extends { type: 'strings' }
  ? readonly string[]
  : Row extends { type: 'number' }
    ? number
    : Row extends { type: 'boolean' }
      ? boolean
      : Row extends { choices: readonly (infer Choice)[]; default: string }
        ? Choice
        : Row extends { choices: readonly (infer Choice)[] }
          ? Choice | undefined
          : Row extends { default: string }
            ? string
            : string | undefined

export type OptionTable = Readonly<Record<string, Option>>

export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Value<Table[Name]>
}

export type RunOptions = OptionValues<typeof runOptions>

/** Flags of MirrorMaker that make a command line without a command word a `run`. */
export function hasMirrorMakerFlag(args: readonly string[]): boolean {
  return args.some(
    arg => arg.startsWith('--') && (arg.slice(2).split('=', 1)[0] as string) in runOptions
  )
}

export function environmentName(option: string): string {
  return `HELIOSTAT_${option.toUpperCase().replaceAll(/[.-]/g, '_')}`
}
