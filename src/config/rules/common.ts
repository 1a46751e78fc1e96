// Settings that the files of both sides share, but for security.

import { addNote, milliseconds, type Rule, trueOrFalse } from './rule.ts'

/** librdkafka says "no limit" with 0 where Java says it with -1. */
function minusOneIsZero(name: string, max: number): Rule {
  return {
    name,
    action: 'translate',
    check: { min: -1, max },
    translate: ({ value }, draft) => draft.connection.set(name, value === '-1' ? '0' : value)
  }
}

export const commonRules: readonly Rule[] = [
  { name: 'bootstrap.servers', action: 'pass' },
  { name: 'client.id', action: 'pass' },
  {
    name: 'client.rack',
    action: 'translate',
    translate: ({ value }, draft) => {
      draft.connection.set('client.rack', value)
      if (draft.side === 'source') draft.engine.clientRack = value
    }
  },
  {
    name: 'source.cluster.alias',
    side: 'source',
    action: 'translate',
    translate: ({ value }, draft) => {
      draft.alias = value
    }
  },
  {
    name: 'target.cluster.alias',
    side: 'target',
    action: 'translate',
    translate: ({ value }, draft) => {
      draft.alias = value
    }
  },
  {
    name: 'client.dns.lookup',
    action: 'pass',
    check: { oneOf: ['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'] }
  },
  {
    // Java's refresh period; librdkafka's setting of that name is the age of its cache.
    name: 'metadata.max.age.ms',
    action: 'translate',
    check: { min: 1, max: 3_600_000 },
    translate: (setting, draft) => {
      const refresh = Number(setting.value)
      draft.connection.set('topic.metadata.refresh.interval.ms', String(refresh))
      draft.connection.set('metadata.max.age.ms', String(3 * refresh))
      addNote(
        draft,
        'info',
        setting,
        `${refresh} read as topic.metadata.refresh.interval.ms=${refresh}`
      )
    }
  },
  { name: 'metadata.max.idle.ms', action: 'ignore' },
  { name: 'metadata.recovery.strategy', action: 'pass', check: { oneOf: ['none', 'rebootstrap'] } },
  { name: 'metadata.recovery.rebootstrap.trigger.ms', action: 'pass', check: milliseconds },
  { name: 'reconnect.backoff.ms', action: 'pass', check: { min: 0, max: 3_600_000 } },
  { name: 'reconnect.backoff.max.ms', action: 'pass', check: { min: 0, max: 3_600_000 } },
  {
    name: 'retry.backoff.ms',
    action: 'translate',
    check: { min: 0, max: 300_000 },
    translate: atLeastOne('retry.backoff.ms')
  },
  {
    name: 'retry.backoff.max.ms',
    action: 'translate',
    check: { min: 0, max: 300_000 },
    translate: atLeastOne('retry.backoff.max.ms')
  },
  minusOneIsZero('connections.max.idle.ms', 2_147_483_647),
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
    check: { min: 1, max: 240_000 },
    translate: ({ value }, draft) => {
      draft.engine.requestTimeoutMs = Number(value)
    }
  },
  { name: 'default.api.timeout.ms', action: 'ignore' },
  { name: 'send.buffer.bytes', action: 'rename', to: 'socket.send.buffer.bytes' },
  { name: 'receive.buffer.bytes', action: 'rename', to: 'socket.receive.buffer.bytes' },
  minusOneIsZero('socket.send.buffer.bytes', 100_000_000),
  minusOneIsZero('socket.receive.buffer.bytes', 100_000_000),
  {
    // Telemetry for brokers is not needed, and its answers are parsed before anybody is authenticated.
    name: 'enable.metrics.push',
    action: 'translate',
    check: trueOrFalse,
    translate: (setting, draft) => {
      if (setting.value === 'true') addNote(draft, 'info', setting, 'true read as false')
    }
  },
  {
    name: 'interceptor.classes',
    action: 'refuse',
    note: 'Java classes cannot run here. Remove it'
  },
  { name: 'metric.reporters', action: 'ignore' },
  { name: 'metrics.num.samples', action: 'ignore' },
  { name: 'metrics.recording.level', action: 'ignore' },
  { name: 'metrics.sample.window.ms', action: 'ignore' },
  { name: 'auto.include.jmx.reporter', action: 'ignore' },
  { name: 'security.providers', action: 'ignore' },
  { name: 'internal.*', action: 'ignore' },
  {
    name: 'bootstrap.controllers',
    action: 'refuse',
    note: 'a mirror talks to brokers. Set bootstrap.servers'
  }
]

function atLeastOne(
  name: string
): (setting: { value: string }, draft: { connection: Map<string, string> }) => void {
  return ({ value }, draft) => draft.connection.set(name, value === '0' ? '1' : value)
}
