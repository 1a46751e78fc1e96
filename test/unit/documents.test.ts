import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commands } from '../../src/cli.ts'
import { configurationDocument } from '../../src/config/document.ts'
import { readPropertiesFile } from '../../src/config/properties-file.ts'
import { applyRules } from '../../src/config/rules/apply.ts'
import { rules } from '../../src/config/rules/table.ts'
import { explainsItself } from '../../src/config/setting-document.ts'
import { settingNotes } from '../../src/config/setting-notes.ts'

// Compiled tests lie in dist/test/unit.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const documents = ['README.md', 'DESIGN.md', 'CHANGELOG.md', 'CONFIGURATION.md'].filter(name =>
  existsSync(root + name)
)

/** Flags of other programs that the documents show. */
const foreignFlags = new Set([
  'rm',
  'network',
  'volume',
  'bootstrap-server',
  'version',
  'help',
  'debug'
])
const ownFlags = new Set(Object.values(commands).flatMap(({ options }) => Object.keys(options)))
const folders = 'bin|src|test|bench|config|docs|\\.ci'

function matches(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(match => match[1] ?? ''))]
}

for (const name of documents) {
  const text = readFileSync(root + name, 'utf8')

  test(`every file that ${name} names exists`, () => {
    const paths = matches(text, new RegExp(`(?<![\\w/.-])((?:${folders})/[\\w./-]*[\\w/])`, 'g'))
    const links = matches(text, /\]\(([^)#:]+)\)/g)
    const missing = [...paths, ...links].filter(path => !existsSync(root + path))
    // What a bench or a build writes is not there on a fresh checkout.
    const made = /^bench\/results\//
    assert.deepEqual(
      missing.filter(path => !made.test(path)),
      []
    )
  })

  test(`every flag that ${name} names is one`, () => {
    const flags = matches(text, /(?<![\w-])--([a-z][\w.-]*\w)/g)
    assert.deepEqual(
      flags.filter(flag => !ownFlags.has(flag) && !foreignFlags.has(flag)),
      []
    )
  })

  test(`every npm script that ${name} names exists`, () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
    const named = matches(text, /npm run ([\w:]+)/g)
    assert.deepEqual(
      named.filter(script => !(script in scripts)),
      []
    )
  })
}

test('the example files name no setting that is unknown', () => {
  for (const side of ['source', 'target'] as const) {
    const file = readPropertiesFile(`${root}config/${side}.properties`)
    assert.deepEqual(file.problems, [])
    assert.deepEqual(applyRules(side, file.settings).problems, [])
  }
})

test('CONFIGURATION.md is what the tables say', () => {
  const written = readFileSync(`${root}CONFIGURATION.md`, 'utf8')
  assert.ok(written === configurationDocument(commands), 'npm run docs writes it anew')
})

test('every setting that is translated has a sentence in setting-notes.ts, and no sentence is left over', () => {
  const names = new Set(rules.map(rule => rule.name))
  const silent = rules.filter(rule => !explainsItself(rule) && !(rule.name in settingNotes))
  assert.deepEqual(
    silent.map(rule => rule.name),
    []
  )
  assert.deepEqual(
    Object.keys(settingNotes).filter(name => !names.has(name)),
    []
  )
})
