import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Circumstances,
  type Deed,
  decideSignal,
  type HandledSignal
} from '../../src/commands/signals.ts'

const inService: Circumstances = { isOnTerminal: false, isDraining: false, isEndAsked: false }
const onTerminal: Circumstances = { ...inService, isOnTerminal: true }
const leaving: Circumstances = { ...onTerminal, isDraining: true }
const stopping: Circumstances = { ...inService, isDraining: true, isEndAsked: true }

const rows: readonly [HandledSignal, Circumstances, Deed, string][] = [
  ['SIGTERM', inService, 'drain', 'the first request to end drains'],
  ['SIGINT', stopping, 'end', 'the second one ends at once'],
  ['SIGHUP', inService, 'reload', 'without a terminal SIGHUP reads the files again'],
  ['SIGHUP', onTerminal, 'drain', 'with one it means that the terminal has gone'],
  ['SIGHUP', leaving, 'nothing', 'it comes twice then, and that is no second request to end'],
  ['SIGHUP', stopping, 'nothing', 'a mirror that drains reads nothing again'],
  ['SIGTERM', leaving, 'nothing', 'the first request to end, when it drains already'],
  ['SIGTERM', { ...leaving, isEndAsked: true }, 'end', 'and the second'],
  ['SIGUSR2', inService, 'show', 'the lanes are shown'],
  ['SIGUSR2', stopping, 'show', 'while it drains too']
]

for (const [signal, circumstances, deed, what] of rows) {
  test(`${signal}: ${what}`, () => {
    assert.equal(decideSignal(signal, circumstances), deed)
  })
}
