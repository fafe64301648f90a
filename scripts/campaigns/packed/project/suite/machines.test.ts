import { test as base, describe, expect } from 'vitest'
import { sharedVm, vm } from 'vitest-vm-states'
import { page, serving } from '../vm/states.js'

describe('a live state', { tags: ['vm'] }, () => {
  const test = base.extend('vm', vm(serving))
  test.for([1, 2])('is as it was saved, in test %i', async (_, { vm }) => {
    expect((await vm.$`cat /srv-page /tmp/serving; ls /tmp`).stdout).toBe('hello\nready\nserving')
    await vm.$`echo changed > /srv-page; echo mine > /tmp/mine`
  })
})

describe('a disk state', () => {
  const test = base.extend('vm', vm(page))
  test('is up', async ({ vm }) => {
    expect((await vm.$`cat /srv-page; ls /tmp`).stdout).toBe('hello')
  })
})

const shared = base.extend('machine', { scope: 'file' }, sharedVm(serving))
shared('changes the machine of the file', async ({ machine }) => {
  await machine.$`echo 1 > /tmp/shared`
})
shared('sees the change', async ({ machine }) => {
  expect((await machine.$`cat /tmp/shared`).stdout).toBe('1')
})
base('needs no machine', () => {})
