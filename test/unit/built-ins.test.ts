// The handlers that come with heliostat: what each makes of records, and what it says of wrong arguments.

import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { builtIns } from '../../src/transform/built-ins.ts'
import { readPattern } from '../../src/transform/handlers/text-pattern.ts'
import { JsonFields, splitPath } from '../../src/transform/json-fields.ts'
import type { HandlerContext, MessageRecord } from '../../src/transform/record.ts'
import { seal } from '../support/batch-header.ts'
import { builtIn, handled, runHandlers } from '../support/handled.ts'
import { seededRandom } from '../support/random.ts'
import { decodeBatch, encodeBatch, type RecordInput } from '../support/records.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-built-ins-'))
after(() => rmSync(folder, { recursive: true }))

const time = 1_700_000_000_000
const shapes: RecordInput[] = [
  { key: 'eu-1', value: '{"country":"DE","customer":{"age":30}}', headers: [['region', 'eu']] },
  { key: 'us-1', value: '{"country":"US","customer":{"age":40}}', headers: [['region', 'us']] },
  { key: null, value: null },
  { key: 'eu-2', value: '[{"country":"FR"},{"country":"DE"}]', headers: [['region', null]] }
]

for (const [what, args, kept] of [
  ['the key', { key: '^eu-' }, [0, 3]],
  ['the key, dropping', { key: '^eu-', action: 'drop' }, [1, 2]],
  ['the value', { value: '"age":4\\d' }, [1]],
  ['a header', { header: { region: '^(eu|us)$' } }, [0, 1]],
  ['a field', { field: { country: '^DE$' } }, [0, 3]],
  ['a number in an object', { field: { 'customer.age': '^30$' } }, [0]],
  ['key and field', { key: '1$', field: { country: 'US' } }, [1]],
  ['nothing that is there', { header: { none: '.*' } }, []],
  ['everything', { key: '^', action: 'drop' }, [2]]
] as const) {
  test(`filter by ${what}`, () => {
    const records = handled('filter', args, shapes)
    assert.ok(records !== 'unchanged')
    assert.deepEqual(
      records.map(({ key }) => key && `${key}`),
      kept.map(index => shapes[index]?.key)
    )
  })
}

test('a filter that drops nothing lets the batch pass as it came', () => {
  assert.equal(handled('filter', { key: '.', action: 'keep' }, shapes.slice(0, 2)), 'unchanged')
})

test('a value that is no JSON is an error of its record, and the policy decides', () => {
  const inputs = [...shapes, { key: 'bad', value: '{"country":' }]
  const filter = builtIn('filter', { field: { country: 'DE' } })
  const failed = runHandlers([filter], encodeBatch(inputs))
  assert.deepEqual(failed, {
    failure: 'handler-failed',
    detail: 'handler h0 failed on the record at offset 4: the value is no JSON: it ends at byte 11'
  })
  const skipped = runHandlers([filter], encodeBatch(inputs), { onError: 'skip' })
  assert.ok('batches' in skipped)
  assert.deepEqual(
    [skipped.errors?.count, skipped.batches.map(({ recordCount }) => recordCount)],
    [1, [2]]
  )
})

// Each is what Java's Matcher.find says of the text.
for (const [pattern, text, isFound] of [
  ['b+', 'abbc', true],
  ['^b', 'abbc', false],
  ['a.c', 'a\nc', false],
  ['a.c', 'a\u0085c', false],
  ['(?s)a.c', 'a\nc', true],
  ['(?d)a.c', 'a\rc', true],
  ['a$', 'a\n', true],
  ['a$', 'a\r\n', true],
  ['a$', 'a\n\n', false],
  ['a\\z', 'a\n', false],
  ['a\\Z', 'a\n', true],
  ['^b', 'a\nb', false],
  ['(?m)^b', 'a\nb', true],
  ['(?m)a$', 'a\nb', true],
  ['(?m)^$', 'a\r\nb', false],
  ['a\\sb', 'a\u00a0b', false],
  ['a\\sb', 'a\tb', true],
  ['a[\\S]b', 'a\u00a0b', true],
  ['a[^\\s]b', 'a b', false],
  ['(?i)straße', 'STRAßE', true],
  ['^.$', '😀', true],
  ['[😀-😂]+$', 'x😁', true],
  ['\\Qa.b\\E', 'a.b', true],
  ['\\Qa.b\\E', 'axb', false]
] as const) {
  test(`the pattern ${JSON.stringify(pattern)} ${isFound ? 'takes' : 'leaves'} ${JSON.stringify(text)}`, () => {
    assert.equal(readPattern(pattern).test(text), isFound)
  })
}

for (const [what, args, before, masked] of [
  [
    'only the bytes of the field change',
    { fields: 'customer.email' },
    '{ "id": 9007199254740993, "x": 1.0,\n"customer" : {"email":"a@b.c" , "z":1,"a":2}}',
    '{ "id": 9007199254740993, "x": 1.0,\n"customer" : {"email":"****" , "z":1,"a":2}}'
  ],
  [
    'an array on the way stands for all that it holds',
    { fields: ['items.card', 'note'], with: null },
    '{"items":[{"card":{"n":1}},{"x":1},[{"card":"2"}]],"note":[1,2]}',
    '{"items":[{"card":null},{"x":1},[{"card":null}]],"note":null}'
  ],
  [
    'a name that is written with escapes, or twice, is masked too',
    { fields: ['é', 'a\\.b', ''.padEnd(3, 'k')], with: 0 },
    '{"\\u00e9":"1","é":"2","a.b":true,"k\\u006bk":[],"a":{"b":"stays"}}',
    '{"\\u00e9":0,"é":0,"a.b":0,"k\\u006bk":0,"a":{"b":"stays"}}'
  ],
  [
    'what is written instead may be any JSON',
    { fields: 'a', with: { is: ['masked'] } },
    '{"a":-1.5e+9}',
    '{"a":{"is":["masked"]}}'
  ],
  [
    'a hash is of what a text says, however it is written',
    { fields: 'a', hash: 'sha256' },
    '[{"a":"\\u0062\\/"},{"a":"b/"},{"a":17}]',
    `[{"a":"${sha256('b/')}"},{"a":"${sha256('b/')}"},{"a":"${sha256('17')}"}]`
  ]
] as const) {
  test(`mask: ${what}`, () => {
    const records = handled('mask', args, [{ key: 'k', value: before }, { value: null }])
    assert.ok(records !== 'unchanged')
    assert.deepEqual(
      records.map(({ value }) => value?.toString()),
      [masked, undefined]
    )
  })
}

test('mask: a key makes hashes that others cannot guess', () => {
  writeFileSync(join(folder, 'key'), 'secret\n')
  const mask = builtIn('mask', { fields: 'a', hash: 'sha512', 'key-file': 'key' }, folder)
  const result = runHandlers([mask], encodeBatch([{ value: '{"a":"b"}' }]))
  assert.ok('batches' in result)
  const [record] = decodeBatch(Buffer.from(result.batches[0]?.bytes ?? [])).records
  const expected = createHmac('sha512', 'secret').update('b').digest('hex')
  assert.equal(`${record?.value}`, `{"a":"${expected}"}`)
})

test('mask: values without the field pass as they came', () => {
  assert.equal(handled('mask', { fields: 'a.b' }, [{ value: '{"a":1,"b":2}' }]), 'unchanged')
})

test('headers are removed, renamed and added, and the others keep place and bytes', () => {
  const odd = Buffer.from([0x66, 0xff])
  const batch = encodeBatch([
    {
      value: 'v',
      headers: [
        ['a', '1'],
        ['b', null],
        ['c', '3'],
        ['c', '4']
      ]
    },
    { value: 'w' }
  ])
  const args = { add: { origin: 'eu', none: null, empty: '' }, remove: 'a', rename: { c: 'd' } }
  const result = runHandlers([builtIn('headers', args)], batch)
  assert.ok('batches' in result)
  const records = decodeBatch(Buffer.from(result.batches[0]?.bytes ?? [])).records
  const added = [
    ['origin', Buffer.from('eu')],
    ['none', null],
    ['empty', Buffer.alloc(0)]
  ]
  const kept = [
    ['b', null],
    ['d', Buffer.from('3')],
    ['d', Buffer.from('4')]
  ]
  assert.deepEqual(
    records.map(({ headers }) => headers),
    [[...kept, ...added], added]
  )
  const same = encodeBatch([{ value: 'v', headers: [['x', odd]] }])
  assert.deepEqual(runHandlers([builtIn('headers', { remove: ['a'] })], same), { unchanged: true })
})

test('a header key that is no UTF-8 is written as it was found', () => {
  const batch = encodeBatch([{ value: 'v', headers: [['k?', '1']] }])
  const at = batch.indexOf('k?')
  batch[at + 1] = 0xff
  const intact = runHandlers(
    [{ default: record => ({ headers: [...record.headers, { key: 'new', value: '2' }] }) }],
    seal(batch)
  )
  assert.ok('batches' in intact)
  const bytes = Buffer.from(intact.batches[0]?.bytes ?? [])
  assert.ok(bytes.includes(Buffer.from([0x6b, 0xff])), bytes.toString('hex'))
})

test('tombstones are dropped, and empty values are none', () => {
  const records = handled('drop-tombstones', undefined, [...shapes, { key: 'e', value: '' }])
  assert.ok(records !== 'unchanged')
  assert.deepEqual(
    records.map(({ key }) => `${key}`),
    ['eu-1', 'us-1', 'eu-2', 'e']
  )
  assert.equal(handled('drop-tombstones', {}, shapes.slice(0, 2)), 'unchanged')
})

test('a sample keeps all records of a key or none, always the same, about as many as asked', () => {
  const inputs = Array.from({ length: 20_000 }, (_, number) => ({
    key: `key ${number % 4_000}`,
    value: 'v'
  }))
  const keysOf = (args: object) => {
    const records = handled('sample', args, inputs)
    assert.ok(records !== 'unchanged')
    return records.map(({ key }) => `${key}`)
  }
  const keys = keysOf({ rate: '10%' })
  assert.deepEqual(keys, keysOf({ rate: 0.1, by: 'key' }))
  const distinct = new Set(keys)
  assert.equal(keys.length, distinct.size * 5)
  assert.ok(distinct.size > 320 && distinct.size < 480, `${distinct.size}`)
  const byOffset = keysOf({ rate: '10%', by: 'offset' }).length
  assert.ok(byOffset > 1_800 && byOffset < 2_200, `${byOffset}`)
  assert.equal(handled('sample', { rate: '100%' }, inputs), 'unchanged')
  // In 20,000 records of one key chance would not keep or drop all of them.
  const keyless = inputs.map(input => ({ ...input, key: null }))
  const kept = handled('sample', { rate: '10%' }, keyless)
  assert.equal(kept.length, byOffset)
})

test('times are shifted, those that readers see, and a record without one keeps none', () => {
  const inputs = [
    { value: 'a', timestamp: time },
    { value: 'b', timestamp: time + 5 }
  ]
  const timesOf = (records: ReturnType<typeof handled>) =>
    records === 'unchanged' ? [] : records.map(({ timestamp }) => timestamp)
  assert.deepEqual(timesOf(handled('shift-timestamps', { by: '-90m' }, inputs)), [
    time - 5_400_000,
    time + 5 - 5_400_000
  ])
  assert.deepEqual(timesOf(handled('shift-timestamps', { by: '3ms' }, inputs)), [
    time + 3,
    time + 8
  ])
  assert.equal(handled('shift-timestamps', { by: '1d' }, [{ timestamp: -1 }]), 'unchanged')
  const appended = encodeBatch(inputs, { timestampType: 'append' })
  const result = runHandlers([builtIn('shift-timestamps', { by: '+1s' })], appended)
  assert.ok('batches' in result)
  const [first, second] = decodeBatch(Buffer.from(result.batches[0]?.bytes ?? [])).records
  assert.deepEqual([first?.timestamp, second?.timestamp], [time + 1_005, time + 1_005])
  assert.throws(
    () => handled('shift-timestamps', { by: '-1d' }, [{ timestamp: 5 }]),
    /failed on the record at offset 0: the time would be -86399995 ms, before 1970/
  )
})

for (const [topic, to, from, expected] of [
  ['^eu-(.*)', '$1.eu', 'eu-orders', 'orders.eu'],
  ['^eu-(.*)', '$1.eu', 'us-orders', 'us-orders'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as Java's replacements name a group
  ['(?<region>eu|us)-', '${region}.', 'eu-orders', 'eu.orders'],
  ['orders', 'all-$0', 'eu-orders', 'eu-all-orders'],
  ['-', '\\\\', 'a-b', undefined],
  ['^', 'mirror.', 'orders', 'mirror.orders']
] as const) {
  test(`rename ${topic} to ${to}: ${from}`, () => {
    const { default: handle } = builtIn('rename', { topic, to })
    const record = { topic: from } as MessageRecord
    const call = () => handle?.(record, {} as HandlerContext)
    if (expected === undefined) assert.throws(call, /is no name of a topic/)
    else {
      assert.equal(call(), record)
      assert.equal(record.topic, expected)
    }
  })
}

const wrong: [name: string, args: unknown, message: string][] = [
  ['filter', undefined, 'what to look at is missing. Write { key: ^eu- }'],
  ['filter', '^eu-', 'expected arguments by name, got "^eu-". Write { key: ^eu- }'],
  ['filter', { kye: 'x' }, 'there is no argument "kye", did you mean "key"?'],
  ['filter', { key: 5 }, 'key: expected a text, got 5. Put it in quotes'],
  ['filter', { key: 'a)' }, 'key: this ) has no ( before it\n  a)\n   ^'],
  [
    'filter',
    { key: '(?<a>x)(?<a>y)' },
    'key: "(?<a>x)(?<a>y)" is no regular expression: Duplicate capture group name'
  ],
  [
    'filter',
    { key: 'a', action: 'dorp' },
    'action: expected keep or drop, got "dorp", did you mean "drop"?'
  ],
  ['filter', { header: {} }, 'header: expected at least one name, got none'],
  ['filter', { header: { a: '' } }, 'header: a: expected a text, got ""'],
  ['filter', { header: { a: '[' } }, 'header: a: this [ has no ] after it\n  [\n  ^'],
  ['filter', { field: { 'a..b': 'x' } }, 'field: "a..b" has an empty name. Write customer.email'],
  ['mask', {}, 'fields is missing. Write { fields: [customer.email, card.number] }'],
  ['mask', { fields: [] }, 'fields: expected at least one, got an empty list'],
  ['mask', { fields: ['a.b', 'a'] }, 'fields: a.b lies in a. Give one of them'],
  ['mask', { fields: ['a', 'a'] }, 'fields: a is given twice'],
  ['mask', { fields: 'a', hash: 'md5' }, 'hash: expected sha256 or sha512, got "md5"'],
  ['mask', { fields: 'a', hash: 'sha256', with: 'x' }, 'with and hash exclude each other'],
  [
    'mask',
    { fields: 'a', 'key-file': 'k' },
    'key-file: there is no hash that it is for. Write hash: sha256'
  ],
  [
    'headers',
    {},
    'what to do is missing. Write { add: { origin: eu }, remove: [trace-id], rename: { old: new } }'
  ],
  ['headers', { add: { version: 2 } }, 'add: version: expected a text, got 2. Put it in quotes'],
  ['headers', { remove: 'a', rename: { a: 'b' } }, 'a is removed and renamed. Give one of them'],
  ['drop-tombstones', { x: 1 }, 'it takes no arguments, got x'],
  ['sample', { by: 'key' }, 'rate is missing. Write { rate: 5%, by: key }'],
  ['sample', { rate: 5 }, 'rate: expected a share such as 5% or 0.05, at most 100%, got 5'],
  [
    'sample',
    { rate: '101%' },
    'rate: expected a share such as 5% or 0.05, at most 100%, got "101%"'
  ],
  [
    'shift-timestamps',
    { by: -3600 },
    'by: expected a time with its unit (ms, s, m, h, d) such as -90m, got -3600'
  ],
  ['shift-timestamps', {}, 'by is missing. Write { by: -1h }'],
  ['rename', { to: 'x' }, 'topic is missing. Write { topic: ^eu-(.*), to: $1.eu }'],
  ['rename', { topic: 'a' }, 'to is missing. Write { topic: ^eu-(.*), to: $1.eu }'],
  ['rename', { topic: 'a(b)', to: '$2' }, 'to: the pattern has no group for $2'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as Java's replacements name a group
  ['rename', { topic: 'a(?<b>b)', to: '${c}' }, 'to: the pattern has no group for ${c}'],
  ['rename', { topic: 'a', to: 'costs $' }, 'to: the pattern has no group for $'],
  ['repartition', { by: 'key' }, 'it takes no arguments, got by']
]

for (const [name, args, message] of wrong) {
  test(`${name} refuses ${JSON.stringify(args)}`, () => {
    assert.throws(() => builtIns[name]?.(args, folder), { name: 'ArgumentError', message })
  })
}

test('a key file that is not there or empty is refused', () => {
  writeFileSync(join(folder, 'empty'), '\n')
  const args = (file: string) => ({ fields: 'a', hash: 'sha256', 'key-file': file })
  assert.throws(() => builtIn('mask', args('none'), folder), /^ArgumentError: key-file: ENOENT/)
  assert.throws(() => builtIn('mask', args('empty'), folder), /key-file: .*empty is empty/)
})

test('fields are found in every text that is JSON, and no other text is taken', t => {
  const random = seededRandom(t)
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '"\\u0061"',
    '0',
    '-1.5e3',
    '01',
    '.',
    'true'
  ]
  pieces.push('null', ' ', '\n', '"', '\\', 'x', '"b\\n"', '\t', '-', '1E+2', '"\u0001"', '{"a":1}')
  const fields = new JsonFields([['a']])
  const seen = { json: 0, other: 0 }
  const check = (text: string) => {
    const isJson = isRead(() => JSON.parse(text))
    assert.equal(
      isRead(() => fields.find(Buffer.from(text))),
      isJson,
      JSON.stringify(text)
    )
    seen[isJson ? 'json' : 'other']++
  }
  const good = '[{"a":[1,-2.5e1,"x\\u00e9\\n"],"b":{"a":null}},true,false,{}]'
  for (let round = 0; round < 20_000; round++) {
    check(Array.from({ length: random.between(1, 6) }, () => random.pick(pieces)).join(''))
    const at = random.between(0, good.length - 1)
    check(good.slice(0, at) + random.pick(pieces) + good.slice(at + random.between(0, 1)))
  }
  assert.ok(seen.json > 1_000 && seen.other > 1_000, JSON.stringify(seen))
})

test('what is no UTF-8, cut off or nested too deeply is named', () => {
  const find = (bytes: Buffer) => () => new JsonFields([['a']]).find(bytes)
  assert.throws(find(Buffer.from([0x22, 0xff, 0x22])), /it is no UTF-8/)
  assert.throws(find(Buffer.alloc(0)), /it ends at byte 0/)
  assert.throws(find(Buffer.from('{"a":1} x')), /no JSON at byte 8/)
  assert.throws(
    find(Buffer.from('['.repeat(100_000))),
    /nests deeper than 1000 levels at byte 1001/
  )
  assert.deepEqual(splitPath('a.b\\.c'), ['a', 'b.c'])
})

function isRead(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
