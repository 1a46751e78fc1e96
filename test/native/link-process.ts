// Opens a link with lanes that move batches, says so, and then ends as it was asked to, closing nothing
// or only some of it. Runs as a process (argv) or as a worker thread (workerData).

import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { laneColumns } from '../../src/native/index.ts'
import { produce, waitFor } from '../support/mock-mirror.ts'
import { addLanes, openLink, sumOf } from '../support/native-link.ts'

type Ending = 'exit' | 'return' | 'wait' | 'throw' | 'busy'

const ending = (isMainThread ? process.argv[2] : workerData) as Ending
const partitions = 4
const opened = openLink('orders', partitions)
await opened.link.start(10_000)
const ids = addLanes(opened.link, 'orders', partitions)
for (let partition = 0; partition < partitions; partition++) {
  await produce(opened.source, 'orders', partition, 500)
}
await waitFor(() => sumOf(opened.link.snapshot(), 'records') > 0, 'the first record')
const { lanes } = opened.link.snapshot()
say(`moving ${ids.length} lanes of ${lanes.length / laneColumns.length} rows`)

if (ending === 'exit') process.exit(7)
if (ending === 'throw') throw new Error('asked to throw')
if (ending === 'busy') opened.target.setBrokerUp(1, false)
if (ending === 'wait' || ending === 'busy') setInterval(() => opened.link.snapshot(), 1)

function say(text: string): void {
  if (parentPort) parentPort.postMessage(text)
  else console.log(text)
}
