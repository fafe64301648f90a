import { describe, expect, test } from 'vitest'
import { firstBootSchema } from '../../src/params/first-boot.js'
import { parse } from '../../src/params/parse.js'

const firstBoot = (options: object) => parse(firstBootSchema, options, 'machine("m").firstBoot')

describe('what is changed before the first boot', () => {
  test('may be nothing, and has defaults', () => {
    expect(firstBoot({})).toEqual({ sshKeys: [], files: {}, run: [] })
  })

  test.each([
    [{ hostname: 'a b' }, '.hostname is "a b": a host name is made of'],
    [{ rootPasword: 'x' }, '.rootPasword is "x": did you mean "rootPassword"?'],
    [{ rootPassword: 'a\nb' }, '.rootPassword is "(hidden)": a password is one line'],
    [{ sshKeys: ['key'] }, '.sshKeys[0] is "key": an ssh key is a line of a .pub file'],
    [{ files: { 'etc/x': '' } }, 'a path in the guest is absolute, without ".."'],
    [{ files: { '/etc/../x': '' } }, 'a path in the guest is absolute, without ".."'],
    [{ files: { '/etc/': '' } }, 'a path in the guest is absolute, without ".."'],
    [{ files: { '/x': 7 } }, 'a file is its text, or { content, mode }'],
    [{ files: { '/x': { content: '', mode: 0o10000 } } }, 'a mode is a number from 0 to 0o7777'],
    [
      { interfaces: { eth0: 'static' } },
      '.interfaces.eth0 is "static": an interface is "dhcp", or',
    ],
    [
      { interfaces: { eth0: { address: '10.0.0.2' } } },
      '.interfaces.eth0.address is "10.0.0.2": an address has its prefix',
    ],
    [
      { interfaces: { eth0: { address: '10.0.0.2/24', gateway: '10.0.0' } } },
      '.interfaces.eth0.gateway is "10.0.0": a gateway is an address',
    ],
    [
      { interfaces: { 'a/b': 'dhcp' } },
      '.interfaces.a/b is "dhcp": the name of an interface is one such as "eth0"',
    ],
    [{ run: 'ls' }, '.run is "ls"'],
  ])('%j is refused', (options, message) => {
    expect(() => firstBoot(options)).toThrow(message)
  })
})
