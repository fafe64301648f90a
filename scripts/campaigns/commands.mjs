// node scripts/campaigns/commands.mjs [tiny|debian] [agent|ssh|console] [IN_A_ROW] [AT_ONCE]
//
// Runs 1,000 commands in a row and 100 at once in a booted guest, with a text of its own each. Tells how long
// they took. Ends with 1 if one of them failed, or printed what another one should.
import { timed, withBooted } from './guest/booted.mjs'

const [guest = 'tiny', channel = 'agent', inARow = '1000', atOnce = '100'] = process.argv.slice(2)

async function run(vm, text) {
  const { stdout } = await vm.exec('echo', [text])
  if (stdout !== text) throw new Error(`${text} printed ${stdout}`)
}

await withBooted(guest, channel, async (vm) => {
  const row = await timed(async () => {
    for (let index = 0; index < Number(inARow); index++) await run(vm, `in a row ${index}`)
  })
  const each = (row.seconds * 1000) / Number(inARow)
  console.log(
    `${guest}, ${channel}: ${inARow} in a row: ${row.seconds.toFixed(1)} s, ${each.toFixed(1)} ms each`,
  )
  const names = Array.from({ length: Number(atOnce) }, (_, index) => `at once ${index}`)
  const together = await timed(() => Promise.all(names.map((name) => run(vm, name))))
  console.log(`${guest}, ${channel}: ${atOnce} at once: ${together.seconds.toFixed(1)} s`)
})
