// Reads a topic pattern of MirrorMaker: prepares the text as it did, then translates the Java regex.

import { UsageError } from '../errors.ts'
import { translateJavaRegex } from './java-regex.ts'

/** A regular expression in parts, so that it can be sent to a worker thread. */
export interface NamePattern {
  source: string
  flags: string
}

/** The result matches whole topic names only. Throws a UsageError that shows where the pattern is wrong. */
export function readTopicPattern(text: string): NamePattern {
  const repetition = /\{\d+\s*,/.exec(text)
  if (repetition) {
    refuse(
      text,
      repetition.index,
      'a comma separates patterns, so {1,3} cannot be written. Write it out: a(a(a)?)?'
    )
  }
  const prepared = prepare(text)
  if (prepared === '') throw new UsageError('topic pattern: it is empty. For every topic write .*')
  const { source, flags } = translateJavaRegex(prepared, (at, why) => refuse(prepared, at, why))
  const whole = { source: `^(?:${source})$`, flags }
  try {
    new RegExp(whole.source, whole.flags)
  } catch (cause) {
    throw new UsageError(`topic pattern "${prepared}": ${reasonOf(cause)}`, { cause })
  }
  return whole
}

/** Space around it and all space in it goes, so do outer quotes, and every comma means "or". */
function prepare(text: string): string {
  return text
    .replaceAll(/\s/g, '')
    .replaceAll(',', '|')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
}

function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.slice(text.lastIndexOf(': ') + 2)
}

function refuse(pattern: string, at: number, why: string): never {
  throw new UsageError(`topic pattern: ${why}\n  ${pattern}\n  ${' '.repeat(at)}^`)
}
