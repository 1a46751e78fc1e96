// Reads the answer of a health route: good or not, and the line that says so.

import { UsageError } from '../errors.ts'
import { formatCount } from '../observe/units.ts'

export type HealthAnswer = { status: number; body: string } | { error: string }

interface HealthBody {
  status: string
  phase?: string
  checks: readonly { name: string; ok: boolean; detail: string }[]
  stopped?: number
}

export interface HealthOptions {
  /** As the user gave it. */
  address: string
  isReady: boolean
  isVerbose: boolean
}

export interface Health {
  isGood: boolean
  lines: string[]
}

export function describeHealth(
  answer: HealthAnswer,
  { address, isReady, isVerbose }: HealthOptions
): Health {
  if ('error' in answer)
    return bad(`no heliostat answers at ${address}: ${answer.error}. ${whatElse}`)
  const body = readBody(answer.body)
  if (!body || (answer.status !== 200 && answer.status !== 503)) {
    return bad(`what answers at ${address} (status ${answer.status}) is no heliostat. ${whatElse}`)
  }
  const checks = isVerbose ? body.checks.map(showCheck) : []
  const isGood = answer.status === 200
  const word = isReady ? 'ready' : 'alive'
  const phase = body.phase === undefined ? '' : ` (${body.phase})`
  const why = isGood ? '' : showFailing(body)
  const line = `${isGood ? 'ok' : 'failing'}: heliostat at ${address} is ${isGood ? '' : 'not '}${word}${phase}${why}`
  return { isGood, lines: [`${line}${showStopped(body)}`, ...checks] }
}

const whatElse = 'Start one there, or name another address: --http HOST:PORT or HELIOSTAT_HTTP'

/** An address to listen on becomes one to ask: a mirror that listens everywhere answers on loopback. */
export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[|\]$/g, '')
  const port = Number(address.slice(at + 1))
  if (port > 65_535) throw new UsageError(`--http: there is no port ${port}. Set one up to 65535`)
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}

function bad(line: string): Health {
  return { isGood: false, lines: [line] }
}

function readBody(text: string): HealthBody | undefined {
  try {
    const body = JSON.parse(text)
    return typeof body?.status === 'string' && Array.isArray(body.checks) ? body : undefined
  } catch {
    return undefined
  }
}

function showFailing({ checks }: HealthBody): string {
  const failing = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
  return failing.length === 0 ? '' : `: ${failing.join('; ')}`
}

/** A stopped lane does not make a mirror unready, but somebody has to look. */
function showStopped({ stopped = 0 }: HealthBody): string {
  if (stopped === 0) return ''
  return `; ${formatCount(stopped)} lane${stopped === 1 ? ' is' : 's are'} stopped`
}

function showCheck({ name, ok, detail }: HealthBody['checks'][number]): string {
  return `  ${ok ? 'ok' : 'failing'}  ${name}: ${detail}`
}
