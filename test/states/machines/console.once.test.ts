import { expect, it } from 'vitest'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { Vm } from '../../../src/states/definitions/types.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { useStore } from '../graph/use-store.js'

const place = useStore()

const options = { image: image.tiny(), memory: '128 MiB' } as const

async function say(vm: Vm, text: string): Promise<string> {
  await vm.console.sendLine(`echo say-"${text}"`)
  await vm.console.waitFor(new RegExp(`^say-${text}$`, 'm'))
  return await vm.console.transcript()
}

for (const backend of ['fork', 'live'] as const) {
  it(`the console of a live state works after each restore, and begins with it (${backend})`, async () => {
    const typed = machine('typed', options).live(
      'typed',
      (vm) => vm.console.sendLine('echo built'),
      {
        backend,
      },
    )
    await using opened = await openMachines(typed, place.context)
    const [first] = opened.processes
    await opened.handle().$`echo printed >/dev/ttyS0`
    await opened.handle().console.waitFor('printed')
    await opened.reset()
    expect(opened.processes).toEqual([first])
    expect(await opened.handle().console.tail()).not.toContain('printed')
    const text = await say(opened.handle(), 'first')
    expect(text).toContain('| say-first')
    expect(text).not.toContain('printed')
    // What a guest has not taken yet is not for the next test.
    await opened.handle().pause()
    await opened.handle().console.sendLine(`echo left-${'x'.repeat(100)}`)
    await opened.reset()
    expect(opened.processes).not.toEqual([first])
    const second = await say(opened.handle(), 'second')
    expect(second).toContain('| say-second')
    expect(second).not.toContain('left')
  })
}

it('the console of a machine that boots has all since power-on', async () => {
  const cold = machine('cold', { ...options, boot: 'cold' })
  await using opened = await openMachines(cold.root, place.context)
  const vm = opened.handle()
  const { before } = await vm.console.waitFor('vm-states tiny kernel ready')
  expect(before).toContain('SeaBIOS')
  const text = await vm.console.transcript()
  const [firmware = '', kernel = ''] = ['SeaBIOS', 'kernel ready'].map((words) =>
    text.split('\n').find((line) => line.includes(words)),
  )
  expect(Number.parseFloat(firmware)).toBeLessThanOrEqual(Number.parseFloat(kernel))
  expect(Number.parseFloat(kernel)).toBeGreaterThan(0)
})
