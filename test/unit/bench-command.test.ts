// The benchmark's slot for a mirror that is a shell command.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandContender } from '../../bench/contenders/command.ts'
import { UsageError } from '../../bench/failure.ts'

const task = {
  topic: 'bench-real-256k',
  source: '127.0.0.1:1',
  target: '127.0.0.1:2',
  codec: 'lz4',
  batchBytes: 262_144,
  group: 'bench-3',
  folder: '/tmp/run'
}

test("a command takes the task's values and runs in the place of its shell", async () => {
  const { name, contender } = commandContender(
    'connect=env A={source} mirror {source} {target} -t {topic} -g {group} > {folder}/log'
  )
  assert.equal(name, 'connect')
  assert.equal(contender.endsByItself, false)
  assert.deepEqual(await contender.command(task), [
    '/bin/sh',
    '-c',
    'exec env A=127.0.0.1:1 mirror 127.0.0.1:1 127.0.0.1:2 -t bench-real-256k -g bench-3 > /tmp/run/log'
  ])
})

test("the shell's own braces stay", async () => {
  const rest = '-t {topic} -a $'.concat("{HOME} -b { source; } -c '{}'")
  const { contender } = commandContender(`x=m {source} {target} ${rest}`)
  const [, , line] = await contender.command(task)
  assert.equal(line, `exec m 127.0.0.1:1 127.0.0.1:2 ${rest.replace('{topic}', 'bench-real-256k')}`)
})

test('in a TLS cell a command learns whom to trust, elsewhere nothing', async () => {
  const { contender } = commandContender('x=m {source} {target} {topic} a={sourceCa} b={targetCa}')
  const [, , plain] = await contender.command(task)
  assert.ok(plain?.endsWith(' a= b='))
  const [, , tls] = await contender.command({ ...task, sourceCa: '/a.pem', targetCa: '/b.pem' })
  assert.ok(tls?.endsWith(' a=/a.pem b=/b.pem'))
})

test('what a contender says is its command as it was given', () => {
  const { contender } = commandContender('x=m --a=b {source} {target} {topic}')
  assert.equal(contender.says, 'm --a=b {source} {target} {topic}')
})

const refused: [text: string, message: RegExp][] = [
  ['mirror {source} {target} {topic}', /^--command: expected NAME=COMMAND, got mirror/],
  ['connect=', /^--command: expected NAME=COMMAND, got connect=$/],
  ['=m {source} {target} {topic}', /expected a name of small letters.*, got none$/],
  ['a/b=m {source} {target} {topic}', /expected a name of small letters.*, got a\/b$/],
  ['raw-relay=m {source} {target} {topic}', /there is a contender raw-relay already/],
  ['x=m {source} {topic}', /^--command: x: the command has to name \{target\}$/],
  [
    'x=m $'.concat('{source} {target} {topic}'),
    /^--command: x: the command has to name \{source\}$/
  ],
  ['x=m {source} {target} {topic} {grup}', /expected placeholders of \{source\}.*, got \{grup\}$/]
]

for (const [text, message] of refused) {
  test(`refused: ${text}`, () => {
    assert.throws(
      () => commandContender(text),
      error => error instanceof UsageError && message.test(error.message)
    )
  })
}
