import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, encode } from '../../../../src/guest/console/shell/encoding.js'

const anyBytes = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes))

test('what is typed is short, printable, and the same to the programs of a guest', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const lines = encode(bytes, 'base64')
      expect(Buffer.from(lines.join(''), 'base64')).toEqual(bytes)
      for (const line of [...lines, ...encode(bytes, 'numbers')]) {
        expect(line).toMatch(/^[!-~]{1,3800}$/)
      }
    }),
  )
  const all = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256))
  const typed = encode(all, 'numbers').join('')
  expect(execFileSync('/bin/sh', ['-c', 'printf "$1"', 'sh', typed])).toEqual(all)
})

test('what is printed is understood, and never with something in between', () => {
  const printed = {
    base64: (bytes: Buffer) => bytes.toString('base64').replace(/.{76}/g, '$&\n'),
    numbers: (bytes: Buffer) => bytes.toString('hex').replace(/../g, ' $&'),
  }
  for (const encoding of ['base64', 'numbers'] as const) {
    fc.assert(
      fc.property(anyBytes, fc.nat(), fc.string({ minLength: 1 }), (bytes, place, message) => {
        const text = printed[encoding](bytes)
        expect(decode(text, bytes.length, encoding)).toEqual(bytes)
        fc.pre(message.trim() !== '')
        const at = place % (text.length + 1)
        const mixed = `${text.slice(0, at)}${message}${text.slice(at)}`
        expect(decode(mixed, bytes.length, encoding) ?? bytes).toEqual(bytes)
      }),
    )
  }
})
