// Reads a list of broker addresses as Java does, before anybody connects to them.

import { addNote, addProblem, setConnection, type Use } from './rule.ts'

const address = /^(?:[\w.%-]*:\/\/)?(\[[\da-fA-F:.%]+\]|[\w.-]+)(?::(\d{1,5}))?$/

/** A name of the protocol in front is dropped, as Java does; security.protocol decides. */
export const useAddresses: Use = (setting, draft) => {
  const list = setting.value
    .split(',')
    .map(text => text.trim())
    .filter(Boolean)
  const wrong = list.find(text => !isAddress(text))
  if (wrong !== undefined) {
    // What looks like user:password@host is not shown.
    const shown = wrong.includes('@') ? 'one entry' : `"${wrong}"`
    return addProblem(draft, setting, `${shown} is no host:port. Set host:port,host:port`)
  }
  if (list.some(text => text.endsWith(':2181'))) {
    addNote(draft, 'warn', setting, '2181 is the usual port of ZooKeeper, not of a broker')
  }
  const brokers = list.map(text => text.replace(/^[\w.%-]*:\/\//, ''))
  setConnection(draft, setting, setting.name, brokers.join(','))
}

function isAddress(text: string): boolean {
  const match = address.exec(text)
  if (!match) return false
  return match[2] === undefined || (Number(match[2]) >= 1 && Number(match[2]) <= 65_535)
}

/** Kafka 0.7 wrote `id:host:port`. */
export function withoutIds(value: string): string {
  return value
    .split(',')
    .map(text => text.trim().replace(/^\d+:(?=[^:]+:\d+$)/, ''))
    .join(',')
}
