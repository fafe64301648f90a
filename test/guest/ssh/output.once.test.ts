import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AfterMark, KeptOutput } from '../../../src/guest/ssh/output.js'

async function passed(chunks: readonly Buffer[]) {
  const lines: string[] = []
  const kept = new KeptOutput()
  const after = new AfterMark('MARK', (line) => lines.push(line))
  await pipeline(chunks, after, kept)
  return { lines, rest: kept.bytes.toString() }
}

test('what comes before the mark is left out, however it is cut', async () => {
  const text = 'motd\nMARK 12 12\nfirst\nMARK 3 3\n'
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length)), async (places) => {
      const cuts = [0, ...places.sort((a, b) => a - b), text.length]
      const chunks = cuts.slice(1).map((cut, index) => Buffer.from(text.slice(cuts[index], cut)))
      expect(await passed(chunks)).toEqual({ lines: ['12 12'], rest: 'first\nMARK 3 3\n' })
    }),
  )
})

test('all is there where no mark came', async () => {
  const chunks = [Buffer.from('no such shell'), Buffer.from(': MARK')]
  expect(await passed(chunks)).toEqual({ lines: [], rest: 'no such shell: MARK' })
})

test('of too much output the beginning is kept', async () => {
  const kept = new KeptOutput(5)
  await pipeline([Buffer.from('abc'), Buffer.from('def')], kept)
  expect(kept.bytes.toString()).toBe('abcde')
  expect(kept.isTruncated).toBe(true)
})
