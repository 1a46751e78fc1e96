// Owns a broker's log of requests of one kind: which of its clients asked for it, and how often.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type LoggedRequest = { timeMs: number; clientId: string; text: string }

export type RequestLog = {
  /** JVM flags for a broker of Kafka 3, which logs through log4j 1. */
  jvm: string[]
  read(): Promise<LoggedRequest[]>
  remove(): Promise<void>
}

/** `api` is Kafka's name of the request in capitals. */
export async function prepareRequestLog(api: string): Promise<RequestLog> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-requests-'))
  const config = join(folder, 'log4j.properties')
  const output = join(folder, 'requests.log')
  await writeFile(config, log4jProperties(api, output))
  return {
    jvm: [`-Dlog4j.configuration=file:${config}`],
    async read() {
      const text = await readFile(output, 'utf8').catch(() => '')
      return text.split('\n').flatMap(readLine)
    },
    remove: () => rm(folder, { recursive: true, force: true })
  }
}

function readLine(line: string): LoggedRequest | [] {
  const time = /^(\d+) /.exec(line)?.[1]
  const clientId = /"clientId":"([^"]*)"/.exec(line)?.[1]
  if (time === undefined || clientId === undefined) return []
  return { timeMs: Number(time), clientId, text: line }
}

/** How often a client asked between two moments. */
export function countBetween(
  requests: readonly LoggedRequest[],
  clientId: string,
  fromMs: number,
  toMs: number
): number {
  return requests.filter(
    request => request.clientId === clientId && request.timeMs >= fromMs && request.timeMs < toMs
  ).length
}

function log4jProperties(api: string, output: string): string {
  return `log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.Target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n
log4j.logger.kafka.request.logger=DEBUG, requests
log4j.additivity.kafka.request.logger=false
log4j.appender.requests=org.apache.log4j.FileAppender
log4j.appender.requests.File=${output}
log4j.appender.requests.layout=org.apache.log4j.PatternLayout
log4j.appender.requests.layout.ConversionPattern=%d{UNIX_MILLIS} %.400m%n
log4j.appender.requests.filter.1=org.apache.log4j.varia.StringMatchFilter
log4j.appender.requests.filter.1.StringToMatch="requestApiKeyName":"${api}"
log4j.appender.requests.filter.1.AcceptOnMatch=true
log4j.appender.requests.filter.2=org.apache.log4j.varia.DenyAllFilter
`
}
