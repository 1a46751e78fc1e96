// Finds the rule of a topic: the first whose pattern takes its name.

import { runInNewContext } from 'node:vm'
import { ConfigError } from '../errors.ts'
import type { NamePattern } from '../topics/pattern.ts'
import type { TransformRule } from './rules.ts'

export interface TopicRule extends TransformRule {
  pattern: NamePattern
  /** The pattern as it is written, and where. */
  topics: string
  origin: string
}

// A name takes microseconds unless the pattern runs away.
const timeLimitMs = 1_000

/** Each name is matched once. Fails with a ConfigError when a pattern takes too long on a name. */
export function ruleFinder(
  rules: readonly TopicRule[]
): (topic: string) => TransformRule | undefined {
  const found = new Map<string, TransformRule | undefined>()
  return topic => {
    if (!found.has(topic)) {
      found.set(
        topic,
        rules.find(rule => isMatch(rule, topic))
      )
    }
    return found.get(topic)
  }
}

function isMatch({ pattern, topics, origin }: TopicRule, topic: string): boolean {
  const regex = new RegExp(pattern.source, pattern.flags)
  try {
    // A pattern is not interrupted otherwise.
    return runInNewContext('regex.test(topic)', { regex, topic }, { timeout: timeLimitMs })
  } catch (cause) {
    throw new ConfigError(
      `${origin}: the pattern ${topics} gave no answer within ${timeLimitMs} ms at topic "${topic}". ` +
        'Set one without nested repetition, such as (a+)+',
      { cause }
    )
  }
}
