// Owns what makes a JSON document a result of this benchmark, of whichever commit.

import { headlines } from './headlines.ts'

// What a comparison cannot do without; other fields may be missing from results of other commits.
const measured = [
  'wireBytes',
  'recordBytes',
  'movingSeconds',
  'userSeconds',
  'systemSeconds',
  'movingCpuSeconds',
  'peakRssBytes'
]

/** For JSON.parse: a figure that was not measured is NaN, which JSON writes as null. */
export function revive(key: string, value: unknown): unknown {
  return value === null && measured.includes(key) ? Number.NaN : value
}

/** What a result of any commit has and this does not, if anything. */
export function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'expected an object'
  if (typeof value.startedAt !== 'string') return 'startedAt is no text'
  for (const key of ['machine', 'versions', 'contenders', 'settings']) {
    if (!isObject(value[key])) return `${key} is no object`
  }
  const { settings, versions } = value as Record<string, Record<string, unknown>>
  if (typeof versions?.commit !== 'string') return 'versions.commit is no text'
  if (!isListOfTexts(settings?.argv)) return 'settings.argv is no list of texts'
  return problemOfList('cells', value.cells, problemOfCell)
}

function problemOfCell(cell: Record<string, unknown>, at: string): string | undefined {
  const { scenario, runs } = cell
  if (!isObject(scenario)) return `${at}.scenario is no object`
  if (typeof scenario.name !== 'string') return `${at}.scenario.name is no text`
  if (!Object.hasOwn(headlines, String(scenario.ends))) {
    return `${at}.scenario.ends: expected ${Object.keys(headlines).join(' or ')}, got ${scenario.ends}`
  }
  return problemOfList(`${at}.runs`, runs, problemOfRun)
}

function problemOfRun(run: Record<string, unknown>, at: string): string | undefined {
  if (typeof run.contender !== 'string') return `${at}.contender is no text`
  if (typeof run.failure === 'string') return undefined
  for (const key of measured) {
    if (typeof run[key] !== 'number') return `${at}.${key} is no number`
  }
  return undefined
}

function problemOfList(
  at: string,
  list: unknown,
  problemOfItem: (item: Record<string, unknown>, at: string) => string | undefined
): string | undefined {
  if (!Array.isArray(list)) return `${at} is no list`
  for (const [index, item] of list.entries()) {
    const place = `${at}[${index}]`
    const problem = isObject(item) ? problemOfItem(item, place) : `${place} is no object`
    if (problem !== undefined) return problem
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}
