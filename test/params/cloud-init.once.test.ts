import { describe, expect, test } from 'vitest'
import { cloudInitSchema } from '../../src/params/cloud-init.js'
import { parse } from '../../src/params/parse.js'

const cloudInit = (options: object) => parse(cloudInitSchema, options, 'machine("m").cloudInit')

describe('what cloud-init is told', () => {
  test('may be nothing, and has defaults', () => {
    const empty = { users: [], sshKeys: [], packages: [], runcmd: [] }
    expect(cloudInit({})).toEqual(empty)
    expect(cloudInit({ users: [{ name: 'ada' }] }).users).toEqual([
      { name: 'ada', sshKeys: [], groups: [] },
    ])
  })

  test('may have the line of a .pub file for a key', () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ== me on my host'
    expect(cloudInit({ sshKeys: [`${key}\n`] }).sshKeys).toEqual([key])
  })

  test.each([
    [{ hostnme: 'web' }, '.hostnme is "web": did you mean "hostname"?'],
    [{ hostname: 'my host' }, '.hostname is "my host": a host name is made of'],
    [{ users: [{ name: 'Ada Lovelace' }] }, '.users[0].name is "Ada Lovelace": the name of a user'],
    [{ users: [{ name: 'ada', key: 'x' }] }, '.users[0].key is "x": the options are name, sshKeys'],
    [{ users: [{ name: 'a', password: '' }] }, '.users[0].password is "": a password cannot be'],
    [{ users: [{ name: 'a', shell: 'zsh' }] }, '.users[0].shell is "zsh": a shell is an absolute'],
    [{ sshKeys: ['id_ed25519.pub'] }, '.sshKeys[0] is "id_ed25519.pub": an ssh key is a line of'],
    [{ runcmd: [7] }, '.runcmd[0] is 7: a command is a line for the shell, or a program'],
    [{ network: 'dhcp' }, '.network is "dhcp": it is an object'],
    [{ userData: 'hello' }, '.userData is "hello": a user-data file starts with "#cloud-config"'],
    [
      { userData: '#cloud-config\n{}', packages: ['nginx'] },
      'a whole user-data file goes without packages, which it would hold',
    ],
    [{ userData: { runcmd: [] } }, '"runcmd" is written as the option "runcmd" of cloudInit'],
  ])('%j is refused', (options, message) => {
    expect(() => cloudInit(options)).toThrow(message)
  })
})
