import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newPrivateKey, storeSshKey } from '../../../src/guest/ssh/ssh-key.js'
import { openStore } from '../../../src/store/store.js'

let directory: string
let root: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-ssh-key-'))
  root = join(directory, 'store')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('a store has one key pair, whoever asks first', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => storeSshKey(root)))
  const again = await storeSshKey(root)
  expect(new Set(keys.map(({ privateKey }) => privateKey))).toEqual(new Set([again.privateKey]))
  expect(new Set(keys.map(({ publicKey }) => publicKey))).toEqual(new Set([again.publicKey]))
  expect((await storeSshKey(join(directory, 'other'))).publicKey).not.toBe(again.publicKey)
})

test('only its user can read the private key, and the store stays one', async () => {
  const { privateKey } = await storeSshKey(root)
  const file = join(root, 'ssh_key')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readFile(file, 'utf8')).toBe(privateKey)
  await using store = await openStore(root)
  await store.reap()
  expect(await readFile(file, 'utf8')).toBe(privateKey)
})

test('is a pair, as ssh has it', async () => {
  const { publicKey } = await storeSshKey(root)
  expect(publicKey).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]+=* vitest-vm-states$/)
  const { stdout } = await execa('ssh-keygen', ['-y', '-f', join(root, 'ssh_key')])
  expect(publicKey.split(' ').slice(0, 2)).toEqual(stdout.split(' ').slice(0, 2))
})

test('every key that is made can be read again', async () => {
  for (let index = 0; index < 2000; index++) {
    expect(ssh2.utils.parseKey(await newPrivateKey())).not.toBeInstanceOf(Error)
  }
})

test('a key that cannot be read is named', async () => {
  await storeSshKey(root)
  const file = join(root, 'ssh_key')
  await writeFile(file, 'no key')
  await expect(storeSshKey(root)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
    message: expect.stringContaining(file),
  })
})
