// node scripts/campaigns/clones.mjs [CLONES]
//
// Boots a tiny guest of 1 GiB, keeps it as a live state, and restores machines from that state, eight by
// default, that run one command each. Ends with 1 if their proportional set sizes together are more than
// 2.5 times that of the booted guest. Proportional: a page that n processes map counts as a n-th for each.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { image } = await jiti.import('../../src/images/image.ts')
const { machine } = await jiti.import('../../src/states/definitions/machine.ts')
const { Context } = await jiti.import('../../src/states/graph/context.ts')
const { openMachines } = await jiti.import('../../src/states/machines/machines-in-hand.ts')

const clones = Number(process.argv[2] ?? 8)
const MOST = 2.5

const options = { image: image.tiny(), memory: '1 GiB' }
const booted = machine('booted', { ...options, boot: 'cold' })
const serving = machine('tiny', options).live('serving', () => {})

const size = (pid, name) => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024
}
const pids = (opened) => opened.flatMap(({ processes }) => processes.map(({ pid }) => pid))
const sum = (opened, name) => pids(opened).reduce((total, pid) => total + size(pid, name), 0)

async function use(opened) {
  await opened.handle().$`touch /tmp/mine`
  return opened
}

const directory = await mkdtemp(join(tmpdir(), 'clones-'))
const settings = { store: join(directory, 'store'), label: 'clones' }
const context = await Context.open({
  ...settings,
  limits: { memory: { value: 2 ** 60, from: '' } },
})
let ratio
try {
  const one = await use(await openMachines(booted.root, context))
  const alone = sum([one], 'Pss')
  await one.close()
  const all = []
  for (let count = 0; count < clones; count++)
    all.push(await use(await openMachines(serving, context)))
  const together = sum(all, 'Pss')
  ratio = together / alone
  console.log(`one booted guest: ${alone.toFixed(0)} MiB`)
  console.log(
    `${clones} clones: ${together.toFixed(0)} MiB together, ${ratio.toFixed(2)} times as much (at most ${MOST}); ${sum(all, 'Rss').toFixed(0)} MiB if they shared nothing`,
  )
  for (const pid of pids(all)) {
    const parts = [
      'Rss',
      'Pss',
      'Private_Dirty',
      'Private_Clean',
      'Shared_Clean',
      'Pss_Anon',
      'Pss_File',
    ]
    console.log(`  ${parts.map((part) => `${part} ${size(pid, part).toFixed(0)}`).join(', ')}`)
  }
} finally {
  await context.close()
  await rm(directory, { recursive: true })
}
if (ratio > MOST) throw new Error('the clones take too much')
