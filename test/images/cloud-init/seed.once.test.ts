import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isoImage } from '../../../src/images/cloud-init/iso.js'
import { resolveSeed, seedIdentity } from '../../../src/images/cloud-init/seed.js'
import { seedFiles } from '../../../src/images/cloud-init/seed-files.js'
import { type CloudInit, cloudInitSchema } from '../../../src/params/cloud-init.js'
import { makeScratch, type Scratch } from '../scratch.js'
import { readIso } from './read-iso.js'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ me@host'

const parsed = (options: object): CloudInit => cloudInitSchema.parse(options)

/** The user-data of options, as cloud-init reads it. */
function userData(options: object): unknown {
  const text = seedFiles(parsed(options))['user-data'] ?? ''
  expect(text).toMatch(/^#cloud-config\n/)
  return JSON.parse(text.slice(text.indexOf('\n')))
}

function metaData(options: object): Record<string, string> {
  return JSON.parse(seedFiles(parsed(options))['meta-data'] ?? '')
}

describe('the files of a seed', () => {
  it('have no character that YAML takes for another, or does not take', () => {
    const odd = '\u007f\u0085\u009f\u2028\ufeff\uffff'
    const { 'user-data': text } = seedFiles(parsed({ runcmd: [odd] }))
    expect(text).not.toMatch(/[^ -~\n]/)
    expect(userData({ runcmd: [odd] })).toMatchObject({ runcmd: [odd] })
  })

  it('say in the words of cloud-config what the options say', () => {
    const options = {
      hostname: 'web',
      users: [{ name: 'ada', sshKeys: [KEY], password: 'pw', sudo: true, groups: ['adm'] }],
      packages: ['nginx'],
      runcmd: ['touch /a', ['touch', '/b c']],
      userData: { timezone: 'Europe/Berlin' },
    }
    expect(userData(options)).toEqual({
      hostname: 'web',
      ssh_pwauth: true,
      users: [
        {
          name: 'ada',
          lock_passwd: false,
          plain_text_passwd: 'pw',
          ssh_authorized_keys: [KEY],
          sudo: 'ALL=(ALL) NOPASSWD:ALL',
          groups: ['adm'],
          shell: '/bin/bash',
        },
      ],
      packages: ['nginx'],
      runcmd: ['touch /a', ['touch', '/b c']],
      timezone: 'Europe/Berlin',
    })
    expect(metaData(options)['local-hostname']).toBe('web')
  })

  it("give keys to the image's own user, who stays beside others then", () => {
    expect(userData({ sshKeys: [KEY] })).toEqual({ ssh_authorized_keys: [KEY] })
    expect(userData({ sshKeys: [KEY], users: [{ name: 'ada' }] })).toMatchObject({
      users: ['default', { name: 'ada', lock_passwd: true }],
    })
  })

  it('let root log in where root is one of the users', () => {
    const options = { users: [{ name: 'root', sshKeys: [KEY] }] }
    expect(userData(options)).toMatchObject({ disable_root: false })
  })

  it('have a network configuration if one is given, of version 2 unless it says another', () => {
    const config = (network?: object) => seedFiles(parsed({ network }))['network-config']
    const ethernets = { all: { match: { name: 'en*' }, dhcp4: true } }
    expect(JSON.parse(config({ ethernets }) ?? '')).toEqual({ version: 2, ethernets })
    expect(JSON.parse(config({ version: 1, config: [] }) ?? '')).toMatchObject({ version: 1 })
    expect(config()).toBeUndefined()
  })

  it('hold a user-data file as it is', () => {
    const text = '#!/bin/sh\necho hello\n'
    expect(seedFiles(parsed({ userData: text }))['user-data']).toBe(text)
  })

  it('name an instance by all that they say, and by nothing else', () => {
    const id = (options: object) => metaData(options)['instance-id']
    const base = { hostname: 'web', runcmd: ['a'] }
    expect(id(base)).toMatch(/^vm-states-[0-9a-f]{32}$/)
    expect(id({ runcmd: ['a'], hostname: 'web' })).toBe(id(base))
    const others = [
      { hostname: 'db', runcmd: ['a'] },
      { ...base, network: {} },
      { hostname: 'web' },
    ]
    expect(new Set([base, ...others].map(id)).size).toBe(4)
  })
})

describe('the image of a seed', () => {
  it('is ISO 9660 with the label that cloud-init looks for', () => {
    const files = { 'meta-data': 'a\n', 'user-data': '#cloud-config\n{}\n' }
    const iso = readIso(isoImage('cidata', files))
    expect(iso).toEqual({ label: 'cidata', files })
  })

  it('holds files of any length, as they are', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary', minLength: 2000, maxLength: 5000 }),
    )
    const files = fc.record({ 'meta-data': text, 'user-data': text, 'network-config': text })
    fc.assert(
      fc.property(files, (files) => {
        // A lone surrogate cannot be written as UTF-8.
        const written = JSON.parse(JSON.stringify(files), (_, value) =>
          typeof value === 'string' ? Buffer.from(value).toString() : value,
        )
        expect(readIso(isoImage('cidata', files)).files).toEqual(written)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a seed in the store', () => {
  let scratch: Scratch

  beforeEach(async () => {
    scratch = await makeScratch()
  })

  afterEach(async () => {
    await scratch[Symbol.asyncDispose]()
  })

  it('is a read-only disk, made once for a content', async () => {
    const options = parsed({ hostname: 'web' })
    const first = await resolveSeed(options, scratch.store)
    expect(first.disk).toMatchObject({ name: 'cidata', format: 'raw', readOnly: true })
    expect(readIso(await readFile(first.disk.file)).label).toBe('cidata')
    expect(await resolveSeed(parsed({ hostname: 'web' }), scratch.store)).toEqual(first)
    const other = await resolveSeed(parsed({ hostname: 'db' }), scratch.store)
    expect(other.objectId).not.toBe(first.objectId)
    expect(seedIdentity(options)).toMatch(/^[0-9a-f]{64}$/)
    expect(join(first.disk.file, '..')).toContain(first.objectId)
  })
})
