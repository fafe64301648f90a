import { test as base, describe, expect } from 'vitest'
import { vm } from 'vitest-vm-states'
import { machines } from './vm/states.js'

describe.for(machines)('on $name', { tags: ['vm'] }, ({ serving }) => {
  const test = base.extend('vm', vm(serving))

  test('serves the page', async ({ vm }) => {
    expect((await vm.$`wget -qO- http://localhost/`).stdout).toBe('Welcome')
  })
})
