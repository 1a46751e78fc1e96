// Reads --recompress: which topics are to have which codec.

import { type Codec, codecs, levelsOf } from '../batches/codec.ts'
import { UsageError } from '../errors.ts'
import type { Recompression } from '../topics/codec-rules.ts'
import { readTopicPattern } from '../topics/pattern.ts'
import { didYouMean } from './suggest.ts'

/** Everything wrong is found in one run. */
export function readRecompress(texts: readonly string[]): Recompression[] {
  const problems: string[] = []
  const read: Recompression[] = []
  for (const text of texts) {
    try {
      const one = readOne(text)
      refuseTwice(one, read)
      read.push(one)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      problems.push(...error.problems.map(problem => `--recompress: ${problem}`))
    }
  }
  if (problems.length > 0) throw new UsageError(problems)
  return read
}

// [PATTERN=]CODEC[:LEVEL]. A pattern may hold = and : itself, as (?=…) and (?:…) do.
function readOne(text: string): Recompression {
  const at = text.lastIndexOf('=')
  const pattern = at === -1 ? undefined : text.slice(0, at)
  const [name = '', level] = text.slice(at + 1).split(/:(.*)/s)
  const codec = codecs.find(known => known === name)
  if (codec === undefined) {
    throw new UsageError(
      `there is no codec "${name}"${didYouMean(name, codecs)}; write CODEC, CODEC:LEVEL or PATTERN=CODEC, ` +
        `with ${codecs.slice(0, -1).join(', ')} or ${codecs.at(-1)}`
    )
  }
  if (pattern !== undefined) readTopicPattern(pattern)
  return { pattern, codec, ...(level !== undefined && { level: readLevel(codec, level) }) }
}

function readLevel(codec: Codec, text: string): number {
  const range = levelsOf[codec]
  if (range === undefined) {
    throw new UsageError(`${codec} has no levels, got "${codec}:${text}". Write ${codec}`)
  }
  const level = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (level >= range.min && level <= range.max) return level
  throw new UsageError(
    `expected a level of ${codec} from ${range.min} to ${range.max}, got "${text}"`
  )
}

function refuseTwice({ pattern }: Recompression, read: readonly Recompression[]): void {
  if (!read.some(one => one.pattern === pattern)) return
  throw new UsageError(
    pattern === undefined
      ? 'two codecs are given for every topic. Give one, and PATTERN=CODEC for the others'
      : `the pattern "${pattern}" is given twice. Give it once`
  )
}
