// npm run demo
//
// Installs what is missing and runs the suite in examples/demo on real virtual machines. The first
// run builds the states it needs; a second one finds them all.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

function run(directory, ...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: directory, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

run(root, 'scripts/bootstrap.mjs')
if (!existsSync(join(root, 'dist/plugin.js'))) run(root, 'scripts/build.mjs')
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
run(join(root, 'examples/demo'), vitest, 'run', ...process.argv.slice(2))
