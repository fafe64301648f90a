import { expect, test } from 'vitest'
import { addDataPort } from '../../../src/guest/agent/data-port.js'
import type { GuestProcess } from '../../../src/guest/guest-process.js'
import { VmStatesError } from '../../../src/params/errors.js'
import { rejection } from '../tiny-vm.js'

// A real QEMU cannot be made to end between its answer and the connection.
test('a QEMU that ends before it is connected to is told of by its end', async () => {
  const execute = async (command: string) => {
    if (command === 'chardev-add') return {}
    throw new VmStatesError('QMP_CONNECTION_LOST', `QEMU has ended, and ${command} is not done`)
  }
  const process = { qmp: { execute }, exited: new Promise(() => {}) } as unknown as GuestProcess
  expect(await rejection(addDataPort(process))).toMatchObject({ code: 'QMP_CONNECTION_LOST' })
})
