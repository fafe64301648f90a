import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readElfDependencies } from '../../../src/images/tiny/elf.js'

test('finds what the dynamic linker finds', () => {
  const { interpreter, needed } = readElfDependencies(readFileSync('/usr/bin/qemu-img'))
  expect(interpreter).toBe('/lib64/ld-linux-x86-64.so.2')
  const linked = execFileSync('ldd', ['/usr/bin/qemu-img'], { encoding: 'utf8' })
  const names = [...linked.matchAll(/^\t(\S+) =>/gm)].map((match) => match[1])
  expect(needed.length).toBeGreaterThan(5)
  expect(names).toEqual(expect.arrayContaining([...needed]))
})

test('says nothing of a file that is linked statically', () => {
  // A header without any program header.
  const elf = Buffer.alloc(64)
  expect(readElfDependencies(elf)).toEqual({ needed: [] })
})
