// Reads a topic pattern of MirrorMaker: prepares the text as it did, then translates the Java regex.

import { findLookAlike } from '../config/look-alikes.ts'
import { UsageError } from '../errors.ts'
import { translateJavaRegex } from './java-regex.ts'

/** A regular expression in parts, so that it can be sent to a worker thread. */
export interface NamePattern {
  source: string
  flags: string
}

/** The result matches whole topic names only. Throws a UsageError that shows where the pattern is wrong. */
export function readTopicPattern(text: string): NamePattern {
  refuseRepetition(text)
  const prepared = prepare(text)
  if (prepared === '') throw new UsageError('topic pattern: it is empty. For every topic write .*')
  refuseForeignCharacters(prepared)
  const { source, flags } = translateJavaRegex(prepared, (at, why) => refuse(prepared, at, why))
  const whole = { source: `^(?:${source})$`, flags }
  try {
    new RegExp(whole.source, whole.flags)
  } catch (cause) {
    throw new UsageError(`topic pattern "${prepared}": ${reasonOf(cause)}`, { cause })
  }
  return whole
}

/** As MirrorMaker did, in its order: trimmed, a comma means "or", spaces go, and outer quotes too. */
function prepare(text: string): string {
  return trim(text)
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
}

/** Java's trim: everything up to the space goes, and nothing of Unicode. */
function trim(text: string): string {
  return text.replaceAll(/^[^\x21-\uffff]+|[^\x21-\uffff]+$/g, '')
}

// MirrorMaker made {1|3} of it, which Java does not read.
function refuseRepetition(text: string): void {
  const repetition = /(?<!\\)\{\s*\d+\s*,/.exec(text)
  if (!repetition) return
  refuse(
    text,
    repetition.index,
    'a comma separates patterns, so {1,3} cannot be written. Write it out: a(a(a)?)?'
  )
}

/** They match no topic, whose names are ASCII: a pattern that holds them selects less than it seems to. */
function refuseForeignCharacters(text: string): void {
  const lookAlike = findLookAlike(text)
  if (lookAlike) {
    refuse(text, lookAlike.at, `here stands ${lookAlike.name}, and no topic has it in its name`)
  }
  const space = text.search(/\s/)
  if (space !== -1) {
    refuse(
      text.replaceAll(/\s/g, ' '),
      space,
      'a tab, a line end or another white space but the plain one is in no topic name. Take it out'
    )
  }
}

function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.slice(text.lastIndexOf(': ') + 2)
}

function refuse(pattern: string, at: number, why: string): never {
  throw new UsageError(`topic pattern: ${why}\n  ${pattern}\n  ${' '.repeat(at)}^`)
}
