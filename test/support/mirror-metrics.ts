// Owns reading the metrics of a running mirror, which has to serve HTTP.

import type { MirrorProcess } from './mirror-process.ts'

export type Sample = { name: string; labels: Record<string, string>; value: number }

/** What `http` of a mirror has to be: any free port. */
export const anyPort = '127.0.0.1:0'

export async function readMetrics(mirror: MirrorProcess): Promise<Sample[]> {
  const { url } = await mirror.line({ msg: 'serving /livez, /readyz and /metrics' })
  const text = await (await fetch(`${url}/metrics`)).text()
  return text.split('\n').flatMap(line => {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (found === null) return []
    const [, name = '', labels = '', value] = found
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text])
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
  })
}

/** The sum of a metric over the samples with these labels. */
export async function readMetric(
  mirror: MirrorProcess,
  name: string,
  labels: Record<string, string> = {}
): Promise<number> {
  const fitting = (await readMetrics(mirror)).filter(
    sample =>
      sample.name === name &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
  )
  return fitting.reduce((sum, { value }) => sum + value, 0)
}
