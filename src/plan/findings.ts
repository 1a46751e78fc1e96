// What somebody should know before the run, gathered so that a thousand topics with one trouble are one line.

export interface Finding {
  kind: string
  /** Absent when it is about a cluster or the group. */
  topic?: string
  text: string
  /** What to do. */
  fix?: string
}

export interface Warning {
  kind: string
  text: string
  fix?: string
  topics?: string[]
}

/** Findings of one kind and text are one warning that names its topics. */
export function mergeFindings(findings: readonly Finding[]): Warning[] {
  const groups = groupBy(findings, ({ kind, text, fix }) => `${kind}\n${text}\n${fix ?? ''}`)
  return [...groups.values()].map(group => {
    const { kind, text, fix } = group[0] as Finding
    const topics = [...new Set(group.flatMap(({ topic }) => topic ?? []))]
    return {
      kind,
      text,
      ...(fix === undefined ? {} : { fix }),
      ...(topics.length > 0 ? { topics } : {})
    }
  })
}

export function groupBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

const namesShown = 5

export function describeWarning({ text, fix, topics }: Warning): string {
  const where = topics === undefined ? '' : `${someNames(topics)}: `
  return `${where}${text}${fix === undefined ? '' : `\n  fix: ${fix}`}`
}

/** `a, b, c, d, e and 12 more`. */
export function someNames(names: readonly string[], most = namesShown): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
