// Owns the raw requests that change a cluster: topics, partitions, configs, ACLs, deleted records.

import { setTimeout as delay } from 'node:timers/promises'
import { check } from './kafka-error.ts'
import type { Routes } from './routes.ts'
import { Reader, Writer } from './wire.ts'

export type NewTopic = {
  name: string
  partitions?: number
  replicationFactor?: number
  configs?: Record<string, string | number | boolean>
  /** Replicas of each partition by node id, in place of the two numbers above. */
  assignments?: number[][]
}

export type ConfigResource = { type: 'topic' | 'broker'; name: string }

export type Acl = {
  topic?: string
  group?: string
  cluster?: true
  principal: string
  operation:
    | 'all'
    | 'read'
    | 'write'
    | 'create'
    | 'describe'
    | 'describeConfigs'
    | 'idempotentWrite'
  permission?: 'allow' | 'deny'
  prefixed?: boolean
}

const resourceTypes = { topic: 2, broker: 4 }
const operations = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  describe: 8,
  describeConfigs: 10,
  idempotentWrite: 12
}
const timeoutMs = 30_000
const waitLimitMs = 30_000

export class RawAdmin {
  readonly #routes: Routes

  constructor(routes: Routes) {
    this.#routes = routes
  }

  /** CreateTopics v2, then waits until every partition has a leader on every broker. */
  async createTopics(...topics: NewTopic[]): Promise<void> {
    // topics [name, num_partitions i32, replication_factor i16, assignments [partition i32, brokers [i32]],
    // configs [name, value]], timeout_ms i32, validate_only bool
    const body = new Writer()
    body.array(
      topics,
      ({ name, partitions = 1, replicationFactor = 1, assignments, configs = {} }) => {
        const isAssigned = assignments !== undefined
        body
          .string(name)
          .int32(isAssigned ? -1 : partitions)
          .int16(isAssigned ? -1 : replicationFactor)
        body.array([...(assignments ?? []).entries()], ([partition, brokers]) => {
          body.int32(partition).array(brokers, broker => body.int32(broker))
        })
        body.array(Object.entries(configs), ([key, value]) => body.string(key).string(`${value}`))
      }
    )
    body.int32(timeoutMs).bool(false)
    const reader = await this.#toController(19, 2, body)
    reader.int32()
    reader.array(() => {
      const name = reader.string()
      check(reader.int16(), `create topic ${name}`, reader.nullableString())
    })
    const wanted = topics.map(({ name, partitions = 1, assignments }) => {
      return { name, partitions: assignments?.length ?? partitions }
    })
    await this.#untilLed(wanted)
  }

  /** DeleteTopics v1, then waits until no broker lists them. */
  async deleteTopics(...names: string[]): Promise<void> {
    const body = new Writer()
    body.array(names, name => body.string(name))
    body.int32(timeoutMs)
    const reader = await this.#toController(20, 1, body)
    reader.int32()
    reader.array(() => {
      const name = reader.string()
      check(reader.int16(), `delete topic ${name}`)
    })
    await until(`${names} to be gone`, () =>
      this.#onEveryBroker(names, topics => topics.every(({ error }) => error !== 0))
    )
  }

  /** CreatePartitions v0: the topic has `count` partitions afterwards. */
  async createPartitions(topic: string, count: number): Promise<void> {
    // topics [name, count i32, assignments null], timeout_ms i32, validate_only bool
    const body = new Writer()
      .int32(1)
      .string(topic)
      .int32(count)
      .array(null, () => {})
    const reader = await this.#toController(37, 0, body.int32(timeoutMs).bool(false))
    reader.int32()
    reader.array(() => {
      reader.string()
      check(reader.int16(), `create partitions of ${topic}`, reader.nullableString())
    })
    await this.#untilLed([{ name: topic, partitions: count }])
  }

  /** DeleteRecords v0: moves the partition's log start to an offset; -1 is the high watermark. Gives the new start. */
  async deleteRecords(topic: string, partition: number, before: number): Promise<number> {
    const body = new Writer().int32(1).string(topic).int32(1).int32(partition).int64(before)
    body.int32(timeoutMs)
    return this.#routes.retrying(async () => {
      const leader = await this.#routes.leaderConnection(topic, partition)
      const reader = new Reader(await leader.request(21, 0, body.done()), 4)
      const [[start]] = reader.array(() => {
        reader.string()
        return reader.array(() => {
          reader.int32()
          const lowWatermark = reader.int64()
          check(reader.int16(), `delete records of ${topic}-${partition}`)
          return lowWatermark
        })
      }) as [[number]]
      return start
    })
  }

  /** DescribeConfigs v1: values by name; null where the broker hides one. */
  async describeConfigs(resource: ConfigResource): Promise<Record<string, string | null>> {
    // resources [type i8, name, config_names null], include_synonyms bool
    const body = new Writer().int32(1).int8(resourceTypes[resource.type]).string(resource.name)
    body.array(null, () => {}).bool(false)
    const reader = new Reader(await (await this.#for(resource)).request(32, 1, body.done()), 4)
    const [configs] = reader.array(() => {
      check(reader.int16(), `configs of ${resource.name}`, reader.nullableString())
      reader.int8()
      reader.string()
      return reader.array(() => {
        const entry: [string, string | null] = [reader.string(), reader.nullableString()]
        // read_only, source, is_sensitive, synonyms [name, value, source]
        reader.bool()
        reader.int8()
        reader.bool()
        reader.array(() => [reader.string(), reader.nullableString(), reader.int8()])
        return entry
      })
    })
    return Object.fromEntries(configs ?? [])
  }

  /** IncrementalAlterConfigs v0: sets values; null goes back to the default. */
  async alterConfigs(
    resource: ConfigResource,
    changes: Record<string, string | number | boolean | null>
  ): Promise<void> {
    // resources [type i8, name, configs [name, operation i8, value]], validate_only bool
    const body = new Writer().int32(1).int8(resourceTypes[resource.type]).string(resource.name)
    body.array(Object.entries(changes), ([name, value]) => {
      body
        .string(name)
        .int8(value === null ? 1 : 0)
        .string(value === null ? null : `${value}`)
    })
    const response = await (await this.#for(resource)).request(44, 0, body.bool(false).done())
    const reader = new Reader(response, 4)
    reader.array(() => {
      check(reader.int16(), `alter configs of ${resource.name}`, reader.nullableString())
      return [reader.int8(), reader.string()]
    })
  }

  /** CreateAcls v1. */
  async createAcls(...acls: Acl[]): Promise<void> {
    // creations [resource_type i8, resource_name, pattern_type i8, principal, host, operation i8, permission i8]
    const body = new Writer()
    body.array(acls, acl => writeAcl(body, acl))
    const reader = await this.#toController(30, 1, body)
    reader.int32()
    reader.array(() => check(reader.int16(), 'create ACL', reader.nullableString()))
  }

  /** DeleteAcls v1: takes back the ones that createAcls made of the same. */
  async deleteAcls(...acls: Acl[]): Promise<void> {
    // filters [resource_type i8, resource_name, pattern_type i8, principal, host, operation i8, permission i8]
    const body = new Writer()
    body.array(acls, acl => writeAcl(body, acl))
    const reader = await this.#toController(31, 1, body)
    reader.int32()
    reader.array(() => {
      check(reader.int16(), 'delete ACL', reader.nullableString())
      return reader.array(() => {
        check(reader.int16(), 'delete ACL', reader.nullableString())
        // resource_type, resource_name, pattern_type, principal, host, operation, permission
        return [
          reader.int8(),
          reader.string(),
          reader.int8(),
          reader.string(),
          reader.string(),
          reader.int8(),
          reader.int8()
        ]
      })
    })
  }

  /** AlterClientQuotas v0: bytes a second for a client id, or for all without one of their own; null lifts the limit. */
  async alterQuota(
    clientId: string | null,
    quota: 'producer_byte_rate' | 'consumer_byte_rate',
    bytesPerSecond: number | null
  ): Promise<void> {
    // entries [entity [type, name], ops [key, value f64, remove bool]], validate_only bool
    const value = Buffer.alloc(8)
    value.writeDoubleBE(bytesPerSecond ?? 0)
    const body = new Writer().int32(1).int32(1).string('client-id').string(clientId)
    body.int32(1).string(quota).raw(value)
    const reader = await this.#toController(49, 0, body.bool(bytesPerSecond === null).bool(false))
    reader.int32()
    reader.array(() => {
      check(reader.int16(), `alter ${quota}`, reader.nullableString())
      return reader.array(() => [reader.string(), reader.nullableString()])
    })
  }

  async #toController(api: number, version: number, body: Writer): Promise<Reader> {
    const controller = await this.#routes.retrying(() => this.#routes.controller())
    return new Reader(await controller.request(api, version, body.done()))
  }

  #for({ type, name }: ConfigResource): ReturnType<Routes['any']> {
    return type === 'broker' && name !== '' ? this.#routes.node(Number(name)) : this.#routes.any()
  }

  async #untilLed(topics: { name: string; partitions: number }[]): Promise<void> {
    const names = topics.map(topic => topic.name)
    await until(`leaders of ${names}`, () =>
      this.#onEveryBroker(names, found =>
        topics.every(({ name, partitions }) => {
          const led = found.find(topic => topic.name === name)?.partitions
          return led?.length === partitions && led.every(({ leader }) => leader >= 0)
        })
      )
    )
  }

  async #onEveryBroker(
    names: string[],
    holds: (topics: { name: string; error: number; partitions: { leader: number }[] }[]) => boolean
  ): Promise<boolean> {
    const { brokers } = await this.#routes.metadata([])
    for (const { id } of brokers) {
      if (!holds((await this.#routes.metadata(names, id)).topics)) return false
    }
    return true
  }
}

function writeAcl(
  body: Writer,
  { topic, group, principal, operation, permission, prefixed }: Acl
): void {
  const type = topic !== undefined ? 2 : group !== undefined ? 3 : 4
  body
    .int8(type)
    .string(topic ?? group ?? 'kafka-cluster')
    .int8(prefixed === true ? 4 : 3)
  body
    .string(principal)
    .string('*')
    .int8(operations[operation])
    .int8(permission === 'deny' ? 2 : 3)
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + waitLimitMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${waitLimitMs} ms for ${what}`)
    await delay(20)
  }
}
