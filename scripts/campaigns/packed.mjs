// node scripts/campaigns/packed.mjs [VITEST…]
//
// Packs the package, installs it in projects outside of the repository - with Vitest 4.1 on Node 20,
// and Vitest 5 on Node 24, both as npm packages - and runs all that it does there, on real machines.
// Prints a table; ends with 1 if anything failed. Both versions of Vitest, or those named: 4.1, 5.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { checks } from './packed/checks.mjs'
import { PackedProject } from './packed/project.mjs'

const COMBINATIONS = [
  { vitest: '4.1', node: '20' },
  { vitest: '5', node: '24' },
]

const root = resolve(import.meta.dirname, '../..')
const named = process.argv.slice(2)
const wanted = COMBINATIONS.filter(({ vitest }) => named.length === 0 || named.includes(vitest))
const scratch = mkdtempSync(join(tmpdir(), 'packed-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

async function pack() {
  await execa('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', scratch]
  await execa('npm', args, { cwd: root })
  return join(
    scratch,
    readdirSync(scratch).find((name) => name.endsWith('.tgz')),
  )
}

/** Each check in order, since later ones find what earlier ones built. */
async function run(combination, tarball) {
  const directory = join(scratch, combination.vitest)
  const project = await PackedProject.create(directory, tarball, combination)
  console.log(`\nVitest ${project.vitestVersion}, Node ${project.nodeVersion}`)
  let failed = 0
  for (const [title, check] of Object.entries(checks)) {
    const startedAt = performance.now()
    const error = await check(project).then(
      () => undefined,
      (reason) => reason,
    )
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${error === undefined ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)`)
    if (error === undefined) continue
    failed += 1
    console.log(String(error.message).replaceAll(/^/gm, '    '))
  }
  return failed
}

const tarball = await pack()
let failed = 0
for (const combination of wanted) failed += await run(combination, tarball)
console.log(failed === 0 ? '\nall held' : `\n${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
