// The handler `rename`: sends records to a topic whose name is made from theirs.

import type { HandlerModule } from '../record.ts'
import { ArgumentError, missing, readArguments, readText } from './arguments.ts'
import { readPattern } from './text-pattern.ts'

export const example = '{ topic: ^eu-(.*), to: $1.eu }'

// As brokers take them.
const topicName = /^[a-zA-Z0-9._-]{1,249}$/

/** `to` may hold $1 or ${name} for the groups of the pattern; a name that does not match stays. */
export function makeRename(args: unknown): HandlerModule {
  const { topic, to } = readArguments(args, { topic: readPattern, to: readText }, example)
  if (topic === undefined) throw missing('topic', example)
  if (to === undefined) throw missing('to', example)
  const replacement = toJavaScript(to, new RegExp(`${topic.source}|`, topic.flags))
  const names = new Map<string, string>()
  return {
    default(record) {
      let name = names.get(record.topic)
      if (name === undefined) {
        name = record.topic.replace(topic, replacement)
        if (!topicName.test(name)) throw new Error(`"${name}" is no name of a topic`)
        names.set(record.topic, name)
      }
      if (name !== record.topic) record.topic = name
      return record
    }
  }
}

/** Of Java's Matcher.replaceAll: $1, ${name}, and a backslash before what stands for itself. */
function toJavaScript(to: string, withNothing: RegExp): string {
  const groups = withNothing.exec('') as RegExpExecArray
  return to.replaceAll(/\\(.)|\$(?:(\d)|\{(\w+)\})?|\\$/g, (found, plain, number, name) => {
    if (plain !== undefined) return plain === '$' ? '$$' : plain
    const isThere = number === undefined ? name in (groups.groups ?? {}) : number < groups.length
    if (!isThere) throw new ArgumentError(`to: the pattern has no group for ${found}`)
    return number === undefined ? `$<${name}>` : number === '0' ? '$&' : `$${number}`
  })
}
