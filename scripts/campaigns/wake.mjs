// node scripts/campaigns/wake.mjs [tiny|debian|all] [CLONES]
//
// Restores a live state of the built-in guest and one of the Debian guest, 50 times each. The clocks of
// the states are years behind. Prints how long each clone took from `cont` until it was awake, beside
// one round trip to the agent of a clone that is only continued, how far off its clock was right after
// that and a few seconds later, and whether all random bytes differ. Ends with 1 if a clock was off by
// more than 100 ms, or two random numbers were the same.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { AgentClient } = await jiti.import('../../src/guest/agent/client.ts')
const { image } = await jiti.import('../../src/images/image.ts')
const { machine } = await jiti.import('../../src/states/definitions/machine.ts')
const { Context } = await jiti.import('../../src/states/graph/context.ts')
const { ensure } = await jiti.import('../../src/states/graph/ensure.ts')
const { startMachines } = await jiti.import('../../src/states/machines/start-machines.ts')
const { Handles } = await jiti.import('../../src/states/machines/handles.ts')
const { clockError, prepareForSleep, randomBytesOf } = await jiti.import(
  '../../test/states/machines/waking.ts',
)
const { debianImage } = await jiti.import('../../test/support/debian/image.ts')

const [which = 'all', count = '50'] = process.argv.slice(2)
const store = mkdtempSync(join(tmpdir(), 'wake-'))
const context = await Context.open({ store, label: 'campaign' })
const failures = []

/** A clone of the state, stopped; ended by `use`'s end. */
async function withClone(state, available, use) {
  const started = await startMachines(state, available, context, { purpose: 'test' })
  const handles = new Handles(state)
  handles.attach(started)
  try {
    return await use(started, started.machines.vm.process, handles.vm('vm'))
  } finally {
    handles.release('the clone has ended')
    await started.discard()
  }
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function median(values) {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]
}

async function clones(name, theImage, memory) {
  const definition = machine(name, { image: theImage, memory, readyTimeout: 300_000 })
  const state = definition.live('past', prepareForSleep)
  const available = await ensure(state, context)
  const figures = { woken: [], pinged: [], errors: [], later: [], random: new Set() }
  for (let clone = 0; clone < Number(count); clone++) {
    await withClone(state, available, async (started, process, vm) => {
      figures.woken.push(await timed(() => started.resume()))
      figures.errors.push(await clockError(process))
      for (const bytes of await randomBytesOf(vm)) figures.random.add(bytes)
      if (clone % 10 > 0) return
      await sleep(5000)
      figures.later.push(await clockError(process))
    })
    await withClone(state, available, async (_, process) => {
      const agent = new AgentClient(process.agent)
      const ping = async () => {
        await process.qmp.execute('cont')
        await agent.synchronize()
      }
      figures.pinged.push(await timed(ping))
      agent.close(() => new Error('the clone has ended'))
    })
  }
  await available.release()
  const { woken, pinged, errors, later, random } = figures
  const show = (values) =>
    `median ${median(values).toFixed(1)}, at most ${Math.max(...values).toFixed(1)} ms`
  console.log(`${name}: ${count} clones`)
  console.log(`  from cont until awake       ${show(woken)}`)
  console.log(`  from cont until agent's sync ${show(pinged)}`)
  console.log(`  clock off                   ${show(errors)}`)
  console.log(`  clock off 5 s later         ${show(later)}`)
  console.log(`  random numbers              ${random.size} different of ${2 * Number(count)}`)
  if (Math.max(...errors, ...later) > 100) failures.push(`${name}: clock`)
  if (random.size < 2 * Number(count)) failures.push(`${name}: random numbers`)
}

try {
  if (which !== 'debian') await clones('tiny', image.tiny(), '128 MiB')
  if (which !== 'tiny') await clones('debian', await debianImage(), '512 MiB')
} finally {
  await context.close()
  rmSync(store, { recursive: true, force: true })
}
for (const failure of failures) console.log(`FAILED ${failure}`)
process.exitCode = failures.length > 0 ? 1 : 0
