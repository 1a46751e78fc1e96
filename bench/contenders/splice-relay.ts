// The limit: the same bytes moved inside the kernel, never seen by the process.

import type { Contender } from '../contender.ts'
import { relayCommand } from './raw-relay.ts'

export const spliceRelay: Contender = {
  says: 'the raw relay with splice through a pipe',
  endsByItself: true,
  command: task => relayCommand(task, 'splice')
}
