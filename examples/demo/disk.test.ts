import { test as base, describe, expect } from 'vitest'
import { vm } from 'vitest-vm-states'
import { guestbook, site } from './vm/states.js'

describe('a disk with a site on it', () => {
  const test = base.extend('vm', vm(site))

  test('has the page', async ({ vm }) => {
    expect(await vm.readFile('/srv/www/index.html', 'utf8')).toBe('Welcome\n')
  })

  test('can be filled', async ({ vm }) => {
    await vm.writeFile('/srv/www/big', Buffer.alloc(1024 * 1024))
    expect((await vm.$`ls /srv/www`).stdout).toBe('big\nindex.html')
  })

  test('is not full in the next test', async ({ vm }) => {
    expect((await vm.$`ls /srv/www`).stdout).toBe('index.html')
  })
})

describe('a disk with a guest book on top of the site', () => {
  const test = base.extend('vm', vm(guestbook))

  test('has the site and the guest book', async ({ vm }) => {
    expect((await vm.$`cat /srv/www/index.html /srv/guestbook`).stdout).toBe('Welcome\nalice')
  })

  test('can lose the guest book', async ({ vm }) => {
    await vm.$`rm /srv/guestbook && sync`
    expect((await vm.$({ reject: false })`test -e /srv/guestbook`).exitCode).toBe(1)
  })

  test('has the guest book again', async ({ vm }) => {
    expect(await vm.readFile('/srv/guestbook', 'utf8')).toBe('alice\n')
  })
})
