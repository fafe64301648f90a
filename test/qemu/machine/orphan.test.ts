import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { findSetpriv } from '../../../src/qemu/machine/find-binary.js'
import { processStartTime } from '../../../src/qemu/machine/proc-stat.js'
import { bareOptions, temporaryDirectory } from './bare-machine.js'

const launcher = fileURLToPath(new URL('./launcher.ts', import.meta.url))
const jiti = fileURLToPath(new URL('../../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))

/** A process of its own that launches a machine and then does nothing. */
async function startLauncher(environment: NodeJS.ProcessEnv = {}) {
  const options = JSON.stringify(await bareOptions())
  const parent = spawn(process.execPath, [jiti, launcher, options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  onTestFinished(() => {
    parent.kill('SIGKILL')
  })
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]()
  const pid = Number((await lines.next()).value)
  onTestFinished(() => {
    if (processStartTime(pid) !== undefined) process.kill(pid, 'SIGKILL')
  })
  return { parent, pid, launched: () => lines.next() }
}

async function expectEnd(pid: number) {
  await expect.poll(() => processStartTime(pid), { timeout: 5000, interval: 10 }).toBeUndefined()
}

test('QEMU dies with a parent that is killed with -9', async () => {
  const { parent, pid, launched } = await startLauncher()
  await launched()
  expect(processStartTime(pid)).toBeDefined()
  parent.kill('SIGKILL')
  await expectEnd(pid)
})

test('no QEMU starts for a parent that was killed before its death could be watched', async () => {
  const directory = await temporaryDirectory()
  const gate = join(directory, 'gate')
  execFileSync('mkfifo', [gate])
  const script = `#!/bin/sh\nread go <${gate}\nexec ${await findSetpriv()} "$@"\n`
  await writeFile(join(directory, 'setpriv'), script, { mode: 0o755 })
  const { parent, pid } = await startLauncher({ PATH: `${directory}:${process.env.PATH}` })
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  await writeFile(gate, 'go\n')
  await expectEnd(pid)
})

test('QEMU is in a session of its own, where no Ctrl-C of a terminal reaches it', async () => {
  const { pid, launched } = await startLauncher()
  await launched()
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  expect(Number(session)).toBe(pid)
})

test('a process that has ended is not running, even before anyone has reaped it', async () => {
  // The shell's child ends at once; the shell becomes a program that never reaps it.
  const shell = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 30'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    shell.kill('SIGKILL')
  })
  const [line] = await once(createInterface(shell.stdout), 'line')
  await expectEnd(Number(line))
  expect(() => process.kill(Number(line), 0)).not.toThrow()
})
