// A slot for any other mirror: a shell command from the bench's command line.

import { type Contender, contenderNames, type Task } from '../contender.ts'
import { UsageError } from '../failure.ts'

const values = {
  source: task => task.source,
  target: task => task.target,
  topic: task => task.topic,
  group: task => task.group,
  folder: task => task.folder,
  sourceCa: task => task.sourceCa ?? '',
  targetCa: task => task.targetCa ?? ''
} as const satisfies Record<string, (task: Task) => string>
type Placeholder = keyof typeof values

const needed: readonly Placeholder[] = ['source', 'target', 'topic']
// Neither `${variables}` of the shell nor `{ lists; }` of it.
const placeholder = /(?<!\$)\{(\w+)\}/g

/** Of `NAME=COMMAND`. What is in braces takes the task's value. */
export function commandContender(text: string): { name: string; contender: Contender } {
  const [, name = '', command = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
  if (command.trim() === '') {
    throw new UsageError(`--command: expected NAME=COMMAND, got ${text}`)
  }
  // The name becomes a folder's and a chart's row.
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new UsageError(
      `--command: expected a name of small letters, digits and hyphens, got ${name || 'none'}`
    )
  }
  if (contenderNames.some(known => known === name)) {
    throw new UsageError(`--command: there is a contender ${name} already; choose another name`)
  }
  checkPlaceholders(name, command)
  return { name, contender: shellContender(command) }
}

function checkPlaceholders(name: string, command: string): void {
  const used = [...command.matchAll(placeholder)].map(match => match[1] ?? '')
  const unknown = used.find(word => !isPlaceholder(word))
  if (unknown !== undefined) {
    const known = Object.keys(values).map(word => `{${word}}`)
    throw new UsageError(
      `--command: ${name}: expected placeholders of ${known.join(', ')}, got {${unknown}}`
    )
  }
  const missing = needed.find(word => !used.includes(word))
  if (missing !== undefined) {
    throw new UsageError(`--command: ${name}: the command has to name {${missing}}`)
  }
}

function shellContender(command: string): Contender {
  return {
    says: command,
    endsByItself: false,
    async command(task) {
      const filled = command.replace(placeholder, (whole, word) =>
        isPlaceholder(word) ? values[word](task) : whole
      )
      // In the shell's place: the process that is measured and gets SIGTERM is the mirror.
      return ['/bin/sh', '-c', `exec ${filled}`]
    }
  }
}

function isPlaceholder(word: string): word is Placeholder {
  return Object.hasOwn(values, word)
}
