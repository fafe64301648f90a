// node scripts/campaigns/clock-rates.mjs [GUESTS] [AT_ONCE]
//
// Boots the built-in guest again and again, five at once on a host that is busy with them. Prints how
// long a boot took, and how fast the clocks of the guests went against the host's over two seconds. Ends
// with 1 if one went a fifth too fast or too slow: its kernel has mistaken the speed of what it counts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { image } = await jiti.import('../../src/images/image.ts')
const { machine } = await jiti.import('../../src/states/definitions/machine.ts')
const { Context } = await jiti.import('../../src/states/graph/context.ts')
const { openMachines } = await jiti.import('../../src/states/machines/machines-in-hand.ts')

const [guests = '60', atOnce = '5'] = process.argv.slice(2)
const store = mkdtempSync(join(tmpdir(), 'clock-rates-'))
const context = await Context.open({ store, label: 'campaign' })
const { root } = machine('tiny', { image: image.tiny(), memory: '128 MiB', boot: 'cold' })

const READ_CLOCK = '$t = pack "qq", 0, 0; syscall 228, 1, $t; printf "%d.%09d", unpack "qq", $t'
const SOURCE = '/sys/devices/system/clocksource/clocksource0/current_clocksource'

/** Milliseconds since the guest's boot, and the moment of the host's that they are of. */
async function look(vm) {
  const asked = performance.now()
  const { stdout } = await vm.exec('perl', ['-e', READ_CLOCK])
  return { guest: Number(stdout) * 1000, host: (asked + performance.now()) / 2 }
}

async function rateOfOne() {
  const start = performance.now()
  const machines = await openMachines(root, context)
  const boot = performance.now() - start
  try {
    const vm = machines.handle()
    const before = await look(vm)
    await sleep(2000)
    const after = await look(vm)
    const rate = (after.guest - before.guest) / (after.host - before.host)
    return { boot, rate, source: (await vm.readFile(SOURCE)).trim() }
  } finally {
    await machines.close()
  }
}

const looked = []
let begun = 0
async function worker() {
  while (begun < Number(guests)) {
    begun += 1
    looked.push(await rateOfOne())
  }
}

try {
  await Promise.all(Array.from({ length: Number(atOnce) }, worker))
} finally {
  await context.close()
  rmSync(store, { recursive: true, force: true })
}
const boots = looked.map(({ boot }) => boot).sort((one, other) => one - other)
const rates = looked.map(({ rate }) => rate).sort((one, other) => one - other)
const sources = [...new Set(looked.map(({ source }) => source))]
const wrong = rates.filter((rate) => Math.abs(rate - 1) > 0.2)
console.log(`${looked.length} guests, ${atOnce} at once; their clocks: ${sources.join(', ')}`)
console.log(`  boot   median ${boots[boots.length >> 1].toFixed(0)} ms`)
console.log(`  rates  from ${rates[0].toFixed(3)} to ${rates.at(-1).toFixed(3)}`)
console.log(`  wrong  ${wrong.length}`)
process.exitCode = wrong.length > 0 ? 1 : 0
