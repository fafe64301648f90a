import { test as base, describe, expect } from 'vitest'
import { vm } from 'vitest-vm-states'
import { serving } from './vm/states.js'

const test = base.extend('vm', vm(serving))

describe('a web server that was already serving when its test began', () => {
  test('serves the page', async ({ vm }) => {
    expect((await vm.$`wget -qO- http://localhost/`).stdout).toBe('Welcome')
  })

  test('is reached from the host through a forwarded port', async ({ vm }) => {
    const { host, port } = await vm.forwardPort(80)
    const response = await fetch(`http://${host}:${port}/`)
    expect(await response.text()).toBe('Welcome\n')
  })

  test('takes an entry in its guest book', async ({ vm }) => {
    const book = await vm.$`wget -qO- ${'http://localhost/cgi-bin/sign?bob'}`
    expect(book.stdout).toBe('alice\nbob')
  })

  test('does not remember the entry of the test before', async ({ vm }) => {
    const book = await vm.$`wget -qO- ${'http://localhost/cgi-bin/sign?carol'}`
    expect(book.stdout).toBe('alice\ncarol')
  })

  test('survives the loss of its pages', async ({ vm }) => {
    await vm.$`rm -rf /srv/www`
    expect((await vm.$({ reject: false })`wget -qO- http://localhost/`).exitCode).not.toBe(0)
  })

  test('has its pages back after that', async ({ vm }) => {
    expect((await vm.$`wget -qO- http://localhost/`).stdout).toBe('Welcome')
  })
})
