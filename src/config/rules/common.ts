// Settings that the files of both sides share, but for security.

import { useAddresses } from './addresses.ts'
import { milliseconds, trueOrFalse } from './check.ts'
import {
  addNote,
  addProblem,
  ignore,
  type Rule,
  setConnection,
  setEngine,
  type Use
} from './rule.ts'

export const commonRules: readonly Rule[] = [
  { name: 'bootstrap.servers', action: 'pass', use: useAddresses },
  { name: 'client.id', action: 'pass' },
  {
    name: 'client.rack',
    action: 'pass',
    use: (setting, draft) => {
      setConnection(draft, setting, setting.name, setting.value)
      if (draft.side === 'source') setEngine(draft, setting, 'clientRack', setting.value)
    }
  },
  {
    name: 'source.cluster.alias',
    side: 'source',
    action: 'pass',
    use: ({ value }, draft) => {
      draft.alias = value
    }
  },
  {
    name: 'target.cluster.alias',
    side: 'target',
    action: 'pass',
    use: ({ value }, draft) => {
      draft.alias = value
    }
  },
  {
    name: 'client.dns.lookup',
    action: 'pass',
    check: { oneOf: ['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'] }
  },
  {
    name: 'metadata.max.age.ms',
    action: 'translate',
    check: { min: 1, max: 3_600_000, set: '300000, the default' },
    use: useMetadataAge
  },
  { name: 'metadata.max.idle.ms', action: 'ignore' },
  { name: 'metadata.recovery.strategy', action: 'pass', check: { oneOf: ['none', 'rebootstrap'] } },
  { name: 'metadata.recovery.rebootstrap.trigger.ms', action: 'pass', check: milliseconds },
  { name: 'reconnect.backoff.ms', action: 'pass', check: { min: 0, max: 3_600_000 } },
  { name: 'reconnect.backoff.max.ms', action: 'pass', check: { min: 0, max: 3_600_000 } },
  { name: 'retry.backoff.ms', action: 'pass', check: { min: 0, max: 300_000 }, use: atLeastOne },
  {
    name: 'retry.backoff.max.ms',
    action: 'pass',
    check: { min: 0, max: 300_000 },
    use: atLeastOne
  },
  {
    name: 'connections.max.idle.ms',
    action: 'translate',
    check: { min: -1, max: 2_147_483_647 },
    use: minusOneIsZero
  },
  {
    name: 'socket.connection.setup.timeout.ms',
    action: 'pass',
    check: { min: 1_000, max: 2_147_483_647 }
  },
  { name: 'socket.connection.setup.timeout.max.ms', action: 'ignore' },
  {
    // Above 240 s there is no room left below librdkafka's limit for the socket, which must be longer.
    name: 'request.timeout.ms',
    action: 'translate',
    check: { min: 1, max: 240_000, set: '30000, the default' },
    use: (setting, draft) => {
      setEngine(draft, setting, 'requestTimeoutMs', Number(setting.value))
      const what = draft.side === 'target' ? 'the time-out of Produce, and ' : ''
      addNote(
        draft,
        'info',
        setting,
        `${setting.value} read as ${what}a floor of socket.timeout.ms`
      )
    }
  },
  {
    name: 'default.api.timeout.ms',
    action: 'translate',
    check: { min: 1, max: 3_600_000, set: '60000, the default' },
    use: (setting, draft) => {
      draft.adminTimeoutMs = Number(setting.value)
      addNote(draft, 'info', setting, `${setting.value} read as the time-out of admin requests`)
    }
  },
  { name: 'socket.timeout.ms', action: 'pass', check: { min: 10, max: 300_000 } },
  { name: 'send.buffer.bytes', action: 'rename', to: 'socket.send.buffer.bytes' },
  { name: 'receive.buffer.bytes', action: 'rename', to: 'socket.receive.buffer.bytes' },
  {
    name: 'socket.send.buffer.bytes',
    action: 'pass',
    check: { min: -1, max: 100_000_000 },
    use: useSocketBuffer
  },
  {
    name: 'socket.receive.buffer.bytes',
    action: 'pass',
    check: { min: -1, max: 100_000_000 },
    use: useSocketBuffer
  },
  {
    // Telemetry for brokers is not needed, and its answers are parsed before anybody is authenticated.
    name: 'enable.metrics.push',
    action: 'translate',
    check: trueOrFalse,
    use: (setting, draft) => {
      if (setting.value === 'true') addNote(draft, 'info', setting, 'true read as false')
    }
  },
  {
    name: 'interceptor.classes',
    action: 'refuse',
    note: 'Java classes cannot run here. Remove it, or set --ignore-interceptors',
    use: (setting, draft) => {
      if (setting.value === '' || draft.strictness.ignoreInterceptors) ignore(draft, setting)
      else {
        const what = `the Java class ${setting.value} cannot run here`
        addProblem(draft, setting, `${what}. Remove it, or set --ignore-interceptors`)
      }
    }
  },
  { name: 'metric.reporters', action: 'ignore', note: 'see /metrics' },
  { name: 'metrics.num.samples', action: 'ignore' },
  { name: 'metrics.recording.level', action: 'ignore' },
  { name: 'metrics.sample.window.ms', action: 'ignore' },
  { name: 'auto.include.jmx.reporter', action: 'ignore' },
  { name: 'config.providers', action: 'translate', use: refuseProviders },
  { name: 'config.providers.*', action: 'translate', use: refuseProviders },
  { name: 'security.providers', action: 'ignore' },
  { name: 'internal.*', action: 'ignore' },
  {
    name: 'bootstrap.controllers',
    action: 'refuse',
    note: 'a mirror talks to brokers. Set bootstrap.servers'
  }
]

// Java's refresh period; librdkafka's setting of that name is the age of its cache.
function useMetadataAge(setting: Parameters<Use>[0], draft: Parameters<Use>[1]): void {
  const { name, value } = setting
  if (draft.given.has('topic.metadata.refresh.interval.ms')) {
    setConnection(draft, setting, name, value)
    const why = 'topic.metadata.refresh.interval.ms is set too'
    return addNote(draft, 'info', setting, `read as the age of the cache, because ${why}`)
  }
  setConnection(draft, setting, 'topic.metadata.refresh.interval.ms', value)
  setConnection(draft, setting, name, String(3 * Number(value)))
  addNote(draft, 'info', setting, `${value} read as topic.metadata.refresh.interval.ms=${value}`)
}

// librdkafka's least is 1.
function atLeastOne(setting: Parameters<Use>[0], draft: Parameters<Use>[1]): void {
  const value = setting.value === '0' ? '1' : setting.value
  setConnection(draft, setting, setting.name, value)
}

/** librdkafka says "no limit" with 0 where Java says it with -1. */
function minusOneIsZero(setting: Parameters<Use>[0], draft: Parameters<Use>[1]): void {
  const value = setting.value === '-1' ? '0' : setting.value
  setConnection(draft, setting, setting.name, value)
}

function useSocketBuffer(setting: Parameters<Use>[0], draft: Parameters<Use>[1]): void {
  minusOneIsZero(setting, draft)
  const bytes = Number(setting.value)
  if (bytes < 1 || bytes >= 1_048_576) return
  const what = 'over a round trip above 10 ms this holds the link back'
  addNote(draft, 'info', setting, `${what}: -1 leaves it to the system, or 1048576 and more`)
}

// Those of a file are taken out before any rule sees them.
function refuseProviders(setting: Parameters<Use>[0], draft: Parameters<Use>[1]): void {
  addProblem(draft, setting, 'providers are named where they are used. Set it in the file')
}
