import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Trailer } from '../../../src/guest/agent/trailer.js'

const MARK = 'abcab'

/** Bytes of which many look like the mark, in pieces. */
const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x'), minLength: 1 }))

test('all but the mark is handed on, however it was cut', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(MARK.length), async (texts, cut) => {
      fc.pre(!texts.join('').includes(MARK))
      fc.pre(!(texts.join('') + MARK).slice(0, -1).includes(MARK))
      const sent = [...texts, MARK.slice(0, cut), MARK.slice(cut)].filter(Boolean)
      const trailer = new Trailer(MARK)
      const got = await buffer(Readable.from(sent.map((text) => Buffer.from(text))).pipe(trailer))
      expect(got.toString()).toBe(texts.join(''))
      await trailer.come
    }),
  )
})

test('what cannot be the mark is handed on at once', async () => {
  const trailer = new Trailer(MARK)
  const got: string[] = []
  trailer.on('data', (bytes: Buffer) => got.push(bytes.toString()))
  trailer.write('first\nab')
  await expect.poll(() => got.join('')).toBe('first\n')
  trailer.write('x')
  await expect.poll(() => got.join('')).toBe('first\nabx')
})

test('a stream that ends without it is handed on as a whole', async () => {
  const trailer = new Trailer(MARK)
  expect(String(await buffer(Readable.from([Buffer.from('xabc')]).pipe(trailer)))).toBe('xabc')
  await trailer.come
})
