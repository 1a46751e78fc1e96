// Owns moving a partition's leader to a replica of one's choice, alive or standing still. Any broker passes these
// requests on to the controller.

import { setTimeout as delay } from 'node:timers/promises'
import { BrokerError, check } from './kafka-error.ts'
import type { RawClient } from './raw-client.ts'
import { Reader, Writer } from './wire.ts'

const timeoutMs = 10_000
const waitLimitMs = 30_000
const metadataLog = '__cluster_metadata'
// ELECTION_NOT_NEEDED: it leads already. NOT_CONTROLLER and PREFERRED_LEADER_NOT_AVAILABLE pass.
const electionNotNeeded = 84
const passing = new Set([41, 80])

/** Puts `leader` in front of the partition's replicas, asks for it to lead, and waits until all say that it does. */
export async function moveLeader(
  client: RawClient,
  topic: string,
  partition: number,
  leader: number
): Promise<void> {
  const { replicas } = await rowOf(client, topic, partition)
  const order = [leader, ...replicas.filter(id => id !== leader)]
  const deadline = Date.now() + waitLimitMs
  for (;;) {
    try {
      await reassign(client, topic, partition, order)
      await electPreferred(client, topic, partition)
      if ((await rowOf(client, topic, partition)).leader === leader) return
    } catch (error) {
      if (!(error instanceof BrokerError && (error.isPassing || passing.has(error.code))))
        throw error
    }
    if (Date.now() > deadline) throw new Error(`${topic}-${partition} is not led by ${leader}`)
    await delay(50)
  }
}

/** Each partition to the replica behind its leader, all at once. */
export async function moveLeaders(client: RawClient, topic: string): Promise<void> {
  const [found] = (await client.metadata([topic])).topics
  await Promise.all(
    (found?.partitions ?? []).map(({ partition, leader, replicas }) => {
      const next = replicas[(replicas.indexOf(leader) + 1) % replicas.length] as number
      return moveLeader(client, topic, partition, next)
    })
  )
}

/** DescribeQuorum v0: the node that is the active controller. */
export async function activeController(client: RawClient): Promise<number> {
  // topics compact [name compact, partitions compact [partition i32, tags], tags], tags
  const body = compactString(new Writer().int8(0).int8(2), metadataLog).int8(2).int32(0)
  const connection = await client.routes.any()
  const answer = await connection.request(55, 0, body.int8(0).int8(0).int8(0).done())
  // tags of the header, error i16, topics compact [name compact, partitions compact [partition i32, error i16, leader i32
  const reader = new Reader(answer, 1)
  check(reader.int16(), 'describe quorum')
  return new Reader(answer, 1 + 2 + 1 + 1 + metadataLog.length + 1 + 4 + 2).int32()
}

async function rowOf(client: RawClient, topic: string, partition: number) {
  const [found] = (await client.metadata([topic])).topics
  const row = found?.partitions.find(one => one.partition === partition)
  if (row === undefined) throw new BrokerError(3, `${topic}-${partition}`)
  return row
}

/** AlterPartitionReassignments v0, the same replicas in another order: nothing is copied. */
async function reassign(
  client: RawClient,
  topic: string,
  partition: number,
  replicas: number[]
): Promise<void> {
  // timeout_ms i32, topics compact [name compact, partitions compact [partition i32, replicas compact [i32], tags], tags]
  const body = new Writer().int8(0).int32(timeoutMs).int8(2)
  compactString(body, topic)
    .int8(2)
    .int32(partition)
    .int8(replicas.length + 1)
  for (const id of replicas) body.int32(id)
  body.int8(0).int8(0).int8(0)
  const connection = await client.routes.any()
  // tags of the header, throttle_time_ms i32, error i16
  check(new Reader(await connection.request(45, 0, body.done()), 5).int16(), `reassign ${topic}`)
}

/** ElectLeaders v1 of the preferred replica. */
async function electPreferred(client: RawClient, topic: string, partition: number): Promise<void> {
  // election_type i8, topics [name, partitions [i32]], timeout_ms i32
  const body = new Writer().int8(0).int32(1).string(topic).int32(1).int32(partition)
  const connection = await client.routes.any()
  const reader = new Reader(await connection.request(43, 1, body.int32(timeoutMs).done()), 4)
  check(reader.int16(), 'elect leaders')
  reader.array(() => {
    reader.string()
    return reader.array(() => {
      reader.int32()
      const error = reader.int16()
      const message = reader.nullableString()
      if (error !== electionNotNeeded) check(error, `elect a leader of ${topic}`, message)
    })
  })
}

function compactString(body: Writer, text: string): Writer {
  const bytes = Buffer.from(text)
  return body.int8(bytes.length + 1).raw(bytes)
}
