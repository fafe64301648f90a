import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter } from '../../../src/qemu/qmp/line-splitter.js'

test('lines come out as they went in, wherever the bytes were cut', () => {
  const line = fc.string({ unit: 'binary' }).map((text) => `<${text.replaceAll('\n', '')}>`)
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(20)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\r\n`).join(''))
      const splitter = new LineSplitter()
      const found: string[] = []
      let start = 0
      for (const cut of cuts) {
        found.push(...splitter.push(bytes.subarray(start, start + cut)))
        start += cut
      }
      found.push(...splitter.push(bytes.subarray(start)))
      expect(found).toEqual(lines)
    }),
  )
})
