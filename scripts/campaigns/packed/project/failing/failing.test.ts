import { test as base } from 'vitest'
import { sharedVm, vm } from 'vitest-vm-states'
import { serving } from '../vm/states.js'

const test = base.extend('vm', vm(serving))
test('fails', async ({ vm }) => {
  await vm.$`echo of the test; echo to the console > /dev/console`
  throw new Error('as it should')
})
test('is late', { timeout: 5000 }, async ({ vm }) => void (await vm.$`sleep 1000`))

const shared = base.extend('machine', { scope: 'file' }, sharedVm(serving))
shared('fails on a shared machine', async ({ machine }) => void (await machine.$`false`))
