// The text form of a lane's branches in its checkpoint: `fan=` there.

import type { ProducerIdentity, TopicPartition } from '../native/index.ts'

/** A branch as checkpoints tell it. */
export interface BranchEnd extends TopicPartition, ProducerIdentity {
  /** Of the first record there that is made of what lies behind the committed offset. */
  nextSequence: number
  /** Target offset below which none of those records lies. */
  targetEnd: number
}

// Of the 4,096 bytes that brokers take, the rest of a checkpoint has less than 500.
const mostBytes = 3_500
// With numbers that have grown as far as they can.
const mostRowBytes = 57

/** Whether checkpoints have room for so many, however far they come. */
export function fitsCheckpoint(branches: readonly TopicPartition[]): boolean {
  const topics = new Set(branches.map(({ topic }) => topic))
  const named = [...topics].reduce((sum, topic) => sum + topic.length + 2, 0)
  return named + branches.length * mostRowBytes <= mostBytes
}

export function encodeBranches(branches: readonly BranchEnd[]): string {
  const byTopic = new Map<string, BranchEnd[]>()
  for (const branch of branches)
    byTopic.set(branch.topic, [...(byTopic.get(branch.topic) ?? []), branch])
  return [...byTopic].map(([topic, rows]) => `${topic}:${rows.map(encodeRow).join(',')}`).join('/')
}

function encodeRow(branch: BranchEnd): string {
  return columns.map(name => branch[name]).join('.')
}

const columns = ['partition', 'producerId', 'producerEpoch', 'nextSequence', 'targetEnd'] as const

/** Undefined where it is damaged. */
export function decodeBranches(text: string): BranchEnd[] | undefined {
  const branches = text.split('/').flatMap(part => {
    const [topic = '', rows = ''] = part.split(':')
    return rows.split(',').map(row => decodeRow(topic, row))
  })
  return branches.every(branch => branch !== undefined) ? branches : undefined
}

function decodeRow(topic: string, row: string): BranchEnd | undefined {
  if (!/^\d{1,16}(?:\.\d{1,16}){4}$/.test(row)) return undefined
  const numbers = row.split('.').map(Number)
  const branch = Object.fromEntries(columns.map((name, at) => [name, numbers[at]]))
  return { topic, ...branch } as unknown as BranchEnd
}
