// Reads a pattern for the texts of records: a Java regular expression that is looked for anywhere in them.

import { translateJavaRegex } from '../../topics/java-regex.ts'
import { ArgumentError, readText } from './arguments.ts'

/** An ArgumentError shows where the pattern is wrong. */
export function readPattern(value: unknown): RegExp {
  const pattern = readText(value)
  const { source, flags } = translateJavaRegex(
    pattern,
    (at, why) => {
      throw new ArgumentError(`${why}\n  ${pattern}\n  ${' '.repeat(at)}^`)
    },
    'text'
  )
  try {
    return new RegExp(source, flags)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    const reason = text.slice(text.lastIndexOf(': ') + 2)
    throw new ArgumentError(`"${pattern}" is no regular expression: ${reason}`, { cause })
  }
}
