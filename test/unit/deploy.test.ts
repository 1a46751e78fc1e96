// What deploy/ and config/ hold fits the command as it is: flags, files, addresses, times.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { runOptions } from '../../src/config/options.ts'
import { readOptions } from '../../src/config/read-options.ts'

// Compiled tests lie in dist/test/unit.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')

interface Service {
  image?: string
  build?: string
  command?: string[]
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  profiles?: string[]
  healthcheck?: { test: string[] }
  depends_on?: Record<string, unknown>
  stop_grace_period?: string
}

const compose = parse(read('deploy/compose/compose.yaml'), { merge: true }) as {
  services: Record<'source' | 'target' | 'mirror' | 'load', Service>
}
const { source, target, mirror, load } = compose.services
const unit = read('deploy/systemd/heliostat.service')
const drainSeconds = runOptions['drain-timeout-ms'].default / 1_000

/** `--name value` pairs by name. */
function readFlags(words: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {}
  for (let at = 0; at < words.length; at += 2) {
    const name = /^--([\w.-]+)$/.exec(words[at] ?? '')?.[1]
    assert.ok(name !== undefined && name in runOptions, `${words[at]} is no flag of run`)
    flags[name] = words[at + 1] ?? ''
  }
  return flags
}

function loadFiles(consumer: string, producer: string): LoadedConfig {
  const flags = {
    'consumer.config': root + consumer,
    'producer.config': root + producer,
    whitelist: '.*'
  }
  return loadConfig(readOptions(runOptions, flags, {}), {}, () => false)
}

function secondsOf(text: string | undefined): number {
  return Number(/^(\d+)s?$/.exec(text ?? '')?.[1])
}

for (const name of readdirSync(`${root}config`).filter(name =>
  name.endsWith('source.properties')
)) {
  const other = name.replace('source', 'target')

  test(`config/${name} and ${other} load, and nothing in them is ignored`, () => {
    const { notes } = loadFiles(`config/${name}`, `config/${other}`)
    assert.deepEqual(
      notes.filter(({ text }) => text.includes('ignored')),
      []
    )
  })
}

test('every file of config/ says what each of its values does', () => {
  for (const name of readdirSync(`${root}config`)) {
    const lines = read(`config/${name}`).split('\n')
    for (const [index, line] of lines.entries()) {
      if (!/^[a-z]/.test(line) || /^(?:bootstrap|.*=$)/.test(line)) continue
      assert.match(lines[index - 1] ?? '', /^# \S/, `${name}:${index + 1} is not explained`)
    }
  }
})

test('the mirror of the compose file is called as it wants to be', () => {
  const [word, ...words] = mirror.command ?? []
  assert.equal(word, 'run')
  const flags = readFlags(words)
  const [from, to] = mirror.volumes?.[0]?.split(':') ?? []
  const onHost = (path = '') => path.replace(`${to}/`, `deploy/compose/${from?.slice(2)}/`)
  const { links, target } = loadFiles(
    onHost(flags['consumer.config']),
    onHost(flags['producer.config'])
  )
  assert.equal(links[0]?.source.connection['bootstrap.servers'], 'source:19092')
  assert.equal(target.connection['bootstrap.servers'], 'target:19092')
  assert.ok(secondsOf(mirror.stop_grace_period) > drainSeconds + 10)
})

test('the compose file fits the image', () => {
  const dockerfile = read('Dockerfile')
  assert.ok(existsSync(`${root}deploy/compose/${mirror.build}/Dockerfile`))
  assert.ok(dockerfile.includes(`ENTRYPOINT ["${mirror.healthcheck?.test[1]}"]`))
  const port = /EXPOSE (\d+)/.exec(dockerfile)?.[1]
  assert.deepEqual(mirror.ports, [`127.0.0.1:${port}:${port}`])
})

test('each broker of the compose file tells containers and the host where it is', () => {
  for (const [name, port, service] of [
    ['source', 9092, source],
    ['target', 9093, target]
  ] as const) {
    const environment = service.environment ?? {}
    const told = `INSIDE://${name}:19092,HOST://localhost:${port}`
    assert.equal(environment.KAFKA_ADVERTISED_LISTENERS, told)
    assert.ok(environment.KAFKA_LISTENERS?.endsWith(`INSIDE://:19092,HOST://:${port}`))
    assert.deepEqual(service.ports, [`127.0.0.1:${port}:${port}`])
    assert.equal(Buffer.from(environment.CLUSTER_ID ?? '', 'base64url').length, 16)
  }
  assert.notEqual(source.environment?.CLUSTER_ID, target.environment?.CLUSTER_ID)
})

test('the load of the compose file starts only when it is asked for', () => {
  assert.deepEqual(load.profiles, ['load'])
  assert.deepEqual(Object.keys(load.depends_on ?? {}), ['source'])
  assert.ok(load.command?.includes('bootstrap.servers=source:19092'))
})

test('the systemd unit calls the command as it wants to be called', () => {
  const [, command = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? []
  const words = command.split(/[\s\\]+/)
  const [program = '', word, ...rest] = words
  assert.ok(existsSync(root + program.replace('/opt/heliostat/', '')))
  assert.equal(word, 'run')
  readFlags(rest)
  const stop = /^TimeoutStopSec=(.*)$/m.exec(unit)?.[1]
  assert.ok(secondsOf(stop) > drainSeconds + 10)
  assert.match(unit, /^RestartPreventExitStatus=2$/m)
})
