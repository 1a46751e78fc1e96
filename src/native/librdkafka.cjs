// Says where node-rdkafka's librdkafka is and how it was built. binding.gyp runs this: its one
// argument names the answer, which goes to standard output.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

const root = path.dirname(require.resolve('node-rdkafka/package.json'))
const archive = path.join(root, 'build', 'deps', 'librdkafka-static.a')
const configFile = path.join(root, 'deps', 'librdkafka', 'Makefile.config')

// A library that librdkafka's configure script found and uses, by the switch it wrote for it. OpenSSL
// is linked statically and hidden: Node exports its own, and the two must not mix.
const optional = [
  ['WITH_SSL', '-l:libssl.a -l:libcrypto.a'],
  ['WITH_SASL_CYRUS', '-lsasl2'],
  ['WITH_CURL', '-lcurl'],
  ['WITH_ZSTD', '-lzstd'],
  ['WITH_LZ4_EXT', '-llz4'],
  ['WITH_ZLIB', '-lz']
]

function readSwitches() {
  if (!fs.existsSync(archive) || !fs.existsSync(configFile)) {
    throw new Error(`${archive} is not there; build it with: npm rebuild node-rdkafka --foreground-scripts`)
  }
  const lines = fs.readFileSync(configFile, 'utf8').split('\n')
  return new Set(lines.filter((line) => /=\s*y$/.test(line)).map((line) => line.split('=')[0]))
}

const answers = {
  root: () => root,
  libs(switches) {
    const found = optional.filter(([name]) => switches.has(name)).map(([, flags]) => flags)
    return [archive, ...found, '-lm -ldl -lpthread -lrt'].join(' ')
  },
  ssl: (switches) => (switches.has('WITH_SSL') ? '1' : '0')
}

process.stdout.write(answers[process.argv[2]](readSwitches()))
