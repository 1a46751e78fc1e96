// The ceiling: the same bytes through one buffer and two sockets, unread.

import type { Contender, Task } from '../contender.ts'
import { nativePart } from '../native-parts.ts'

export const rawRelay: Contender = {
  says: 'a native TCP relay of the same bytes between the same ends: recv and send, one connection unless the cell says otherwise',
  endsByItself: true,
  command: task => relayCommand(task, 'copy')
}

export async function relayCommand(task: Task, mode: 'copy' | 'splice'): Promise<string[]> {
  const { rawSourcePort, rawTargetPort, streams = 1 } = task
  const ports = [`${rawSourcePort}`, `${rawTargetPort}`]
  return [await nativePart('raw_relay'), ...ports, mode, `${streams}`]
}
