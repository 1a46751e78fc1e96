// The HTTP port: /livez, /readyz and /metrics. It reads, and changes nothing.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigError } from '../errors.ts'
import type { Check, MirrorState } from '../mirror/types.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'

const defaultAddress = '127.0.0.1:9747'
const mostStoppedLanes = 100

export interface HttpOptions {
  /** HOST:PORT or `off`; undefined is the default address, whose port may be taken. */
  address: string | undefined
  state: () => MirrorState
  /** Asked for where something is served. */
  metrics: () => Promise<Metrics>
  logger: Logger
}

export interface HttpPort {
  /** `http://127.0.0.1:9747`; undefined when nothing is served. */
  url: string | undefined
  close(): Promise<void>
}

interface Answer {
  status: number
  type: string
  body: string
}

type Handler = (url: URL) => Answer | Promise<Answer>

export async function openHttp(options: HttpOptions): Promise<HttpPort> {
  const { address = defaultAddress, logger } = options
  if (address === 'off') return closedPort
  const { host, port } = splitAddress(address)
  const metrics = await options.metrics()
  const server = createServer(
    { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000 },
    answerWith(routes(options.state, metrics), isLoopback(host), logger)
  )
  server.maxConnections = 64
  try {
    await listen(server, host, port)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    if (options.address !== undefined) {
      throw new ConfigError(
        `--http: ${address} cannot be opened: ${why}. Set another port, or off`,
        { cause }
      )
    }
    logger.warn({ address, error: why }, 'the default HTTP port is taken; going on without one')
    return closedPort
  }
  server.unref()
  const bound = server.address() as AddressInfo
  return { url: `http://${hostForUrl(bound)}:${bound.port}`, close: () => close(server) }
}

const closedPort: HttpPort = { url: undefined, close: async () => {} }

function routes(state: HttpOptions['state'], metrics: Metrics): ReadonlyMap<string, Handler> {
  // Never about brokers: a broker's outage must not make a supervisor restart the mirror.
  const livez: Handler = () => health(200, 'ok', {})
  const readyz: Handler = url => readiness(state(), url.searchParams.has('verbose'))
  const scrape: Handler = async () => ({
    status: 200,
    type: metrics.contentType,
    body: await metrics.render()
  })
  return new Map([
    ['/livez', livez],
    ['/healthz', livez],
    ['/readyz', readyz],
    ['/metrics', scrape]
  ])
}

function readiness(state: MirrorState, isVerbose: boolean): Answer {
  const checks: Check[] = isVerbose ? state.checks : state.checks.filter(check => !check.ok)
  const stopped = state.links
    .filter(link => link.lanesByState.stopped > 0)
    .flatMap(link => link.lanes())
    .filter(lane => lane.state === 'stopped')
  const stoppedLanes = stopped
    .slice(0, mostStoppedLanes)
    .map(({ topic, partition, reason }) => ({ topic, partition, reason }))
  const status = state.ready ? 'ok' : 'unavailable'
  const lanes = stopped.length === 0 ? {} : { stopped: stopped.length, stoppedLanes }
  return health(state.ready ? 200 : 503, status, { phase: state.phase, checks, ...lanes })
}

function health(code: number, status: string, more: object): Answer {
  return {
    status: code,
    type: 'application/json',
    body: `${JSON.stringify({ status, checks: [], ...more })}\n`
  }
}

function answerWith(
  table: ReadonlyMap<string, Handler>,
  isLocal: boolean,
  logger: Logger
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answer(request, table, isLocal).then(
      found => send(response, found),
      error => {
        logger.error({ error: String(error) }, 'an HTTP request failed')
        send(response, plain(500, 'internal error'))
      }
    )
  }
}

async function answer(
  request: IncomingMessage,
  table: ReadonlyMap<string, Handler>,
  isLocal: boolean
): Promise<Answer> {
  // A page in a browser can point a name of its own at loopback; such a request bears that name.
  if (isLocal && !isLoopback(hostOf(request.headers.host))) return plain(403, 'forbidden')
  const url = URL.parse(request.url ?? '/', 'http://localhost')
  const handler = url && table.get(url.pathname)
  if (!url || !handler) return plain(404, 'not found')
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'method not allowed')
  return handler(url)
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {})
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` }
}

function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  const port = Number(address.slice(at + 1))
  if (port > 65_535)
    throw new ConfigError(`--http: there is no port ${port}. Set one from 0 to 65535`)
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port }
}

function hostOf(header: string | undefined): string {
  return (header ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function hostForUrl({ address, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]` : address
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
