import { test as base, expect } from 'vitest'
import { vms } from 'vitest-vm-states'
import { lab, page, tiny } from '../vm/states.js'

const test = base.extend('lab', vms(lab)).extend('pair', vms({ first: page, second: tiny }))

test.for([1, 2])('has both machines as they were saved, in test %i', async (_, { lab }) => {
  for (const machine of [lab.one, lab.two]) {
    expect((await machine.$`cat /tmp/joined; ls /tmp/mine 2>/dev/null || true`).stdout).toBe(
      'joined',
    )
    await machine.$`echo mine > /tmp/mine`
  }
})

test('has a pair', async ({ pair }) => {
  expect((await pair.first.$`cat /srv-page`).stdout).toBe('hello')
  expect((await pair.second.$`ls /srv-page 2>/dev/null || echo none`).stdout).toBe('none')
})
