import { expect, onTestFinished, test } from 'vitest'
import { vncPort } from '../../../src/qemu/machine/display.js'
import { launch } from '../../../src/qemu/machine/launch.js'
import { bareOptions } from './bare-machine.js'

async function shown(extraArgs: readonly string[]) {
  const process = await launch(await bareOptions({ extraArgs, vncPort: 0, paused: true }))
  onTestFinished(() => process.close())
  return process
}

test('a display is shown on a free port, of each machine on its own', async () => {
  const machines = [await shown(['-device', 'VGA']), await shown(['-device', 'VGA'])]
  const ports = await Promise.all(machines.map(({ qmp }) => vncPort(qmp, 'seen')))
  for (const port of ports) expect(port).toBeGreaterThanOrEqual(5900)
  expect(ports[0]).not.toBe(ports[1])
})

test('a machine without a graphics card is refused', async () => {
  const { qmp } = await shown([])
  await expect(vncPort(qmp, 'blind')).rejects.toMatchObject({
    code: 'NO_DISPLAY',
    message: expect.stringMatching(/^blind has no display/),
  })
})
