// npm run demo
//
// Installs what is missing and runs the suite in examples/demo on real virtual machines. The first
// run builds the states it needs; a second one finds them all.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

function run(directory, ...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: directory, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

function isBuilt() {
  const built = join(root, 'dist/plugin.js')
  if (!existsSync(built)) return false
  const { mtimeMs } = statSync(built)
  return readdirSync(join(root, 'src'), { recursive: true }).every(
    (name) => statSync(join(root, 'src', name)).mtimeMs <= mtimeMs,
  )
}

run(root, 'scripts/bootstrap.mjs')
if (!isBuilt()) spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
run(join(root, 'examples/demo'), vitest, 'run', ...process.argv.slice(2))
run(join(root, 'examples/matrix'), vitest, 'run')
