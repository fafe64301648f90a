import { expect, it } from 'vitest'
import { QmpLog } from '../../../src/qemu/qmp/qmp-log.js'

it('has each message on a line with its time and direction', () => {
  const log = new QmpLog('tiny')
  log.add('->', '{"execute":"cont","id":1}')
  log.add('<-', '{"return":{},"id":1}\r')
  expect(log.toString().split('\n')).toEqual([
    expect.stringMatching(/^20\d\d-\S+Z -> {"execute":"cont","id":1}$/),
    expect.stringMatching(/^20\d\d-\S+Z <- {"return":{},"id":1}$/),
  ])
})

it('keeps the last messages, and the beginning of long ones', () => {
  const log = new QmpLog('tiny')
  for (let id = 0; id < 5000; id++) log.add('->', `{"id":${id}}`)
  log.add('<-', 'x'.repeat(3000))
  const lines = log.toString().split('\n')
  expect(lines).toHaveLength(500)
  expect(lines[0]).toContain('{"id":4501}')
  expect(lines.at(-1)).toMatch(/<- x{2000} \[1000 characters left out\]$/)
})
