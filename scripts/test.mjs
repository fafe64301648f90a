// npm test [-- VITEST ARGUMENTS]
//
// Installs what is missing, checks the code, builds it, checks the package, and runs the tests
// against real QEMUs: as whoever started this and, when that is root, once more as an ordinary
// user. With arguments it only builds, and passes them to Vitest: npm test -- test/store
//
// Files called *.once.test.ts do not depend on who runs them, and run only the first time.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const vitestArguments = process.argv.slice(2)
const scratch = mkdtempSync(join(tmpdir(), 'vst-'))
const failures = []
/** Nothing was picked by arguments. */
const whole = vitestArguments.length === 0

function run(title, command, args, options = {}) {
  const started = performance.now()
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const passed = status === 0
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)`)
  if (error) console.error(error.message)
  if (!passed) failures.push(title)
  return passed
}

const bin = (name) => join(root, 'node_modules/.bin', name)

function checkCode() {
  run('lint: biome', bin('biome'), ['check', '.'])
  run('lint: types', bin('tsc'), ['--noEmit'])
  run('lint: folder order and circles', bin('depcruise'), [
    '--config',
    '.dependency-cruiser.mjs',
    'src',
  ])
  run('lint: nothing unused', bin('knip'), [])
}

function checkPackage() {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', scratch]
  if (!run('pack', 'npm', pack)) return
  const tarball = join(
    scratch,
    readdirSync(scratch).find((name) => name.endsWith('.tgz')),
  )
  run('pack: publint', bin('publint'), ['run', '--strict', tarball])
  run('pack: types', bin('attw'), ['--profile', 'esm-only', tarball])
}

/** Runs Vitest and adds up its report. */
function runTests(title, directory, { prefix = [], args = [], environment = {} }) {
  const report = join(directory, `.report-${basename(scratch)}.json`)
  const command = [
    ...prefix,
    process.execPath,
    join(directory, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--configLoader=runner',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
    ...vitestArguments,
  ]
  const passed = run(`tests: ${title}`, command[0], command.slice(1), {
    cwd: directory,
    env: { ...process.env, ...environment },
  })
  const counts = readCounts(report)
  rmSync(report, { force: true })
  // A failed test explains the failed run; anything else that failed the run counts by itself.
  if (!passed && counts.failed > 0) failures.pop()
  if (whole && passed && counts.passed === 0) failures.push(`tests: ${title}: nothing ran`)
  if (counts.skipped > 0) failures.push(`tests: ${title}: ${counts.skipped} skipped`)
  return counts
}

function readCounts(report) {
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'))
    return {
      passed: json.numPassedTests,
      failed: json.numFailedTests,
      skipped: json.numPendingTests + json.numTodoTests,
    }
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}

/** Imports a module of test/support; what that takes is there after the bootstrap. */
async function loadSupport(name) {
  const { createJiti } = await import('jiti')
  return createJiti(import.meta.url).import(`../test/support/${name}.ts`)
}

/** A checkout and a home that belong to the user `nobody`, as if that user had cloned them. */
async function makeOrdinaryUser() {
  const uid = 65534
  const directories = {
    checkout: join(scratch, 'src'),
    home: join(scratch, 'home'),
    tmp: join(scratch, 'tmp'),
  }
  chmodSync(scratch, 0o755)
  cpSync(root, directories.checkout, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path !== join(root, '.git'),
  })
  mkdirSync(directories.home)
  mkdirSync(directories.tmp)
  // The first round has built the guest, as an ordinary user too (test/images/tiny); if it could not,
  // this round says why.
  const { makeStoreWithTiny } = await loadSupport('store-with-tiny')
  await makeStoreWithTiny(join(directories.tmp, `vm-states-test-${uid}`, 'store')).catch(() => {})
  const { status } = spawnSync('chown', ['-R', `${uid}:${uid}`, ...Object.values(directories)])
  if (status !== 0) throw new Error('chown failed')
  return {
    checkout: directories.checkout,
    prefix: ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'],
    environment: {
      HOME: directories.home,
      USER: 'nobody',
      LOGNAME: 'nobody',
      TMPDIR: directories.tmp,
      XDG_CACHE_HOME: join(directories.home, '.cache'),
      XDG_CONFIG_HOME: join(directories.home, '.config'),
      XDG_RUNTIME_DIR: undefined,
      npm_config_cache: join(directories.home, '.npm'),
    },
  }
}

async function testAll() {
  const totals = [runTests('as whoever runs them', root, {})]
  if (process.getuid() === 0) {
    const { checkout, prefix, environment } = await makeOrdinaryUser()
    const args = ['--exclude=**/*.once.test.ts', ...(whole ? [] : ['--passWithNoTests'])]
    totals.push(runTests('as an ordinary user', checkout, { prefix, args, environment }))
  }
  const sum = (key) => totals.reduce((total, counts) => total + counts[key], 0)
  return { passed: sum('passed'), failed: sum('failed') }
}

async function main() {
  if (!run('bootstrap', process.execPath, ['scripts/bootstrap.mjs']))
    return { passed: 0, failed: 0 }
  if (whole) checkCode()
  if (!run('build', 'npm', ['run', '--silent', 'build'])) return { passed: 0, failed: 0 }
  if (whole) checkPackage()
  return testAll()
}

process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
const totals = await main()
for (const failure of failures) console.log(`FAILED ${failure}`)
const failed = totals.failed + failures.length
console.log(`${totals.passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || totals.passed === 0 ? 1 : 0
