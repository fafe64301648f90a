import { readFile } from 'node:fs/promises'
import { environment, image, machine } from 'vitest-vm-states/states'
import { greeting } from './helper.js'

const input = new URL('./input.txt', import.meta.url)

export const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })

export const page = tiny.state(
  'page',
  async (vm) => {
    await vm.writeFile('/srv-page', `${greeting}\n`)
    await vm.writeFile('/srv-input', await readFile(input, 'utf8'))
  },
  { inputs: { files: ['./input.txt'] } },
)

export const serving = page.live('serving', async (vm) => {
  await vm.$`echo ready > /tmp/serving`
})

export const lab = environment('lab', { one: serving, two: tiny }).live(
  'joined',
  async ({ one, two }) => {
    await one.$`echo joined > /tmp/joined`
    await two.$`echo joined > /tmp/joined`
  },
)

export const broken = tiny.state('broken', async (vm) => {
  await vm.$`echo on its way; exit 7`
})
