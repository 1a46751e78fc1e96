// `heliostat status`: how far the group of a mirror is, from the clusters alone.

import { setTimeout as delay } from 'node:timers/promises'
import { statusOptions } from '../config/options.ts'
import { readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { isDoneWithin } from '../mirror/limited.ts'
import { describeAbove, findAbove } from '../status/above-limit.ts'
import { writeJson } from '../status/json.ts'
import { StatusReader } from '../status/reader.ts'
import { drawScreen } from '../status/screen.ts'
import { type Block, writeText } from '../status/text.ts'
import type { LinkFailure, LinkStatus } from '../status/types.ts'
import { findLinks, type StatusOptions } from '../status/watched-links.ts'

/** A client that hangs on a dead broker must not hold up the exit. */
const closeWithinMs = 2_000

type Answers = readonly (LinkStatus | LinkFailure)[]

export async function status(flags: Readonly<Record<string, unknown>>): Promise<number> {
  refuseUnknownVariables(process.env)
  const options = readOptions(statusOptions, flags, process.env)
  const reader = new StatusReader({
    watched: findLinks(options, process.env),
    askedTopics: options.topic,
    limitMs: options['timeout-ms']
  })
  endWithReader()
  try {
    return options.watch === undefined
      ? await showOnce(reader, options)
      : await watch(reader, options, options.watch * 1_000)
  } finally {
    await isDoneWithin(reader.close(), closeWithinMs)
  }
}

async function showOnce(reader: StatusReader, options: StatusOptions): Promise<number> {
  const answers = await reader.read()
  const isAbove = show(answers, options, blocks => print(linesOf(blocks)))
  return isAbove || answers.some(isFailed) ? 1 : 0
}

/** A cluster that does not answer for a while is shown as such, and looked at again. */
async function watch(
  reader: StatusReader,
  options: StatusOptions,
  everyMs: number
): Promise<number> {
  const isOnScreen = process.stdout.isTTY && process.env.TERM !== 'dumb'
  for (;;) {
    const next = performance.now() + everyMs
    const answers = await reader.read()
    const isAbove = show(answers, options, blocks => {
      const dated: Block[] = [{ lines: [new Date().toISOString()], isTable: false }, ...blocks]
      if (isOnScreen) drawScreen(process.stdout, dated)
      else print([...linesOf(dated), ''])
    })
    if (isAbove) return 1
    await delay(Math.max(0, next - performance.now()))
  }
}

/** True when a lane is above the limit. */
function show(
  answers: Answers,
  options: StatusOptions,
  draw: (blocks: readonly Block[]) => void
): boolean {
  const maxLag = options['max-lag']
  const above = maxLag === undefined ? [] : findAbove(answers, maxLag)
  if (options.format === 'json') {
    const indent = options.watch === undefined ? 2 : undefined
    print([writeJson(answers, Date.now(), maxLag === undefined ? undefined : above, indent)])
    return above.length > 0
  }
  // Neither a pipe nor a terminal without a size (0) has a width to keep to.
  const width = process.stdout.columns || Number.POSITIVE_INFINITY
  const blocks = writeText(answers, { width, sort: options.sort })
  const sentence = describeAbove(above, maxLag ?? 0, answers.length === 1)
  draw(sentence === undefined ? blocks : [...blocks, { lines: [sentence], isTable: false }])
  return above.length > 0
}

function isFailed(answer: LinkStatus | LinkFailure): boolean {
  return 'error' in answer || answer.isIncomplete
}

function linesOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap(({ lines }) => lines)
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** `| head` takes what it wants and goes. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}
