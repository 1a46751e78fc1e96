// The options of each command: flags, environment names, types, ranges and help come from these rows.

/** In the order of the help. `MirrorMaker`: flags that MirrorMaker had under the same name. */
export type OptionGroup = 'MirrorMaker' | 'Clusters' | 'Topics' | 'Mirror' | 'Bench' | 'Observe'

interface Row {
  group: OptionGroup
  /** One sentence for an operator. */
  describe: string
  placeholder?: string
  /** What to do instead of giving it, or one value of a list, twice. */
  once?: string
  /** Taken so that old command lines run, and named once at the start: why it changes nothing. */
  noEffect?: string
  /** Says for any value why it is refused, and what to do instead. */
  refuse?: (value: string) => string
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
    | { type: 'number'; default?: number; min: number; max: number }
    | { type: 'boolean'; default: boolean }
  )

/** The clusters by files: for every command that looks at both sides. */
export const clusterOptions = {
  'consumer.config': {
    group: 'MirrorMaker',
    type: 'strings',
    placeholder: 'FILE',
    once: 'Each source has a file of its own',
    describe:
      'Java properties of a source: connection, security, group.id and fetch settings. Give it again for another source.'
  },
  'producer.config': {
    group: 'MirrorMaker',
    type: 'strings',
    placeholder: 'FILE',
    describe: 'Java properties of the target: connection, security and produce settings.'
  },
  'consumer.config.override': {
    group: 'Clusters',
    type: 'strings',
    placeholder: 'K=V',
    describe: 'One setting of every source, stronger than its file; repeatable. Not for secrets.'
  },
  'producer.config.override': {
    group: 'Clusters',
    type: 'strings',
    placeholder: 'K=V',
    describe: 'One setting of the target, stronger than the file; repeatable. Not for secrets.'
  },
  'strict-config': {
    group: 'Clusters',
    type: 'boolean',
    default: false,
    describe: 'Refuse every setting that would be ignored.'
  },
  'ignore-interceptors': {
    group: 'Clusters',
    type: 'boolean',
    default: false,
    describe: 'Go on without the interceptor.classes of a file, which are Java code.'
  }
} as const satisfies OptionTable

/** Which topics, and what may be done to the target's. */
export const topicOptions = {
  whitelist: {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'REGEX',
    once: 'Join patterns with a comma',
    describe: 'Topics to mirror: a Java regular expression on whole names, where a comma means or.'
  },
  include: {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'REGEX',
    once: 'Join patterns with a comma',
    describe: 'The same as --whitelist, and the one that counts when both are given.'
  },
  blacklist: {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'REGEX',
    once: 'Join patterns with a comma',
    describe: 'Mirror every topic but these. Not together with --whitelist or --include.'
  },
  exclude: {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'REGEX',
    once: 'Join patterns with a comma',
    describe: 'The same as --blacklist, and the one that counts when both are given.'
  },
  'no-create-topics': {
    group: 'Topics',
    type: 'boolean',
    default: false,
    describe: 'Never create topics on the target: topics that it lacks are not mirrored.'
  },
  'replication-factor': {
    group: 'Topics',
    type: 'number',
    min: 1,
    max: 32_767,
    placeholder: 'N',
    describe:
      "Replicas of created topics. Default: as many as the source's, at most one on each target broker."
  },
  'grow-partitions': {
    group: 'Topics',
    type: 'boolean',
    default: false,
    describe: 'Grow target topics that had fewer partitions than the source before the mirror came.'
  }
} as const satisfies OptionTable

/** How batches move. */
export const mirrorOptions = {
  'num.streams': {
    group: 'MirrorMaker',
    type: 'number',
    default: 1,
    min: 1,
    max: 64,
    describe: 'Connections to each source broker.'
  },
  'num.producers': {
    group: 'MirrorMaker',
    type: 'number',
    default: 2,
    min: 1,
    max: 64,
    describe: 'Connections to each target broker. A lane stays on one, so its order holds.'
  },
  'queue.size': {
    group: 'MirrorMaker',
    type: 'number',
    min: 1,
    max: 2_147_483_647,
    placeholder: 'N',
    describe:
      'Most records held between fetch and acknowledgement, beside the byte budget. Not limited when not given.'
  },
  delivery: {
    group: 'Mirror',
    type: 'string',
    choices: ['exactly-once', 'at-least-once'],
    describe:
      'exactly-once: a lane that cannot prove it stops. at-least-once: the target is not asked what has arrived. Not given: exactly once wherever it can be proved.'
  },
  isolation: {
    group: 'Mirror',
    type: 'string',
    choices: ['read_committed', 'read_uncommitted'],
    describe:
      'Whether records of open and aborted transactions are left out; stronger than isolation.level.'
  },
  'on-gap': {
    group: 'Mirror',
    type: 'string',
    default: 'stop',
    choices: ['stop', 'skip'],
    describe:
      'When the source deleted records before they were mirrored: stop the lane, or skip them and go on where the log starts. Both say which offsets are lost.'
  },
  merge: {
    group: 'Mirror',
    type: 'string',
    default: 'auto',
    choices: ['auto', 'off'],
    describe:
      'auto: small batches (4 KiB at most) that wait for a far target (10 ms) behind a full window of requests are joined into larger ones. off: every batch is sent on its own.'
  },
  'offset.commit.interval.ms': {
    group: 'MirrorMaker',
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
    group: 'MirrorMaker',
    type: 'boolean',
    default: false,
    placeholder: 'true|false',
    describe:
      'true: exit 1 at the first batch that the target refuses for good. false: its lane alone stops, says why and tries again. Neither skips a record.'
  },
  recompress: {
    group: 'Mirror',
    type: 'strings',
    placeholder: '[REGEX=]CODEC[:LEVEL]',
    describe:
      'Rebuild the batches of every topic, or of those that the pattern matches whole, in this codec: none, gzip, snappy, lz4 or zstd. Those that have it pass untouched. Repeatable: the first pattern that matches counts, and the one without a pattern holds for the rest.'
  },
  'message.handler': {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'FILE|NAME',
    once: 'Chain handlers in a file, with --transforms',
    describe:
      'Records go through this handler: an ES module (JavaScript or TypeScript) with a default export, or the name of one that comes with heliostat. Java classes cannot run here.'
  },
  'message.handler.args': {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'TEXT',
    describe:
      'What the handler is given when it begins: the text for a module, YAML or JSON for one that comes with heliostat, such as { key: ^eu- }.'
  },
  transforms: {
    group: 'Mirror',
    type: 'string',
    placeholder: 'FILE',
    describe:
      'Handlers by topic: a YAML file with a list of { topics: REGEX, handlers: [ … ] }. The first rule that takes a topic counts; topics without one pass as they are.'
  },
  'on-handler-error': {
    group: 'Mirror',
    type: 'string',
    default: 'fail',
    choices: ['fail', 'skip', 'dead-letter'],
    describe:
      'When a handler throws, returns what is no record, or makes a record larger than the target takes: stop the lane, leave the record out, or write it to TOPIC.dlq on the target with headers that say where from and why. The latter two are counted and logged.'
  },
  'max-handler-errors': {
    group: 'Mirror',
    type: 'number',
    default: 1_000_000,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    placeholder: 'N',
    describe:
      'With --on-handler-error skip or dead-letter: after so many records of a link its lanes stop all the same.'
  },
  'handler-timeout-ms': {
    group: 'Mirror',
    type: 'number',
    default: 60_000,
    min: 100,
    max: 3_600_000,
    placeholder: 'MS',
    describe:
      'How long a handler may take for some hundred kilobytes of batches. Then its thread is ended, another tries once more, and after that it counts as failed.'
  },
  'consumer.rebalance.listener': {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'CLASS',
    refuse: () => 'remove it; assignment changes are logged and counted',
    describe: 'Refused: a Java class. Assignment changes are logged and counted.'
  },
  'rebalance.listener.args': {
    group: 'MirrorMaker',
    type: 'string',
    placeholder: 'TEXT',
    refuse: () => 'remove it; assignment changes are logged and counted',
    describe: 'Refused, as --consumer.rebalance.listener is.'
  },
  'new.consumer': {
    group: 'MirrorMaker',
    type: 'boolean',
    default: false,
    noEffect: 'there is one consumer here',
    describe: 'No effect: there is one consumer here.'
  },
  'new.producer': {
    group: 'MirrorMaker',
    type: 'boolean',
    default: false,
    noEffect: 'there is one producer here',
    describe: 'No effect: there is one producer here.'
  },
  'drain-timeout-ms': {
    group: 'Mirror',
    type: 'number',
    default: 25_000,
    min: 0,
    max: 3_600_000,
    describe: 'Most time for finishing what is in flight after SIGTERM or SIGINT.'
  }
} as const satisfies OptionTable

/** What a run says of itself. */
export const observeOptions = {
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

export const runOptions = {
  ...clusterOptions,
  ...topicOptions,
  ...mirrorOptions,
  ...observeOptions
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

export const printOptions = {
  ...runOptions,
  format: {
    group: 'Observe',
    type: 'string',
    default: 'table',
    choices: ['table', 'json'],
    describe: 'Form of what is printed.'
  }
} as const satisfies OptionTable

/** Everything that a run takes, so that its command line is a plan's by another word. */
export const planOptions = {
  ...runOptions,
  format: {
    group: 'Observe',
    type: 'string',
    default: 'table',
    choices: ['table', 'json'],
    describe: 'Form of the plan; json holds every lane.'
  },
  lanes: {
    group: 'Observe',
    type: 'boolean',
    default: false,
    describe:
      'Show every lane in the table too: where it begins, how much it copies, by which path.'
  },
  rate: {
    group: 'Observe',
    type: 'number',
    default: 100,
    min: 1,
    max: 100_000,
    placeholder: 'MB/s',
    describe: 'Rate that the estimated time assumes.'
  }
} as const satisfies OptionTable

/** Everything that a run takes, so that its command line is a verification's by another word. */
export const verifyOptions = {
  ...runOptions,
  counts: {
    group: 'Observe',
    type: 'boolean',
    default: false,
    describe:
      'The quick check: compare numbers of offsets alone and say why they differ. Reads no record.'
  },
  since: {
    group: 'Observe',
    type: 'string',
    placeholder: 'checkpoint|TIME',
    describe:
      'Compare only what came since a time (2026-01-31T12:00:00Z, or milliseconds since 1970), or behind the last commit. Leaves out what MirrorMaker copied before.'
  },
  sample: {
    group: 'Observe',
    type: 'string',
    placeholder: 'N%|N',
    describe:
      'Compare only a share of the records, or N of each partition, in runs spread over the log.'
  },
  format: {
    group: 'Observe',
    type: 'string',
    default: 'table',
    choices: ['table', 'json'],
    describe: 'Form of the verdicts; json holds every lane with its digests.'
  }
} as const satisfies OptionTable

/** Everything that a run takes, so that its command line is a bench's by another word. */
export const benchOptions = {
  ...runOptions,
  size: {
    group: 'Bench',
    type: 'number',
    default: 200_000_000,
    min: 1_000_000,
    max: 1_000_000_000_000,
    placeholder: 'BYTES',
    describe:
      'Bytes of records that each step moves, before compression: once to the source, six times to the target.'
  },
  'record-size': {
    group: 'Bench',
    type: 'number',
    default: 1_024,
    min: 600,
    max: 1_000_000,
    placeholder: 'BYTES',
    describe: 'Bytes of a record.'
  },
  'batch-size': {
    group: 'Bench',
    type: 'number',
    default: 262_144,
    min: 1_024,
    max: 1_000_000,
    placeholder: 'BYTES',
    describe:
      'Bytes of a batch before compression; as those of your producers, for figures like theirs.'
  },
  partitions: {
    group: 'Bench',
    type: 'number',
    default: 16,
    min: 1,
    max: 1_000,
    describe: 'Partitions of the scratch topic.'
  },
  yes: {
    group: 'Bench',
    type: 'boolean',
    default: false,
    describe: 'Make the scratch topics and write without asking; needed where there is no terminal.'
  },
  format: {
    group: 'Observe',
    type: 'string',
    default: 'table',
    choices: ['table', 'json'],
    describe: 'Form of the result; json holds every figure, and the lines go to standard error.'
  }
} as const satisfies OptionTable

/** The topics of a run, and what to show of them; or one group of one cluster. */
export const statusOptions = {
  ...clusterOptions,
  'bootstrap-server': {
    group: 'Clusters',
    type: 'string',
    placeholder: 'HOST:PORT',
    describe: 'A cluster to look at without the files of a run; goes with --group.'
  },
  group: {
    group: 'Clusters',
    type: 'string',
    placeholder: 'GROUP',
    describe: 'The consumer group to look at on --bootstrap-server.'
  },
  'command-config': {
    group: 'Clusters',
    type: 'string',
    placeholder: 'FILE',
    describe:
      "Java properties for --bootstrap-server: its security settings, as Kafka's tools take them."
  },
  topic: {
    group: 'Topics',
    type: 'strings',
    placeholder: 'TOPIC',
    describe:
      'Only this topic; repeatable. Default: every topic that the group has committed or holds.'
  },
  whitelist: topicOptions.whitelist,
  include: topicOptions.include,
  blacklist: topicOptions.blacklist,
  exclude: topicOptions.exclude,
  isolation: mirrorOptions.isolation,
  'max-lag': {
    group: 'Observe',
    type: 'number',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    placeholder: 'N',
    describe: 'Exit 1 and name the lanes when one lags by more records, or its lag is not known.'
  },
  watch: {
    group: 'Observe',
    type: 'number',
    min: 1,
    max: 86_400,
    placeholder: 'SECONDS',
    describe: 'Read again each so many seconds, until Ctrl-C or a lane is above --max-lag.'
  },
  format: {
    group: 'Observe',
    type: 'string',
    default: 'table',
    choices: ['table', 'json'],
    describe: 'Form of what is printed; json is one object, with --watch one a line.'
  },
  sort: {
    group: 'Observe',
    type: 'string',
    default: 'name',
    choices: ['name', 'lag'],
    describe: 'Order of the lanes in the table; lag puts the largest first.'
  },
  'timeout-ms': {
    group: 'Observe',
    type: 'number',
    default: 10_000,
    min: 1_000,
    max: 600_000,
    placeholder: 'N',
    describe: 'Most time that a cluster may take for an answer.'
  }
} as const satisfies OptionTable

/** What handlers are, and the records to try them on. */
export const transformTestOptions = {
  handler: {
    group: 'Mirror',
    type: 'string',
    placeholder: 'FILE|NAME',
    once: 'Chain handlers in a file, with --transforms',
    describe: 'The handler to try: what --message.handler takes.'
  },
  args: {
    group: 'Mirror',
    type: 'string',
    placeholder: 'TEXT',
    describe: 'What it is given: what --message.handler.args takes.'
  },
  transforms: mirrorOptions.transforms,
  'handler-timeout-ms': mirrorOptions['handler-timeout-ms'],
  fixture: {
    group: 'Topics',
    type: 'string',
    placeholder: 'FILE',
    describe:
      'Records to try it on, a JSON object each line: key, value, headers, timestamp, topic, partition, offset; all of them may be left out.'
  },
  'from-topic': {
    group: 'Topics',
    type: 'string',
    placeholder: 'TOPIC',
    describe: 'Or records of this topic, with --consumer.config. Nothing is committed.'
  },
  from: {
    group: 'Topics',
    type: 'string',
    default: 'last',
    choices: ['first', 'last'],
    describe: 'Whether the first or the last records of the topic are taken, by their times.'
  },
  records: {
    group: 'Topics',
    type: 'number',
    default: 10,
    min: 1,
    max: 10_000,
    placeholder: 'N',
    describe: 'How many records of the topic are taken.'
  },
  'consumer.config': {
    group: 'MirrorMaker',
    type: 'strings',
    placeholder: 'FILE',
    describe: 'Java properties of the cluster that has the topic: the file of a run will do.'
  },
  'consumer.config.override': clusterOptions['consumer.config.override'],
  format: {
    group: 'Observe',
    type: 'string',
    default: 'text',
    choices: ['text', 'json'],
    describe: 'Form of the result; json has records in the form of --fixture.'
  }
} as const satisfies OptionTable

export const healthOptions = {
  http: {
    group: 'Observe',
    type: 'string',
    default: '127.0.0.1:9747',
    placeholder: 'HOST:PORT',
    pattern: observeOptions.http.pattern,
    expected: 'HOST:PORT',
    describe: 'Where the mirror serves its HTTP routes: the --http of its run.'
  },
  ready: {
    group: 'Observe',
    type: 'boolean',
    default: false,
    describe: 'Ask whether it is mirroring (/readyz) and not only whether it is alive (/livez).'
  },
  verbose: {
    group: 'Observe',
    type: 'boolean',
    default: false,
    describe: 'Show every check.'
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
    ? Row extends { default: number }
      ? number
      : number | undefined
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

export function environmentName(option: string): string {
  return `HELIOSTAT_${option.toUpperCase().replaceAll(/[.-]/g, '_')}`
}
