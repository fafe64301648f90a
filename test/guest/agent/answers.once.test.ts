import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Answer, answerReader } from '../../../src/guest/agent/answers.js'

function readAll(chunks: readonly Buffer[]): Answer[] {
  const answers: Answer[] = []
  const read = answerReader((answer) => answers.push(answer))
  for (const chunk of chunks) read(chunk)
  return answers
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length]
  ends.sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

test('answers are the same however the bytes are cut', () => {
  const lines = fc.array(fc.tuple(fc.jsonValue(), fc.boolean()), { maxLength: 8 })
  fc.assert(
    fc.property(lines, fc.array(fc.nat(), { maxLength: 12 }), (values, places) => {
      const bytes = Buffer.concat(
        values.flatMap(([value, delimited]) => [
          Buffer.from(delimited ? [0xff] : []),
          Buffer.from(`${JSON.stringify(value)}\n`),
        ]),
      )
      expect(readAll(cut(bytes, places))).toEqual(
        values.map(([value, delimited]) => ({
          value: JSON.parse(JSON.stringify(value)),
          delimited,
        })),
      )
    }),
  )
})

test('half an answer before 0xFF is dropped, and one without it is no answer', () => {
  const half = Buffer.from('QUJD"}}')
  const sync = Buffer.concat([half, Buffer.from([0xff]), Buffer.from('{"return": 7}\n')])
  expect(readAll([sync])).toEqual([{ value: { return: 7 }, delimited: true }])
  expect(readAll([Buffer.from('QUJD"}}\n')])).toEqual([{ value: undefined, delimited: false }])
})
