import { describe, expect, it } from 'vitest'
import { machineOptionsSchema } from '../../../src/params/machine.js'
import { parse } from '../../../src/params/parse.js'
import type { MachineOptions } from '../../../src/states/definitions/types.js'
import { withSshKey } from '../../../src/states/keys/with-ssh-key.js'

const KEY = 'ssh-ed25519 AAAA vitest-vm-states'

const withKey = (options: Partial<MachineOptions>) => {
  const image = { kind: 'tiny' } as const
  const parsed = parse(machineOptionsSchema, { image, ...options }, 'machine')
  return withSshKey(parsed, async () => KEY)
}

describe('the key of the store is let in', () => {
  it('for root by firstBoot, besides others', async () => {
    const firstBoot = { sshKeys: ['ssh-ed25519 BBBB'] }
    const changed = await withKey({ guest: 'ssh', firstBoot })
    expect(changed.firstBoot?.sshKeys).toEqual(['ssh-ed25519 BBBB', KEY])
    const other = await withKey({ guest: 'ssh', sshUser: 'ada', firstBoot })
    expect(other.firstBoot?.sshKeys).toEqual(['ssh-ed25519 BBBB'])
  })

  it('for a user of cloudInit, and else for the own one of the image', async () => {
    const cloudInit = { users: [{ name: 'ada' }, { name: 'bob' }] }
    const ofUser = await withKey({ guest: 'ssh', sshUser: 'ada', cloudInit })
    expect(ofUser.cloudInit?.users.map(({ sshKeys }) => sshKeys)).toEqual([[KEY], []])
    const ofImage = await withKey({ guest: 'ssh', sshUser: 'debian', cloudInit })
    expect(ofImage.cloudInit).toMatchObject({ sshKeys: [KEY], users: [{ sshKeys: [] }, {}] })
  })

  it('for root by a command of cloudInit, before others', async () => {
    const cloudInit = { userData: { bootcmd: ['echo mine'], locale: false } }
    const { userData } = (await withKey({ guest: 'ssh', cloudInit })).cloudInit ?? {}
    expect(userData).toMatchObject({ locale: false })
    const [own, ...others] = (userData as { bootcmd: unknown[] }).bootcmd
    expect(own).toContain(KEY)
    expect(others).toEqual(['echo mine'])
  })

  it('not at all into a whole file, or where the agent is talked to', async () => {
    const whole = { userData: '#!/bin/sh\n' }
    expect(await withKey({ guest: 'ssh', cloudInit: whole })).toMatchObject({ cloudInit: whole })
    expect((await withKey({ firstBoot: {} })).firstBoot?.sshKeys).toEqual([])
    expect(await withKey({ guest: 'ssh' })).toEqual({ cloudInit: undefined, firstBoot: undefined })
  })
})
