import { expect, it } from 'vitest'
import type { CommandResult } from '../../../src/guest/exec/result.js'
import { History } from '../../../src/states/machines/history.js'

function result(stdout: string | Buffer): Promise<CommandResult<string | Buffer>> {
  const done = { command: 'cat', stdout, stderr: '', exitCode: 0, signal: undefined }
  return Promise.resolve({ ...done, duration: 100, failed: false })
}

it('tells steps and commands in their order, readable in a terminal', async () => {
  const history = new History()
  history.add('setup')
  history.commands('client: ')('cat a', result('red: \u001b[31mred\u001b[0m'))
  history.commands()('sleep 9', new Promise(() => {}))
  await new Promise(setImmediate)
  expect(history.toString().replaceAll(/^\d+\.\d s: /gm, '')).toBe(
    [
      'setup',
      '$ client: cat a',
      '  | red: red',
      '  exit code 0 after 0.1 s',
      '$ sleep 9',
      '  had not ended by then',
    ].join('\n'),
  )
})

it('keeps beginning and end of a long output', async () => {
  const history = new History()
  history.commands()('cat', result(Buffer.from(`first${'x'.repeat(100_000)}last`)))
  await new Promise(setImmediate)
  const text = history.toString()
  expect(text).toMatch(/ {2}\| first/)
  expect(text).toMatch(/x\n {2}\| \[34473 characters left out\]\n/)
  expect(text).toMatch(/last\n {2}exit code 0/)
})

it('keeps what the last commands printed, and the last entries', async () => {
  const history = new History()
  for (let number = 0; number < 10_000; number++) {
    history.commands()(`cat ${number}`, result('y'.repeat(1000)))
    if (number % 100 === 0) await new Promise(setImmediate)
  }
  await new Promise(setImmediate)
  const text = history.toString()
  expect(text.length).toBeLessThan(6 * 2 ** 20)
  expect(text).toMatch(/^\[\d+ earlier entries left out\]\n/)
  expect(text).toContain(`$ cat 9999\n  | ${'y'.repeat(1000)}\n`)
})
