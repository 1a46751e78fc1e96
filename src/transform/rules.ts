// What is done to the records of which topics.

import type { HandlerSpec } from './chain.ts'
import type { ErrorPolicy } from './transform.ts'

export interface TransformRule {
  /** Place in the list of chains. */
  chain: number
  onError: ErrorPolicy
  /** Of one link, while this process runs; with one more under this rule the lane stops, whatever the policy. */
  maxErrors: number
}

export interface Transforms {
  chains: readonly (readonly HandlerSpec[])[]
  /** What handlers may take for the batches of one message, some hundred kilobytes. */
  timeLimitMs: number
  /** Undefined: the topic's batches pass as they are. */
  ruleFor(topic: string): TransformRule | undefined
}
