// Owns the jars of Apache Kafka that the real-broker tests and the benchmark run: fetched once by Maven into a cache
// folder, or taken from KAFKA_HOME when that holds the version asked for.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isRunning } from './jvm.ts'

export const sourceVersion = '3.9.1'
export const targetVersion = '4.1.1'

export type KafkaJars = {
  version: string
  /** What to run as Java: JAVA_HOME's own, or the one on the path. */
  java: string
  /** For `java -cp`: every jar of this version. */
  classPath: string
  /** JVM arguments that keep Kafka's logging to warnings on stderr. */
  logging: string[]
  /** A folder of this version for files made once and used by every run. */
  cache: string
}

const run = promisify(execFile)
const artifacts = ['kafka-tools', 'connect-runtime', 'connect-mirror']
/** MirrorMaker 2 came long after. */
const oldArtifacts = ['kafka-tools']
const fetched = new Map<string, Promise<KafkaJars>>()

/** The jars of a Kafka version, fetched when they are not there yet. */
export function fetchJars(version: string): Promise<KafkaJars> {
  let jars = fetched.get(version)
  if (jars === undefined) {
    jars = prepare(version)
    fetched.set(version, jars)
    // A failed fetch may be tried again by the next caller.
    jars.catch(() => fetched.delete(version))
  }
  return jars
}

/** The folder with package.json, wherever the compiled file lies below it. */
export function projectRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}`)
    folder = parent
  }
  return folder
}

async function prepare(version: string): Promise<KafkaJars> {
  const java = await findJava()
  const cache = join(cacheFolder(), 'kafka', version)
  await mkdir(cache, { recursive: true })
  const libs = (await homeLibs(version)) ?? (await fetchLibs(version, cache))
  return {
    version,
    java,
    classPath: join(libs, '*'),
    logging: await writeLogging(version, cache),
    cache
  }
}

function cacheFolder(): string {
  return resolve(process.env.HELIOSTAT_CACHE ?? join(projectRoot(), '.cache'))
}

async function findJava(): Promise<string> {
  const home = process.env.JAVA_HOME
  const java = home === undefined ? 'java' : join(home, 'bin', 'java')
  const hint =
    'install a Java 17 or newer runtime (Debian: openjdk-17-jre-headless) or set JAVA_HOME'
  let banner: string
  try {
    banner = (await run(java, ['-version'])).stderr
  } catch (cause) {
    throw new Error(`real-broker tests need Java, and ${java} does not run: ${hint}`, { cause })
  }
  const major = Number(/version "(\d+)/.exec(banner)?.[1])
  if (!(major >= 17))
    throw new Error(`real-broker tests need Java 17, ${java} is ${banner}: ${hint}`)
  return java
}

async function homeLibs(version: string): Promise<string | undefined> {
  const home = process.env.KAFKA_HOME
  if (home === undefined) return undefined
  const libs = join(home, 'libs')
  return existsSync(join(libs, `${coreOf(version)}-${version}.jar`)) ? libs : undefined
}

async function fetchLibs(version: string, cache: string): Promise<string> {
  const libs = join(cache, 'libs')
  const stamp = join(cache, 'complete')
  const pom = writePom(version)
  if (await holds(stamp, pom)) return libs
  const release = await lock(join(cache, 'lock'))
  try {
    // Another process may have fetched while this one waited.
    if (!(await holds(stamp, pom))) await copyDependencies(version, cache, pom)
  } finally {
    await release()
  }
  return libs
}

async function copyDependencies(version: string, cache: string, pom: string): Promise<void> {
  const partial = join(cache, 'libs.partial')
  const libs = join(cache, 'libs')
  await rm(join(cache, 'complete'), { force: true })
  await writeFile(join(cache, 'pom.xml'), pom)
  for (let attempt = 1; ; attempt++) {
    await rm(partial, { recursive: true, force: true })
    try {
      const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime']
      await run('mvn', [...goal, `-DoutputDirectory=${partial}`], { cwd: cache, timeout: 300_000 })
      break
    } catch (cause) {
      throwWhenMissing(cause)
      if (attempt === 3) {
        throw new Error(`Maven could not fetch Kafka ${version} in 3 tries (${cache})`, { cause })
      }
      await delay(1_000 * attempt)
    }
  }
  const core = `${coreOf(version)}-${version}.jar`
  if (!(await readdir(partial)).includes(core)) {
    throw new Error(`Maven fetched no ${core} into ${partial}`)
  }
  await rm(libs, { recursive: true, force: true })
  await rename(partial, libs)
  await writeFile(join(cache, 'complete'), pom)
}

function throwWhenMissing(cause: unknown): void {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return
  const hint =
    'install Maven (Debian: maven) or set KAFKA_HOME to an unpacked Kafka of each version'
  throw new Error(`real-broker tests fetch Kafka with Maven, and mvn is not on the path: ${hint}`, {
    cause
  })
}

async function holds(path: string, text: string): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => undefined)) === text
}

function writePom(version: string): string {
  const names = [coreOf(version), ...(isBeforeOne(version) ? oldArtifacts : artifacts)]
  const wanted = names.map(name => dependency('org.apache.kafka', name, version))
  // A part of Java itself until Java 11, which such brokers make their cluster id with.
  if (isBeforeOne(version)) wanted.push(dependency('javax.xml.bind', 'jaxb-api', '2.3.1'))
  // Kafka 4 logs through log4j2, whose slf4j binding only the full distribution brings.
  if (isLog4j2(version)) {
    wanted.push(dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'))
  }
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>heliostat.test</groupId>
  <artifactId>kafka-class-path</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${wanted.join('\n')}
  </dependencies>
</project>
`
}

function dependency(group: string, name: string, version: string): string {
  return `    <dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`
}

/** Whether it is from before Kafka 1.0. */
export function isBeforeOne(version: string): boolean {
  return version.startsWith('0.')
}

/** The broker's artifact, which is named by its Scala too: the newest that this version was built with. */
function coreOf(version: string): string {
  if (!isBeforeOne(version)) return 'kafka_2.13'
  return version.startsWith('0.10.2.') ? 'kafka_2.12' : 'kafka_2.11'
}

function isLog4j2(version: string): boolean {
  return Number(version.split('.')[0]) >= 4
}

async function writeLogging(version: string, cache: string): Promise<string[]> {
  if (isLog4j2(version)) {
    const path = join(cache, 'log4j2.properties')
    await replace(path, log4j2Properties)
    return [`-Dlog4j2.configurationFile=${path}`]
  }
  const path = join(cache, 'log4j.properties')
  await replace(path, log4jProperties)
  return [`-Dlog4j.configuration=file:${path}`]
}

// Written aside and renamed: a JVM of another process may be reading it.
async function replace(path: string, text: string): Promise<void> {
  if (await holds(path, text)) return
  const aside = `${path}.${process.pid}`
  await writeFile(aside, text)
  await rename(aside, path)
}

const log4jProperties = `log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.Target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n
`

const log4j2Properties = `status = error
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
`

/** Takes a lock folder, waiting for its holder; a holder that no longer runs has lost it. */
async function lock(path: string): Promise<() => Promise<void>> {
  const holder = join(path, 'pid')
  const deadline = Date.now() + 600_000
  while (Date.now() < deadline) {
    try {
      await mkdir(path)
      await writeFile(holder, `${process.pid}`)
      return () => rm(path, { recursive: true, force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    await delay(200)
    const pid = Number(await readFile(holder, 'utf8').catch(() => ''))
    if (pid > 0 && !isRunning(pid)) await rm(path, { recursive: true, force: true })
  }
  throw new Error(`waited 10 minutes for ${path}: remove it when nothing fetches Kafka`)
}
