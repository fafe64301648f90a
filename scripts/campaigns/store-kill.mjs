// node scripts/campaigns/store-kill.mjs [MINUTES]
//
// Processes race for one lock of a store, in this PID namespace and in others, and are killed at
// any moment. An abstract socket of the kernel tells whether two were ever inside at once. Then
// builders are killed while they draft, commit and run machines, and what is left after a reap is
// counted. Ends with 1 if anything overlapped or stayed behind.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { compileWorker } = await jiti.import('../../test/store/support/compile.ts')
const { race } = await jiti.import('../../test/store/support/race.ts')
const { inOwnPidNamespace, WorkerProcess } = await jiti.import(
  '../../test/store/support/worker-process.ts',
)
const { openStore } = await jiti.import('../../src/store/store.ts')

const milliseconds = Number(process.argv[2] ?? 5) * 60_000
const scratch = mkdtempSync(join(tmpdir(), 'store-kill-'))
const worker = await compileWorker()
const failures = []

async function raceIn(name, share, processes, deadlyEvery) {
  const options = { processes, milliseconds: milliseconds * share, deadlyEvery }
  const { acquired, killed, overlaps } = await race(worker.program, join(scratch, name), options)
  console.log(`${name}: ${acquired} acquired, ${killed} killed, ${overlaps.length} overlaps`)
  if (overlaps.length > 0 || acquired === 0) failures.push(name)
}

async function killBuilder(root) {
  const builder = new WorkerProcess(worker.program, root)
  try {
    await builder.call('run', 'process')
    setTimeout(() => void builder.kill(), Math.random() * 300)
    for (;;) {
      await builder.call('lock', 'build')
      await builder.call('draft')
      await builder.call('commit')
      await builder.call('release')
    }
  } catch (error) {
    if (builder.running) throw error
  }
}

async function killBuilders(share) {
  const root = join(scratch, 'builders')
  const end = performance.now() + milliseconds * share
  let killed = 0
  const lane = async () => {
    for (; performance.now() < end; killed += 1) await killBuilder(root)
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  const store = await openStore(root)
  await store.reap()
  const objects = await store.objects.list()
  const left = ['runs', 'leases', 'locks'].flatMap((folder) => readdirSync(join(root, folder)))
  const halves = readdirSync(join(root, 'objects')).length - objects.length
  console.log(
    `builders: ${objects.length} objects, ${killed} killed, ${halves + left.length} left behind`,
  )
  if (halves + left.length > 0) failures.push('builders', ...left)
  await store.close()
}

try {
  const here = Array.from({ length: 16 }, () => [])
  await raceIn('one-namespace', 0.4, here, 1000)
  await raceIn('three-namespaces', 0.4, [[], [], inOwnPidNamespace, inOwnPidNamespace], 8000)
  await killBuilders(0.2)
} finally {
  await worker.remove()
  rmSync(scratch, { recursive: true, force: true })
}
for (const failure of failures) console.log(`FAILED ${failure}`)
process.exitCode = failures.length > 0 ? 1 : 0
