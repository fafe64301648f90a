import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { whoAmI } from '../../../src/store/owner/host.js'
import { startTimeOf } from '../../../src/store/owner/process-status.js'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { scratchStore } from '../support/scratch-store.js'
import { WorkerProcess } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

function startSleeper(): number {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child.pid ?? 0
}

const hasEnded = (pid: number) => async () => (await startTimeOf(pid)) === undefined

test('a run has a private directory, with a fresh one for each machine', async () => {
  const store = await scratchStore()
  const run = await store.runs.begin({ lifetime: 'process', label: 'web.test.ts' })
  expect((await stat(run.directory)).mode & 0o777).toBe(0o700)
  const directories = [await run.machineDirectory('debian'), await run.machineDirectory('debian')]
  expect(new Set(directories).size).toBe(2)
  for (const directory of directories) expect(await readdir(directory)).toEqual([])
  expect(await store.runs.list()).toMatchObject([
    { id: run.id, label: 'web.test.ts', lifetime: 'process' },
  ])
  await expect(run.machineDirectory('../x')).rejects.toMatchObject({ code: 'INVALID_NAME' })
})

test('the end of a run kills its processes and deletes its directory', async () => {
  const store = await scratchStore()
  const run = await store.runs.begin({ lifetime: 'process', label: 'test' })
  const [recorded, forgotten] = [startSleeper(), startSleeper()]
  await run.addProcess(recorded)
  await run.addProcess(forgotten)
  await run.removeProcess(forgotten)
  await run.end()
  await expect.poll(hasEnded(recorded), { timeout: 10_000 }).toBe(true)
  expect(await startTimeOf(forgotten)).toBeDefined()
  expect(await readdir(join(store.root, 'runs'))).toEqual([])
  await run.end()
})

test('what a killed process left running and lying about is gone after a reap', async () => {
  const store = await scratchStore()
  await using living = new WorkerProcess(worker.program, store.root)
  await using killed = new WorkerProcess(worker.program, store.root)
  const kept = await living.call('run', 'process')
  const left = await killed.call('run', 'process')
  await killed.kill()
  expect(await store.reap()).toEqual({ runs: [left.id], processes: [left.pid], drafts: 0 })
  await expect.poll(hasEnded(left.pid), { timeout: 10_000 }).toBe(true)
  expect(await startTimeOf(kept.pid)).toBeDefined()
  expect(await readdir(join(store.root, 'runs'))).toEqual([kept.id])
  await (await store.runs.open(kept.id))?.end()
})

test('several reaps at once do no harm', async () => {
  const store = await scratchStore()
  const left: string[] = []
  for (let count = 0; count < 4; count += 1) {
    await using killed = new WorkerProcess(worker.program, store.root)
    left.push((await killed.call('run', 'process')).id)
    await killed.call('draft')
    await killed.call('lock', `lock-${count}`)
    await killed.kill()
  }
  await using other = new WorkerProcess(worker.program, store.root)
  await Promise.all([store.reap(), store.reap(), other.call('reap'), store.reap()])
  for (const folder of ['runs', 'objects', 'leases', 'locks']) {
    expect(await readdir(join(store.root, folder))).toEqual([])
  }
})

test('a reap leaves to the next one what a tool of a dead process still writes', async () => {
  const store = await scratchStore()
  await using killed = new WorkerProcess(worker.program, store.root)
  const directory = await killed.call('draft')
  await killed.kill()
  const write = `let count = 0
    for (;;) try { require('fs').writeFileSync(String(count++ % 100), '') } catch {}`
  const tool = spawn(process.execPath, ['-e', write], { cwd: directory, stdio: 'ignore' })
  onTestFinished(() => void tool.kill('SIGKILL'))
  await expect.poll(async () => (await readdir(directory)).length).toBeGreaterThan(1)
  for (let count = 0; count < 5; count += 1) await store.reap()
  tool.kill('SIGKILL')
  await once(tool, 'exit')
  await store.reap()
  expect(await readdir(join(store.root, 'objects'))).toEqual([])
})

test('a detached run outlives the process that began it, until it is ended by its id', async () => {
  const store = await scratchStore()
  await using other = new WorkerProcess(worker.program, store.root)
  const { id, pid } = await other.call('run', 'detached')
  await other.kill()
  expect(await store.reap()).toMatchObject({ runs: [], processes: [] })
  expect(await startTimeOf(pid)).toBeDefined()
  await (await store.runs.open(id))?.end()
  await expect.poll(hasEnded(pid), { timeout: 10_000 }).toBe(true)
  expect(await store.runs.open(id)).toBeUndefined()
})

test('a process that only has the pid of a recorded one is never killed', async () => {
  const store = await scratchStore()
  const innocent = startSleeper()
  const startTime = await startTimeOf(innocent)
  const { scope } = whoAmI()
  const others = [
    { ...scope, pid: innocent, startTime: '1' },
    { ...scope, pid: innocent, startTime, boot: 'another boot' },
    { ...scope, pid: innocent, startTime, pidNamespace: 'pid:[1]' },
    { boot: scope.boot, pid: innocent, startTime },
  ]
  for (const record of others) {
    const run = await store.runs.begin({ lifetime: 'process', label: 'test' })
    await writeFile(join(run.directory, `processes/${innocent}`), JSON.stringify(record))
    await run.end()
  }
  expect(await startTimeOf(innocent)).toBe(startTime)
})

test('the record of a process names its start time, boot and PID namespace', async () => {
  const store = await scratchStore()
  const run = await store.runs.begin({ lifetime: 'process', label: 'test' })
  const pid = startSleeper()
  await run.addProcess(pid)
  const record: unknown = JSON.parse(
    await readFile(join(run.directory, `processes/${pid}`), 'utf8'),
  )
  expect(record).toEqual({ pid, startTime: await startTimeOf(pid), ...whoAmI().scope })
})
