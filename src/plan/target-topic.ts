// Decides what would happen to a topic of the target, and what that means for the lanes into it.

import type { CreationPolicy, PlanReason } from '../mirror/types.ts'
import type { ConfigEntry, TopicMetadata } from '../native/index.ts'
import {
  chooseConfigs,
  readBehaviour,
  type TargetBehaviour,
  unknownBehaviour
} from '../topics/configs.ts'
import {
  chooseReplication,
  growsWithSource,
  unknownTopic,
  whyNotCreated,
  whyRefused
} from '../topics/create-rules.ts'
import type { Finding } from './findings.ts'

export interface TargetTopicFacts {
  topic: string
  /** Of the largest source topic of that name. */
  partitions: number
  replicationFactor: number
  /** Undefined when nobody lets us read them. */
  sourceConfigs: readonly ConfigEntry[] | undefined
  /** Every source of it is from before Kafka 0.11, and can tell nobody. */
  hasOldSources: boolean
  found: TopicMetadata | undefined
  /** Undefined when the topic is not there, or its configs cannot be read. */
  targetConfigs: readonly ConfigEntry[] | undefined
  targetBrokers: number
  /** The target's own defaults, as far as its topics show them. */
  targetDefaults: ReadonlyMap<string, string>
  /** An earlier run has seen the target with all of the partitions. */
  wasInStep: boolean
  creation: CreationPolicy
}

export type TargetAction = 'create' | 'exists' | 'grow' | 'too-small' | 'missing' | 'refused'

export interface TargetTopicPlan {
  action: TargetAction
  /** Now; 0 while the topic is not there. */
  partitions: number
  partitionsAfter: number
  replicationFactor: number
  /** Set on a topic that is created. */
  configs: Readonly<Record<string, string>>
  behaviour: TargetBehaviour
  /** Why no lane can start. */
  refusal?: { reason: PlanReason; detail: string }
  findings: Finding[]
}

export function planTargetTopic(facts: TargetTopicFacts): TargetTopicPlan {
  const { found } = facts
  if (found && found.partitions.length > 0) return planExisting(facts, found)
  if (found?.failure && found.failure.code !== unknownTopic) {
    return { ...absent('refused'), refusal: whyRefused(facts.topic, found.failure) }
  }
  if (!facts.creation.create) {
    return { ...absent('missing'), refusal: whyNotCreated(facts.topic, facts.partitions) }
  }
  return planCreation(facts)
}

function absent(action: TargetAction): TargetTopicPlan {
  return {
    action,
    partitions: 0,
    partitionsAfter: 0,
    replicationFactor: 0,
    configs: {},
    behaviour: unknownBehaviour,
    findings: []
  }
}

function planExisting(facts: TargetTopicFacts, found: TopicMetadata): TargetTopicPlan {
  const { topic, partitions, targetConfigs, creation } = facts
  const now = found.partitions.length
  const isGrowing = growsWithSource(partitions, now, facts.wasInStep || creation.grow)
  const isTooSmall = now < partitions && !isGrowing
  const replicationFactor = Math.min(...found.partitions.map(({ replicas }) => replicas.length))
  const plan: TargetTopicPlan = {
    action: isGrowing ? 'grow' : isTooSmall ? 'too-small' : 'exists',
    partitions: now,
    partitionsAfter: isGrowing ? partitions : now,
    replicationFactor,
    configs: {},
    behaviour: targetConfigs ? readBehaviour(targetConfigs) : unknownBehaviour,
    findings: []
  }
  if (isTooSmall) {
    plan.findings.push({
      kind: 'too-few-partitions',
      topic,
      text: 'the target topic has fewer partitions than the source, and had so before the mirror came',
      fix: 'add partitions on the target, or give --grow-partitions'
    })
  }
  return checkMinInSync(plan, topic)
}

function planCreation(facts: TargetTopicFacts): TargetTopicPlan {
  const { topic, partitions, creation, targetBrokers, targetDefaults, sourceConfigs } = facts
  const asked = creation.replicationFactor
  const replicationFactor = chooseReplication(facts.replicationFactor, asked, targetBrokers)
  // The mirror knows no defaults before it has read a topic of the target, so it sets what decides fidelity.
  const configs = chooseConfigs(sourceConfigs ?? [], new Map())
  const after = new Map([...targetDefaults, ...Object.entries(configs)])
  const plan: TargetTopicPlan = {
    action: 'create',
    partitions: 0,
    partitionsAfter: partitions,
    replicationFactor,
    configs,
    behaviour: readBehaviour(entriesOf(after)),
    findings: []
  }
  const wanted = Math.max(asked ?? facts.replicationFactor, facts.replicationFactor)
  if (replicationFactor < wanted) {
    const isShortOfBrokers = replicationFactor === targetBrokers
    plan.findings.push({
      kind: 'fewer-replicas',
      topic,
      text:
        `created with ${replicas(replicationFactor)} instead of ${wanted}` +
        (wanted === facts.replicationFactor ? ' as on the source' : ''),
      fix: isShortOfBrokers
        ? `the target has only ${targetBrokers} broker${targetBrokers === 1 ? '' : 's'}: add brokers first`
        : 'give a higher --replication-factor'
    })
  }
  if (!sourceConfigs) {
    plan.findings.push({
      kind: 'created-without-configs',
      topic,
      text: "the source's configs cannot be read, so the topic is created with the target's defaults",
      fix: facts.hasOldSources
        ? 'make it by hand first, with the configs that kafka-topics --describe shows there'
        : 'grant DescribeConfigs on the source first'
    })
  }
  return checkMinInSync(plan, topic)
}

/** With more in-sync replicas asked for than there are at all, brokers before 3.7 refuse each write. */
function checkMinInSync(plan: TargetTopicPlan, topic: string): TargetTopicPlan {
  const { minInSyncReplicas } = plan.behaviour
  if (!(minInSyncReplicas > plan.replicationFactor)) return plan
  const detail =
    `min.insync.replicas is ${minInSyncReplicas} and the target topic has ` +
    `${replicas(plan.replicationFactor)}: brokers before Kafka 3.7 refuse every write`
  plan.findings.push({
    kind: 'min-insync-replicas',
    topic,
    text: detail,
    fix: `set min.insync.replicas to at most ${plan.replicationFactor} on the target, or add replicas`
  })
  return plan
}

function replicas(count: number): string {
  return `${count} replica${count === 1 ? '' : 's'}`
}

function entriesOf(values: ReadonlyMap<string, string>): ConfigEntry[] {
  return [...values].map(([name, value]) => ({ name, value, isDefault: false, isSensitive: false }))
}
