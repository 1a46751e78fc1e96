// One GET of a health route, within a time.

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { HealthAnswer } from './health.ts'

export interface HealthQuestion {
  host: string
  port: number
  path: string
  limitMs: number
}

/** More than any body of ours has; whatever else listens there may send without end. */
const mostBytes = 1_000_000

/** Never fails: what went wrong is the answer. */
export async function askHealth(question: HealthQuestion): Promise<HealthAnswer> {
  const { limitMs, ...where } = question
  const signal = AbortSignal.timeout(limitMs)
  try {
    const request = get({ ...where, agent: false, signal })
    // One that comes while the body is read fails the reading too, which is where it is seen.
    request.on('error', () => {})
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { status: response.statusCode ?? 0, body: await readBody(response) }
  } catch (error) {
    return { error: signal.aborted ? `no answer within ${limitMs} ms` : causeOf(error) }
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length
    if (bytes > mostBytes) throw new Error('its answer has no end')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

function causeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message
}
